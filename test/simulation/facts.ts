/** Facts of the model, such as "the user `ada` exists". One change establishes a fact. Later changes withdraw it. */

/** Change of state that one call requests, or several calls with identical requests. */
export interface Change {
  /** Numbers of the calls that request the change. */
  readonly calls: number[];
  readonly begin: number;
  /** Time at which the first call that succeeded received its response. */
  end: number;
  /** `unknown` while the caller has no response, or if the response does not say whether the change is committed. */
  outcome: 'unknown' | 'done' | 'not done';
}

/** Statement that is true between two changes, for example that a user, access key, policy or meeting exists. */
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

/** Sets the outcome of a change. If several calls request the change, only a success sets the outcome. */
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

/**
 * Reports whether a fact must have held all the time from `begin` to `end`.
 * `own` is the change of the call that is checked. A withdrawal by this change is ignored.
 */
export function mustHold({ established, withdrawals }: Fact, begin: number, end: number, own?: Change): boolean {
  if (established.outcome !== 'done' || established.end >= begin) return false;
  return !withdrawals.some((change) => change !== own && change.outcome !== 'not done' && change.begin <= end);
}

/**
 * Returns `begin`, `end`, the times between them at which facts can change, and one time between any two
 * neighboring times.
 *
 * Between two neighboring times, no fact changes. So every combination of facts that holds at some time from `begin`
 * to `end` also holds at one of the returned times.
 */
export function momentsOf(facts: readonly Fact[], begin: number, end: number): readonly number[] {
  const times = new Set([begin, end]);
  for (const { established, withdrawals } of facts)
    for (const change of [established, ...withdrawals])
      for (const at of [change.begin, change.end]) if (at > begin && at < end) times.add(at);
  const sorted = [...times].sort((a, b) => a - b);
  return sorted.flatMap((at, i) => (i === 0 ? [at] : [((sorted[i - 1] as number) + at) / 2, at]));
}
