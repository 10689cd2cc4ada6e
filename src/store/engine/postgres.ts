import { hash } from 'node:crypto';
import pg from 'pg';
import { migrate, SCHEMA_TOKENS } from '../migrate.ts';
import type { SqlValue } from '../sql.ts';
import type { Store, StoreOptions, TransactionOptions, Tx } from '../store.ts';
import { recorder } from '../trail/trail-batch.ts';
import { packInserts } from '../trail/trail-pack.ts';
import { type Positions, positionAt, positions } from './position.ts';
import { type Beginning, NeedsBegin, transactionConnection } from './postgres-connection.ts';
import { CONFLICT, CREATED_MEANWHILE, codeOf, isAnswer } from './postgres-errors.ts';
import type { PostgresConnection, PostgresPool, PostgresRows } from './postgres-pool.ts';
import { singleReads } from './postgres-single-reads.ts';
import { retrying, turns } from './retrying.ts';
import { indexing, Run, type Shared } from './transaction.ts';

export interface PostgresOptions extends StoreOptions {
  /** Connections of this server. Default 12. Measured: 8 to 16 keep two cores busy, and more connections only wait. */
  readonly connections?: number;
  /** Time limit of a statement, and of the wait for a connection. Default 10,000. */
  readonly timeoutMilliseconds?: number;
}

/** Maximum number of prepared statements of each connection. The database parses other statements each time. */
const PREPARED_MAX = 500;

/**
 * Milliseconds after which no record can appear before the end of the trail: the wait for a connection, a statement, and differences of clocks.
 * Assumed: the clocks of servers on one database differ by less than ten seconds.
 */
const SETTLES_MS = 30_000;

/** Number of servers, counted from the newest start, that never use the same position. */
const SERVERS = 32;

const INT8_OID = 20;

/** Type parsers that read 64-bit integers as numbers, if they are exact. */
export const EXACT_NUMBERS = {
  getTypeParser: (oid: number, format?: string) => (oid === INT8_OID ? parseInt8 : pg.types.getTypeParser(oid, format as 'text')),
};

/** Option of a pool of `pg` whose sessions are serializable: a statement outside BEGIN is then a serializable transaction. */
export const SERIALIZABLE_SESSIONS = {
  onConnect: async (client: pg.ClientBase): Promise<void> => {
    await client.query("SET default_transaction_isolation = 'serializable'");
  },
} as const;

/**
 * Opens the PostgreSQL engine: any number of servers share one database.
 * A transaction that only reads writes its record together with others that wait, in one statement. If its name is expected to have a single
 * read, that statement runs without BEGIN and COMMIT.
 *
 * Not guaranteed: that `afterCommit` runs in commit order. If a connection is lost during a commit, the result is unknown: the transaction
 * rejects and does not run again, because it may be committed.
 *
 * @throws Error  the database is a standby, acknowledges commits that are not durable, or does not keep the isolation of sessions
 */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<Store> {
  const { connections = 12, timeoutMilliseconds = 10_000 } = options;
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    application_name: 'belfry',
    connectionTimeoutMillis: timeoutMilliseconds,
    statement_timeout: timeoutMilliseconds,
    // The database ends a statement at its own limit. This limit is for a database that does not respond.
    query_timeout: timeoutMilliseconds + 1_000,
    idle_in_transaction_session_timeout: timeoutMilliseconds,
    keepAlive: true,
    types: EXACT_NUMBERS,
    ...SERIALIZABLE_SESSIONS,
  });
  // A broken connection fails its statement. The pool replaces a broken idle connection. Without listeners, its error would end the process.
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

/** Applies the pending migrations and returns the store. Closing the store ends the pool. The pool's sessions must be serializable. */
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
      const end = await sql.row<{ readonly last: number | null }>('SELECT MAX(position) AS last FROM trail_pack');
      return { server: (number?.value ?? 0) % SERVERS, last: end?.last ?? 0 };
    }),
  );
  return serializable(
    pool,
    options,
    positions(now, () => last, { server, of: SERVERS }),
  );
}

/** Reads an exact number. A rounded number would be a different number. @throws Error  the number is too large */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`the database contains '${text}', which is not an exact JavaScript number`);
  return value;
}

