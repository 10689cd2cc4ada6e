import type { Sql, SqlValue } from '../sql.ts';
import type { Store } from '../store.ts';
import { NO_EPOCH, POSTGRES_EPOCH, type Servers, servers } from './servers.ts';

/** Renewals and what is said beside them; what they ask is small and must never wait for a request's transaction. */
const CONNECTIONS = 3;

/** Reading all of identity takes longer than a lease lasts; the lease is then taken by the next renewal. */
const FULL_LOAD_MILLISECONDS = 60_000;

export interface OpenServers {
  readonly servers: Servers;
  /** Whether other servers can be on the same database. */
  readonly shared: boolean;
  close(): Promise<void>;
}

/** The registry of servers on the database that `setting` names, which `store` has opened and migrated. */
export async function openServers(setting: string, store: Store): Promise<OpenServers> {
  if (!setting.startsWith('postgres')) {
    const sql: Sql = {
      row: (text, values) => store.transaction((tx) => tx.sql.row(text, values)),
      rows: (text, values) => store.transaction((tx) => tx.sql.rows(text, values)),
      run: (text, values) => store.transaction((tx) => tx.sql.run(text, values)),
    };
    return { servers: servers(sql, NO_EPOCH), shared: false, close: async () => {} };
  }
  // How long a lease lasts is asked first, because a statement must fail before the lease does.
  const asking = await connect(setting, FULL_LOAD_MILLISECONDS);
  try {
    const lease = await servers(asking.sql, NO_EPOCH).leaseMilliseconds();
    const epoch = await supportedEpoch(asking.sql);
    const quick = await connect(setting, Math.ceil(lease / 2));
    const answering = servers(quick.sql, epoch);
    const patient = servers(asking.sql, epoch);
    return {
      servers: { ...answering, renew: (id, since) => (since === 0 ? patient : answering).renew(id, since), trim: patient.trim },
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

/** A database that only speaks PostgreSQL's protocol may have no such thing; then only a version that went back tells. */
async function supportedEpoch(sql: Sql): Promise<string> {
  try {
    await sql.row(`SELECT ${POSTGRES_EPOCH} AS epoch`);
    return POSTGRES_EPOCH;
  } catch (error) {
    // A standby says no, too; but the store did not open on one.
    if ((error as { readonly severity?: unknown }).severity === undefined) throw error;
    return NO_EPOCH;
  }
}

async function connect(url: string, timeoutMilliseconds: number) {
  // Only here: the embedded engine does not need the driver.
  const { default: pg } = await import('pg');
  const { EXACT_NUMBERS } = await import('./postgres.ts');
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    application_name: 'belfry lease',
    connectionTimeoutMillis: Math.min(timeoutMilliseconds, 10_000),
    // Ends a statement by a server that is silent; its connection is given up with it.
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
