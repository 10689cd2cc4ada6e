/** States of the lease model (`model.ts`). A state is an array of numbers: the fields of the writers, the replica and each server. */
/** Faults that can be built into the model. The exploration must find a violation with each of them, except `none`. */
export type Fault =
  | 'none'
  /** A writer returns as soon as it has committed, without waiting for the servers. */
  | 'no wait'
  /** A server authorizes without a lease, as soon as it has loaded. Only notifications keep it current. */
  | 'no lease'
  /** A failed poll renews the lease of the server, although the server received no changes. */
  | 'fail open'
  /** The lease is counted from the arrival of the response, not from the request. */
  | 'lease from the response'
  /** A lagging replica answers polls. */
  | 'asynchronous replica'
  /** Versions are assigned before the commit, as with a PostgreSQL sequence. */
  | 'versions from a sequence'
  /** A poll reads the changed rows in one snapshot of the database, and the version in a later snapshot. */
  | 'two snapshots'
  /** The row of a removed server is deleted while the server may still have a lease. */
  | 'removed at once'
  /** The database is replaced by a standby that lacks some commits. */
  | 'fail-over to an asynchronous standby'
  /** A poll gives a lease to an unregistered server. */
  | 'lease without registration'
  /** A server acknowledges a version before it has applied it. */
  | 'acknowledged before applied'
  /** A poll gives a lease before the database has stored the acknowledgment of the version that the poll read. */
  | 'lease before the acknowledgement'
  /**
   * A withdrawal expires a server (deletes its row) before all leases that are older than the withdrawal have ended.
   */
  | 'expired too early'
  /** A withdrawal expires a server (deletes its row) although the server has acknowledged the withdrawal. */
  | 'expired in spite of its acknowledgement';

/** Size of the model. */
export interface Bounds {
  readonly servers: number;
  /** Number of writers. Each writer withdraws one permission. */
  readonly writers: number;
  /** Length of a lease, in ticks. */
  readonly lease: number;
  /** Whether servers are removed, stopped and restarted. */
  readonly removals: boolean;
}

/** Stages, versions, ages and other fields of the writers, the replica and each server, at the offsets below. */
export type State = readonly number[];

/** Fields of a writer: its stage, the version of identity that its commit created, and the ticks since the commit. */
export const WRITER = 3;
export const [STAGE, VERSION, AGE] = [0, 1, 2];
export const [IDLE, DRAWN, COMMITTED, RETURNED] = [0, 1, 2, 3];

/**
 * Fields of a server. ACK: version whose acknowledgment is in flight. ACKED: 1 if, at the time of the poll, the
 * database already had the server's acknowledgment of the version that the poll read.
 */
export const SERVER = 14;
export const [KNOWS, LAST, LEASE, LOADED, REGISTERED, ROW, ROW_AGE] = [0, 1, 2, 3, 4, 5, 6];
export const [APPLIED, ACK, POLL, POLL_AGE, POLL_ROWS, POLL_SAW, ACKED] = [7, 8, 9, 10, 11, 12, 13];
/** States of a server's row. */
export const [ABSENT, ACTIVE, DRAINING] = [0, 1, 2];
/** Stages of a poll. ACKNOWLEDGING and STORED follow DONE: the acknowledgment is in flight, then stored. */
export const [NO_POLL, SENT, HALF, DONE, ACKNOWLEDGING, STORED] = [0, 1, 2, 3, 4, 5];

/** A model with its size and its fault. */
export interface Protocol extends Bounds {
  readonly fault: Fault;
  /** Index of the field that contains the set of commits on the replica. */
  readonly replica: number;
  /** Value of a writer's age field if a fail-over has lost the writer's commit. */
  readonly lost: number;
  /** Returns the index of the first field of a server. */
  readonly serverAt: (n: number) => number;
}

/**
 * Creates a model of the protocol for some numbers of writers and servers (`bounds`) and a fault. Computes where each
 * field is in the array of a state.
 */
export function newProtocol(bounds: Bounds, fault: Fault): Protocol {
  const replica = bounds.writers * WRITER;
  return { ...bounds, fault, replica, lost: bounds.lease + 1, serverAt: (n) => replica + 1 + n * SERVER };
}

/** Returns the set of commits in the database. Bit `w` is set if the database has the commit of writer `w`. */
export function committedOf({ writers, lost }: Protocol, s: State): number {
  let mask = 0;
  for (let w = 0; w < writers; w++) if ((s[w * WRITER + STAGE] as number) >= COMMITTED && s[w * WRITER + AGE] !== lost) mask |= 1 << w;
  return mask;
}

/** Returns the highest version in a set of commits. */
export function highestOf({ writers }: Protocol, s: State, mask: number): number {
  let version = 0;
  for (let w = 0; w < writers; w++) if (mask & (1 << w)) version = Math.max(version, s[w * WRITER + VERSION] as number);
  return version;
}

/** Returns the commits of a set that are later than a version. */
export function commitsAfter({ writers }: Protocol, s: State, mask: number, since: number): number {
  let rows = 0;
  for (let w = 0; w < writers; w++) if (mask & (1 << w) && (s[w * WRITER + VERSION] as number) > since) rows |= 1 << w;
  return rows;
}

/** Returns a key for a state. Servers are interchangeable, so states that differ only in the order of the servers have the same key. */
export function keyOf({ servers, serverAt }: Protocol, s: State): string {
  if (servers === 1) return String.fromCharCode(...s);
  const each = Array.from({ length: servers }, (_, n) => String.fromCharCode(...s.slice(serverAt(n), serverAt(n) + SERVER))).sort();
  return String.fromCharCode(...s.slice(0, serverAt(0))) + each.join('');
}

/** Function that receives a next state, and the name of the step that leads to it. */
export type Next = (name: string, state: number[]) => void;

/** Function that emits the state after a step. `pairs` alternates indexes of fields and their new values. */
export type Change = (name: string, ...pairs: readonly number[]) => void;

/** Returns a function that changes a copy of the state `s`, and passes the copy to `next`. */
export function changesOf(s: State, next: Next): Change {
  return (name, ...pairs) => {
    const state = s.slice();
    for (let i = 0; i < pairs.length; i += 2) state[pairs[i] as number] = pairs[i + 1] as number;
    next(name, state);
  };
}
