/** Delivery of log files and digests of trails: runs of one server (Decisions 0026 and 0027). */
import { deliverRecords } from './delivery-run.ts';
import { beginChains } from './digest-chains.ts';
import { type DigestParts, deliverDigests } from './digest-run.ts';
import { turns } from './holder.ts';

export interface Delivery {
  /** Runs a delivery, if one is due and no other server delivers. Never rejects. */
  run(): Promise<void>;
  /** Ends `run` soon, without waiting for targets. Later calls of `run` do nothing. */
  stop(): void;
}

/** Interval between two signs of a server that delivers. */
const SIGN_EVERY_MS = 15_000;

/** Creates the delivery of one server. Nothing runs before `run`. */
export function trailDelivery(parts: DigestParts): Delivery {
  const { store, clock, intervalMs, report } = parts;
  const turn = turns(parts.newId());
  const { promise: stopped, resolve: end } = Promise.withResolvers<void>();
  let isStopped = false;

  /** Prolongs the turn while a run waits for targets. */
  function signs(): () => void {
    let cancel = (): void => {};
    const schedule = (): void => {
      cancel = clock.after(SIGN_EVERY_MS, () => {
        // Ignores errors. Each write of the run also checks the turn.
        void store.transaction((tx) => turn.hold(tx, clock.wall())).catch(() => undefined);
        schedule();
      });
    };
    schedule();
    return () => cancel();
  }

  async function runOnce(): Promise<void> {
    const startedAt = clock.wall();
    if (!(await store.transaction((tx) => turn.take(tx, startedAt)))) return;
    const endSigns = signs();
    try {
      const run = { turn, startedAt, stopped, isStopped: () => isStopped };
      await beginChains(parts, run);
      await deliverRecords(parts, run);
      await deliverDigests(parts, run);
    } finally {
      endSigns();
      // After a stop, the next run is due at once, on another server.
      await store.transaction((tx) => turn.end(tx, isStopped ? startedAt : startedAt + intervalMs));
    }
  }

  return {
    async run() {
      if (isStopped) return;
      await runOnce().catch((error: unknown) => report(`delivery of log files failed: ${(error as Error).message}`));
    },
    stop() {
      isStopped = true;
      end();
    },
  };
}
