/**
 * Model of the lease protocol as a small state machine. `explore` visits all its interleavings: two writers, servers that load, register,
 * poll, acknowledge and stop, polls that are lost or late, and an operator who removes servers. Time is stored as ages and remaining times.
 * Each is capped at the value from which it makes no difference, so the number of states is finite and the search needs no time limit.
 *
 * Guarantee: after a withdrawal has returned, no server with a lease decides by an older version of identity.
 *
 * A server gets a lease only after the database has stored its acknowledgement of the version that the poll returned. So if a
 * withdrawal has
 * waited until all older leases are dead, a server that has not acknowledged it has no lease and cannot get one. It is expired: its row is
 * deleted at once, and later withdrawals do not wait for it.
 */

/** Faults that the model must find, and `none`. */
export type Fault =
  | 'none'
  /** A writer returns as soon as it has committed. */
  | 'no wait'
  /** A server authorizes without a lease, as soon as it has loaded. Only notifications keep it current. */
  | 'no lease'
  /** A failed poll gives the server a new lease for the version that it has. */
  | 'fail open'
  /** The lease is counted from the arrival of the response, not from the request. */
  | 'lease from the response'
  /** A lagging replica answers polls. */
  | 'asynchronous replica'
  /** Versions are assigned before the commit, as a sequence does. */
  | 'versions from a sequence'
  /** The rows are read in one snapshot and the version in a later one. */
  | 'two snapshots'
  /** The row of a removed server is deleted while the server may still have a lease. */
  | 'removed at once'
  /** The database is replaced by a standby that lacks some commits. */
  | 'fail-over to an asynchronous standby'
  /** A poll gives a lease to an unregistered server. */
  | 'lease without registration'
  /** A server acknowledges a version before it has applied it. */
  | 'acknowledged before applied'
  /** A poll gives a lease before the acknowledgement of its version is stored. */
  | 'lease before the acknowledgement'
  /** A server is expired before all leases older than the withdrawal have ended. */
  | 'expired too early'
  /** A server is expired although it has acknowledged. */
  | 'expired in spite of its acknowledgement';

/** Size of the model. */
export interface Bounds {
  readonly servers: number;
  /** Number of writers. Each makes one withdrawal. */
  readonly writers: number;
  /** Length of a lease, in ticks. */
  readonly lease: number;
  /** Whether servers are removed, stopped and restarted. */
  readonly removals: boolean;
}

/** Result of an exploration. */
export interface Verdict {
  /** Number of distinct states. */
  readonly states: number;
  /** Names of the steps to a state that breaks the guarantee. Undefined if there is none. */
  readonly violation: readonly string[] | undefined;
}

// A state is an array of small numbers: first the fields of the writers and the replica, then SERVER fields for each server.
const WRITER = 3; // stage, version, age since the commit
const [STAGE, VERSION, AGE] = [0, 1, 2];
const [IDLE, DRAWN, COMMITTED, RETURNED] = [0, 1, 2, 3];
const SERVER = 14;
/** ACK: version whose acknowledgement is in flight. ACKED: the poll saw that its version is acknowledged. */
const [KNOWS, LAST, LEASE, LOADED, REGISTERED, ROW, ROW_AGE, APPLIED, ACK, POLL, POLL_AGE, POLL_ROWS, POLL_SAW, ACKED] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
];
const [ABSENT, ACTIVE, DRAINING] = [0, 1, 2];
/** Stages of a poll. ACKNOWLEDGING and STORED follow DONE: the acknowledgement is in flight, then stored. */
const [NO_POLL, SENT, HALF, DONE, ACKNOWLEDGING, STORED] = [0, 1, 2, 3, 4, 5];

/**
 * Visits all states of the model with one fault, and stops at the first state that breaks the guarantee.
 *
 * @throws Error  the model has more than `statesMax` states
 */
