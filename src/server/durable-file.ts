import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from '#access/operator-keys.ts';

/**
 * Replaces a file, readable by its owner only. When this returns, the file and its name are on disk. After a crash, either the old or the
 * new file exists. If the function throws, the old file remains.
 */
export function writeDurably(path: string, text: string): void {
  const temporary = `${path}.new`;
  // This is the file of an earlier crash, or a link that another user created.
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
  // Syncs the file's name, and the name of its folder if the folder is new.
  syncFolder(dirname(path));
  syncFolder(dirname(dirname(path)));
}
