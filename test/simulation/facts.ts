/** Facts of the model, such as "the user `ada` exists". One call establishes a fact, and later calls withdraw it. */

/** A change of state that one call requests, or several calls that repeat the same request. */
export interface Change {
  /** Numbers of the calls. */
  readonly calls: number[];
  readonly begin: number;
  /** Time at which the first success was reported. */
  end: number;
  /** `unknown`: the caller received no response, so the change may be committed. */
  outcome: 'unknown' | 'done' | 'not done';
}

/** State that holds between two changes: a user, an access key, a policy or a meeting exists. */
export interface Fact {
  readonly name: string;
  readonly established: Change;
  readonly withdrawals: Change[];
}

export function newChange(call: number, begin: number): Change {
  return { calls: [call], begin, end: Number.POSITIVE_INFINITY, outcome: 'unknown' };
}

export function newFact(name: string, established: Change): Fact {
  return { name, established, withdrawals: [] };
}

/** Creates a fact that holds from the beginning. */
export function initialFact(name: string): Fact {
  return newFact(name, { calls: [], begin: Number.NEGATIVE_INFINITY, end: Number.NEGATIVE_INFINITY, outcome: 'done' });
}

/** Sets the outcome of a change. If several calls repeat the change, only a success sets it. */
export function settle(change: Change, outcome: Change['outcome'], at: number): void {
  if (change.outcome === 'done' || (change.calls.length > 1 && outcome !== 'done')) return;
  change.outcome = outcome;
  if (outcome === 'done') change.end = at;
}

/** Reports whether a fact can have held at some time from `begin` to `end`. */
export function mayHold({ established, withdrawals }: Fact, begin: number, end: number): boolean {
  if (established.outcome === 'not done' || established.begin > end) return false;
  return !withdrawals.some((change) => change.outcome === 'done' && change.end < begin);
}

/** Reports whether a fact must have held all the time from `begin` to `end`, if the change `own` is not counted. */
export function mustHold({ established, withdrawals }: Fact, begin: number, end: number, own?: Change): boolean {
  if (established.outcome !== 'done' || established.end >= begin) return false;
  return !withdrawals.some((change) => change !== own && change.outcome !== 'not done' && change.begin <= end);
}

/**
 * Returns the times from `begin` to `end` at which facts can change, and one time between each two of them.
 *
 * Facts are constant between two changes. So a combination of facts that holds at none of these times holds at no time in between.
 */
export function momentsOf(facts: readonly Fact[], begin: number, end: number): readonly number[] {
  const times = new Set([begin, end]);
  for (const { established, withdrawals } of facts)
    for (const change of [established, ...withdrawals])
      for (const at of [change.begin, change.end]) if (at > begin && at < end) times.add(at);
  const sorted = [...times].sort((a, b) => a - b);
  return sorted.flatMap((at, i) => (i === 0 ? [at] : [((sorted[i - 1] as number) + at) / 2, at]));
}
