import { hash } from 'node:crypto';
import pg from 'pg';
import { migrate, SCHEMA_TOKENS } from '../migrate.ts';
import type { Sql, SqlValue } from '../sql.ts';
import type { Store, StoreOptions, Tx } from '../store.ts';
import { recorder } from '../trail/trail-batch.ts';
import { type Positions, positionAt, positions } from './position.ts';
import { chunking, isWrite, type Shared, startRun } from './transaction.ts';

export interface PostgresOptions extends StoreOptions {
  /** Connections of this server. Default 12: measured, 8 to 16 keep two cores busy and more only wait. */
  readonly connections?: number;
  /** How long a statement may take, and how long a connection may be waited for. Default 10 000. */
  readonly timeoutMilliseconds?: number;
}

/** Times a transaction is run before its conflict is told to the caller. */
const ATTEMPTS = 24;

/** Statements kept prepared on each connection; further texts are parsed each time. */
const PREPARED_MAX = 500;

/**
 * What a transaction that met a conflict begins with the next time. A snapshot is taken after this lock is given, so it sees whatever it had to wait
 * for: every change of identity, which raises the one counter, and others that run again. Without it a transaction that waits for the counter's
 * row would fail each time it gets it. Source: PostgreSQL manual, LOCK, notes on SERIALIZABLE.
 */
const WAIT_FOR_OTHERS = 'LOCK TABLE counter IN SHARE ROW EXCLUSIVE MODE';

/** `40001` serialization_failure, `40P01` deadlock_detected. Source: PostgreSQL manual, appendix A. */
const CONFLICT = new Set(['40001', '40P01']);

/** What two servers that make the first schema at once may meet besides: unique_violation, duplicate_table. */
const CREATED_MEANWHILE = new Set([...CONFLICT, '23505', '42P07']);

/**
 * Milliseconds after which no record appears behind the end of the trail: a connection waited for, a statement, and clocks that differ.
 * Assumed: the clocks of servers on one database differ by less than ten seconds.
 */
const SETTLES_MS = 30_000;

/** Of the last so many servers that started, no two give a record the same position. */
const SERVERS = 32;

const INT8_OID = 20;

/** 64 bits as a number, where one holds them exactly. */
export const EXACT_NUMBERS = {
  getTypeParser: (oid: number, format?: string) => (oid === INT8_OID ? parseInt8 : pg.types.getTypeParser(oid, format as 'text')),
};

/** The little of `pg` that we use; the dialect is checked on another library too. */
export interface PostgresPool {
  query(query: PostgresQuery): Promise<PostgresRows>;
  connect(): Promise<PostgresConnection>;
  end(): Promise<void>;
}
export interface PostgresConnection {
  query(query: PostgresQuery): Promise<PostgresRows>;
  /** Returns the connection to the pool, once. `broken` closes it. */
  release(broken: boolean): void;
}
export interface PostgresQuery {
  readonly text: string;
  readonly values?: SqlValue[];
  /** The same name always stands for the same text. */
  readonly name?: string;
}
export interface PostgresRows {
  readonly rows: unknown[];
  readonly rowCount: number | null;
  /** First word of the command tag, such as `COMMIT`. PGlite does not report it. */
  readonly command?: string;
}

/**
 * Opens the engine for when one machine is outgrown: any number of servers on one PostgreSQL database.
 * A transaction whose work only read is recorded together with others that wait, in one statement.
 *
 * Not promised: that `afterCommit` is called in commit order. A connection lost while a commit is under way leaves its outcome unknown: the
 * transaction rejects and is not run again, since it may have been kept.
 *
 * @throws Error where the database is a standby, or was told to acknowledge what is not durable
 */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<Store> {
  const { connections = 12, timeoutMilliseconds = 10_000 } = options;
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    application_name: 'belfry',
    connectionTimeoutMillis: timeoutMilliseconds,
    statement_timeout: timeoutMilliseconds,
    // The server ends a statement by itself; this is for a server that is silent.
    query_timeout: timeoutMilliseconds + 1_000,
    idle_in_transaction_session_timeout: timeoutMilliseconds,
    keepAlive: true,
    types: EXACT_NUMBERS,
  });
  // A connection that breaks fails the statement under way, and is replaced where it was idle; without listeners it would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  try {
    await assertDurable(pool);
    return await openOnPool(pool, options);
  } catch (error) {
    await pool.end();
    throw error;
  }
}

