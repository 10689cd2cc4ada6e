import { hash } from 'node:crypto';
import pg from 'pg';
import { HOUR_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { isMigrated, migrate, SCHEMA_TOKENS } from '../migrate.ts';
import type { SqlValue } from '../sql.ts';
import type { Store, StoreOptions, TransactionOptions, Tx } from '../store.ts';
import { recorder } from '../trail/trail-batch.ts';
import type { ChainTip } from '../trail/trail-chain.ts';
import { endStatements, endWriters, goneSince, recordStatements } from '../trail/trail-writers.ts';
import { StoreUnwritable } from '../unwritable.ts';
import { chainWriters } from './chain-writers.ts';
import { type Positions, positionAt, positions } from './position.ts';
import { type Beginning, NeedsBegin, transactionConnection } from './postgres-connection.ts';
import { CONFLICT, CREATED_MEANWHILE, codeOf, isAnswer, isUnwritable, UNIQUE } from './postgres-errors.ts';
import type { PostgresConnection, PostgresPool, PostgresRows } from './postgres-pool.ts';
import { singleReads } from './postgres-single-reads.ts';
import { retrying, turns } from './retrying.ts';
import { indexing, Run, readOnlySql, type Shared } from './transaction.ts';

export interface PostgresOptions extends StoreOptions {
  /**
   * Number of connections of this server. Default 12. Measured: 8 to 16 keep two cores busy, and more connections only
   * wait.
   */
  readonly connections?: number;
  /** Time limit of a statement, and of the wait for a connection, in milliseconds. Default 10,000. */
  readonly timeoutMilliseconds?: number;
}

/** Time limit of a statement of a migration. It can rewrite a table, or create an index of one, with many millions of rows. */
const MIGRATION_TIMEOUT_MS = 3 * HOUR_MS;

/** Maximum number of prepared statements of each connection. The database parses other statements each time. */
const PREPARED_MAX = 500;

/**
 * Maximum delay of a trail record, in milliseconds. The delay begins at the time that the record's position represents,
 * and ends when the record is in the trail. The delay includes the wait for a connection, the duration of a statement,
 * and differences between the clocks of servers.
 * Assumed: the clocks of servers on one database differ by less than ten seconds.
 */
const SETTLES_MS = 30_000;

/**
 * Number of disjoint sets of positions in the trail. Each server that starts takes the next set. So the last 32 servers
 * that started use different positions.
 */
const SERVERS = 32;

const INT8_OID = 20;

/** Type parsers that return 64-bit integers as numbers. They throw if a number would not be exact. */
export const EXACT_NUMBERS = {
  getTypeParser: (oid: number, format?: string) => (oid === INT8_OID ? parseInt8 : pg.types.getTypeParser(oid, format as 'text')),
};

/**
 * Begins a session: makes it serializable, so that a statement outside BEGIN is a serializable transaction, and compresses large values with
 * LZ4 if the database has it. The compression of PostgreSQL takes more than ten times as long for a pack of the trail. Stored values
 * stay as they are, and both kinds can be in one table.
 * Source: PostgreSQL manual, default_toast_compression.
 */
const BEGIN_SESSION = `
  SET default_transaction_isolation = 'serializable';
  SELECT set_config(name, 'lz4', false) FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)`;

/** Option for a pool of `pg` that begins its sessions. */
export const SERIALIZABLE_SESSIONS = {
  onConnect: async (client: pg.ClientBase): Promise<void> => {
    await client.query(BEGIN_SESSION);
  },
} as const;

/** Part of the documents of a pack. `convert_to` returns the bytes without a conversion, because the database has UTF-8. */
const DOCUMENT_PART = "convert_from(substr(convert_to(p.documents, 'UTF8'), part.column3, part.column4), 'UTF8')";

/**
 * Opens the PostgreSQL engine: any number of servers share one database. The trail record of a transaction that only
 * reads is written together with other waiting records, in one statement. If work with the same name usually runs only
 * one statement, a SELECT, this statement runs without BEGIN and COMMIT.
 *
 * `afterCommit` callbacks may run in another order than the commits. If a connection is lost during a commit, the
 * result is unknown. The transaction then rejects and does not run again, because it may be committed.
 *
 * @throws Error  the database is a standby, acknowledges commits that are not durable, or does not keep the isolation
 *   level of a session
 */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<Store> {
  const { connections = 12, timeoutMilliseconds = 10_000 } = options;
  const pool = poolOf(url, connections, timeoutMilliseconds);
  try {
    await assertDurable(pool);
    const isCurrent = await retrying(CREATED_MEANWHILE, () => isMigrated(storeAtStart(pool, options), SCHEMA_TOKENS.postgres));
    if (!isCurrent) await migratePatiently(poolOf(url, 1, timeoutMilliseconds, MIGRATION_TIMEOUT_MS), options);
    return await openOnPool(pool, options);
  } catch (error) {
    await pool.end();
    throw error;
  }
}

function poolOf(url: string, connections: number, timeoutMilliseconds: number, statementMilliseconds = timeoutMilliseconds): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    application_name: 'belfry',
    connectionTimeoutMillis: timeoutMilliseconds,
    statement_timeout: statementMilliseconds,
    // The database itself ends a statement after `statement_timeout`. This longer limit is for a database that does not
    // respond.
    query_timeout: statementMilliseconds + 1_000,
    idle_in_transaction_session_timeout: timeoutMilliseconds,
    keepAlive: true,
    types: EXACT_NUMBERS,
    ...SERIALIZABLE_SESSIONS,
  });
  // A statement on a broken connection fails, and the pool replaces a broken idle connection. Without these listeners,
  // the error of the connection would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** Applies the pending migrations on a pool of their own, and ends it. */
