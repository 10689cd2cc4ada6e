/**
 * Error of a transaction that changed data or appended trail records, while the database cannot store anything: its disk
 * is full or read-only, or the database refuses the write. The transaction is rolled back, and later transactions that
 * only read work. A later write can succeed. The cause is the error of the database. Decision 0030.
 *
 * Not an error of this class: a lost connection, a failed sync and a damaged file.
 */
export class StoreUnwritable extends Error {
  constructor(cause?: unknown) {
    super(cause instanceof Error ? `the database cannot be written: ${cause.message}` : 'the database cannot be written', { cause });
  }
}
