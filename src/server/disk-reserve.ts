/** Free space that contents of objects leave to the database, so that a full disk does not stop the trail (Decision 0030). */
import { statfs } from 'node:fs/promises';
import { AwsError } from '#core/aws-error.ts';

/** Reserve of one folder. */
export interface DiskReserve {
  /**
   * Call it before a file is created or written to.
   *
   * @throws AwsError  `InsufficientStorage`: less space than the reserve is free
   */
  require(bytes: number): Promise<void>;
}

/** Number of bytes after which the free space is read again. All uploads together can use this much of the reserve. */
const CHECKED_EVERY_BYTES = 2 ** 20;
/** Space that the smallest file uses, with its entry in a folder. */
const FILE_BYTES = 8_192;

/** Creates the reserve of a folder. 0: no reserve. `free` returns the bytes that a user without privileges can write in the folder. */
export function diskReserve(folder: string, reserveBytes: number, free: (folder: string) => Promise<number> = freeBytes): DiskReserve {
  /** Bytes that can be written before the free space must be read again. */
  let left = 0;
  return {
    async require(bytes) {
      if (reserveBytes === 0) return;
      left -= Math.max(bytes, FILE_BYTES);
      if (left >= 0) return;
      if ((await free(folder)) - bytes < reserveBytes) throw insufficientStorage();
      left = CHECKED_EVERY_BYTES;
    },
  };
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/**
 * Returns the error for a full store.
 *
 * Assumed: code and status, because storage of AWS is never full. MinIO also has the status 507, with its own code `XMinioStorageFull`. The
 * SDKs of AWS do not repeat a request after it, because a retry fails too.
 */
export function insufficientStorage(): AwsError {
  return new AwsError('InsufficientStorage', 'The server does not have enough free space to store the object.');
}

/** Reports whether the disk or a quota refused to write. */
export function isFullDisk(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
