import type { Attempts } from './attempts.ts';
import type { ChannelEvents } from './channel-events.ts';
import type { ChannelMessages } from './channel-messages.ts';
import type { Channels } from './channels.ts';
import type { Idempotency } from './idempotency.ts';
import type { Identity } from './identity/identity.ts';
import type { LastUses } from './identity/last-use.ts';
import type { Meetings } from './meetings.ts';
import type { Meta } from './meta.ts';
import type { Outbox } from './outbox.ts';
import type { Resources } from './resources.ts';
import type { Trail } from './trail/trail.ts';

/** A value of a column. Instants are integer milliseconds, documents are JSON text, there are no booleans. */
export type SqlValue = string | number | Uint8Array | null;

/** A transaction's connection. One SQL text serves both engines: `$1` parameters, the common subset. */
export interface Sql {
  row<Row>(text: string, values?: readonly SqlValue[]): Promise<Row | undefined>;
  rows<Row>(text: string, values?: readonly SqlValue[]): Promise<Row[]>;
  /** Resolves to the number of rows changed. */
  run(text: string, values?: readonly SqlValue[]): Promise<number>;
}

/** What a transaction can reach: one repository for each kind of thing kept. */
export interface Tx {
  readonly sql: Sql;
  readonly identity: Identity;
  readonly meetings: Meetings;
  readonly resources: Resources;
  readonly channels: Channels;
  readonly channelMessages: ChannelMessages;
  readonly channelEvents: ChannelEvents;
  readonly trail: Trail;
  readonly idempotency: Idempotency;
  readonly meta: Meta;
  readonly lastUses: LastUses;
  readonly attempts: Attempts;
  readonly outbox: Outbox;
  /**
   * Calls `fn` once the commit is durable and before `transaction` resolves; never where the transaction failed.
   * `fn` is synchronous and must not throw: a throw stops the store. On SQLite in commit order; on PostgreSQL commits of
   * one server may be told out of order, so what depends on order goes by the identity version.
   */
  afterCommit(fn: () => void): void;
}

/** Transactions are serializable: what `work` read still holds when it commits, or `work` runs again. */
export interface Store {
  /** Resolves after the commit is durable. `work` awaits nothing but `tx`. Where it throws, nothing of it remains. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Waits for what has begun; what comes after is refused. */
  close(): Promise<void>;
}

/** What every engine is told from outside. */
export interface StoreOptions {
  /** Called where a commit's outcome cannot be known (an error of COMMIT or of the disk): stop the process, keep nothing, answer nothing. */
  readonly fatal?: (error: unknown) => void;
  /** Milliseconds since the epoch; orders the trail and the outbox. Default: the system's clock. */
  readonly now?: () => number;
}
