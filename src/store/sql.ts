/** Value of a column. Instants are integer milliseconds, documents are JSON text, and flags are 0 or 1. */
export type SqlValue = string | number | Uint8Array | null;

/**
 * Connection of one transaction. Both engines run the same SQL, which uses parameters such as `$1` and only features
 * that SQLite and PostgreSQL both support.
 */
export interface Sql {
  row<Row>(text: string, values?: readonly SqlValue[]): Promise<Row | undefined>;
  rows<Row>(text: string, values?: readonly SqlValue[]): Promise<Row[]>;
  /** Returns the number of changed rows. */
  run(text: string, values?: readonly SqlValue[]): Promise<number>;
}
