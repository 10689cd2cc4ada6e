import { closeSync, fdatasync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { instant } from '#core/instant.ts';
import { migrate, SCHEMA_TOKENS } from '../migrate.ts';
import type { Store, StoreOptions } from '../store.ts';
import { endWriters } from '../trail/trail-writers.ts';
import { checkpointsOf } from './checkpoints.ts';
import { setDurability } from './durability.ts';
import { groupCommit } from './group-commit.ts';
import type { SyncLog } from './log-syncs.ts';
import { nodeSqlite, type SqliteDriver, type SqliteOpen } from './sqlite-driver.ts';

export interface SqliteOptions extends StoreOptions {
  /** SQLite library that opens the file. Default: Node's. */
  readonly open?: SqliteOpen;
  /**
   * Makes commits durable. Default: fdatasync of the log. Only tests set a weaker function, to show that they detect
   * lost commits.
   */
  readonly syncLog?: SyncLog;
}

/**
 * Oldest safe version. In older versions, two connections to one file could lose a commit when the log restarted.
 * Source: SQLite 3.51.3 release notes.
 */
const OLDEST_VERSION = [3, 51, 3] as const;

/** Size of the page cache, in bytes. */
const CACHE_BYTES = 64 * 2 ** 20;

/** Number of pages (4 KiB each) in the write-ahead log at which a commit runs a checkpoint, without a thread for checkpoints. */
const AUTOMATIC_PAGES = 4_000;

/**
 * Longest time for which a statement waits for the thread of checkpoints, in milliseconds. A connection that reads the
 * head of the log takes the lock for writing for a moment.
 */
const BUSY_MS = 5_000;

/**
 * Opens the embedded engine: `belfry.db` in the data folder, or a database in memory. Creates a missing folder.
 * One process owns the folder. All transactions run one after another on the thread that opened it.
 *
 * @throws Error  another process owns the folder, the library is too old, or the file cannot be made durable
 */
export async function openSqlite(folder: string, { open = nodeSqlite, syncLog, ...options }: SqliteOptions = {}): Promise<Store> {
  const inMemory = folder === ':memory:';
  const unlock = inMemory ? () => {} : lockFolder(folder, open);
  let db: SqliteDriver | undefined;
  try {
    db = open(inMemory ? ':memory:' : join(folder, 'belfry.db'));
    const opened = db;
    const setAutomatic = (pages: number) => opened.exec(`PRAGMA wal_autocheckpoint = ${pages}`);
    const checkpoints =
      inMemory || open !== nodeSqlite ? undefined : checkpointsOf(join(folder, 'belfry.db'), () => setAutomatic(AUTOMATIC_PAGES));
    prepareFile(db, inMemory);
    setAutomatic(checkpoints === undefined ? AUTOMATIC_PAGES : 0);
    const log = inMemory ? undefined : logOf(join(folder, 'belfry.db'));
    const closed = () => {
      log?.close();
      unlock();
    };
    const store = groupCommit(db, options, closed, { syncLog: syncLog ?? (log && timed(log.sync, options.onSync)), checkpoints });
    await migrate(store, SCHEMA_TOKENS.sqlite);
    // This process is the only one that uses the file, so writers without an end are those of a process that crashed.
    const time = instant((options.now ?? Date.now)());
    await store.transaction(({ sql }) => endWriters(sql, { order: 'position', now: time, idleSince: 'any' }));
    return store;
  } catch (error) {
    db?.close();
    unlock();
    throw error;
  }
}

/**
 * Opens a second handle of the write-ahead log, to sync the log while the next group of transactions runs. A sync of
 * one handle makes the writes of all handles durable. SQLite has no locks on the log, so closing this handle releases
 * no lock.
 */
function logOf(database: string): { readonly sync: SyncLog; readonly close: () => void } {
  let file: number | undefined;
  return {
    sync(done) {
      // The log is opened here, because SQLite creates it only at the first commit.
      file ??= openSync(`${database}-wal`, 'r+');
      fdatasync(file, done);
    },
    close() {
      if (file !== undefined) closeSync(file);
    },
  };
}

/** Returns a sync that also measures its duration. */
function timed(sync: SyncLog, onSync: SqliteOptions['onSync']): SyncLog {
  if (onSync === undefined) return sync;
  return (done) => {
    const began = performance.now();
    sync((error) => {
      onSync(performance.now() - began);
      done(error);
    });
  };
}

/** Locks the data folder against other processes. The lock ends with this process, even after a crash. */
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

/** Sets the pragmas for durability, and reads them again, because SQLite reports no error for a pragma that it ignores. */
function prepareFile(db: SqliteDriver, inMemory: boolean): void {
  const pragma = (name: string): unknown => Object.values(db.prepare(`PRAGMA ${name}`).all([])[0] ?? {})[0];
  const version = String(Object.values(db.prepare('SELECT sqlite_version()').all([])[0] ?? {})[0]);
  if (!isAtLeast(version)) throw new Error(`SQLite ${version} can lose commits; version ${OLDEST_VERSION.join('.')} or newer is required`);
  pragma('journal_mode = WAL');
  setDurability(db);
  db.exec(`PRAGMA cache_size = -${CACHE_BYTES / 1024}; PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA temp_store = MEMORY`);
  if (pragma('synchronous') !== 1) throw new Error("SQLite did not accept 'synchronous = NORMAL'");
  if (!inMemory && pragma('journal_mode') !== 'wal')
    throw new Error('SQLite cannot use a write-ahead log in the data folder; put it on a local disk');
}

function isAtLeast(version: string): boolean {
  const parts = version.split('.').map(Number);
  for (const [i, oldest] of OLDEST_VERSION.entries()) {
    const part = parts[i] ?? 0;
    if (part !== oldest) return part > oldest;
  }
  return true;
}
