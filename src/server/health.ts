/** Health of the server, for probes and load balancers. The main thread answers, so that a stuck core is visible. */
import type { Lease } from '#access/lease.ts';
import type { LeaseClock } from '#access/lease-parts.ts';
import type { Answer } from '#core/exchange.ts';
import type { Part } from '#core/part.ts';
import { VERSION } from './version.ts';

/** Interval at which the core posts the end of its readiness. */
const BEAT_MS = 250;
/** Longest time between two posts of the core. A core that runs one task for longer is not ready. */
const SILENCE_MAX_MS = 2_000;
/** Interval between two reads of the database. */
const CHECK_EVERY_MS = 1_000;
/** Time for which one successful read of the database counts. Longer than a queue of transactions under load. */
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
  /** Receives the number of milliseconds from now for which the core can serve requests. */
  readonly post: (readyForMs: number) => void;
}

/**
 * Creates the part that calls `post` four times a second. `start` resolves after the first call.
 *
 * The core is ready while its lease on identity holds, the database answers and the core's thread runs. Each call sets the time until which
 * the core is ready. So no message is needed if the lease ends, the database does not respond or the thread is stuck.
 */
export function beatPart({ lease, clock, check, post }: BeatParts): Part {
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
    if (!isStopped) post(Math.min(lease.holdsForMs(), databaseUntil - clock.monotonic(), SILENCE_MAX_MS));
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
 *     GET /_belfry/health → as ready
 *     {"status":"ok"|"starting"|"draining"|"unavailable","version":"0.1.0"}
 *
 * The paths need no signature, so the body contains nothing else. Requirement INF-4.
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
