/** Health of the server, for probes and load balancers. The main thread answers, so that a stuck core is visible. */
import type { Lease } from '#access/lease.ts';
import type { LeaseClock } from '#access/lease-parts.ts';
import type { Answer } from '#core/exchange.ts';
import type { Part } from '#core/part.ts';
import { VERSION } from './version.ts';

/** Interval between two posts (messages) of the core. Each post states the time until which the core is ready. */
const BEAT_MS = 250;
/**
 * Maximum time between two posts (messages) of the core. If the next post is later, for example because the core runs
 * one long task, the core is not ready in the meantime.
 */
const SILENCE_MAX_MS = 2_000;
/** Interval between two reads of the database. */
const CHECK_EVERY_MS = 1_000;
/**
 * Time for which one successful read of the database counts. It is longer than a transaction waits under load, so load
 * alone does not make a server unready.
 */
const CHECK_COUNTS_MS = 5_000;

/** Returns milliseconds of the machine's monotonic clock, which all threads of the process share. */
export function machineClock(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

export interface BeatParts {
  readonly lease: Pick<Lease, 'holdsForMs'>;
  readonly clock: LeaseClock;
  /** Reads the database. Rejects if the database does not answer. */
  readonly check: () => Promise<unknown>;
  /** Reports whether the server refuses every request, because its trail cannot be written. */
  readonly refusesAll: () => boolean;
  /** Receives the number of milliseconds from now for which the core can serve requests. */
  readonly post: (readyForMs: number) => void;
}

/**
 * Creates the part that calls `post` four times a second. `start` resolves after the first call.
 *
 * The core is ready while its thread runs, the database answers, its lease holds and it does not refuse every request. The lease is the permission to use
 * the copy of all identity data in memory. Each call of `post` sets the time until which the core is ready. If one of the
 * conditions is no longer true, that time passes and the core is not ready any more.
 */
export function beatPart({ lease, clock, check, refusesAll, post }: BeatParts): Part {
  let databaseUntil = 0;
  let checkedAt = 0;
  let isChecking = false;
  let cancel = (): void => {};
  let isStopped = false;

  async function checkDatabase(): Promise<void> {
    isChecking = true;
    checkedAt = clock.monotonic();
    databaseUntil = await check().then(
      () => checkedAt + CHECK_COUNTS_MS,
      () => 0,
    );
    isChecking = false;
    postState();
  }

  function postState(): void {
    if (isStopped) return;
    post(refusesAll() ? 0 : Math.min(lease.holdsForMs(), databaseUntil - clock.monotonic(), SILENCE_MAX_MS));
  }

  function beat(): void {
    cancel = clock.after(BEAT_MS, beat);
    if (!isChecking && clock.monotonic() - checkedAt >= CHECK_EVERY_MS) void checkDatabase();
    postState();
  }

  return {
    name: 'health',
    async start() {
      await checkDatabase();
      cancel = clock.after(BEAT_MS, beat);
    },
    stop() {
      isStopped = true;
      cancel();
    },
  };
}

/** State of the server for probes. */
export interface Health {
  /** Records a post of the core: the time until which it is ready. */
  coreReadyUntil(time: number): void;
  /** Records that the listeners are open and the core has started. */
  started(): void;
  /** Records that the server is about to stop. From then on it is not ready, although it still answers. */
  drain(): void;
  /** Answers a request to `/_belfry/live`, `/_belfry/ready` or `/_belfry/health`. Undefined for any other path. */
  answer(method: string, target: string): Answer | undefined;
}

type Status = 'ok' | 'starting' | 'draining' | 'unavailable';

/**
 * Returns the state of a server that starts.
 *
 *     GET /_belfry/live   → 200 while the process runs
 *     GET /_belfry/ready  → 200 if the server can serve requests, else 503
 *     GET /_belfry/health → same response as /_belfry/ready
 *     {"status":"ok"|"starting"|"draining"|"unavailable","version":"0.1.0"}
 *
 * Requests to these paths need no signature, so the body contains nothing else. Requirement INF-4.
 */
export function newHealth(clock: () => number = machineClock): Health {
  let phase: 'starting' | 'started' | 'draining' = 'starting';
  let readyUntil = 0;

  function status(): Status {
    if (phase !== 'started') return phase;
    return clock() < readyUntil ? 'ok' : 'unavailable';
  }

  return {
    coreReadyUntil(time) {
      readyUntil = time;
    },
    started() {
      phase = 'started';
    },
    drain() {
      phase = 'draining';
    },
    answer(method, target) {
      const query = target.indexOf('?');
      const path = query < 0 ? target : target.slice(0, query);
      switch (path) {
        case '/_belfry/live':
          return probeAnswer(method, 'ok');
        case '/_belfry/ready':
        case '/_belfry/health':
          return probeAnswer(method, status());
        default:
          return undefined;
      }
    },
  };
}

function probeAnswer(method: string, status: Status): Answer {
  const headers = ['content-type', 'application/json', 'cache-control', 'no-store'];
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, headers: [...headers, 'allow', 'GET, HEAD'], body: '{}' };
  return { status: status === 'ok' ? 200 : 503, headers, body: JSON.stringify({ status, version: VERSION }) };
}
