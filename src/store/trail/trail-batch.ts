import type { SqlValue } from '../sql.ts';
import type { ChainTip } from './trail-chain.ts';
import { PACK_RECORDS, packLength } from './trail-pack.ts';
import type { TrailRow } from './trail-row.ts';
import { recordStatements } from './trail-writers.ts';

/**
 * Maximum number of concurrent statements. While the disk writes their records, new records wait in the queue for the
 * next statement.
 */
const UNDER_WAY_MAX = 2;

interface Waiting {
  readonly row: TrailRow;
  resolve(): void;
  reject(error: unknown): void;
}

function rowsOf(waiting: readonly Waiting[]): readonly TrailRow[] {
  return waiting.map(({ row }) => row);
}

/** Writers of the trail. A statement takes one until its result is known (`ChainWriters` of the engine). */
interface Writers {
  take(): ChainTip;
  giveBack(tip: ChainTip): void;
}

/**
 * Writes the records of transactions that wrote nothing else. Records that wait together share one row (a pack), so a
 * denial or a read does not cost a transaction of its own. Resolves when the records are durable.
 *
 * `wroteNothing` reports whether an error proves that its statement wrote nothing. If it does, the records of a failed
 * batch are written one by one. Otherwise they are not written again: after a lost connection, for example, the trail
 * may already contain them. `isTaken` reports whether the number of a record exists already, because another server
 * ended the writer.
 */
export function recorder(
  execute: (text: string, values: readonly SqlValue[]) => Promise<unknown>,
  nextPosition: () => number,
  wroteNothing: (error: unknown) => boolean,
  isTaken: (error: unknown) => boolean,
  writers: Writers,
): (rows: readonly TrailRow[]) => Promise<void> {
  const queue: Waiting[] = [];
  let underWay = 0;

  async function write(batch: readonly Waiting[]): Promise<void> {
    let tip = writers.take();
    try {
      const written = recordStatements(rowsOf(batch), nextPosition, tip);
      for (const [i, { text, values }] of written.statements.entries()) {
        await execute(text, values);
        // The statement that starts the writer has a commit of its own.
        tip = i + 1 < written.statements.length ? { ...tip, isStarted: true } : written.tip;
      }
      writers.giveBack(tip);
      for (const { resolve } of batch) resolve();
    } catch (error) {
      if (wroteNothing(error) && !isTaken(error)) writers.giveBack(tip);
      if (batch.length > 1 && wroteNothing(error)) {
        // If the database refuses one record, the other records of the batch must still be written.
        for (const one of batch) await write([one]);
      } else for (const { reject } of batch) reject(error);
    }
  }

  function start(): void {
    while (queue.length > 0 && underWay < UNDER_WAY_MAX) {
      underWay++;
      void write(queue.splice(0, packLength(rowsOf(queue.slice(0, PACK_RECORDS))))).then(() => {
        underWay--;
        start();
      });
    }
  }

  return async (rows) => {
    if (rows.length === 0) return;
    const written = rows.map((row) => new Promise<void>((resolve, reject) => queue.push({ row, resolve, reject })));
    start();
    await Promise.all(written);
  };
}
