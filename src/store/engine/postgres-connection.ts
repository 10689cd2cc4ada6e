import type { Sql, SqlValue } from '../sql.ts';
import { isAnswer } from './postgres-errors.ts';
import type { PostgresConnection, PostgresPool, PostgresRows } from './postgres-pool.ts';
import { isPlainRead } from './postgres-single-reads.ts';
import { isWrite } from './transaction.ts';

/**
 * First statement of a transaction that runs again after a conflict.
 *
 * It waits until two kinds of transactions have ended: (1) changes of identity, which all increment the same row of
 * `counter`, and (2) other transactions that run again. PostgreSQL takes the snapshot of the transaction after it
 * grants the lock, so the snapshot includes the changes of those transactions. Without the lock, a transaction that
 * waits for the counter's row would fail each time it gets the row.
 * Source: PostgreSQL manual, LOCK, notes on SERIALIZABLE.
 */
const WAIT_FOR_OTHERS = 'LOCK TABLE counter IN SHARE ROW EXCLUSIVE MODE';

/** Runs a statement on a connection, as a prepared statement if possible. */
export type RunQuery = (connection: PostgresConnection, text: string, values: readonly SqlValue[]) => Promise<PostgresRows>;

/**
 * How a run of a transaction begins.
 *
 * - `alone`: if the first statement is a plain read (a SELECT without effects), it runs without BEGIN, and a second
 *   statement fails with `NeedsBegin`. Any other first statement runs after BEGIN. Decision 0021.
 * - `begin`: with BEGIN.
 * - `again`: with BEGIN and a lock, because an earlier run had a conflict.
 */
export type Beginning = 'alone' | 'begin' | 'again';

/** Error of a second statement, if the first statement ran without BEGIN. The work must run again, with BEGIN. */
export class NeedsBegin extends Error {}

/** Connection of one run of a transaction. */
export interface TransactionConnection {
  readonly sql: Sql;
  /** Reports whether a statement may have changed data. */
  wrote(): boolean;
  /**
   * Reports whether the run had exactly one statement, and this statement was a plain read (a SELECT without effects).
   */
  hadSingleRead(): boolean;
  /** First error of a statement. */
  failure(): unknown;
  /** @throws Error  a statement failed, or the result of COMMIT is an error or unknown */
  commit(): Promise<void>;
  /** Ends the transaction. Ignores errors: the database keeps nothing that is not committed. */
  rollback(): Promise<void>;
}

/**
 * Opens the connection of one run of a transaction. The first statement takes a connection from the pool and begins the
 * transaction, so work without statements costs nothing.
 */
export function transactionConnection(pool: PostgresPool, query: RunQuery, beginning: Beginning): TransactionConnection {
  /** Set from the first statement until the connection is released. Only `end` releases the connection. */
  let client: Promise<PostgresConnection> | undefined;
  /** The statement that ran without BEGIN. It takes a connection of its own and releases it. */
  let alone: Promise<PostgresRows> | undefined;
  let statements = 0;
  let firstIsPlain = false;
  let wrote = false;
  let ended = false;
  let failure: unknown;

  async function execute(text: string, values: readonly SqlValue[]): Promise<PostgresRows> {
    if (ended) throw new Error('a transaction was used after its end');
    if (failure !== undefined) throw new Error('a statement of this transaction failed, so it can only be rolled back', { cause: failure });
    if (alone !== undefined) throw (failure = new NeedsBegin('the work has more than one statement, so it must run again with BEGIN'));
    wrote ||= isWrite(text);
    if (++statements === 1) firstIsPlain = isPlainRead(text);
    try {
      if (beginning === 'alone' && client === undefined && firstIsPlain) return await (alone = runAlone(pool, query, text, values));
      return await query(await (client ??= begin(pool, beginning === 'again')), text, values);
    } catch (error) {
      failure ??= error;
      throw error;
    }
  }
  /**
   * Ends the transaction and releases its connection. A second call does nothing.
   * If the state of the connection is unknown, the connection is closed, and the database rolls back its uncommitted
   * changes.
   */
  async function end(text: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    ended = true;
    // A statement outside BEGIN is committed when its response arrives. If it failed, there is nothing to roll back.
    if (alone !== undefined) return void (await alone);
    const taking = client;
    client = undefined;
    // If no connection was available or BEGIN failed, there is nothing to end.
    const taken = await taking?.catch(() => undefined);
    if (taken === undefined) return;
    // After a timeout, the statement may still run. ROLLBACK would wait for it, so the connection is closed instead.
    if (text === 'ROLLBACK' && failure !== undefined && !isAnswer(failure)) return taken.release(true);
    let answered: PostgresRows;
    try {
      answered = await taken.query({ text });
    } catch (error) {
      taken.release(!isAnswer(error));
      if (text === 'ROLLBACK' || isAnswer(error) || !wrote) throw error;
      throw new Error('the connection was lost during COMMIT, so the transaction may be committed', { cause: error });
    }
    taken.release(false);
    // PostgreSQL answers COMMIT of a failed transaction with ROLLBACK. This happens if the work did not await a
    // statement that failed.
    if (text === 'COMMIT' && answered.command === 'ROLLBACK')
      throw failure ?? new Error('the database rolled back the transaction instead of committing it');
  }
  const sql: Sql = {
    row: async <Row>(text: string, values: readonly SqlValue[] = []) => (await execute(text, values)).rows[0] as Row | undefined,
    rows: async <Row>(text: string, values: readonly SqlValue[] = []) => (await execute(text, values)).rows as Row[],
    run: async (text, values = []) => (await execute(text, values)).rowCount ?? 0,
  };
  return {
    sql,
    wrote: () => wrote,
    hadSingleRead: () => statements === 1 && firstIsPlain,
    failure: () => failure,
    async commit() {
      if (failure !== undefined) throw failure;
      await end('COMMIT');
    },
    rollback: () => end('ROLLBACK').catch(() => {}),
  };
}

/** Runs a statement outside BEGIN. The session's default isolation makes it a serializable transaction of its own. */
async function runAlone(pool: PostgresPool, query: RunQuery, text: string, values: readonly SqlValue[]): Promise<PostgresRows> {
  const taken = await pool.connect();
  try {
    const rows = await query(taken, text, values);
    taken.release(false);
    return rows;
  } catch (error) {
    taken.release(!isAnswer(error));
    throw error;
  }
}

async function begin(pool: PostgresPool, again: boolean): Promise<PostgresConnection> {
  const taken = await pool.connect();
  try {
    await taken.query({ text: 'BEGIN ISOLATION LEVEL SERIALIZABLE' });
    if (again) await taken.query({ text: WAIT_FOR_OTHERS });
    return taken;
  } catch (error) {
    taken.release(true);
    throw error;
  }
}
