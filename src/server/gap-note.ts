/** The file in the data folder that notes an open gap of the trail, for `core/trail-gap.ts`. */
import { closeSync, constants, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { GapNote } from './core/trail-gap.ts';

/** Name of the file in the data folder. */
const FILE = 'trail-gap';
/** Size of the file in bytes: a time, and spaces. */
const BYTES = 32;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/**
 * Opens the note. Creates its file while the disk has space. A note overwrites the bytes in place, so on most file
 * systems it needs no space on a full disk. On a file system that is read-only or copies on write, it can fail.
 */
export function openGapNote(dataFolder: string): GapNote {
  const path = join(dataFolder, FILE);
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

  function write(from: string | undefined): void {
    const file = openSync(path, flags, 0o600);
    try {
      writeSync(file, (from ?? '').padEnd(BYTES), 0);
      fdatasyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  return {
    read() {
      try {
        const text = readFileSync(path, { encoding: 'latin1', flag: constants.O_RDONLY | constants.O_NOFOLLOW }).trim();
        if (TIME.test(text)) return text;
        if (text.length > 0) return undefined;
      } catch {
        // The first start has no file.
      }
      try {
        write(undefined);
      } catch {
        // The data folder cannot be written. The log line of a gap reports it.
      }
      return undefined;
    },
    write,
  };
}
