import type { SqliteDriver } from './sqlite-driver.ts';

/**
 * Sets the pragmas for durability. With these pragmas, a checkpoint syncs the log before the database. A commit does
 * not sync. The store itself syncs the log, outside the main thread (Decision 0013).
 */
export function setDurability(db: SqliteDriver): void {
  // Without the store's own sync, a power cut loses acknowledged commits: test/store/power-cut.test.ts.
  db.exec('PRAGMA synchronous = NORMAL');
  // These pragmas have an effect only on macOS, where a sync passes data to the drive but does not wait until the drive
  // has written it.
  db.exec('PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1');
}
