import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store } from '#store/store.ts';
import { testPostgres } from '../test/store/test-postgres.ts';

/** Database of a benchmark. `remove` deletes it. */
export interface BenchDatabase {
  readonly url: string;
  readonly store: Store;
  readonly remove: () => Promise<void>;
}

/** Creates an empty database: on a PostgreSQL server for `postgres`, otherwise on SQLite in a temporary folder. */
export async function newDatabase(engine: string): Promise<BenchDatabase> {
  if (engine === 'postgres') {
    const { url, stop } = await testPostgres();
    return { url, store: await openPostgres(url), remove: stop };
  }
  const folder = mkdtempSync(join(tmpdir(), 'belfry-bench-'));
  return { url: `file:${folder}`, store: await openSqlite(folder), remove: async () => rmSync(folder, { recursive: true, force: true }) };
}
