/** Thread that runs the checkpoints of an SQLite file for `checkpoints.ts`. Its connection writes only in checkpoints. */
import { parentPort, workerData } from 'node:worker_threads';
import { setDurability } from './durability.ts';
import { nodeSqlite } from './sqlite-driver.ts';

const db = nodeSqlite(workerData as string);
setDurability(db);
const checkpoint = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');

parentPort?.on('message', (message: 'checkpoint' | 'close') => {
  if (message === 'close') {
    db.close();
    parentPort?.close();
    return;
  }
  let pages: readonly [log: number, copied: number] = [0, 0];
  try {
    const row = checkpoint.get([]);
    pages = [Number(row?.['log'] ?? 0), Number(row?.['checkpointed'] ?? 0)];
  } catch {
    // The log keeps its pages, and the next checkpoint tries again. SQLite ignores such an error in its own checkpoints too.
  }
  parentPort?.postMessage(pages);
});
