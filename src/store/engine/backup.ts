import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { syncFile, syncFolder } from '#core/file-sync.ts';
import { BUSY_MS } from './read-only.ts';

/**
 * Copies the database of a data folder into another folder, as of one moment. A server may use the database during the
 * copy, and a server can start on the copy.
 * The copy is durable when this function returns, and does not exist if the function fails.
 *
 * Never copy the files themselves: commits that are still in the log would be missing or incomplete.
 * PostgreSQL has its own tools (`pg_dump`, `pg_basebackup`). Requirement: RES-3.
 *
 * @throws Error  there is no database, or the target has one
 */
export function backupSqlite(folder: string, target: string): void {
  const source = join(folder, 'belfry.db');
  const copy = join(target, 'belfry.db');
  if (!existsSync(source)) throw new Error(`there is no SQLite database in '${folder}'; set its folder with --data`);
  if (existsSync(copy)) throw new Error(`'${target}' already has a database; specify a new folder`);
  mkdirSync(target, { recursive: true, mode: 0o700 });
  const unfinished = `${copy}.unfinished`;
  rmSync(unfinished, { force: true });
  const db = new DatabaseSync(source, { readOnly: true, timeout: BUSY_MS });
  try {
    db.prepare('VACUUM INTO ?').run(unfinished);
  } finally {
    db.close();
  }
  // The server refuses a database that other users can read.
  chmodSync(unfinished, 0o600);
  // SQLite does not wait until the copy is on the disk, so this function does.
  syncFile(unfinished);
  renameSync(unfinished, copy);
  syncFolder(target);
  syncFolder(dirname(target));
}
