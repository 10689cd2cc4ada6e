import { readdirSync, readFileSync } from 'node:fs';

/** CPU time of one thread. */
export interface ThreadTime {
  readonly id: string;
  /** Name of the thread: `WorkerThread` for each thread that Node starts for a worker. */
  readonly name: string;
  readonly milliseconds: number;
}

/** Returns the CPU time of each thread of a process, in the order in which the threads started. Linux only. */
export function threadTimes(pid: number | 'self'): readonly ThreadTime[] {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks)
    .sort((a, b) => Number(a) - Number(b))
    .map((id) => ({
      id,
      name: readFileSync(`${tasks}/${id}/comm`, 'utf8').trim(),
      milliseconds: Number(readFileSync(`${tasks}/${id}/schedstat`, 'utf8').split(' ')[0]) / 1e6,
    }));
}

/** Returns the CPU time of the core thread, which is the first worker thread, in milliseconds. Returns NaN if the system is not Linux. */
export function coreMilliseconds(pid: number | 'self'): number {
  if (process.platform !== 'linux') return Number.NaN;
  return threadTimes(pid).find(({ name }) => name === 'WorkerThread')?.milliseconds ?? Number.NaN;
}
