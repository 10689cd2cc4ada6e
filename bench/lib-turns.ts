/** CPU time of work on this thread, and of the turns of its event loop. Other load of the machine does not change it. */

/** CPU times of some work, in milliseconds. */
export interface Turns {
  readonly totalMs: number;
  /** Longest CPU time of one turn of the event loop. All other callers must wait until that turn ends. */
  readonly blockedMs: number;
}

/** Returns the CPU time of this thread, in milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Returns the CPU time of all threads of this process, in milliseconds. */
export function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Runs `work` and measures it. */
export async function measureTurns(work: () => Promise<unknown>): Promise<Turns> {
  let blockedMs = 0;
  let last = cpuMs();
  let turn = setImmediate(function next() {
    const now = cpuMs();
    blockedMs = Math.max(blockedMs, now - last);
    last = now;
    turn = setImmediate(next);
  });
  const began = cpuMs();
  await work();
  blockedMs = Math.max(blockedMs, cpuMs() - last);
  clearImmediate(turn);
  return { totalMs: cpuMs() - began, blockedMs };
}