/** Brings the schema up to date and answers the store; the pool is ended with it. */
export async function openOnPool(pool: PostgresPool, options: StoreOptions): Promise<Store> {
  const { now = Date.now } = options;
  const start = serializable(
    pool,
    options,
    positions(now, () => 0),
  );
  await retrying(CREATED_MEANWHILE, () => migrate(start, SCHEMA_TOKENS.postgres));
  const { server, last } = await retrying(CONFLICT, () =>
    start.transaction(async ({ sql }) => {
      const number = await sql.row<{ readonly value: number }>(
        "UPDATE counter SET value = value + 1 WHERE name = 'server' RETURNING value",
      );
      const end = await sql.row<{ readonly last: number | null }>('SELECT MAX(position) AS last FROM trail_event');
      return { server: (number?.value ?? 0) % SERVERS, last: end?.last ?? 0 };
    }),
  );
  return serializable(
    pool,
    options,
    positions(now, () => last, { server, of: SERVERS }),
  );
}

/** Exact, or an error: a number that was rounded would be another number. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`The database holds ${text}, which no number here can be.`);
  return value;
}

async function assertDurable(pool: PostgresPool): Promise<void> {
  const { rows } = await pool.query({
    text: `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
       current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby`,
  });
  const [is] = rows as { readonly fsync: string; readonly commit: string; readonly encoding: string; readonly standby: boolean }[];
  if (is === undefined || is.standby) throw new Error('The database is a standby: give the address of the primary.');
  if (is.fsync !== 'on' || is.commit === 'off')
    throw new Error('The database acknowledges what is not durable: set fsync and synchronous_commit on.');
  if (is.encoding !== 'UTF8') throw new Error(`The database is encoded in ${is.encoding}: make one in UTF8.`);
}

function serializable(pool: PostgresPool, { fatal = rethrow, now = Date.now }: StoreOptions, order: Positions): Store {
  const settled = (): number => positionAt(now() - SETTLES_MS);
  const shared: Shared = { positions: order, settled, recorded: (count) => chunk(count) };
  const names = new Map<string, string>();
  const record = recorder((text, values) => query(pool, text, values), order.next, isAnswer);
  const inTurn = turns();
  const active = new Set<Promise<unknown>>();
  let closed = false;

  /** Named statements are parsed once a connection. */
  async function query(connection: PostgresPool | PostgresConnection, text: string, values: readonly SqlValue[]): Promise<PostgresRows> {
    let name = names.get(text);
    if (name === undefined && names.size < PREPARED_MAX) {
      name = hash('sha256', text, 'hex').slice(0, 32);
      names.set(text, name);
    }
    return connection.query({ text, values: values as SqlValue[], ...(name === undefined ? {} : { name }) });
  }

  /** Takes a connection and begins the transaction with the first statement, so that work without statements costs nothing. */
  function connection(again: boolean) {
    /** Set from the first statement until the connection is released. `end` is the only place that releases it. */
    let client: Promise<PostgresConnection> | undefined;
    let wrote = false;
    let ended = false;
    let failure: unknown;

    async function begin(): Promise<PostgresConnection> {
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
    async function execute(text: string, values: readonly SqlValue[]): Promise<PostgresRows> {
      if (ended) throw new Error('A transaction was used after its end.');
      if (failure !== undefined) throw new Error('A statement of this transaction failed: it can only be given up.', { cause: failure });
      wrote ||= isWrite(text);
      try {
        return await query(await (client ??= begin()), text, values);
      } catch (error) {
        failure ??= error;
        throw error;
      }
    }
    /**
     * Ends the transaction and releases its connection, once: whatever ends it first, a second call does nothing.
     * A connection whose state is unknown is closed. The database rolls back what it had not committed.
     */
    async function end(text: 'COMMIT' | 'ROLLBACK'): Promise<void> {
      ended = true;
      const taking = client;
      client = undefined;
      // If no connection was available or BEGIN failed, there is nothing to end.
      const taken = await taking?.catch(() => undefined);
      if (taken === undefined) return;
      // After a timeout, the statement may still run. ROLLBACK would wait for it.
      if (text === 'ROLLBACK' && failure !== undefined && !isAnswer(failure)) return taken.release(true);
      let answered: PostgresRows;
      try {
        answered = await taken.query({ text });
      } catch (error) {
        taken.release(!isAnswer(error));
        if (text === 'ROLLBACK' || isAnswer(error) || !wrote) throw error;
        throw new Error('The connection was lost during COMMIT: the transaction may be committed.', { cause: error });
      }
      taken.release(false);
      // PostgreSQL answers COMMIT of a failed transaction with ROLLBACK. Work that does not wait for a statement can cause it.
      if (text === 'COMMIT' && answered.command === 'ROLLBACK')
        throw failure ?? new Error('The database rolled back the transaction instead of committing it.');
    }
    const sql: Sql = {
      row: async <Row>(text: string, values: readonly SqlValue[] = []) => (await execute(text, values)).rows[0] as Row | undefined,
      rows: async <Row>(text: string, values: readonly SqlValue[] = []) => (await execute(text, values)).rows as Row[],
      run: async (text, values = []) => (await execute(text, values)).rowCount ?? 0,
    };
    return {
      sql,
      wrote: () => wrote,
      failure: () => failure,
      async commit(): Promise<void> {
        if (failure !== undefined) throw failure;
        await end('COMMIT');
      },
      /** Ignores errors: the database keeps nothing that is not committed. */
      rollback: () => end('ROLLBACK').catch(() => {}),
    };
  }

  async function once<T>(work: (tx: Tx) => Promise<T>, again: boolean): Promise<T> {
    const { sql, wrote, failure, commit, rollback } = connection(again);
    const run = startRun(sql, shared);
    let value: T;
    try {
      value = await work(run.tx);
      if (wrote()) await run.flush();
      await commit();
    } catch (error) {
      await rollback();
      // Work may have made an error of its own of a conflict; it is a conflict all the same.
      throw CONFLICT.has(codeOf(failure())) ? failure() : error;
    }
    // What only read is serializable before its record is written: the record is a write that nobody's reads depend on.
    await record(run.pending);
    try {
      run.committed();
    } catch (error) {
      fatal(error);
      throw error;
    }
    return value;
  }

  const store: Store = {
    transaction(work) {
      if (closed) return Promise.reject(new Error('The store is closed.'));
      const running = once(work, false).catch((error: unknown) => {
        if (!CONFLICT.has(codeOf(error))) throw error;
        return inTurn(() => retrying(CONFLICT, () => once(work, true)));
      });
      active.add(running);
      const forget = (): void => void active.delete(running);
      running.then(forget, forget);
      return running;
    },
    async close() {
      closed = true;
      await Promise.allSettled(active);
      await pool.end();
    },
  };
  const chunk = chunking(store, settled);
  return store;
}

