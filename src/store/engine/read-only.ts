/** Reads a database without the server: a copy, or the database of a running server. Never changes it. */
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Sql, SqlValue } from '../sql.ts';
import { databaseFile } from './database-folder.ts';
import type { ReadOnlyDatabase } from './read-only-database.ts';

/** Longest time for which a read waits for a lock, in milliseconds. The thread of checkpoints and a restart of the log take locks for a moment. */
export const BUSY_MS = 5_000;

/** Memory for pages of SQLite. Commands read the trail once from begin to end, so more pages do not make them faster. */
const CACHE_KIB = 16_384;

/**
 * Opens the database that a setting names, as `openStore` does: `file:FOLDER` or `postgres://…`.
 *
 * Does not map an SQLite file into memory. An error of the disk would then end the process without a message, as would a file that loses
 * its end while it is read. Source: SQLite documentation, "Memory-Mapped I/O".
 *
 * @throws Error  the setting has another form, there is no database, its file is damaged, or it cannot be read. Reads also throw the last two
 */
export async function openReadOnly(setting: string): Promise<ReadOnlyDatabase> {
  if (setting.startsWith('postgres://') || setting.startsWith('postgresql://')) {
    return await (await import('./read-only-postgres.ts')).openPostgresReadOnly(setting);
  }
  const file = databaseFile(setting);
  if (file === undefined) throw new Error('invalid database; it must be file:FOLDER or postgres://…');
  if (!existsSync(file)) throw new Error(`there is no SQLite database in '${dirname(file)}'; set its folder with --data`);
  const db = named(file, () => openFile(file));
  const sql = endingTurns(sqlOf(db, (read) => named(file, read)));
  return { sql, second: async () => sql, close: async () => db.close() };
}

/** Connection of a thread of the server to its SQLite file. */
export interface SqliteReads {
  /** Runs `work` on a snapshot of the committed data, which can be newer than the data on disk. A long snapshot lets the log of the file grow. */
  within<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  close(): void;
}

/** Opens an SQLite file that this process writes. It has a log, so it is never read as an immutable file. */
export function openSqliteReads(file: string): SqliteReads {
  const db = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
  const sql = sqlOf(db);
  return {
    async within(work) {
      db.exec('BEGIN');
      try {
        return await work(sql);
      } finally {
        db.exec('ROLLBACK');
      }
    },
    close: () => db.close(),
  };
}

/**
 * Returns a connection whose reads of rows end the turn of the event loop, as those of PostgreSQL do. Some memory, such as that of unused stacks of
 * policies (`sharedStack`), is freed only then.
 */
function endingTurns(sql: Sql): Sql {
  return {
    ...sql,
    async rows<Row>(text: string, values?: readonly SqlValue[]) {
      const rows = await sql.rows<Row>(text, values);
      await setImmediate();
      return rows;
    },
  };
}

/** Returns the functions that read a database. `run` calls each read. */
function sqlOf(db: DatabaseSync, run: <Result>(read: () => Result) => Result = (read) => read()): Sql {
  const statements = new Map<string, StatementSync>();
  function prepare(text: string): StatementSync {
    let statement = statements.get(text);
    if (statement === undefined) statements.set(text, (statement = db.prepare(text.replaceAll('$', '?'))));
    return statement;
  }
  const valuesOf = (values: readonly SqlValue[] = []) => values as SQLInputValue[];
  return {
    row: async <Row>(text: string, values?: readonly SqlValue[]) => run(() => prepare(text).get(...valuesOf(values)) as Row | undefined),
    rows: async <Row>(text: string, values?: readonly SqlValue[]) => run(() => prepare(text).all(...valuesOf(values)) as Row[]),
    run: () => Promise.reject(new Error('the database is open for reading only')),
  };
}

/** Codes of SQLite: a damaged file (CORRUPT and NOTADB), and an error of the disk (IOERR). The rest of a code names the kind. */
const DAMAGED: readonly number[] = [11, 26];
const UNREADABLE = 10;

/** Runs `read`. The error for a file that is damaged or cannot be read names the file and says what to do. */
function named<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const { errcode = 0, message } = error as Error & { readonly errcode?: number };
    const code = errcode % 256;
    const restore = 'restore it from a backup, see "The data folder" in docs/guide.md';
    if (DAMAGED.includes(code)) throw new Error(`the database '${path}' is damaged (${message}); ${restore}`);
    if (code === UNREADABLE)
      throw new Error(`the database '${path}' cannot be read (${message}); check the disk and the log of the kernel, or ${restore}`);
    throw error;
  }
}

/** Opens a file and starts a transaction. On a medium that is read-only, SQLite can open a database only if it has no log. */
function openFile(path: string): DatabaseSync {
  const hasLog = existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0;
  try {
    return begun(new DatabaseSync(path, { readOnly: true }));
  } catch (error) {
    if (hasLog) throw error;
    return begun(new DatabaseSync(new URL(`${pathToFileURL(path).href}?immutable=1`), { readOnly: true }));
  }
}

function begun(db: DatabaseSync): DatabaseSync {
  try {
    db.exec(`PRAGMA cache_size = -${CACHE_KIB}; BEGIN`);
    // The transaction starts at its first read.
    db.prepare('SELECT COUNT(*) FROM schema_version').get();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
