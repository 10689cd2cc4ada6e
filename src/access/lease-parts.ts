import type { Instant } from '#core/instant.ts';
import type { Servers } from '#store/engine/servers.ts';
import type { Snapshot } from './snapshot.ts';

/** Clocks and timers of one server. The simulation in `test/leases/` replaces them. */
export interface LeaseClock {
  /** Monotonic time in milliseconds. Its rate is within 2.5 % of the rates on the other servers. */
  readonly monotonic: () => number;
  readonly wall: () => Instant;
  /** Calls `fn` once after a delay. Returns a function that cancels the call. */
  readonly after: (milliseconds: number, fn: () => void) => () => void;
}

/** Notifications of changes between servers. They only save time, so they can be late, repeated or lost. */
export interface Hints {
  hint(topic: 'identity' | 'identity-applied'): void;
  /** Subscribes to a topic. Returns a function that unsubscribes. */
  on(topic: 'identity' | 'identity-applied', listener: () => void): () => void;
}

/** Dependencies of a lease. */
export interface LeaseParts {
  readonly servers: Servers;
  readonly hints: Hints;
  readonly snapshot: Pick<Snapshot, 'version' | 'apply' | 'reload'>;
  readonly clock: LeaseClock;
  readonly leaseMilliseconds: number;
  /** Whether other servers can use this database. If false, the lease holds as long as the process runs. */
  readonly shared: boolean;
  /** Display name of this server in the list of servers. */
  readonly name: string;
  readonly newId: () => string;
  /** Logs one line. */
  readonly report: (line: string, level?: 'info' | 'warning') => void;
}
