import { type ChainTip, newTip } from '../trail/trail-chain.ts';
import { WRITER_IDLE_MS } from '../trail/trail-writers.ts';

/**
 * Writers of the trail of one server on PostgreSQL (Decision 0027). A transaction takes a writer for its records until its result is
 * known, so no transaction waits for another, and the records of a writer are committed in the order of their numbers.
 */
export interface ChainWriters {
  /** Returns the state of a writer that no other transaction uses. If all are in use, it is a new writer. */
  take(): ChainTip;
  /**
   * Ends the use of a writer. Pass its state after a commit, or the same state if the database certainly wrote nothing. If
   * the result is unknown, do not call it: a number is never used twice.
   */
  giveBack(tip: ChainTip): void;
  /** Removes and returns all writers that have started and are not in use. */
  takeAll(): readonly ChainTip[];
}

/** Creates the writers of a server. There are as many writers as concurrent transactions with records. */
export function chainWriters(server: string, now: () => number): ChainWriters {
  /** Unused writers. The last one was used last, so that few writers are in use. */
  const unused: { readonly tip: ChainTip; readonly since: number }[] = [];
  return {
    take() {
      const last = unused.pop();
      // Another server may end a writer that has not written for long.
      if (last === undefined || now() - last.since > WRITER_IDLE_MS) return newTip(server, now());
      return last.tip;
    },
    giveBack(tip) {
      unused.push({ tip, since: now() });
    },
    takeAll: () => unused.splice(0).flatMap(({ tip }) => (tip.isStarted ? [tip] : [])),
  };
}
