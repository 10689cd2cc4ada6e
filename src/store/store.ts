import type { Attempts } from './attempts.ts';
import type { Idempotency } from './idempotency.ts';
import type { LastUses } from './identity/last-use.ts';
import type { Identity } from './identity/repository.ts';
import type { Meta } from './meta.ts';
import type { Resources } from './resources.ts';
import type { Sql } from './sql.ts';
import type { Trail } from './trail/trail.ts';

/**
 * One transaction: its connection, the repositories of the store, and the repositories of services.
 *
 *     await tx.of(memberships).get(channelKey, '', 'user/ada');
 */
export interface Tx {
  readonly sql: Sql;
  readonly identity: Identity;
  /** Repository of identity, if the transaction has used it. Most transactions only read the identity snapshot in memory. */
  readonly usedIdentity: Identity | undefined;
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
   * `fn` is synchronous and must not throw: an exception stops the store. On SQLite, the functions run in commit order.
   * On PostgreSQL, the functions of one server may run in another order. So code that depends on the order compares
   * identity versions.
   */
  afterCommit(fn: () => void): void;
}

/** Serializable transactions: the rows that `work` read are still current at its commit, or `work` runs again. */
export interface Store {
  /**
   * Runs `work`, and resolves after the commit is durable. `work` must await only promises of `tx`. If `work` throws,
   * the database is unchanged.
   *
   * @throws StoreUnwritable  the work changed data or appended trail records, and the database cannot store them now
   */
  transaction<T>(work: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Waits for running transactions and rejects new ones. */
  close(): Promise<void>;
}

/** Options of a transaction. */
export interface TransactionOptions {
  /**
   * Name of the work, such as the name of its operation. For each name, the PostgreSQL engine remembers whether the
   * work usually runs only one statement, a SELECT. The engine runs such work in one round trip. The result never
   * depends on the name, so different work may have the same name.
   */
  readonly name?: string;
  /** Set if the work must change nothing. Its statements that change data, and its trail records, then fail with `StoreUnwritable`. */
  readonly readOnly?: boolean;
}

/** Options of every engine. */
export interface StoreOptions {
  /**
   * Callback for a commit with an unknown result, because COMMIT or the disk failed. It must stop the process, so that
   * no caller receives a response.
   */
  readonly fatal?: (error: unknown) => void;
  /** Returns the time that orders the trail records, in milliseconds since the epoch. Default: the system's clock. */
  readonly now?: () => number;
  /** Display name of the server, for the starts of its writers in the trail. */
  readonly server?: string;
  /** Receives the duration of each sync of the log. PostgreSQL syncs its own log, so its engine does not call this. */
  readonly onSync?: (milliseconds: number) => void;
}
