import { readFileSync } from 'node:fs';

/** Interval at which the server checks whether npm still runs. */
const LOOK_EVERY_MS = 500;
/**
 * Maximum number of ancestor processes that are checked. A shell and `bin/node24.mjs` can be between npm and this
 * process.
 */
const ANCESTORS_MAX = 4;

/**
 * Calls `onEnd` when the npm process that started this process ends, for example after `kill` of `npm start`. A killed
 * npm does not end its child processes, and a shell between npm and this process does not forward signals.
 *
 * Does nothing if npm did not start this process. On Linux it finds npm among the ancestor processes. On other systems
 * it observes only the parent process.
 */
export function whenNpmEnds(onEnd: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined && process.env['npm_command'] === undefined) return;
  const parent = process.ppid;
  const npm = npmAncestor();
  const hasEnded = (): boolean => (npm === undefined ? process.ppid !== parent : statusOf(npm.pid)?.startTime !== npm.startTime);
  const timer = setInterval(() => {
    if (!hasEnded()) return;
    clearInterval(timer);
    onEnd();
  }, LOOK_EVERY_MS).unref();
}

interface ProcessStatus {
  readonly pid: number;
  readonly parent: number;
  /** Start time of the process. It distinguishes the process from a later process with the same ID. */
  readonly startTime: string;
}

function npmAncestor(): ProcessStatus | undefined {
  let status = statusOf(process.ppid);
  for (let i = 0; i < ANCESTORS_MAX && status !== undefined; i++) {
    if (isNpm(status.pid)) return status;
    status = statusOf(status.parent);
  }
  return undefined;
}

/**
 * Returns the status of a process. Returns undefined if the process does not exist or is a zombie, or if the system has
 * no `/proc`. Source: proc(5), `/proc/pid/stat`.
 */
function statusOf(pid: number): ProcessStatus | undefined {
  const text = readOrUndefined(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses. The name can contain spaces and parentheses, so the other
  // fields start after the last parenthesis.
  const [state, parent, ...fields] = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
  const startTime = fields[17];
  if (parent === undefined || startTime === undefined || state === 'Z') return undefined;
  return { pid, parent: Number(parent), startTime };
}

/** Reports whether a process is npm. npm replaces its process title with a command such as `npm start`. */
function isNpm(pid: number): boolean {
  const words = readOrUndefined(`/proc/${pid}/cmdline`)?.split(/[\0 ]/) ?? [];
  return words.slice(0, 2).some((word) => /(?:^|\/)np[mx](?:-cli\.js)?$/.test(word));
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
