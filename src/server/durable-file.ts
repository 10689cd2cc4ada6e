import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from '#core/file-sync.ts';

/**
 * Replaces a file. Only the owner of the file can read it. When this function returns, the file and its name are on
 * disk. After a crash, either the old or the new file exists. If the function throws, the old file remains.
 */
export function writeDurably(path: string, text: string): void {
  const temporary = `${path}.new`;
  // Deletes a file that an earlier crash left, or a link that another user created.
  rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  // Syncs the folder, so that the file's name is on disk. If the folder is new, its own name is on disk only after a
  // sync of its parent folder.
  syncFolder(dirname(path));
  syncFolder(dirname(dirname(path)));
}
