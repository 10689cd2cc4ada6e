/** Counts the fsync and fdatasync calls that a server makes for SQLite's log. */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A run of the tool strace on one server process. */
export interface SyncWatch {
  /** Command under which `startProcess` runs the server. It traces only the system calls fsync and fdatasync. */
  readonly under: readonly string[];
  /** Returns the number of syncs of the log that began between two values of `Date.now()`. Call it after the server has exited. */
  count(fromMs: number, toMs: number): number;
}

/** Prepares a run of strace. Returns undefined if strace is not installed. */
export function watchSyncs(): SyncWatch | undefined {
  if (!existsSync('/usr/bin/strace')) return undefined;
  const file = join(mkdtempSync(join(tmpdir(), 'belfry-strace-')), 'syncs.txt');
  // -D: the server stays a direct child of this process, so that a signal reaches the server and not strace.
  // -y: prints file names.
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
      // Example: `22192 1795680605.194073 fdatasync(31</tmp/…/belfry.db-wal>) = 0`. strace may split a call into two lines: only the
      // first line matches.
      const began = readFileSync(file, 'utf8').matchAll(/^\d+ +(\d+\.\d+) f(?:data)?sync\(\d+<[^>]*-wal>/gm);
      return [...began].filter(([, seconds]) => Number(seconds) * 1000 >= fromMs && Number(seconds) * 1000 <= toMs).length;
    },
  };
}
