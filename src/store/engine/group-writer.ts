/** The one connection that writes to an SQLite file. Owns the transaction of the current group. Does not choose its members. */
import type { SqlValue } from '../sql.ts';
import { type Prepared, preparing } from './prepared-statements.ts';
import type { SqliteDriver } from './sqlite-driver.ts';

/** SQLite's primary result codes after which the server must not trust any written data. Source: sqlite.org/rescode.html. */
// biome-ignore format: a table
const FATAL_CODES: ReadonlySet<number> = new Set([
  7,  // NOMEM
  10, // IOERR
  11, // CORRUPT
  13, // FULL
  26, // NOTADB
]);

/** The writer of one file. */
export interface GroupWriter {
  /** Whether a statement of the group has changed data or may have changed data. */
  readonly wrote: boolean;
  prepare(text: string): Prepared;
  /**
   * Runs a statement of the group itself: one that begins or ends a transaction or a savepoint, or the insert of records. It only fails if
   * the file or the disk fails. Such an error stops the store.
   */
  control(text: string, values?: readonly SqlValue[]): void;
  /**
   * Begins the transaction of the group, if it has none. Reads are in it too: outside a transaction, SQLite locks and unlocks the file for
   * each read.
   */
  begin(): void;
  /** Marks that the next statement may change data. Begins the transaction. Returns true for the first such statement of the group. */
  beginWrite(): boolean;
  /** Ends the transaction of the group, if it has one. */
  end(how: 'COMMIT' | 'ROLLBACK'): void;
  /** Stops the store if an error of a statement shows that the file or the transaction is lost. */
  stopIfFatal(error: unknown): void;
  /** Stops the store: no later commit can be trusted. */
  stop(error: unknown): void;
  isBroken(): boolean;
}

/** Creates the writer. `fatal` is called once, with the first error that stops the store. */
export function groupWriter(db: SqliteDriver, fatal: (error: unknown) => void): GroupWriter {
  const prepare = preparing(db);
  let broken = false;
  let begun = false;
  let wrote = false;
  const writer: GroupWriter = {
    get wrote() {
      return wrote;
    },
    prepare,
    control(text, values = []) {
      try {
        prepare(text).statement.run(values);
      } catch (error) {
        writer.stop(error);
        throw error;
      }
    },
    begin() {
      if (begun) return;
      writer.control('BEGIN IMMEDIATE');
      begun = true;
    },
    beginWrite() {
      writer.begin();
      const isFirst = !wrote;
      wrote = true;
      return isFirst;
    },
    end(how) {
      if (!begun) return;
      writer.control(how);
      begun = false;
      wrote = false;
    },
    stopIfFatal(error) {
      if (FATAL_CODES.has(db.resultCode(error)) || db.isInTransaction() !== begun) writer.stop(error);
    },
    stop(error) {
      if (broken) return;
      broken = true;
      fatal(error);
    },
    isBroken: () => broken,
  };
  return writer;
}