/** Lets those that met a conflict run one after the other, so that they do not take all connections while they wait for each other. */
function turns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
}

/** Runs again after a conflict, later each time and never at the same moment as the other side. */
async function retrying<T>(codes: ReadonlySet<string>, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || !codes.has(codeOf(error))) throw error;
      const longest = Math.min(2 ** attempt, 128);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
    }
  }
}

/**
 * SQLSTATE classes and codes of errors that end the connection: connection_exception, operator_intervention by a shutdown or a terminated
 * backend, and the time limits of an idle session. Severity alone does not tell: the database translates it (`lc_messages`).
 * Source: PostgreSQL manual, appendix A.
 */
const ENDS_CONNECTION = /^(?:08|57P|25P03|25P04)/;

/**
 * Reports whether the database answered a statement with this error, so that the transaction's state is known and the connection is usable.
 * All other errors are the connection's. After a timeout, for example, the statement may still run.
 */
function isAnswer(error: unknown): error is { readonly code?: string } {
  const { severity, code } = (error ?? {}) as { readonly severity?: unknown; readonly code?: unknown };
  return typeof severity === 'string' && severity !== 'FATAL' && severity !== 'PANIC' && !ENDS_CONNECTION.test(String(code));
}

function codeOf(error: unknown): string {
  return isAnswer(error) ? (error.code ?? '') : '';
}

function rethrow(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
