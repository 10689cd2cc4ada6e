import type { Sql } from '../sql.ts';

/** One snapshot of a database, which `close` ends. */
export interface ReadOnlyDatabase {
  /** Connection in one read-only transaction. All reads return the same moment. */
  readonly sql: Sql;
  /**
   * Returns a connection that reads the same moment, at the same time as `sql`. On SQLite it is the same connection, because each read
   * ends before the next one.
   */
  second(): Promise<Sql>;
  close(): Promise<void>;
}
