/** Value of a column. Instants are integer milliseconds, documents are JSON text, and flags are 0 or 1. */
export type SqlValue = string | number | Uint8Array | null;

/** Connection of one transaction. Both engines run the same SQL: `$1` parameters and the common subset of the two dialects. */
export interface Sql {
  row<Row>(text: string, values?: readonly SqlValue[]): Promise<Row | undefined>;
  rows<Row>(text: string, values?: readonly SqlValue[]): Promise<Row[]>;
  /** Returns the number of changed rows. */
  run(text: string, values?: readonly SqlValue[]): Promise<number>;
}
