import { closeSync, fdatasync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { migrate, SCHEMA_TOKENS } from '../migrate.ts';
import type { Store, StoreOptions } from '../store.ts';
import { groupCommit, type SyncLog } from './group-commit.ts';
import { nodeSqlite, type SqliteDriver, type SqliteOpen } from './sqlite-driver.ts';

export interface SqliteOptions extends StoreOptions {
  /** Which library holds the file. Default: Node's own. */
  readonly open?: SqliteOpen;
  /** How what was committed is made durable. Default: fdatasync of the log; anything less is for the trial that must notice it. */
  readonly syncLog?: SyncLog;
}

/** Before it, two connections to one file could lose a commit when the write-ahead log began anew. Source: SQLite 3.51.3 release notes. */
const OLDEST_VERSION = [3, 51, 3] as const;

/** Bytes of pages kept in memory. */
const CACHE_BYTES = 64 * 2 ** 20;

/** Pages (of 4 KiB) in the write-ahead log before they are moved to the database. */
const CHECKPOINT_PAGES = 4_000;

/**
 * Opens the embedded engine: `belfry.db` in the data folder, which is made where it is missing, or a database in memory.
 * One process holds the folder; all transactions run one after the other on the thread that opened it.
 *
 * @throws Error where another process holds the folder, the library is too old, or the file cannot be made durable
 */
export async function openSqlite(folder: string, { open = nodeSqlite, syncLog, ...options }: SqliteOptions = {}): Promise<Store> {
  const inMemory = folder === ':memory:';
  const unlock = inMemory ? () => {} : lockFolder(folder, open);
  let db: SqliteDriver | undefined;
  try {
    db = open(inMemory ? ':memory:' : join(folder, 'belfry.db'));
    prepareFile(db, inMemory);
    const log = inMemory ? undefined : logOf(join(folder, 'belfry.db'));
    const closed = () => {
      log?.close();
      unlock();
    };
    const store = groupCommit(db, options, closed, syncLog ?? log?.sync);
    await migrate(store, SCHEMA_TOKENS.sqlite);
    return store;
  } catch (error) {
    db?.close();
    unlock();
    throw error;
  }
}

/**
 * The write-ahead log as a file of its own, to be synced while the next group works. Syncing any handle of a file makes durable
 * whatever was written to it by any other; SQLite holds no locks on the log, so closing this handle gives none up.
 */
function logOf(database: string): { readonly sync: SyncLog; readonly close: () => void } {
  let file: number | undefined;
  return {
    sync(done) {
      // It is there from the first commit on.
      file ??= openSync(`${database}-wal`, 'r+');
      fdatasync(file, done);
    },
    close() {
      if (file !== undefined) closeSync(file);
    },
  };
}

/** Holds the data folder against a second process for as long as this one lives; the lock dies with the process, however it ends. */
function lockFolder(folder: string, open: SqliteOpen): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = open(join(folder, 'lock.db'));
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (!/database is locked/.test((error as Error).message)) throw error;
    throw new Error(`another process uses the data folder '${folder}'; stop it, or set another BELFRY_DATA`, { cause: error });
  }
  return () => lock.close();
}

/** Says what durability needs, and asks whether it was heard: a pragma that is not understood says nothing. */
function prepareFile(db: SqliteDriver, inMemory: boolean): void {
  const pragma = (name: string): unknown => Object.values(db.prepare(`PRAGMA ${name}`).all([])[0] ?? {})[0];
  const version = String(Object.values(db.prepare('SELECT sqlite_version()').all([])[0] ?? {})[0]);
  if (!isAtLeast(version)) throw new Error(`SQLite ${version} can lose commits: ${OLDEST_VERSION.join('.')} or newer is needed.`);
  pragma('journal_mode = WAL');
  // NORMAL syncs the log before a checkpoint, not at a commit: that is done beside the work, before anybody is answered (Decision 0013).
  // Without it acknowledged commits are lost in a power cut: test/store/power-cut.test.ts.
  db.exec('PRAGMA synchronous = NORMAL');
  // Only macOS knows the difference between handing data to the drive and writing it.
  db.exec('PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1');
  db.exec(`PRAGMA cache_size = -${CACHE_BYTES / 1024}; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA temp_store = MEMORY`);
  if (pragma('synchronous') !== 1) throw new Error('SQLite did not accept synchronous = NORMAL.');
  if (!inMemory && pragma('journal_mode') !== 'wal')
    throw new Error('SQLite could not keep a write-ahead log: is the data folder on a local disk?');
}

function isAtLeast(version: string): boolean {
  const parts = version.split('.').map(Number);
  for (const [i, oldest] of OLDEST_VERSION.entries()) {
    const part = parts[i] ?? 0;
    if (part !== oldest) return part > oldest;
  }
  return true;
}
