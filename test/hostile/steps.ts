/**
 * Steps of the core's thread: how often the busiest block of each function of the project runs, added up. The platform counts them. Threads
 * for analyses have counts of their own, which are not part of it.
 */
import { Session } from 'node:inspector/promises';

/** Steps that one request may take: about 50 ms. The longest loops are those over the characters of the largest body. */
export const CORE_STEPS_MAX = 4_000_000;

/** Begins to count. */
export async function countSteps(): Promise<{ of(work: () => Promise<unknown>): Promise<number>; stop(): void }> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  return {
    async of(work) {
      // This call resets the counts.
      await session.post('Profiler.takePreciseCoverage');
      await work();
      const { result } = await session.post('Profiler.takePreciseCoverage');
      return result
        .filter(({ url }) => url.includes('/src/'))
        .flatMap(({ functions }) => functions.map(({ ranges }) => Math.max(...ranges.map(({ count }) => count))))
        .reduce((sum, count) => sum + count, 0);
    },
    stop: () => session.disconnect(),
  };
}
