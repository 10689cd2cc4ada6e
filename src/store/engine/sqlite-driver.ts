import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { SqlValue } from '../sql.ts';

/** A prepared statement; parameter `$1` is `values[0]`, wherever and however often it stands in the text. */
export interface SqliteStatement {
  all(values: readonly SqlValue[]): Record<string, unknown>[];
  get(values: readonly SqlValue[]): Record<string, unknown> | undefined;
  /** The number of rows changed. */
  run(values: readonly SqlValue[]): number;
}

/** The little of an SQLite library that we use, so that another one can take its place and pass the same tests. */
export interface SqliteDriver {
  prepare(text: string): SqliteStatement;
  exec(text: string): void;
  /** False after an error that made SQLite roll the whole transaction back on its own. */
  isInTransaction(): boolean;
  /** SQLite's primary result code of an error this library threw; 0 for any other. */
  resultCode(error: unknown): number;
  close(): void;
}

export type SqliteOpen = (path: string) => SqliteDriver;

/** Node's own SQLite. */
export function nodeSqlite(path: string): SqliteDriver {
  const db = new DatabaseSync(path);
  return {
    prepare(text) {
      // Node binds a list to numbered parameters (`?1`) by their number; `$1` would be a name, and a name costs an object a call.
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
      return typeof code === 'number' ? code & 0xff : 0;
    },
    close: () => db.close(),
  };
}
