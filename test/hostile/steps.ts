/**
 * Counts the steps of the core's thread, a measure of work that does not depend on the machine. V8's coverage counts
 * how often each block of a function runs. The number of steps is a sum over all functions of the project: the highest
 * block count of each function. Work on the separate threads for analyses is not counted.
 */
import { Session } from 'node:inspector/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Maximum number of steps for one request: about 50 ms. The longest loops iterate over the characters of the largest body. */
export const CORE_STEPS_MAX = 4_000_000;

/**
 * Makes V8 forget the code of all functions that are not running. V8 counts the blocks of a function only if it compiles the function while it
 * counts, and not if the code comes from Node's compile cache.
 */
function forgetCompiledCode(): void {
  setFlagsFromString('--expose-gc');
  setFlagsFromString('--stress-flush-code');
  const collect = runInNewContext('gc') as () => void;
  collect();
  setFlagsFromString('--no-stress-flush-code');
}

/** Counts of a thread. */
export interface Counting {
  /** Runs work and returns the number of its steps. */
  of(work: () => Promise<unknown>): Promise<number>;
  /** Runs work and returns the number of calls of the functions with a name in a file, such as `policy/compile.ts`. */
  callsOf(file: string, name: string, work: () => Promise<unknown>): Promise<number>;
  stop(): void;
}

/** Starts to count. */
export async function countSteps(): Promise<Counting> {
  forgetCompiledCode();
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  async function counted(work: () => Promise<unknown>) {
    // This call resets the counts.
    await session.post('Profiler.takePreciseCoverage');
    await work();
    return (await session.post('Profiler.takePreciseCoverage')).result;
  }
  return {
    async callsOf(file, name, work) {
      return (await counted(work))
        .filter(({ url }) => url.endsWith(`/src/${file}`))
        .flatMap(({ functions }) => functions.filter(({ functionName }) => functionName === name))
        .reduce((sum, { ranges }) => sum + (ranges[0]?.count ?? 0), 0);
    },
    async of(work) {
      return (await counted(work))
        .filter(({ url }) => url.includes('/src/'))
        .flatMap(({ functions }) => functions.map(({ ranges }) => Math.max(...ranges.map(({ count }) => count))))
        .reduce((sum, count) => sum + count, 0);
    },
    stop: () => session.disconnect(),
  };
}
