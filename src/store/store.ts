import type { Identity } from './identity.ts';
import type { Meetings } from './meetings.ts';
import type { Trail } from './trail.ts';

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
  readonly trail: Trail;
}

/** Transactions are serializable: what `work` read still holds when it commits, or `work` runs again. */
export interface Store {
  /**
   * Resolves after the commit is durable. `work` awaits nothing but `tx`. Where it throws, nothing of it remains.
   * `committed` (optional) is called after the commit and before this resolves, in commit order.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
