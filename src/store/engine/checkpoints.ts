import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Number of commits after which a checkpoint copies their pages to the database. About 1,000 pages under load. */
const COMMITS_PER_CHECKPOINT = 64;

/** Number of pages (4 KiB each) in the log from which a checkpoint must complete before the next commit, so that the log restarts. */
const LOG_PAGES = 4_000;

/** Maximum number of pages that such a checkpoint copies while the next commit waits. */
const WAITING_PAGES = 500;

/** Checkpoints of one SQLite file, in a thread of their own (Decision 0022). */
export interface Checkpoints {
  /** Counts a commit. Starts a checkpoint after every 64th. */
  committed(): void;
  /**
   * Resolves when the next transaction may begin. Returns undefined if it may begin now. The log restarts only if a
   * checkpoint copied all of its pages, which needs a moment without commits.
   */
  pause(): Promise<void> | undefined;
  /** Ends the thread, after a running checkpoint. */
  close(): Promise<void>;
}

/**
 * Creates the checkpoints of a file. The thread starts at the first checkpoint. If it cannot start or ends, `onFailure` is
 * called once, and no further checkpoint runs here.
 */
export function checkpointsOf(database: string, onFailure: () => void): Checkpoints {
  let commits = 0;
  let logPages = 0;
  let waitingPages = 0;
  let worker: Worker | undefined;
  let running: Promise<void> | undefined;
  let stopped = false;
  let ended = (): void => {};

  function stop(): void {
    worker = undefined;
    logPages = 0;
    ended();
    if (stopped) return;
    stopped = true;
    onFailure();
  }

  function start(): Worker {
    const thread = new Worker(new URL('./checkpoint-thread.ts', import.meta.url), { workerData: database, env: {} });
    thread.on('message', ([log, copied]: readonly [number, number]) => {
      logPages = log;
      waitingPages = log - copied;
      ended();
    });
    // The event 'exit' follows.
    thread.on('error', () => {});
    thread.on('exit', stop);
    return thread;
  }

  async function checkpoint(): Promise<void> {
    commits = 0;
    try {
      worker ??= start();
    } catch {
      // The system allows no further thread.
      stop();
      return;
    }
    // A process that has nothing else to do waits for a running checkpoint, but not for an idle thread.
    worker.ref();
    worker.postMessage('checkpoint');
    const { promise, resolve } = Promise.withResolvers<void>();
    ended = resolve;
    running = promise;
    await promise;
    running = undefined;
    worker?.unref();
  }

  return {
    committed() {
      commits += 1;
      if (commits >= COMMITS_PER_CHECKPOINT && running === undefined && !stopped) void checkpoint();
    },
    pause() {
      if (logPages < LOG_PAGES || waitingPages > WAITING_PAGES) return undefined;
      return (async () => {
        await running;
        if (!stopped) await checkpoint();
        logPages = 0;
      })();
    },
    async close() {
      await running;
      stopped = true;
      if (worker === undefined) return;
      const exited = once(worker, 'exit');
      worker.ref();
      worker.postMessage('close');
      await exited;
    },
  };
}
