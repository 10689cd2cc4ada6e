/** Steps of the lease model, except the steps of a poll (`model-polls.ts`). */
import { pollSteps } from './model-polls.ts';
import {
  ABSENT,
  ACK,
  ACKNOWLEDGING,
  ACTIVE,
  AGE,
  APPLIED,
  type Change,
  COMMITTED,
  changesOf,
  committedOf,
  DRAINING,
  DRAWN,
  highestOf,
  IDLE,
  KNOWS,
  LEASE,
  LOADED,
  type Next,
  NO_POLL,
  POLL,
  POLL_AGE,
  type Protocol,
  RETURNED,
  ROW,
  ROW_AGE,
  SERVER,
  STAGE,
  STORED,
  type State,
  VERSION,
  WRITER,
} from './model-state.ts';

/**
 * Reports whether the state breaks the guarantee: a withdrawal has returned, but a server with a lease has not applied
 * the withdrawal.
 */
export function broken({ servers, serverAt, writers, fault }: Protocol, s: State): boolean {
  for (let n = 0; n < servers; n++) {
    const at = serverAt(n);
    const authorizes = fault === 'no lease' ? s[at + LOADED] === 1 : (s[at + LEASE] as number) > 0;
    if (!authorizes) continue;
    for (let w = 0; w < writers; w++) {
      if (s[w * WRITER + STAGE] === RETURNED && ((s[at + KNOWS] as number) & (1 << w)) === 0) return true;
    }
  }
  return false;
}

/** Calls `next` with every state that is one step away. */
export function stepsFrom(protocol: Protocol, s: State, next: Next): void {
  const change = changesOf(s, next);
  next('tick', tick(protocol, s));
  for (let w = 0; w < protocol.writers; w++) writerSteps(protocol, s, w, change);
  replicaSteps(protocol, s, change);
  for (let n = 0; n < protocol.servers; n++) {
    pollSteps(protocol, s, n, change);
    acknowledgementSteps(protocol, s, n, change);
    if (protocol.removals) removalSteps(protocol, s, n, change);
  }
}

/** Returns the state one tick later. */
function tick({ servers, serverAt, writers, lease }: Protocol, s: State): number[] {
  const t = s.slice();
  for (let w = 0; w < writers; w++) {
    const age = t[w * WRITER + AGE] as number;
    if (t[w * WRITER + STAGE] === COMMITTED) t[w * WRITER + AGE] = Math.min(age + 1, Math.max(lease, age));
  }
  for (let n = 0; n < servers; n++) {
    const at = serverAt(n);
    t[at + LEASE] = Math.max((t[at + LEASE] as number) - 1, 0);
    if (t[at + POLL] !== NO_POLL) t[at + POLL_AGE] = Math.min((t[at + POLL_AGE] as number) + 1, lease);
    if (t[at + ROW] === DRAINING) t[at + ROW_AGE] = Math.min((t[at + ROW_AGE] as number) + 1, lease);
  }
  return t;
}

function writerSteps(protocol: Protocol, s: State, w: number, change: Change): void {
  const { servers, serverAt, writers, lease, fault } = protocol;
  const at = w * WRITER;
  switch (s[at + STAGE]) {
    case IDLE: {
      const drawn = Math.max(...Array.from({ length: writers }, (_, i) => s[i * WRITER + VERSION] as number));
      const version = highestOf(protocol, s, committedOf(protocol, s)) + 1;
      if (fault === 'versions from a sequence') change(`writer ${w} takes a version`, at + STAGE, DRAWN, at + VERSION, drawn + 1);
      // Without this fault, the transaction locks the version counter until the commit. So one step takes a version and
      // commits.
      else change(`writer ${w} commits`, at + STAGE, COMMITTED, at + VERSION, version, at + AGE, 0);
      return;
    }
    case DRAWN:
      change(`writer ${w} commits`, at + STAGE, COMMITTED, at + AGE, 0);
      return;
    case COMMITTED: {
      const version = s[at + VERSION] as number;
      const places = Array.from({ length: servers }, (_, n) => serverAt(n));
      const acknowledged = places.every((place) => s[place + ROW] === ABSENT || (s[place + APPLIED] as number) >= version);
      if (acknowledged || (s[at + AGE] as number) >= lease || fault === 'no wait') change(`writer ${w} returns`, at + STAGE, RETURNED);
    }
  }
}

function replicaSteps(protocol: Protocol, s: State, change: Change): void {
  const { writers, replica, lost, fault } = protocol;
  const committed = committedOf(protocol, s);
  if (s[replica] === committed) return;
  const failOver = fault === 'fail-over to an asynchronous standby';
  if (failOver || fault === 'asynchronous replica') change('the replica catches up', replica, committed);
  if (!failOver) return;
  const missing: number[] = [];
  for (let w = 0; w < writers; w++) if (committed & ~(s[replica] as number) & (1 << w)) missing.push(w * WRITER + AGE, lost);
  change('fail-over', ...missing);
}

/** Emits the steps of an acknowledgment in flight, and of the expiry of a server that did not acknowledge in time. */
function acknowledgementSteps(protocol: Protocol, s: State, n: number, change: Change): void {
  const at = protocol.serverAt(n);
  const of = (field: number): number => s[at + field] as number;
  if (of(ACK) > 0) {
    if (of(ROW) !== ABSENT) {
      const stored = of(POLL) === ACKNOWLEDGING ? [at + POLL, STORED] : [];
      change(`the acknowledgement of server ${n} is stored`, at + APPLIED, Math.max(of(APPLIED), of(ACK)), at + ACK, 0, ...stored);
    }
    change(`the acknowledgement of server ${n} is lost`, at + ACK, 0);
  }
  if (of(ROW) !== ABSENT && expires(protocol, s, of(APPLIED)))
    change(`server ${n} is expired`, at + ROW, ABSENT, at + ROW_AGE, 0, at + APPLIED, 0);
}

/**
 * Reports whether a withdrawal may delete the row of a server. `applied` is the latest version that the server
 * acknowledged. A withdrawal with a later version may delete the row after all leases older than the withdrawal have
 * ended.
 */
function expires({ writers, lease, lost, fault }: Protocol, s: State, applied: number): boolean {
  const age = fault === 'expired too early' ? lease - 1 : lease;
  for (let w = 0; w < writers; w++) {
    const at = w * WRITER;
    const behind = applied < (s[at + VERSION] as number) || fault === 'expired in spite of its acknowledgement';
    if ((s[at + STAGE] as number) >= COMMITTED && s[at + AGE] !== lost && (s[at + AGE] as number) >= age && behind) return true;
  }
  return false;
}

/** Emits the steps of an operator that removes a server, and of a server that restarts. */
function removalSteps({ serverAt, lease, fault }: Protocol, s: State, n: number, change: Change): void {
  const at = serverAt(n);
  const of = (field: number): number => s[at + field] as number;
  if (of(ROW) === ACTIVE) {
    if (fault === 'removed at once') change(`server ${n} is removed`, at + ROW, ABSENT, at + APPLIED, 0);
    else change(`server ${n} is drained`, at + ROW, DRAINING, at + ROW_AGE, 0);
  }
  if (of(ROW) === DRAINING && of(ROW_AGE) >= lease) change(`server ${n} is removed`, at + ROW, ABSENT, at + ROW_AGE, 0, at + APPLIED, 0);
  if (of(LOADED) === 1) {
    const fresh = Array.from({ length: SERVER }, (_, field) => [at + field, 0]).flat();
    change(`server ${n} stops and starts again`, ...fresh);
  }
}
