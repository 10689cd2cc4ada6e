import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { PostgresQuery, PostgresRows } from '#store/engine/postgres-pool.ts';

/** Session of one backend of the simulated PostgreSQL. It has at most one open transaction, which reads a snapshot. */
export interface Session {
  /**
   * Executes a statement at once.
   *
   * Returns `wait` if another transaction holds the lock on writes. Execute the statement again when that transaction
   * has ended.
   *
   * @throws an error with `severity` and `code`, as PostgreSQL reports it
   */
  execute(query: PostgresQuery): PostgresRows | 'wait';
  state(): 'idle' | 'open' | 'aborted';
  /** Rolls back the transaction, as a serialization failure does. Then the session has the passed state. */
  fail(state: 'idle' | 'aborted'): void;
  /** Rolls back an open transaction. The session can then serve another connection. */
  reset(): void;
  close(): void;
}

/** Creates an error as PostgreSQL reports it. `FATAL` ends the connection. */
export function databaseError(code: string, message: string, severity: 'ERROR' | 'FATAL' = 'ERROR'): Error {
  return Object.assign(new Error(message), { severity, code });
}

export const conflict = (): Error => databaseError('40001', 'could not serialize access due to concurrent update');

/** Result codes of SQLite. Source: sqlite.org/rescode.html. */
const BUSY = 5;
const BUSY_SNAPSHOT = 517;
const UNIQUE = new Set([1555, 2067]);

/** Replacements that translate the types of a PostgreSQL schema to those of SQLite. */
// biome-ignore format: a table
const SQLITE_TYPES: readonly (readonly [RegExp, string])[] = [
  [/BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY/g, 'INTEGER PRIMARY KEY AUTOINCREMENT'],
  [/BIGINT/g,                                          'INTEGER'],
  [/BYTEA/g,                                           'BLOB'],
  [/ COLLATE "C"/g,                                    ''],
];

/**
 * Opens a session on a database file.
 *
 * SQLite's write-ahead log gives each transaction a snapshot. If another transaction has committed since the snapshot,
 * a write fails with BUSY_SNAPSHOT. The session reports this error as PostgreSQL's serialization failure. Only one
 * transaction can write at a time, so this database is stricter than PostgreSQL.
 */
export function openSession(path: string): Session {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0');
  const prepared = new Map<string, StatementSync>();
  let state: 'idle' | 'open' | 'aborted' = 'idle';

  function prepare(text: string): StatementSync {
    let statement = prepared.get(text);
    if (statement === undefined) {
      // SQLite has no names of constraints.
      let own = /^ALTER TABLE \w+ RENAME CONSTRAINT /.test(text) ? 'SELECT 1' : text.replaceAll('$', '?');
      if (/^\s*(?:CREATE|ALTER) TABLE/.test(text)) for (const [type, instead] of SQLITE_TYPES) own = own.replace(type, instead);
      prepared.set(text, (statement = db.prepare(own)));
    }
    return statement;
  }
  const command = (text: string): PostgresRows => ({ rows: [], rowCount: null, command: text });

  function rollback(): void {
    if (db.isTransaction) db.exec('ROLLBACK');
  }

  /** Ends the transaction as PostgreSQL does: a transaction with a failed statement is rolled back. */
  function end(text: 'COMMIT' | 'ROLLBACK'): PostgresRows {
    const commits = text === 'COMMIT' && state === 'open';
    if (commits) db.exec('COMMIT');
    else rollback();
    const answered = text === 'COMMIT' && state === 'aborted' ? 'ROLLBACK' : text;
    state = 'idle';
    return command(answered);
  }

  /**
   * Locks the database for writing. SQLite reports BUSY until every other writing transaction has ended. The snapshot
   * is taken together with the lock, so it includes the changes of those transactions.
   */
  function lock(): PostgresRows {
    rollback();
    try {
      db.exec('BEGIN IMMEDIATE');
    } catch (error) {
      db.exec('BEGIN');
      throw error;
    }
    return command('LOCK TABLE');
  }

  function run({ text, values = [] }: PostgresQuery): PostgresRows {
    if (text.startsWith('LOCK TABLE')) return lock();
    const statement = prepare(text);
    if (statement.columns().length > 0) {
      const rows = statement.all(...(values as SQLInputValue[]));
      return { rows, rowCount: rows.length, command: 'SELECT' };
    }
    return { rows: [], rowCount: Number(statement.run(...(values as SQLInputValue[])).changes), command: 'UPDATE' };
  }

  return {
    state: () => state,
    execute(query) {
      if (query.text.startsWith('BEGIN')) {
        // If a transaction is already open, PostgreSQL's BEGIN only issues a warning.
        if (state === 'idle') {
          db.exec('BEGIN');
          state = 'open';
        }
        return command('BEGIN');
      }
      if (query.text === 'COMMIT' || query.text === 'ROLLBACK') return end(query.text);
      if (state === 'aborted')
        throw databaseError('25P02', 'current transaction is aborted, commands ignored until end of transaction block');
      try {
        return run(query);
      } catch (error) {
        const code = (error as { readonly errcode?: number }).errcode ?? 0;
        if (code === BUSY) return 'wait';
        if (state === 'open') {
          rollback();
          state = 'aborted';
        }
        if (code === BUSY_SNAPSHOT) throw conflict();
        throw databaseError(UNIQUE.has(code) ? '23505' : 'XX000', (error as Error).message);
      }
    },
    fail(next) {
      rollback();
      state = next;
    },
    reset() {
      rollback();
      state = 'idle';
    },
    close() {
      prepared.clear();
      db.close();
    },
  };
}
