/** Function that runs one seed, with only the first `count` calls. */
export type Simulate = (seed: number, count?: number) => Promise<SimulatedRun>;

export interface SimulatedRun {
  readonly violation: string | undefined;
  /** Number of calls by outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
}

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

/** Runs a failing seed with an increasing number of calls. Returns the first number with which the run fails. */
async function shortestPrefix(simulate: Simulate, seed: number): Promise<Pick<Failure, 'calls' | 'shortest'>> {
  for (let calls = 0; ; calls++) {
    const { violation } = await simulate(seed, calls);
    if (violation !== undefined) return { calls, shortest: violation };
  }
}

/** Formats a failure, with the command that runs the failing seed again. */
export function describeFailure(what: string, { seed, violation, calls, shortest }: Failure): string {
  return [
    `seed ${seed}: ${violation}`,
    `with the first ${calls} calls: ${shortest}`,
    `repeat: npm run simulate -- ${what} --from ${seed} --seeds 1 --calls ${calls}`,
  ].join('\n');
}
