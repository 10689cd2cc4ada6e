import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { betterSqlite3 } from '../../../test/store/better-sqlite3.ts';
import { openPglite } from '../../../test/store/pglite.ts';
import { testPostgres } from '../../../test/store/test-postgres.ts';
import { storeConformance } from '../conformance.ts';
import { openPostgres } from './postgres.ts';
import { openSqlite } from './sqlite.ts';

const folder = mkdtempSync(join(tmpdir(), 'belfry-store-'));
const postgres = await testPostgres();
after(async () => {
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
});

storeConformance('SQLite in memory', (options) => openSqlite(':memory:', options));
storeConformance('SQLite in a file', (options) => openSqlite(join(folder, 'node'), options));
storeConformance('PostgreSQL', (options) => openPostgres(postgres.url, options));
// The second library for the same engine, and the second edition of the same dialect.
storeConformance('SQLite by better-sqlite3', (options) => openSqlite(join(folder, 'better'), { ...options, open: betterSqlite3 }));
storeConformance('PGlite', openPglite);
