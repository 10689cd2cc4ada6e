import { performance } from 'node:perf_hooks';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { TestServer } from '../kit/server.ts';

/** What one hostile client does to a server, and the bounds that must hold meanwhile. */
export interface Workload {
  /** `worst policies`: the argument of `npm run hostile`. */
  readonly name: string;
  /**
   * Runs the workload for about `seconds` against servers of its own.
   *
   * Throws if a bound in steps, bytes, rows or counts does not hold. Times are figures only: a test never asserts them.
   */
  run(options: WorkloadOptions): Promise<readonly Figure[]>;
}

export interface WorkloadOptions {
  readonly seconds: number;
  /** Seed of every generated input. The same seed generates the same inputs. */
  readonly seed: number;
}

/** One measured number, as `docs/performance.md` shows it. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: 'ms' | 'bytes' | 'steps' | 'rows' | 'count';
  /** The promised limit. `npm run hostile` fails if `value` is higher. */
  readonly most?: number;
}

/**
 * Measures how long another caller waits while `attack` runs: calls GetCallerIdentity one after the other, through the
 * unmodified client, until the attack ends.
 *
 * Returns the longest delay in milliseconds and the number of calls that were answered.
 */
export async function delayOfOthers(
  server: Pick<TestServer, 'client'>,
  attack: () => Promise<unknown>,
): Promise<{ longestMs: number; calls: number }> {
  const sts = new STSClient(server.client());
  await sts.send(new GetCallerIdentityCommand({}));
  let attacking = true;
  const attacked = attack().finally(() => {
    attacking = false;
  });
  let longestMs = 0;
  let calls = 0;
  while (attacking) {
    const from = performance.now();
    await sts.send(new GetCallerIdentityCommand({}));
    longestMs = Math.max(longestMs, performance.now() - from);
    calls += 1;
  }
  await attacked;
  sts.destroy();
  return { longestMs, calls };
}
