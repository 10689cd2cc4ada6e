/** A run of one seed, with the first `count` calls. */
export type Simulate = (seed: number, count?: number) => Promise<{ readonly violation: string | undefined }>;

export interface Failure {
  readonly seed: number;
  readonly violation: string;
  /** Length of the shortest failing prefix of the calls, and its violation. */
  readonly calls: number;
  readonly shortest: string;
}

/** Runs the seeds from `from` on, and returns the first failure. */
export async function findFailure(simulate: Simulate, from: number, seeds: number): Promise<Failure | undefined> {
  for (let seed = from; seed < from + seeds; seed++) {
    const { violation } = await simulate(seed);
    if (violation !== undefined) return { seed, violation, ...(await shortestPrefix(simulate, seed)) };
  }
  return undefined;
}

/** Runs a failing seed with more and more calls, until it fails. */
async function shortestPrefix(simulate: Simulate, seed: number): Promise<Pick<Failure, 'calls' | 'shortest'>> {
  for (let calls = 0; ; calls++) {
    const { violation } = await simulate(seed, calls);
    if (violation !== undefined) return { calls, shortest: violation };
  }
}

/** Formats a failure with the command that repeats it. */
export function describeFailure(what: string, { seed, violation, calls, shortest }: Failure): string {
  return [
    `seed ${seed}: ${violation}`,
    `with the first ${calls} calls: ${shortest}`,
    `repeat: npm run simulate -- ${what} --from ${seed} --seeds 1 --calls ${calls}`,
  ].join('\n');
}