async function migratePatiently(pool: PostgresPool, options: StoreOptions): Promise<void> {
  try {
    await retrying(CREATED_MEANWHILE, () => migrate(storeAtStart(pool, options), SCHEMA_TOKENS.postgres));
  } finally {
    await pool.end();
  }
}

/** Returns a store that writes no trail records. */
function storeAtStart(pool: PostgresPool, options: StoreOptions): Store {
  const { now = Date.now } = options;
  return serializable(
    pool,
    options,
    positions(now, () => 0),
  );
}

/** Applies the pending migrations and returns the store. Closing the store ends the pool. The pool's sessions must be serializable. */
export async function openOnPool(pool: PostgresPool, options: StoreOptions): Promise<Store> {
  const { now = Date.now } = options;
  const start = storeAtStart(pool, options);
  await retrying(CREATED_MEANWHILE, () => migrate(start, SCHEMA_TOKENS.postgres));
  const { server, last } = await retrying(CONFLICT, () =>
    start.transaction(async ({ sql }) => {
      const number = await sql.row<{ readonly value: number }>(
        "UPDATE counter SET value = value + 1 WHERE name = 'server' RETURNING value",
      );
      const end = await sql.row<{ readonly last: number | null }>('SELECT MAX(position) AS last FROM trail_pack');
      const time = instant(now());
      await endWriters(sql, { order: 'first_number', now: time, idleSince: goneSince(time) });
      return { server: (number?.value ?? 0) % SERVERS, last: end?.last ?? 0 };
    }),
  );
  return serializable(
    pool,
    options,
    positions(now, () => last, { server, of: SERVERS }),
  );
}

/**
 * Parses a 64-bit integer. Does not round it, because the result would be a different number.
 *
 * @throws Error  the number is too large
 */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`the database contains '${text}', which JavaScript cannot represent exactly`);
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
  // Statements outside BEGIN rely on the isolation level of the session. A proxy in front of the database can drop this
  // setting.
  if (is.isolation !== 'serializable')
    throw new Error(
      `the transaction isolation level is '${is.isolation}', but must be 'serializable'; connect without a proxy that changes the level`,
    );
}

