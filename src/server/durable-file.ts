import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from '#access/operator-keys.ts';

/**
 * Replaces a file, readable by its owner only. When this returns, the file and its name are on disk. After a crash the old file is there,
 * or the new one. If it fails, the old file stays and no part of the new one does.
 */
export function writeDurably(path: string, text: string): void {
  const temporary = `${path}.new`;
  // A file left by a crash, or a link that someone put there.
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
  // The file's name, and that of its folder if it is new.
  syncFolder(dirname(path));
  syncFolder(dirname(dirname(path)));
}
