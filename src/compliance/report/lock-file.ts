/** Packages in the lock files of npm. Source: npm documentation, package-lock.json, lockfileVersion 3. */
import { existsSync, readFileSync } from 'node:fs';
import { omitUndefined } from '#core/omit-undefined.ts';

/** Package of the server. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** Hash with its algorithm: `sha512-…`. */
  readonly integrity?: string;
  readonly license?: string;
}

interface Entry {
  readonly name?: string;
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
}

const FOLDER = 'node_modules/';

/** Returns the packages of a lock file by their folder, without the development packages. Empty if there is no file. */
export function packagesOfServer(file: string): ReadonlyMap<string, LockedPackage> {
  const found = new Map<string, LockedPackage>();
  if (!existsSync(file)) return found;
  const { packages } = JSON.parse(readFileSync(file, 'utf8')) as { readonly packages: Readonly<Record<string, Entry>> };
  for (const [path, { name, version = '', integrity, license, dev }] of Object.entries(packages)) {
    if (dev === true || !path.startsWith(FOLDER)) continue;
    const ofFolder = path.slice(path.lastIndexOf(FOLDER) + FOLDER.length);
    found.set(path, { name: name ?? ofFolder, version, ...omitUndefined({ integrity, license }) });
  }
  return found;
}
