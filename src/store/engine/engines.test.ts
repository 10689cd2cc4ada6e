import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { betterSqlite3 } from '../../../test/store/better-sqlite3.ts';
import { openPglite } from '../../../test/store/pglite.ts';
import { testPostgres } from '../../../test/store/test-postgres.ts';
import { storeConformance } from '../conformance.ts';
import type { Suite } from '../conformance-fixtures.ts';
import { openPostgres } from './postgres.ts';
import { openSqlite } from './sqlite.ts';

const folder = mkdtempSync(join(tmpdir(), 'belfry-store-'));
const postgres = await testPostgres();
after(async () => {
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
});

const SOURCES = join(import.meta.dirname, '../..');
const suites = await Promise.all(
  globSync('**/*.conformance.ts', { cwd: SOURCES })
    .sort()
    .map(async (file) => ((await import(join(SOURCES, file))) as { readonly conformance: (suite: Suite) => void }).conformance),
);

storeConformance('SQLite in memory', (options) => openSqlite(':memory:', options), suites);
storeConformance('SQLite in a file', (options) => openSqlite(join(folder, 'node'), options), suites);
storeConformance('PostgreSQL', (options) => openPostgres(postgres.url, options), suites);
// Runs the same tests with a second library for SQLite, and with a second implementation of PostgreSQL.
storeConformance('SQLite by better-sqlite3', (options) => openSqlite(join(folder, 'better'), { ...options, open: betterSqlite3 }), suites);
storeConformance('PGlite', openPglite, suites);