/** Runs serializable transactions on a pool. `order` returns the positions of the trail records. */
function serializable(pool: PostgresPool, { fatal = rethrow, now = Date.now, server = '' }: StoreOptions, order: Positions): Store {
  const settled = (): number => positionAt(now() - SETTLES_MS);
  const shared: Shared = { settled, chainOrder: 'first_number', documentPart: DOCUMENT_PART, recorded: (count) => index(count) };
  const query = preparedQueries();
  const writers = chainWriters(server, now);
  const isTaken = (error: unknown): boolean => codeOf(error) === UNIQUE;
  const record = recorder((text, values) => query(pool, text, values), order.next, isAnswer, isTaken, writers);
  const inTurn = turns();
  const singles = singleReads();
  const active = new Set<Promise<unknown>>();
  let closed = false;

  /** Runs the work for the first time. If a statement ran without BEGIN and was not the only one, the work runs again. */
  async function first<T>(work: (tx: Tx) => Promise<T>, options: TransactionOptions): Promise<T> {
    const { name } = options;
    if (name === undefined || !singles.expects(name)) return await once(work, options, 'begin');
    try {
      return await once(work, options, 'alone');
    } catch (error) {
      if (!(error instanceof NeedsBegin)) throw error;
      singles.learn(name, false);
      return await once(work, options, 'begin');
    }
  }

  async function once<T>(work: (tx: Tx) => Promise<T>, { name, readOnly = false }: TransactionOptions, beginning: Beginning): Promise<T> {
    const { sql, wrote, hadSingleRead, failure, commit, rollback } = transactionConnection(pool, query, beginning);
    const run = new Run(readOnly ? readOnlySql(sql) : sql, shared);
    let value: T;
    let recordsInside = false;
    let taken: ChainTip | undefined;
    try {
      value = await work(run);
      if (readOnly) run.requireNoRecords();
      recordsInside = wrote() && run.records.length > 0;
      if (recordsInside) {
        taken = writers.take();
        const { statements, tip } = recordStatements(run.records, order.next, taken);
        for (const { text, values } of statements) await sql.run(text, values);
        await commit();
        writers.giveBack(tip);
      } else await commit();
    } catch (error) {
      await rollback();
      // If the answer shows that the transaction is rolled back, the writer continues with its old state. Otherwise the
      // transaction may be committed, or may still run, so the writer is used no longer.
      const cause = failure() ?? error;
      if (taken !== undefined && isAnswer(cause) && !isTaken(cause)) writers.giveBack(taken);
      if (wrote() && isUnwritable(cause)) throw new StoreUnwritable(cause);
      // The work may have caught the error of a conflict and thrown another one. The transaction still has a conflict.
      throw CONFLICT.has(codeOf(failure())) || failure() instanceof NeedsBegin ? failure() : error;
    }
    if (name !== undefined) singles.learn(name, hadSingleRead());
    // The record of a transaction that only read is written separately. The transaction is still serializable, because
    // no read depends on this write.
    if (!recordsInside) await recordAlone(run);
    try {
      run.committed();
    } catch (error) {
      fatal(error);
      throw error;
    }
    return value;
  }

  async function recordAlone({ records }: Run): Promise<void> {
    try {
      await record(records);
    } catch (error) {
      throw isUnwritable(error) ? new StoreUnwritable(error) : error;
    }
  }

  /** Writes the ends of the writers. If it fails, another server ends them later. */
  async function endUnused(): Promise<void> {
    const tips = writers.takeAll();
    if (tips.length === 0) return;
    await once(
      async ({ sql }) => {
        for (const tip of tips)
          for (const { text, values } of endStatements(tip, order.next(), instant(now()))) await sql.run(text, values);
      },
      {},
      'begin',
    );
  }

  const store: Store = {
    transaction(work, transactionOptions = {}) {
      if (closed) return Promise.reject(new Error('the store is closed'));
      const running = first(work, transactionOptions).catch((error: unknown) => {
        if (!CONFLICT.has(codeOf(error))) throw error;
        return inTurn(() => retrying(CONFLICT, () => once(work, transactionOptions, 'again')));
      });
      active.add(running);
      const forget = (): void => void active.delete(running);
      running.then(forget, forget);
      return running;
    },
    async close() {
      closed = true;
      await Promise.allSettled(active);
      await endUnused().catch(() => {});
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
