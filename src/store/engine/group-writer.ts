/**
 * The one connection that writes to an SQLite file. Owns the transaction of the current group, which is a list of
 * transactions that share one commit. Does not choose the transactions of the group.
 */
import type { SqlValue } from '../sql.ts';
import { StoreUnwritable } from '../unwritable.ts';
import { type Prepared, preparing } from './prepared-statements.ts';
import type { SqliteDriver } from './sqlite-driver.ts';

/** SQLite's primary result codes after which the server must not trust any written data, except `UNWRITABLE_CODES`. Source: sqlite.org/rescode.html. */
// biome-ignore format: a table
const FATAL_CODES: ReadonlySet<number> = new Set([
  7,  // NOMEM
  10, // IOERR
  11, // CORRUPT
  26, // NOTADB
]);

/**
 * SQLite's extended result codes of a write that did not fit on the disk, or that a disk without write access refused.
 * SQLite rolls back the transaction, and the file stays intact. SQLite reports a full disk as FULL, and a full quota, a
 * limit of the file size and a file system that became read-only as IOERR_WRITE.
 * Source: sqlite.org/rescode.html, and "Response To Errors Within A Transaction" in sqlite.org/lang_transaction.html.
 */
// biome-ignore format: a table
const UNWRITABLE_CODES: ReadonlySet<number> = new Set([
  13,   // FULL
  778,  // IOERR_WRITE
  4874, // IOERR_SHMSIZE
]);

/** Bits of an extended result code that contain the primary result code. */
const PRIMARY = 0xff;

/** Writer of one SQLite file. */
export interface GroupWriter {
  /** Whether a statement of the group has changed data or may have changed data. */
  readonly wrote: boolean;
  prepare(text: string): Prepared;
  /**
   * Runs a statement that belongs to the group, not to one transaction: BEGIN, COMMIT, ROLLBACK, a savepoint, or the
   * insert of trail records. Such a statement fails only if the file or the disk fails. Its error loses the group if the
   * disk cannot be written, and otherwise stops the store.
   */
  control(text: string, values?: readonly SqlValue[]): void;
  /**
   * Begins the transaction of the group, if it has none. Reads also run in this transaction, because outside a
   * transaction SQLite locks and unlocks the file for each read.
   */
  begin(): void;
  /** Marks that the next statement may change data. Begins the transaction. Returns true for the first such statement of the group. */
  beginWrite(): boolean;
  /** Ends the transaction of the group, if it has one. */
  end(how: 'COMMIT' | 'ROLLBACK'): void;
  /**
   * Stops the store if an error of a statement shows that the file or the transaction is lost. Loses only the group if
   * the disk cannot be written.
   */
  stopIfFatal(error: unknown): void;
  /** Returns the error that lost the group. A lost group cannot be committed, and none of its statements runs. */
  lost(): StoreUnwritable | undefined;
  /** Rolls back a lost group. The store continues with the next group. */
  undoLost(): void;
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
  let lost: StoreUnwritable | undefined;
  const isUnwritable = (error: unknown): boolean => UNWRITABLE_CODES.has(db.resultCode(error));
  const writer: GroupWriter = {
    get wrote() {
      return wrote;
    },
    prepare,
    control(text, values = []) {
      try {
        prepare(text).statement.run(values);
      } catch (error) {
        // Reads also begin a group. So a group that cannot begin stops the store, and does not run again forever.
        if (begun && isUnwritable(error)) lost ??= new StoreUnwritable(error);
        else writer.stop(error);
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
      if (begun && isUnwritable(error)) lost ??= new StoreUnwritable(error);
      else if (FATAL_CODES.has(db.resultCode(error) & PRIMARY) || db.isInTransaction() !== begun) writer.stop(error);
    },
    lost: () => lost,
    undoLost() {
      lost = undefined;
      // SQLite has usually rolled back already.
      if (db.isInTransaction()) {
        writer.control('ROLLBACK');
        if (lost !== undefined) writer.stop(lost);
      }
      begun = false;
      wrote = false;
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
