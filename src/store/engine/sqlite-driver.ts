import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { SqlValue } from '../sql.ts';

/** A prepared statement. Parameter `$1` is `values[0]`, at every place where it occurs. */
export interface SqliteStatement {
  all(values: readonly SqlValue[]): Record<string, unknown>[];
  get(values: readonly SqlValue[]): Record<string, unknown> | undefined;
  /** Returns the number of changed rows. */
  run(values: readonly SqlValue[]): number;
}

/**
 * The part of an SQLite library that the engine uses. Tests also run the engine with another library, better-sqlite3.
 */
export interface SqliteDriver {
  prepare(text: string): SqliteStatement;
  exec(text: string): void;
  /** False after an error at which SQLite rolled back the whole transaction. */
  isInTransaction(): boolean;
  /** Returns SQLite's extended result code of an error of this library, or 0 for other errors. */
  resultCode(error: unknown): number;
  close(): void;
}

export type SqliteOpen = (path: string) => SqliteDriver;

/** Opens a database with Node's SQLite. */
export function nodeSqlite(path: string): SqliteDriver {
  const db = new DatabaseSync(path);
  return {
    prepare(text) {
      // Node binds a list to numbered parameters (`?1`). `$1` would be a name, and names cost an object per call.
      const statement = db.prepare(text.replaceAll('$', '?'));
      return {
        all: (values) => statement.all(...(values as SQLInputValue[])),
        get: (values) => statement.get(...(values as SQLInputValue[])),
        run: (values) => Number(statement.run(...(values as SQLInputValue[])).changes),
      };
    },
    exec: (text) => db.exec(text),
    isInTransaction: () => db.isTransaction,
    resultCode(error) {
      const code = (error as { readonly errcode?: unknown } | null)?.errcode;
      return typeof code === 'number' ? code : 0;
    },
    close: () => db.close(),
  };
}
