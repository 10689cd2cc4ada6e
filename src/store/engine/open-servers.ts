import type { Sql, SqlValue } from '../sql.ts';
import type { Store } from '../store.ts';
import { NO_EPOCH, POSTGRES_EPOCH, type Servers, servers } from './servers.ts';

/**
 * Number of connections in each pool for the registry of servers. Requests use other pools, because the renewal of a
 * server's lease must never wait for the transaction of a request. The lease lets the server authorize requests.
 */
const CONNECTIONS = 3;

/**
 * Time limit of statements that no lease waits for: reading pages of identity records, and deleting tombstones (rows of
 * deleted records).
 */
const PATIENT_MILLISECONDS = 60_000;

export interface OpenServers {
  readonly servers: Servers;
  /** Whether other servers can use the same database. */
  readonly shared: boolean;
  close(): Promise<void>;
}

/**
 * Opens the registry of servers on the database that `setting` names. `store` must have migrated the database before.
 */
export async function openServers(setting: string, store: Store): Promise<OpenServers> {
  if (!setting.startsWith('postgres')) {
    const sql: Sql = {
      row: (text, values) => store.transaction((tx) => tx.sql.row(text, values)),
      rows: (text, values) => store.transaction((tx) => tx.sql.rows(text, values)),
      run: (text, values) => store.transaction((tx) => tx.sql.run(text, values)),
    };
    return { servers: servers(sql, NO_EPOCH), shared: false, close: async () => {} };
  }
  // Reads the lease duration first, because it determines the time limit of the other statements. A statement without a
  // response must time out before the lease ends.
  const asking = await connect(setting, PATIENT_MILLISECONDS);
  try {
    const lease = await servers(asking.sql, NO_EPOCH).leaseMilliseconds();
    const epoch = await supportedEpoch(asking.sql);
    const quick = await connect(setting, Math.ceil(lease / 2));
    const answering = servers(quick.sql, epoch);
    const patient = servers(asking.sql, epoch);
    return {
      servers: { ...answering, page: patient.page, trim: patient.trim },
      shared: true,
      close: async () => {
        await Promise.all([quick.end(), asking.end()]);
      },
    };
  } catch (error) {
    await asking.end();
    throw error;
  }
}

/**
 * Returns the SQL expression for the epoch, which identifies the history of the database. A database that is only
 * compatible with PostgreSQL may not support the expression. Then a restored database is only detected if its identity
 * version decreased.
 */
async function supportedEpoch(sql: Sql): Promise<string> {
  try {
    await sql.row(`SELECT ${POSTGRES_EPOCH} AS epoch`);
    return POSTGRES_EPOCH;
  } catch (error) {
    // A standby also rejects the expression, but the store does not open on a standby.
    if ((error as { readonly severity?: unknown }).severity === undefined) throw error;
    return NO_EPOCH;
  }
}

async function connect(url: string, timeoutMilliseconds: number) {
  // The import is here, because the embedded engine does not need the driver.
  const { default: pg } = await import('pg');
  const { EXACT_NUMBERS } = await import('./postgres.ts');
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    application_name: 'belfry lease',
    connectionTimeoutMillis: Math.min(timeoutMilliseconds, 10_000),
    // If the database does not respond, this limit ends the statement and closes its connection.
    query_timeout: timeoutMilliseconds,
    keepAlive: true,
    types: EXACT_NUMBERS,
  });
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  const query = (text: string, values: readonly SqlValue[] = []) => pool.query({ text, values: values as SqlValue[] });
  const sql: Sql = {
    row: async <Row>(text: string, values?: readonly SqlValue[]) => (await query(text, values)).rows[0] as Row | undefined,
    rows: async <Row>(text: string, values?: readonly SqlValue[]) => (await query(text, values)).rows as Row[],
    run: async (text, values) => (await query(text, values)).rowCount ?? 0,
  };
  return { sql, end: () => pool.end() };
}
