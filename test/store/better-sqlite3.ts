import { createRequire } from 'node:module';
import type { SqliteDriver } from '#store/engine/sqlite-driver.ts';
import type { SqlValue } from '#store/sql.ts';

/** Part of better-sqlite3 that this file uses. The package has no types. */
interface Database {
  prepare(text: string): {
    readonly reader: boolean;
    all(values: object): Record<string, unknown>[];
    get(values: object): Record<string, unknown> | undefined;
    run(values: object): { readonly changes: number };
  };
  exec(text: string): void;
  readonly inTransaction: boolean;
  close(): void;
}

const Database = createRequire(import.meta.url)('better-sqlite3') as new (path: string) => Database;

// biome-ignore format: a table
const RESULT_CODES: Readonly<Record<string, number>> = {
  SQLITE_NOMEM: 7, SQLITE_IOERR: 10, SQLITE_CORRUPT: 11, SQLITE_FULL: 13, SQLITE_CONSTRAINT: 19, SQLITE_NOTADB: 26,
  SQLITE_IOERR_WRITE: 778, SQLITE_IOERR_SHMSIZE: 4874,
};

/** Opens a database with better-sqlite3, the fallback if Node's own SQLite is not reliable enough. */
export function betterSqlite3(path: string): SqliteDriver {
  const db = new Database(path);
  return {
    prepare(text) {
      const statement = db.prepare(text);
      // In better-sqlite3, `$1` is a parameter with the name `1`. The package reads the values of named parameters only
      // from an object, not from an array.
      const bound = (values: readonly SqlValue[]): object => Object.fromEntries(values.map((value, i) => [i + 1, value]));
      return {
        all: (values) => statement.all(bound(values)),
        get: (values) => statement.get(bound(values)),
        run: (values) => (statement.reader ? statement.all(bound(values)).length : statement.run(bound(values)).changes),
      };
    },
    exec: (text) => void db.exec(text),
    isInTransaction: () => db.inTransaction,
    resultCode(error) {
      const code = (error as { readonly code?: unknown } | null)?.code;
      const [, primary] = /^(SQLITE_[A-Z]+)/.exec(typeof code === 'string' ? code : '') ?? [];
      return primary === undefined ? 0 : (RESULT_CODES[code as string] ?? RESULT_CODES[primary] ?? 1);
    },
    close: () => db.close(),
  };
}
