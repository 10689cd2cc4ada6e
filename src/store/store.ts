import type { Attempts } from './attempts.ts';
import type { Idempotency } from './idempotency.ts';
import type { LastUses } from './identity/last-use.ts';
import type { Identity } from './identity/repository.ts';
import type { Meta } from './meta.ts';
import type { Resources } from './resources.ts';
import type { Sql } from './sql.ts';
import type { Trail } from './trail/trail.ts';

/**
 * One transaction: its connection, the store's own repositories, and those of services.
 *
 *     await tx.of(memberships).get(channelKey, '', 'user/ada');
 */
export interface Tx {
  readonly sql: Sql;
  readonly identity: Identity;
  readonly resources: Resources;
  readonly trail: Trail;
  readonly idempotency: Idempotency;
  readonly meta: Meta;
  readonly lastUses: LastUses;
  readonly attempts: Attempts;
  /** Returns a repository on this transaction's connection. Calls `repository` once per transaction. */
  of<Repository>(repository: (sql: Sql) => Repository): Repository;
  /**
   * Calls `fn` once the commit is durable and before `transaction` resolves. Never calls it if the transaction failed.
   *
   * `fn` is synchronous and must not throw: an exception stops the store. SQLite calls in commit order. PostgreSQL may call in another order
   * for commits of one server, so code that depends on order compares identity versions.
   */
  afterCommit(fn: () => void): void;
}

/** Serializable transactions: the rows that `work` read are still current at its commit, or `work` runs again. */
export interface Store {
  /** Resolves after the commit is durable. `work` awaits only `tx`. If it throws, the database is unchanged. */
  transaction<T>(work: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Waits for running transactions and rejects new ones. */
  close(): Promise<void>;
}

/** Options of a transaction. */
export interface TransactionOptions {
  /**
   * Name of the work, such as its operation. PostgreSQL learns which work has a single read, and runs it in one round trip.
   * Work with the same name may differ: the result never depends on the name.
   */
  readonly name?: string;
}

/** Options of every engine. */
export interface StoreOptions {
  /** Called if the result of a commit is unknown (error of COMMIT or of the disk). Stops the process without a response to any caller. */
  readonly fatal?: (error: unknown) => void;
  /** Milliseconds since the epoch, for the order of the trail. Default: the system's clock. */
  readonly now?: () => number;
}
