import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

/**
 * Contents of the table `meta`, read without changing the database or its folder.
 *
 * - `missing`: there is no database, or the database has no tables of Belfry
 * - `unknown`: the write-ahead log is not empty, so only the engine can read `meta`
 */
export type PeekedMeta = ReadonlyMap<string, string> | 'missing' | 'unknown';

const SELECT_META = 'SELECT name, value FROM meta';

/** Source: sqlite.org/fileformat.html, "The Database Header". */
const HEADER_BYTES = 100;
const MAGIC = 'SQLite format 3\0';
const PAGE_SIZE_AT = 16;
const PAGE_COUNT_AT = 28;

/**
 * Reads `meta` of the SQLite database in a folder.
 *
 * @throws Error  the file is not a database or is shorter than its header says, or there is a write-ahead log without a
 *   database
 */
export function peekSqlite(folder: string): PeekedMeta {
  const path = join(folder, 'belfry.db');
  const logBytes = sizeOf(`${path}-wal`);
  const bytes = sizeOf(path);
  if (bytes === 0) {
    if (logBytes > 0) throw damaged(path, 'it is empty, and its log belfry.db-wal is not');
    return 'missing';
  }
  const header = headerOf(path);
  if (header.length < HEADER_BYTES || header.toString('latin1', 0, MAGIC.length) !== MAGIC)
    throw damaged(path, 'it is not an SQLite database');
  if (logBytes > 0) return 'unknown';
  // SQLite stores the largest page size, 65,536, as 1.
  const pageSize = header.readUInt16BE(PAGE_SIZE_AT) === 1 ? 65_536 : header.readUInt16BE(PAGE_SIZE_AT);
  if (bytes < pageSize * header.readUInt32BE(PAGE_COUNT_AT)) throw damaged(path, 'its end is missing');
  // With `immutable`, SQLite uses no log and no locks, so it creates no files.
  const db = new DatabaseSync(new URL(`${pathToFileURL(path).href}?immutable=1`), { readOnly: true });
  try {
    return new Map(
      db
        .prepare(SELECT_META)
        .all()
        .map((row) => [String(row['name']), String(row['value'])]),
    );
  } catch (error) {
    if (/no such table/.test((error as Error).message)) return 'missing';
    throw damaged(path, (error as Error).message);
  } finally {
    db.close();
  }
}

/** Reads `meta` of a PostgreSQL database. @throws Error  the database does not respond */
export async function peekPostgres(url: string): Promise<PeekedMeta> {
  // The import is here, because the embedded engine does not need the driver.
  const { default: pg } = await import('pg');
  const client = new pg.Client({
    connectionString: url,
    application_name: 'belfry',
    connectionTimeoutMillis: 10_000,
    query_timeout: 10_000,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<{ readonly name: string; readonly value: string }>(SELECT_META);
    return new Map(rows.map(({ name, value }) => [name, value]));
  } catch (error) {
    // `42P01` is the code of undefined_table. Source: PostgreSQL manual, appendix A.
    if ((error as { readonly code?: string }).code === '42P01') return 'missing';
    throw error;
  } finally {
    await client.end();
  }
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0;
}

function headerOf(path: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const file = openSync(path, 'r');
  try {
    return header.subarray(0, readSync(file, header, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(file);
  }
}

function damaged(path: string, why: string): Error {
  return new Error(`the database '${path}' is damaged (${why}); restore it from a backup`);
}
