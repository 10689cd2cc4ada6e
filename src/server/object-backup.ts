/** Copies the contents of objects into a backup. The copy of the database in the backup decides which contents it needs. */

import { constants, copyFileSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { syncFile, syncFolder } from '#core/file-sync.ts';
import { BUSY_MS } from '#store/engine/read-only.ts';
import { contentPath, OBJECTS_FOLDER } from './object-files.ts';

/**
 * Writes a backup of the database and of the contents of objects. A server may run.
 *
 * A content never changes. After its object is deleted, its file stays for an hour. So the contents are copied first, which can take long,
 * then the database, and then the contents that are newer. The last step is short, so no file that the copy of the database names is
 * deleted before it is copied.
 *
 * `copyDatabase` writes the database to `target`, as of one moment.
 *
 * @throws Error  a content is missing or has another length than its row says
 */
export function backupWithObjects(dataFolder: string, target: string, copyDatabase: () => void): void {
  const [from, to] = [join(dataFolder, OBJECTS_FOLDER), join(target, OBJECTS_FOLDER)];
  mkdirSync(target, { recursive: true, mode: 0o700 });
  for (const id of contentsIn(from)) copyContent(from, to, id);
  copyDatabase();
  const changed = new Set<string>();
  for (const { id, size } of neededContents(target)) {
    if (!existsSync(contentPath(to, id)) && copyContent(from, to, id) === 'missing')
      throw new Error(`the content '${id}' of an object is not in '${from}'; set the data folder with --data`);
    const { size: copied } = statSync(contentPath(to, id));
    if (copied !== size) throw new Error(`the content '${id}' of an object has ${copied} bytes, and its row says ${size}`);
    changed.add(id.slice(0, 2));
  }
  for (const folder of changed) syncFolder(join(to, folder));
  if (changed.size > 0) syncFolder(to);
  syncFolder(target);
}

/** Lists the contents in a folder, also those that no object uses. */
function* contentsIn(folder: string): Generator<string> {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) if (/^[0-9a-f]{2}$/.test(name)) yield* readdirSync(join(folder, name));
}

/** Copies a content durably. The server may have deleted it in the meantime. */
function copyContent(from: string, to: string, id: string): 'copied' | 'missing' {
  const copy = contentPath(to, id);
  mkdirSync(join(to, id.slice(0, 2)), { recursive: true, mode: 0o700 });
  try {
    copyFileSync(contentPath(from, id), copy, constants.COPYFILE_FICLONE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing';
    throw error;
  }
  syncFile(copy);
  return 'copied';
}

const NEEDED = 'SELECT body_id AS id, size FROM s3_object WHERE parts = 0 UNION ALL SELECT file_id AS id, size FROM s3_part';

/** Returns the contents that the objects and the multipart uploads of a database consist of. */
function neededContents(folder: string): readonly { readonly id: string; readonly size: number }[] {
  const db = new DatabaseSync(join(folder, 'belfry.db'), { readOnly: true, timeout: BUSY_MS });
  try {
    return db.prepare(NEEDED).all() as never;
  } catch (error) {
    // A database of an earlier version has no objects.
    if (/no such table: s3_/.test((error as Error).message)) return [];
    throw error;
  } finally {
    db.close();
  }
}
