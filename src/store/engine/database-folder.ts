import { fileURLToPath, pathToFileURL } from 'node:url';

/** Folder of a database setting `file:./data`, `file:data`, `file:/var/lib/belfry` or `file:///var/lib/belfry`. Undefined: no file holds it. */
export function databaseFolder(setting: string): string | undefined {
  if (!setting.startsWith('file:') || setting === 'file::memory:') return undefined;
  if (setting.startsWith('file://')) return fileURLToPath(setting);
  const path = setting.slice('file:'.length);
  return fileURLToPath(new URL(pathToFileURL(path === '' ? '.' : path)));
}
