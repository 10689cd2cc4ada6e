/**
 * Contents of objects, and their storage as files in the data folder. The main thread writes and reads them, and the core deletes them.
 * The database decides which files are objects. A file whose ID is in no row has no meaning.
 */

import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { requirePrivate } from '#core/file-access.ts';
import { syncFolderAsync } from '#core/file-sync.ts';
import { type DiskReserve, diskReserve, insufficientStorage, isFullDisk } from './disk-reserve.ts';

/** A content that is being written. */
export interface BodyWriter {
  readonly id: string;
  /** Appends bytes. Call it again only after the promise has resolved, so that a fast client waits for the disk. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the content durable, and readable by its ID. */
  commit(): Promise<void>;
  /** Deletes what was written. It never rejects. */
  abort(): Promise<void>;
}

/**
 * Store of contents. IDs are random, so a key or another part of a request never becomes a part of a file's path.
 *
 * A content never changes. After `commit` it exists until `remove`.
 */
export interface Bodies {
  /** Begins a content. `owner` is the source (client address) that sends it. Its contents share the memory that one source may use. */
  create(owner?: string): Promise<BodyWriter>;
  /**
   * Opens a range of a content. The stream ends with an error if the content is shorter. The bytes stay readable until the stream is
   * closed, even if `remove` runs in the meantime.
   *
   * @throws Error  the content does not exist
   */
  read(id: string, start: number, length: number): Promise<Readable>;
  /** Deletes contents. IDs without a content are ignored. */
  remove(ids: readonly string[]): Promise<void>;
}

/** Folder of the contents, in the data folder. */
export const OBJECTS_FOLDER = 'objects';
/** Folder of contents that are being written. */
const INCOMING = 'incoming';
const ID = /^[0-9a-f]{32}$/;
/** Size of the pieces in which a content is read from the disk, in bytes. It bounds the memory of a download. */
const READ_BYTES = 65_536;

/** Returns the path of a content in a folder of contents. @throws Error  an invalid ID */
export function contentPath(folder: string, id: string): string {
  if (!ID.test(id)) throw new Error(`'${id}' is not the ID of a stored content`);
  return join(folder, id.slice(0, 2), id);
}

/** Deletes the files of uploads that an earlier process did not finish. Call it before the first upload. */
export function deleteUnfinished(dataFolder: string): void {
  const incoming = join(dataFolder, OBJECTS_FOLDER, INCOMING);
  if (existsSync(incoming)) for (const name of readdirSync(incoming)) rmSync(join(incoming, name), { force: true });
}

/**
 * Opens the contents in a data folder.
 *
 * Files are first written as `objects/incoming/ID`. After a sync they are renamed to `objects/xx/ID`, where xx is the
 * beginning of the ID, and the folder is synced. If less than `reserveBytes` would stay free on the disk, `create` and `write` throw
 * `InsufficientStorage`.
 *
 * @throws Error  the folder is a symbolic link, or other users can write to it
 */
export function openObjectFiles(dataFolder: string, reserveBytes = 0): Bodies {
  const folder = join(dataFolder, OBJECTS_FOLDER);
  const incoming = join(folder, INCOMING);
  requirePrivate(folder, 'folder');

  const pathOf = (id: string) => contentPath(folder, id);
  const reserve = diskReserve(dataFolder, reserveBytes);

  return {
    async create() {
      await reserve.require(0);
      const id = randomBytes(16).toString('hex');
      const temporary = join(incoming, id);
      await mkdir(incoming, { recursive: true, mode: 0o700 });
      const file = await open(temporary, 'wx', 0o600);
      return {
        id,
        write: (bytes) => writeAll(file, bytes, reserve),
        async commit() {
          await file.sync();
          await file.close();
          await mkdir(join(folder, id.slice(0, 2)), { recursive: true, mode: 0o700 });
          await rename(temporary, pathOf(id));
          await syncFolderAsync(join(folder, id.slice(0, 2)));
          // The folder of the content may be new.
          await syncFolderAsync(folder);
        },
        async abort() {
          await file.close().catch(() => undefined);
          for (const path of [temporary, pathOf(id)]) await rm(path, { force: true }).catch(() => undefined);
        },
      };
    },
    async read(id, start, length) {
      const file = await open(pathOf(id), 'r');
      if ((await file.stat()).size < start + length) {
        await file.close();
        throw new Error(`the stored content '${id}' is shorter than its row says`);
      }
      return file.createReadStream({ start, end: start + length - 1, highWaterMark: READ_BYTES });
    },
    async remove(ids) {
      for (const id of ids) await rm(pathOf(id), { force: true });
    },
  };
}

/**
 * Returns the IDs of the contents that were last written before a time, in milliseconds since the epoch. Each page has the IDs of one
 * folder.
 */
export async function* listObjectFiles(dataFolder: string, before: number): AsyncGenerator<readonly string[]> {
  const folder = join(dataFolder, OBJECTS_FOLDER);
  if (!existsSync(folder)) return;
  for (const name of await readdir(folder)) {
    if (name === INCOMING) continue;
    const ids: string[] = [];
    for (const id of await readdir(join(folder, name))) {
      const found = ID.test(id) ? statSync(join(folder, name, id), { throwIfNoEntry: false }) : undefined;
      if (found !== undefined && found.mtimeMs < before) ids.push(id);
    }
    yield ids;
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, reserve: DiskReserve): Promise<void> {
  await reserve.require(bytes.length);
  try {
    for (let from = 0; from < bytes.length; ) {
      const { bytesWritten } = await file.write(bytes, from, bytes.length - from);
      from += bytesWritten;
    }
  } catch (error) {
    throw isFullDisk(error) ? insufficientStorage() : error;
  }
}
