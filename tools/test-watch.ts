/** Ends test files that do not end by themselves, for `tools/run-tests.ts`. */
import { readdirSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { TestsStream } from 'node:test';

const CHECK_MS = 1_000;

interface Limits {
  /** Longest time for one test file, in milliseconds. Its processes are killed after that, and the file fails. */
  readonly fileMs: number;
  /** Longest time without an event of a test, in milliseconds. The whole run ends after that, with status 1. */
  readonly silenceMs: number;
}

/**
 * Watches a run, and ends files that do not end. Node's option `timeout` ends a test, but then the run waits for the process of the file, which
 * may never exit.
 */
export function watch(events: TestsStream, { fileMs, silenceMs }: Limits): void {
  const begun = new Map<string, number>();
  let latest = performance.now();
  for (const name of ['test:dequeue', 'test:complete', 'test:pass', 'test:fail'] as const) {
    events.on(name, () => {
      latest = performance.now();
    });
  }
  const timer = setInterval(() => {
    const now = performance.now();
    const running = processes();
    for (const { pid, parent, started, command } of running) {
      const file = command.at(-1);
      if (parent !== process.pid || command[0] !== process.execPath || file === undefined) continue;
      const key = `${pid} ${started}`;
      const since = begun.get(key) ?? now;
      begun.set(key, since);
      if (now - since <= fileMs) continue;
      console.error(`\n${relative('.', file)} did not end within ${fileMs / 1000} s: its processes are killed`);
      for (const each of [...descendants(running, pid), pid]) kill(each);
    }
    if (now - latest <= silenceMs) return;
    const files = running.flatMap(({ parent, command }) => (parent === process.pid ? command.slice(-1) : []));
    console.error(`\nno test ended within ${silenceMs / 1000} s: the run ends. Running: ${files.join(' ') || 'no file'}`);
    for (const each of descendants(running, process.pid)) kill(each);
    process.exit(1);
  }, CHECK_MS);
  events.once('end', () => clearInterval(timer));
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Start time since the boot, as the kernel prints it. */
  readonly started: string;
  readonly command: readonly string[];
}

/** Returns the processes of this machine. On systems without `/proc` there are none. */
function processes(): readonly Process[] {
  return names('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // The name of the program, in parentheses, can contain spaces.
      const fields = readFileSync(`/proc/${name}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ');
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').filter(Boolean);
      return [{ pid: Number(name), parent: Number(fields[1]), started: String(fields[19]), command }];
    } catch {
      return [];
    }
  });
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function descendants(all: readonly Process[], pid: number): readonly number[] {
  return all.filter(({ parent }) => parent === pid).flatMap((child) => [...descendants(all, child.pid), child.pid]);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process has ended.
  }
}
