import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, test } from 'node:test';
import pg from 'pg';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { migrationFiles } from '#store/migrate.ts';
import type { SqlValue } from '#store/sql.ts';
import type { Store } from '#store/store.ts';
import { testPostgres } from './test-postgres.ts';

const folder = mkdtempSync(join(tmpdir(), 'belfry-migrations-'));
const postgres = await testPostgres();
after(async () => {
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Rows = Readonly<Record<string, readonly Readonly<Record<string, SqlValue>>[]>>;
type Execute = (text: string, values: readonly SqlValue[]) => Promise<unknown>;

/** Rows of schema version 8, at least one in each table. */
const ROWS = JSON.parse(released('schema-8.rows.json')) as Rows;

/** Tables whose rows a later migration changes or drops. */
const CHANGED = new Set(['outbox', 'schema_version']);

function released(name: string): string {
  return readFileSync(new URL(`./released/${name}`, import.meta.url), 'utf8');
}

/** Creates the database of a release: its schema, then rows in each table. The engine numbers the channel events. */
async function createReleased(execute: Execute, engine: 'sqlite' | 'postgres'): Promise<void> {
  for (const statement of released(`schema-8.${engine}.sql`).split(';\n')) if (statement.trim() !== '') await execute(statement, []);
  for (const [table, rows] of Object.entries(ROWS)) {
    for (const { number: _, ...row } of rows) {
      const names = Object.keys(row);
      const text = `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')})`;
      await execute(text, Object.values(row));
    }
  }
}

const ENGINES: readonly (readonly [name: string, open: () => Promise<Store>])[] = [
  [
    'SQLite',
    async () => {
      const db = new DatabaseSync(join(folder, 'belfry.db'));
      await createReleased(async (text, values) => db.prepare(text.replaceAll('$', '?')).run(...values), 'sqlite');
      db.close();
      return openSqlite(folder);
    },
  ],
  [
    'PostgreSQL',
    async () => {
      const client = new pg.Client(postgres.url);
      await client.connect();
      await createReleased((text, values) => client.query({ text, values: [...values] }), 'postgres');
      await client.end();
      return openPostgres(postgres.url);
    },
  ],
];

describe('migrations', () => {
  test('migrations: numbers have no gap and no duplicate', () => {
    const numbers = migrationFiles().map((name) => Number(name.slice(0, 4)));
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => i + 1),
    );
  });

  for (const [engine, open] of ENGINES) {
    test(`migrations: a database of schema version 8 on ${engine} opens with its rows`, async () => {
      const store = await open();
      const kept = await store.transaction(async ({ sql }) => {
        const found: Record<string, unknown> = {};
        for (const table of Object.keys(ROWS)) if (!CHANGED.has(table)) found[table] = await sql.rows(`SELECT * FROM ${table}`);
        return found;
      });
      const { version } = (await store.transaction(({ sql }) => sql.row('SELECT MAX(version) AS version FROM schema_version'))) as {
        readonly version: number;
      };
      assert.equal(version, migrationFiles().length);
      for (const [table, rows] of Object.entries(ROWS)) if (!CHANGED.has(table)) assert.deepEqual(sorted(kept[table]), sorted(rows), table);
      await assert.rejects(store.transaction(({ sql }) => sql.rows('SELECT * FROM outbox')));
      await store.close();
    });
  }
});

/** Returns rows as sorted strings, because engines return them in any order. Omits the counter `server`, which differs on PostgreSQL. */
function sorted(rows: unknown): readonly string[] {
  return (rows as readonly Record<string, unknown>[])
    .filter(({ name }) => name !== 'server')
    .map((row) => JSON.stringify(Object.entries(row).sort()))
    .sort();
}
