/** Folders on the server's machine as targets of log files. */

import { randomBytes } from 'node:crypto';
import { lstat, mkdir, open, opendir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HOUR_MS } from '#core/duration.ts';
import { syncFolderAsync } from '#core/file-sync.ts';
import { type LogTarget, TargetError } from './log-target.ts';

/** Mode of files and folders: the group of the server's user can read them, for example an auditor. */
const FILE_MODE = 0o640;
const FOLDER_MODE = 0o750;
/** Longest name of a file or folder, in bytes. Source: NAME_MAX of Linux and macOS. */
const NAME_MAX_BYTES = 255;
/** Beginning of the names of incomplete files, and the whole form of these names. */
const TEMPORARY = '.belfry-';
const TEMPORARY_NAME = /^\.belfry-[0-9a-f]{16}$/;
/** Age at which an incomplete file belongs to no write any more, and interval between two searches for such files. */
const INCOMPLETE_MS = HOUR_MS;
/** Most entries of the folder that a search reads. */
const SEARCHED_MAX = 10_000;

/** End of the names of files with user metadata, as JSON. */
export const METADATA_SUFFIX = '.metadata';

/**
 * Creates a target that writes each object as a file. The key is the path below the folder. The folder must exist, because a folder that the
 * server creates could hide a volume that is not mounted.
 *
 * User metadata is a file of its own, with the name of the object and `METADATA_SUFFIX`. It is written first.
 *
 * A file is complete and durable when `put` resolves. Until then it is directly in the folder, and its name is `.belfry-` with 16 hexadecimal
 * digits. After a crash, such a file can remain. The first `put` removes those that are older than an hour, and then one `put` an hour.
 */
export function folderTarget(folder: string): LogTarget {
  let searchedAt = Number.NEGATIVE_INFINITY;
  return {
    async put({ key, body, metadata }) {
      const names = namesOf(key);
      try {
        await requireFolder(folder);
        if (Math.abs(Date.now() - searchedAt) >= INCOMPLETE_MS) {
          searchedAt = Date.now();
          await removeIncomplete(folder, searchedAt - INCOMPLETE_MS);
        }
        const parent = await makeFolders(folder, names.slice(0, -1));
        const name = names.at(-1) as string;
        if (metadata !== undefined)
          await writeFile(folder, join(parent, `${name}${METADATA_SUFFIX}`), Buffer.from(`${JSON.stringify(metadata)}\n`));
        await writeFile(folder, join(parent, name), body);
      } catch (error) {
        throw error instanceof TargetError ? error : targetError(error as NodeJS.ErrnoException);
      }
    },
  };
}

/**
 * Returns the names of the folders and of the file of a key. The owner of a trail chooses a part of the key, so no name may lead out of the
 * folder.
 *
 * @throws TargetError  a name is empty, `.`, `..` or too long, contains NUL or a backslash, or is that of an incomplete file
 */
function namesOf(key: string): readonly string[] {
  const names = key.split('/');
  for (const name of names) {
    const isValid = name !== '' && name !== '.' && name !== '..' && !/[\0\\]/.test(name) && !name.startsWith(TEMPORARY);
    if (!isValid || Buffer.byteLength(name) > NAME_MAX_BYTES)
      throw new TargetError('InvalidArgument', 'the key of the log file is not a valid path in a folder');
  }
  return names;
}

async function requireFolder(path: string): Promise<void> {
  if (!(await lstat(path)).isDirectory()) throw new TargetError('AccessDenied', 'the path is not a folder, or is a symbolic link');
}

/** Creates the folders below `folder` that do not exist. A symbolic link could lead out of the folder, so it is an error. */
async function makeFolders(folder: string, names: readonly string[]): Promise<string> {
  let path = folder;
  for (const name of names) {
    const parent = path;
    path = join(path, name);
    const isNew = await mkdir(path, { mode: FOLDER_MODE }).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false;
        throw error;
      },
    );
    await requireFolder(path);
    if (isNew) await syncFolderAsync(parent);
  }
  return path;
}

/** Writes a file. It is incomplete in `folder`, and complete at `path`, which is in the same file system. */
async function writeFile(folder: string, path: string, body: Uint8Array): Promise<void> {
  const temporary = join(folder, `${TEMPORARY}${randomBytes(8).toString('hex')}`);
  try {
    const file = await open(temporary, 'wx', FILE_MODE);
    try {
      await file.writeFile(body);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncFolderAsync(dirname(path));
}

/** Removes incomplete files that were last written before a time. A failure must not prevent the delivery, so errors are ignored. */
async function removeIncomplete(folder: string, before: number): Promise<void> {
  try {
    let searched = 0;
    for await (const entry of await opendir(folder)) {
      if (++searched > SEARCHED_MAX) return;
      if (!entry.isFile() || !TEMPORARY_NAME.test(entry.name)) continue;
      const path = join(folder, entry.name);
      if ((await lstat(path)).mtimeMs < before) await rm(path, { force: true });
    }
  } catch {
    // The next search tries again.
  }
}

/** Error codes of S3 that resemble errors of the file system. Assumed: S3 has no folders. */
const CODES: Readonly<Record<string, string>> = {
  ENOENT: 'NoSuchBucket',
  EACCES: 'AccessDenied',
  EPERM: 'AccessDenied',
  EROFS: 'AccessDenied',
};

function targetError({ code = 'unknown error' }: NodeJS.ErrnoException): TargetError {
  return new TargetError(CODES[code] ?? 'InternalError', `the folder cannot be written (${code})`);
}
