/** Function that runs the simulation of one seed, with only the first `count` calls. */
export type Simulate = (seed: number, count?: number) => Promise<SimulatedRun>;

export interface SimulatedRun {
  readonly violation: string | undefined;
  /** Number of calls by outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
}

export interface Failure {
  readonly seed: number;
  readonly violation: string;
  readonly prefix?: Prefix;
}

/** Smallest number of first calls with which a run fails, and the violation of the run with these calls. */
interface Prefix {
  readonly calls: number;
  readonly shortest: string;
}

/** Runs the seeds from `from` on, and returns the first failure. If `shortens`, also searches its shortest prefix. */
export async function findFailure(simulate: Simulate, from: number, seeds: number, shortens = true): Promise<Failure | undefined> {
  for (let seed = from; seed < from + seeds; seed++) {
    const { violation } = await simulate(seed);
    if (violation !== undefined) return { seed, violation, ...(shortens && { prefix: await shortestPrefix(simulate, seed) }) };
  }
  return undefined;
}

/** Runs a failing seed with an increasing number of calls. Returns the first number with which the run fails. */
async function shortestPrefix(simulate: Simulate, seed: number): Promise<Prefix> {
  for (let calls = 0; ; calls++) {
    const { violation } = await simulate(seed, calls);
    if (violation !== undefined) return { calls, shortest: violation };
  }
}

/** Formats a failure, with the command that runs the failing seed again. */
export function describeFailure(what: string, { seed, violation, prefix }: Failure): string {
  const repeat = `repeat: npm run simulate -- ${what} --from ${seed} --seeds 1`;
  if (prefix === undefined) return `seed ${seed}: ${violation}\n${repeat}`;
  return `seed ${seed}: ${violation}\nwith the first ${prefix.calls} calls: ${prefix.shortest}\n${repeat} --calls ${prefix.calls}`;
}
