import type { SqlValue } from '../sql.ts';
import { PACK_RECORDS, packInsert, packLength } from './trail-pack.ts';
import type { TrailRow } from './trail-row.ts';

/** Maximum number of concurrent statements: while the disk writes these, the next one collects records. */
const UNDER_WAY_MAX = 2;

interface Waiting {
  readonly row: TrailRow;
  resolve(): void;
  reject(error: unknown): void;
}

function rowsOf(waiting: readonly Waiting[]): readonly TrailRow[] {
  return waiting.map(({ row }) => row);
}

/**
 * Writes the records of transactions that wrote nothing else. Records that wait together share a pack, so that a denial or a read does not
 * cost a transaction of its own. Resolves when the records are durable.
 *
 * `wroteNothing` reports whether an error proves that its statement wrote nothing. Only then are the records of a batch written one by one.
 * After a lost connection, the trail may already contain the records, and they would be written twice.
 */
export function recorder(
  execute: (text: string, values: readonly SqlValue[]) => Promise<unknown>,
  nextPosition: () => number,
  wroteNothing: (error: unknown) => boolean,
): (rows: readonly TrailRow[]) => Promise<void> {
  const queue: Waiting[] = [];
  let underWay = 0;

  async function write(batch: readonly Waiting[]): Promise<void> {
    try {
      const { text, values } = packInsert(rowsOf(batch), nextPosition());
      await execute(text, values);
      for (const { resolve } of batch) resolve();
    } catch (error) {
      if (batch.length > 1 && wroteNothing(error)) {
        // A record that the database refuses must not fail the others.
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