export function explore(bounds: Bounds, fault: Fault, statesMax = 3_000_000): Verdict {
  const { servers, writers, lease, removals } = bounds;
  const REPLICA = writers * WRITER;
  const FIRST = REPLICA + 1;
  const serverAt = (n: number): number => FIRST + n * SERVER;

  const committedMask = (s: readonly number[]): number => {
    let mask = 0;
    for (let w = 0; w < writers; w++) if ((s[w * WRITER + STAGE] as number) >= COMMITTED && s[w * WRITER + AGE] !== LOST) mask |= 1 << w;
    return mask;
  };
  /** Age of a commit that a fail-over has lost. */
  const LOST = lease + 1;
  const highest = (s: readonly number[], mask: number): number => {
    let version = 0;
    for (let w = 0; w < writers; w++) if (mask & (1 << w)) version = Math.max(version, s[w * WRITER + VERSION] as number);
    return version;
  };
  const after = (s: readonly number[], mask: number, since: number): number => {
    let rows = 0;
    for (let w = 0; w < writers; w++) if (mask & (1 << w) && (s[w * WRITER + VERSION] as number) > since) rows |= 1 << w;
    return rows;
  };

  function broken(s: readonly number[]): boolean {
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
  function step(s: readonly number[], next: (name: string, t: number[]) => void): void {
    const change = (name: string, ...pairs: number[]): void => {
      const t = s.slice();
      for (let i = 0; i < pairs.length; i += 2) t[pairs[i] as number] = pairs[i + 1] as number;
      next(name, t);
    };
    tick(s, next);

    const committed = committedMask(s);
    for (let w = 0; w < writers; w++) {
      const at = w * WRITER;
      const drawn = Math.max(...Array.from({ length: writers }, (_, i) => s[i * WRITER + VERSION] as number));
      switch (s[at + STAGE]) {
        case IDLE:
          if (fault === 'versions from a sequence') change(`writer ${w} takes a version`, at + STAGE, DRAWN, at + VERSION, drawn + 1);
          // The counter's row is locked until the commit, so assigning the version and committing are one step.
          else change(`writer ${w} commits`, at + STAGE, COMMITTED, at + VERSION, highest(s, committed) + 1, at + AGE, 0);
          break;
        case DRAWN:
          change(`writer ${w} commits`, at + STAGE, COMMITTED, at + AGE, 0);
          break;
        case COMMITTED: {
          let acknowledged = true;
          for (let n = 0; n < servers; n++) {
            if (s[serverAt(n) + ROW] !== ABSENT && (s[serverAt(n) + APPLIED] as number) < (s[at + VERSION] as number)) acknowledged = false;
          }
          if (acknowledged || (s[at + AGE] as number) >= lease || fault === 'no wait') change(`writer ${w} returns`, at + STAGE, RETURNED);
          break;
        }
      }
    }
    const lags = fault === 'asynchronous replica' || fault === 'fail-over to an asynchronous standby';
    if (lags && s[REPLICA] !== committed) change('the replica catches up', REPLICA, committed);
    if (fault === 'fail-over to an asynchronous standby' && s[REPLICA] !== committed) {
      const lost: number[] = [];
      for (let w = 0; w < writers; w++) if (committed & ~(s[REPLICA] as number) & (1 << w)) lost.push(w * WRITER + AGE, LOST);
      change('fail-over', ...lost);
    }
    for (let n = 0; n < servers; n++) serverSteps(s, n, committed, change);
  }

  function tick(s: readonly number[], next: (name: string, t: number[]) => void): void {
    const t = s.slice();
    for (let w = 0; w < writers; w++) {
      if (t[w * WRITER + STAGE] === COMMITTED)
        t[w * WRITER + AGE] = Math.min((t[w * WRITER + AGE] as number) + 1, Math.max(lease, t[w * WRITER + AGE] as number));
    }
    for (let n = 0; n < servers; n++) {
      const at = serverAt(n);
      t[at + LEASE] = Math.max((t[at + LEASE] as number) - 1, 0);
      if (t[at + POLL] !== NO_POLL) t[at + POLL_AGE] = Math.min((t[at + POLL_AGE] as number) + 1, lease);
      if (t[at + ROW] === DRAINING) t[at + ROW_AGE] = Math.min((t[at + ROW_AGE] as number) + 1, lease);
    }
    next('tick', t);
  }

  /** Reports whether a withdrawal may delete the row of a server that acknowledged only `applied`, because all older leases have ended. */
  function expires(s: readonly number[], applied: number): boolean {
    const age = fault === 'expired too early' ? lease - 1 : lease;
    for (let w = 0; w < writers; w++) {
      const at = w * WRITER;
      const behind = applied < (s[at + VERSION] as number) || fault === 'expired in spite of its acknowledgement';
      if ((s[at + STAGE] as number) >= COMMITTED && s[at + AGE] !== LOST && (s[at + AGE] as number) >= age && behind) return true;
    }
    return false;
  }

  function serverSteps(s: readonly number[], n: number, committed: number, change: (name: string, ...pairs: number[]) => void): void {
    const at = serverAt(n);
    const of = (field: number): number => s[at + field] as number;
    const none = [at + POLL, NO_POLL, at + POLL_AGE, 0, at + POLL_ROWS, 0, at + POLL_SAW, 0, at + ACKED, 0];
    const source = fault === 'asynchronous replica' ? (s[REPLICA] as number) : committed;
    const since = of(LOADED) === 1 ? of(LAST) : 0;
    const acked = of(ROW) !== ABSENT && of(APPLIED) >= highest(s, source) ? 1 : 0;
    const left = fault === 'lease from the response' ? lease : lease - of(POLL_AGE);

    switch (of(POLL)) {
      case NO_POLL:
        // A server loads all of identity before it registers, so that no withdrawal waits for a loading server.
        if (of(LOADED) === 0 || of(REGISTERED) === 1) change(`server ${n} polls`, at + POLL, SENT, at + POLL_AGE, 0);
        else change(`server ${n} registers`, at + REGISTERED, 1, at + ROW, ACTIVE, at + ROW_AGE, 0, at + APPLIED, of(LAST), at + ACK, 0);
        break;
      case SENT: {
        const rows = after(s, source, since);
        // The version and the registration of the response, in one number.
        const saw = highest(s, source) * 3 + of(ROW);
        if (fault === 'two snapshots') change(`the rows for server ${n} are read`, at + POLL, HALF, at + POLL_ROWS, rows);
        else {
          const early = fault === 'acknowledged before applied' && of(ROW) !== ABSENT ? [at + APPLIED, highest(s, source)] : [];
          change(
            `server ${n} receives the response`,
            at + POLL,
            DONE,
            at + POLL_ROWS,
            rows,
            at + POLL_SAW,
            saw,
            at + ACKED,
            acked,
            ...early,
          );
        }
        break;
      }
      case HALF:
        change(`the version for server ${n} is read`, at + POLL, DONE, at + POLL_SAW, highest(s, source) * 3 + of(ROW), at + ACKED, acked);
        break;
      case DONE: {
        const version = Math.floor(of(POLL_SAW) / 3);
        const registration = of(POLL_SAW) % 3;
        if (of(LOADED) === 0) {
          change(`server ${n} has loaded`, at + LOADED, 1, at + KNOWS, of(POLL_ROWS), at + LAST, version, ...none);
        } else if (registration !== ACTIVE && fault !== 'lease without registration') {
          change(
            `server ${n} must register again`,
            at + LEASE,
            0,
            at + REGISTERED,
            0,
            at + ROW,
            ABSENT,
            at + ROW_AGE,
            0,
            at + APPLIED,
            0,
            at + ACK,
            0,
            ...none,
          );
        } else if (version < of(LAST)) {
          change(
            `server ${n} must load again`,
            at + LOADED,
            0,
            at + LEASE,
            0,
            at + REGISTERED,
            0,
            at + ROW,
            ABSENT,
            at + ROW_AGE,
            0,
            at + APPLIED,
            0,
            at + ACK,
            0,
            at + KNOWS,
            0,
            at + LAST,
            0,
            ...none,
          );
        } else {
          const taken = [at + KNOWS, of(KNOWS) | of(POLL_ROWS), at + LAST, version];
          if (fault === 'lease before the acknowledgement')
            change(`server ${n} applies`, ...taken, at + LEASE, left, at + ACK, Math.max(of(ACK), version), ...none);
          else if (of(ACKED) === 1) change(`server ${n} applies`, ...taken, at + LEASE, left, ...none);
          else {
            const acknowledging = [at + ACK, version, at + POLL, ACKNOWLEDGING, at + POLL_SAW, 0, at + POLL_ROWS, 0];
            change(`server ${n} applies`, ...taken, ...acknowledging);
          }
        }
        break;
      }
      case STORED:
        change(`server ${n} has its lease`, at + LEASE, left, ...none);
        break;
    }
    if (of(POLL) !== NO_POLL) {
      const opened = fault === 'fail open' && of(LOADED) === 1 ? [at + LEASE, lease] : [];
      change(`the poll of server ${n} is lost`, ...none, ...opened);
    }
    if (of(ACK) > 0) {
      if (of(ROW) !== ABSENT) {
        const stored = of(POLL) === ACKNOWLEDGING ? [at + POLL, STORED] : [];
        change(`the acknowledgement of server ${n} is stored`, at + APPLIED, Math.max(of(APPLIED), of(ACK)), at + ACK, 0, ...stored);
      }
      change(`the acknowledgement of server ${n} is lost`, at + ACK, 0);
    }
    if (of(ROW) !== ABSENT && expires(s, of(APPLIED))) change(`server ${n} is expired`, at + ROW, ABSENT, at + ROW_AGE, 0, at + APPLIED, 0);
    if (!removals) return;
    if (of(ROW) === ACTIVE) {
      if (fault === 'removed at once') change(`server ${n} is removed`, at + ROW, ABSENT, at + APPLIED, 0);
      else change(`server ${n} is drained`, at + ROW, DRAINING, at + ROW_AGE, 0);
    }
    if (of(ROW) === DRAINING && of(ROW_AGE) >= lease) change(`server ${n} is removed`, at + ROW, ABSENT, at + ROW_AGE, 0, at + APPLIED, 0);
    if (of(LOADED) === 1) {
      const fresh: number[] = [];
      for (let field = 0; field < SERVER; field++) fresh.push(at + field, 0);
      change(`server ${n} stops and starts again`, ...fresh);
    }
  }

  /** Returns a key for a state. Servers are interchangeable, so states that differ only in the order of the servers have the same key. */
  function keyOf(s: readonly number[]): string {
    if (servers === 1) return String.fromCharCode(...s);
    const each = Array.from({ length: servers }, (_, n) => String.fromCharCode(...s.slice(serverAt(n), serverAt(n) + SERVER))).sort();
    return String.fromCharCode(...s.slice(0, FIRST)) + each.join('');
  }

  const start = new Array<number>(serverAt(servers)).fill(0);
  const seen = new Map<string, number>([[keyOf(start), 0]]);
  const states: number[][] = [start];
  const from: number[] = [-1];
  const names: string[] = [''];
  let violation: readonly string[] | undefined;
  for (let i = 0; i < states.length && violation === undefined; i++) {
    step(states[i] as number[], (name, t) => {
      const key = keyOf(t);
      if (violation !== undefined || seen.has(key)) return;
      if (states.length >= statesMax) throw new Error(`The model has more than ${statesMax} states.`);
      seen.set(key, states.length);
      states.push(t);
      from.push(i);
      names.push(name);
      if (!broken(t)) return;
      const steps: string[] = [];
      for (let at = states.length - 1; at > 0; at = from[at] as number) steps.unshift(names[at] as string);
      violation = steps;
    });
  }
  return { states: states.length, violation };
}
