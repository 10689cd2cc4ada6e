import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import type { TestServer } from '../kit/server.ts';

/** An attack of hostile clients on a server, and the bounds that must hold during it. */
export interface Workload {
  /** Name of the workload, and argument of `npm run hostile`. Example: `worst policies`. */
  readonly name: string;
  /**
   * Starts servers, and runs the workload against them for about `seconds`.
   *
   * Throws if a bound in steps, bytes, rows or counts does not hold. Measured times are only reported: no test asserts
   * a time.
   */
  run(options: WorkloadOptions): Promise<readonly Figure[]>;
}

export interface WorkloadOptions {
  readonly seconds: number;
  /** Seed of every generated input. The same seed generates the same inputs. */
  readonly seed: number;
}

/** Measured value, in the form in which `docs/performance.md` lists it. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: 'ms' | 'bytes' | 'steps' | 'rows' | 'count' | 'times';
  /** Documented limit. `npm run hostile` fails if `value` is higher. */
  readonly most?: number;
}

/** Options of the SDK client of another caller. `localAddress` is the source address of this caller. */
export interface OtherCallerOptions {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly localAddress?: string;
}

/** Number of warm-up calls before the measurement. They open the connection, and let Node compile the code of a call. */
export const WARM_UP_CALLS = 20;

/** Longest and median delay of one call, and the number of calls that were answered. */
export interface Measured {
  readonly longestMs: number;
  readonly medianMs: number;
  readonly calls: number;
}

/** A caller in a separate process that calls GetCallerIdentity during an attack. */
export interface OtherCaller {
  /** Measures the calls until `attack` ends. */
  during(attack: () => Promise<unknown>): Promise<Measured>;
  stop(): void;
}

/**
 * Returns the delays of another caller during an attack. On a busy machine, single calls take more than 100 ms without an attack. So only the
 * median has a limit: a multiple of the median without an attack, in the same run.
 */
export function delayFigures(how: string, attacked: Measured, quiet: Measured, most: number): readonly Figure[] {
  const { longestMs, medianMs, calls } = attacked;
  const compared = `longest delay of another source during ${how} (${calls} calls; ${quiet.longestMs.toFixed(0)} ms without)`;
  return [
    { what: compared, value: longestMs, unit: 'ms' },
    {
      what: `median delay during ${how}, compared with none (${quiet.medianMs.toFixed(1)} ms)`,
      value: medianMs / quiet.medianMs,
      unit: 'times',
      most,
    },
  ];
}

/**
 * Minimum number of calls of another caller that the server answers during one long request. A server that does not answer others during the
 * request answers only one.
 */
const ANSWERED_MEANWHILE = 4;

/**
 * Checks that the server answers another caller during a long request. `calls` sends the request, and returns the number of answered calls. On a
 * busy machine, the process of the caller may have no turn during a request, so it is sent up to ten times.
 */
export async function assertAnsweredMeanwhile(name: string, calls: () => Promise<number>): Promise<void> {
  let most = 0;
  for (let i = 0; i < 10 && most < ANSWERED_MEANWHILE; i++) most = Math.max(most, await calls());
  assert.ok(most >= ANSWERED_MEANWHILE, `${most} calls were answered during ${name}`);
}

/** Starts the process of another caller. */
export async function startOtherCaller(options: OtherCallerOptions): Promise<OtherCaller> {
  const child = fork(new URL('./other-caller.ts', import.meta.url), [JSON.stringify(options)]);
  const next = () =>
    new Promise<unknown>((resolve, reject) => {
      const onExit = (code: number | null) => reject(new Error(`the other caller ended with ${code}`));
      child.once('exit', onExit);
      child.once('message', (message) => {
        child.off('exit', onExit);
        resolve(message);
      });
    });
  await next();
  return {
    async during(attack) {
      const measured = next();
      child.send('start');
      await Promise.all([measured, attack().finally(() => child.send('stop'))]);
      return (await measured) as Measured;
    },
    stop: () => void child.disconnect(),
  };
}

/** Measures the calls of another caller on a server while `attack` runs. */
export async function delayOfOthers(server: Pick<TestServer, 'client'>, attack: () => Promise<unknown>): Promise<Measured> {
  const other = await startOtherCaller(server.client());
  try {
    return await other.during(attack);
  } finally {
    other.stop();
  }
}
