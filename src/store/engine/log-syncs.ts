/** Syncs of SQLite's write-ahead log, off the thread (Decision 0013). Owns the responses that wait for the syncs. */

/** Makes all previous commits durable, then calls `done`. */
export type SyncLog = (done: (error: Error | null) => void) => void;

/** Maximum number of concurrent syncs. With two, the next sync is already running when one ends. */
const SYNCS_MAX = 2;

/**
 * Responses to committed transactions. A response waits until two kinds of commits are durable: the transaction's own
 * commit, and all commits whose data the transaction may have read.
 */
export interface LogSyncs {
  /** Responds after a sync that begins after this call. Call it after the commit. */
  afterCommit(respond: readonly (() => void)[]): void;
  /** Responds as soon as all earlier commits are durable. Responds immediately if they are durable already. */
  afterRead(respond: readonly (() => void)[]): void;
  /** Resolves when no sync is running. */
  idle(): Promise<void>;
}

/** Dependencies of `logSyncs`. A failed sync calls `stop`. */
interface SyncParts {
  readonly syncLog: SyncLog;
  readonly stop: (error: unknown) => void;
  readonly isBroken: () => boolean;
}

/**
 * Creates the syncs of one log.
 *
 * A sync covers all commits before its start. Commits during a sync share the next sync. Responses are sent in commit order.
 */
export function logSyncs({ syncLog, stop, isBroken }: SyncParts): LogSyncs {
  /** Responses to commits that no sync covers yet, in commit order. */
  let waiting: (() => void)[] = [];
  let running = 0;
  let last = Promise.resolve();

  function sync(): void {
    if (waiting.length === 0 || running === SYNCS_MAX || isBroken()) return;
    const covered = waiting;
    waiting = [];
    running += 1;
    const ended = new Promise<Error | null>((done) => syncLog(done));
    last = last.then(async () => {
      const error = await ended;
      running -= 1;
      if (error !== null) stop(error);
      // It is unknown whether these commits are durable. No caller gets a response, and the process ends.
      if (isBroken()) return;
      for (const respond of covered) respond();
      sync();
    });
  }

  return {
    afterCommit(respond) {
      waiting.push(...respond);
      sync();
    },
    afterRead(respond) {
      if (running > 0) waiting.push(...respond);
      else for (const each of respond) each();
    },
    async idle() {
      while (running > 0) await last;
    },
  };
}
