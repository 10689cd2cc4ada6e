/** Syncs files and folders to disk, so that they survive a power cut. */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** Whether the system can sync a folder. Windows cannot. */
const SYNCS_FOLDERS = process.platform !== 'win32';

/** Syncs the content of a file to disk. Blocks the thread. */
export function syncFile(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Syncs the entries of a folder to disk. Blocks the thread. Does nothing on Windows. */
export function syncFolder(path: string): void {
  if (SYNCS_FOLDERS) syncFile(path);
}

/** Syncs the entries of a folder to disk, without blocking the thread. Does nothing on Windows. */
export async function syncFolderAsync(path: string): Promise<void> {
  if (!SYNCS_FOLDERS) return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
