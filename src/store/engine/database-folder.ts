import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * Returns the folder of a database setting such as `file:./data` or `file:///var/lib/belfry`. Returns `undefined` if the database is not in
 * a folder.
 */
export function databaseFolder(setting: string): string | undefined {
  if (!setting.startsWith('file:') || setting === 'file::memory:') return undefined;
  if (setting.startsWith('file://')) return fileURLToPath(setting);
  const path = setting.slice('file:'.length);
  return fileURLToPath(new URL(pathToFileURL(path === '' ? '.' : path)));
}

/** Returns the SQLite file of a database setting. Returns `undefined` if the database is not in a file. */
export function databaseFile(setting: string): string | undefined {
  const folder = databaseFolder(setting);
  return folder === undefined ? undefined : join(folder, 'belfry.db');
}
