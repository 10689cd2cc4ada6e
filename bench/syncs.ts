/** Counts the syncs of SQLite's log that a server asks the kernel for. */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SyncWatch {
  /** What `startProcess` is to run the server under: strace stops it at these two calls alone, and lets all others pass. */
  readonly under: readonly string[];
  /** How many syncs of the log began in the span, `Date.now()` at both ends. To be asked when the server has ended. */
  count(fromMs: number, toMs: number): number;
}

/** Undefined where there is no strace. */
export function watchSyncs(): SyncWatch | undefined {
  if (!existsSync('/usr/bin/strace')) return undefined;
  const file = join(mkdtempSync(join(tmpdir(), 'belfry-strace-')), 'syncs.txt');
  // -D: the server stays our child, so that it is the server that is stopped. -y: with the file's name.
  const under = [
    'strace',
    '-D',
    '-f',
    '--seccomp-bpf',
    '-qq',
    '-y',
    '-ttt',
    '-e',
    'signal=none',
    '-e',
    'trace=fsync,fdatasync',
    '-o',
    file,
  ];
  return {
    under,
    count(fromMs, toMs) {
      // `22192 1795680605.194073 fdatasync(31</tmp/…/belfry.db-wal>) = 0`; one cut in two by another thread's is counted at its beginning.
      const began = readFileSync(file, 'utf8').matchAll(/^\d+ +(\d+\.\d+) f(?:data)?sync\(\d+<[^>]*-wal>/gm);
      return [...began].filter(([, seconds]) => Number(seconds) * 1000 >= fromMs && Number(seconds) * 1000 <= toMs).length;
    },
  };
}