async function assertDurable(pool: PostgresPool): Promise<void> {
  const { rows } = await pool.query({
    text: `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
       current_setting('server_encoding') AS encoding, current_setting('transaction_isolation') AS isolation, pg_is_in_recovery() AS standby`,
  });
  const [is] = rows as (Readonly<Record<'fsync' | 'commit' | 'encoding' | 'isolation', string>> & { readonly standby: boolean })[];
  if (is === undefined || is.standby) throw new Error('the database is a standby; set BELFRY_DATABASE to the primary');
  if (is.fsync !== 'on' || is.commit === 'off')
    throw new Error('the database acknowledges commits that are not durable; set fsync and synchronous_commit to on');
  if (is.encoding !== 'UTF8') throw new Error(`the encoding of the database is '${is.encoding}'; create a database with the encoding UTF8`);
  // A statement outside BEGIN relies on it. A proxy can lose the setting of a session.
  if (is.isolation !== 'serializable')
    throw new Error(`the isolation of sessions is '${is.isolation}'; connect without a proxy that changes 'serializable'`);
}

/** Runs serializable transactions on a pool. `order` numbers the records. */
function serializable(pool: PostgresPool, { fatal = rethrow, now = Date.now }: StoreOptions, order: Positions): Store {
  const settled = (): number => positionAt(now() - SETTLES_MS);
  const shared: Shared = { settled, recorded: (count) => index(count) };
  const query = preparedQueries();
  const record = recorder((text, values) => query(pool, text, values), order.next, isAnswer);
  const inTurn = turns();
  const singles = singleReads();
  const active = new Set<Promise<unknown>>();
  let closed = false;

  /** Runs the work for the first time. If a statement ran without BEGIN and was not the only one, the work runs again. */
  async function first<T>(work: (tx: Tx) => Promise<T>, name: string | undefined): Promise<T> {
    if (name === undefined || !singles.expects(name)) return await once(work, name, 'begin');
    try {
      return await once(work, name, 'alone');
    } catch (error) {
      if (!(error instanceof NeedsBegin)) throw error;
      singles.learn(name, false);
      return await once(work, name, 'begin');
    }
  }

  async function once<T>(work: (tx: Tx) => Promise<T>, name: string | undefined, beginning: Beginning): Promise<T> {
    const { sql, wrote, hadSingleRead, failure, commit, rollback } = transactionConnection(pool, query, beginning);
    const run = new Run(sql, shared);
    let value: T;
    let recordsInside = false;
    try {
      value = await work(run);
      recordsInside = wrote();
      if (recordsInside) for (const { text, values } of packInserts(run.records, order.next)) await sql.run(text, values);
      await commit();
    } catch (error) {
      await rollback();
      // Work may have replaced the error of a conflict by its own error. It is still a conflict.
      throw CONFLICT.has(codeOf(failure())) || failure() instanceof NeedsBegin ? failure() : error;
    }
    if (name !== undefined) singles.learn(name, hadSingleRead());
    // A transaction that only read is serializable without its record: no read depends on this write.
    if (!recordsInside) await record(run.records);
    try {
      run.committed();
    } catch (error) {
      fatal(error);
      throw error;
    }
    return value;
  }

  const store: Store = {
    transaction(work, { name }: TransactionOptions = {}) {
      if (closed) return Promise.reject(new Error('the store is closed'));
      const running = first(work, name).catch((error: unknown) => {
        if (!CONFLICT.has(codeOf(error))) throw error;
        return inTurn(() => retrying(CONFLICT, () => once(work, name, 'again')));
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
  const index = indexing(store, settled);
  return store;
}

/** Creates the function that runs a statement. A named statement is parsed once per connection. */
function preparedQueries() {
  const names = new Map<string, string>();
  return async (connection: PostgresPool | PostgresConnection, text: string, values: readonly SqlValue[]): Promise<PostgresRows> => {
    let name = names.get(text);
    if (name === undefined && names.size < PREPARED_MAX) {
      name = hash('sha256', text, 'hex').slice(0, 32);
      names.set(text, name);
    }
    return connection.query({ text, values: values as SqlValue[], ...(name === undefined ? {} : { name }) });
  };
}

function rethrow(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
