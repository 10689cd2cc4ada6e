/** Long computations on the core thread, in turns. Other requests run between two turns. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** A computation that yields at the end of each turn. A turn takes some 20 ms at most. */
export type InTurns<T> = Generator<void, T, void>;

/** Runs a computation. Other requests run between its turns. Never call it in a transaction, because other transactions would wait. */
export async function runInTurns<T>(work: InTurns<T>): Promise<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    await nextTurn();
  }
}

/** Runs a computation that is known to be short. */
export function runAtOnce<T>(work: InTurns<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
