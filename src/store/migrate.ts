import { readdirSync } from 'node:fs';
import type { Sql } from './sql.ts';
import type { Store } from './store.ts';
import { int, table, text } from './table.ts';

/**
 * Parts of SQL statements that differ between the two engines. In a statement of a migration, the name of such a part
 * is in braces, such as `{text}`.
 */
export interface SchemaTokens {
  /** Text, ordered by its bytes. */
  readonly text: string;
  /** 64-bit integer. Only numbers that JavaScript represents exactly are stored. */
  readonly int: string;
  readonly bytes: string;
  /** Last words of CREATE TABLE for a table that is stored in the order of its primary key. */
  readonly clustered: string;
  /**
   * Last words of CREATE TABLE for a table that is stored in the order of insertion, or in the order of a primary key
   * that is one integer column.
   */
  readonly tail: string;
  /**
   * Columns of the primary key in tables of CloudTrail records. The position is a number that orders the records. On
   * PostgreSQL the key also has the event ID, because several servers can write rows with the same position.
   */
  readonly position: string;
  /** Primary key to which the engine assigns numbers. The engine never assigns a number twice. Decision 0014. */
  readonly numbered: string;
}

// biome-ignore format: a table
export const SCHEMA_TOKENS = {
  sqlite:   { text: 'TEXT',             int: 'INTEGER', bytes: 'BLOB',  clustered: 'STRICT, WITHOUT ROWID', tail: 'STRICT', position: 'position',           numbered: 'INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT' },
  postgres: { text: 'TEXT COLLATE "C"', int: 'BIGINT',  bytes: 'BYTEA', clustered: '',                      tail: '',       position: 'position, event_id', numbered: 'BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY' },
} as const satisfies Record<string, SchemaTokens>;

/**
 * One change of the schema: a file `migrations/0001-….ts` that exports `migration`.
 *
 * Its statements are literal SQL, so that they stay the same when the code changes. After a release a migration never changes: the next
 * change is a new file with the next number.
 */
export interface Migration {
  readonly title: string;
  readonly statements: readonly string[];
  /** Further statements on PostgreSQL, such as indexes that only concurrent writers need. */
  readonly statementsOnPostgres?: readonly string[];
  /**
   * Converts stored rows, after the statements. It must not import code that can change. It reads rows in pages,
   * because a table can be large.
   */
  readonly convert?: (sql: Sql) => Promise<void>;
}

/** Migrations that were applied to the database. */
export const SCHEMA_VERSION = table('schema_version', { columns: { version: int, title: text }, key: ['version'], clustered: false });

const FOLDER = new URL('./migrations/', import.meta.url);

const CREATE_VERSION = 'CREATE TABLE IF NOT EXISTS schema_version (version {int} NOT NULL PRIMARY KEY, title {text} NOT NULL) {tail}';
const SELECT_VERSION = 'SELECT MAX(version) AS version FROM schema_version';

/** Returns the names of the migration files, in order. The first file has the number 1. */
export function migrationFiles(): readonly string[] {
  return readdirSync(FOLDER)
    .filter((name) => /^\d{4}-.*\.ts$/.test(name))
    .sort();
}

/** Reports whether a database has all migrations. Creates the table of versions if it does not exist. */
export async function isMigrated(store: Pick<Store, 'transaction'>, tokens: SchemaTokens): Promise<boolean> {
  return (await store.transaction(({ sql }) => versionOf(sql, tokens))) === migrationFiles().length;
}

/**
 * Applies the migrations that a database does not have yet. Loads only the files of these migrations.
 *
 * All migrations run in one transaction, so a database is never between two versions. Several servers may call this
 * function at the same time.
 *
 * @throws Error  a newer version of the program wrote the database
 */
export async function migrate(store: Pick<Store, 'transaction'>, tokens: SchemaTokens, files = migrationFiles()): Promise<void> {
  const before = await store.transaction(({ sql }) => versionOf(sql, tokens));
  if (before > files.length) {
    throw new Error(
      `the database has schema version ${before}, but this version of Belfry supports at most ${files.length}; start a newer version`,
    );
  }
  if (before === files.length) return;
  const pending = await Promise.all(files.slice(before).map(load));
  await store.transaction(async ({ sql }) => {
    // Another server may have applied some of these migrations in the meantime.
    const now = await versionOf(sql, tokens);
    for (const [i, { title, statements, statementsOnPostgres = [], convert }] of pending.entries()) {
      const version = before + i + 1;
      if (version <= now) continue;
      const all = tokens === SCHEMA_TOKENS.postgres ? [...statements, ...statementsOnPostgres] : statements;
      for (const statement of all) await sql.run(inDialect(statement, tokens));
      await convert?.(sql);
      await SCHEMA_VERSION.insert(sql, { version, title });
    }
  });
}

async function load(file: string): Promise<Migration> {
  const { migration } = (await import(new URL(file, FOLDER).href)) as { readonly migration: Migration };
  return migration;
}

/** Returns the number of the last applied migration, or 0 if the database is new. */
async function versionOf(sql: Sql, tokens: SchemaTokens): Promise<number> {
  await sql.run(inDialect(CREATE_VERSION, tokens));
  return Number((await sql.row<{ readonly version: number | null }>(SELECT_VERSION))?.version ?? 0);
}

/** Replaces the tokens of a statement, such as `{text}`. */
export function inDialect(statement: string, tokens: SchemaTokens): string {
  return statement.replace(/\{([a-z]+)\}/g, (_, token: string) => tokens[token as keyof SchemaTokens]);
}
