import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { storeConformance } from './conformance.ts';
import { openSqlite } from './sqlite.ts';

const folder = mkdtempSync(join(tmpdir(), 'belfry-store-'));
after(() => rmSync(folder, { recursive: true, force: true }));

storeConformance('SQLite in memory', (options) => openSqlite(':memory:', options));
storeConformance('SQLite in a file', (options) => openSqlite(join(folder, 'node'), options));
