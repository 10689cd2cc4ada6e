/** Databases of simulated servers, one for each engine of the product. */
import type { OpenServers } from '#store/engine/open-servers.ts';
import { openOnPool } from '#store/engine/postgres.ts';
import type { PostgresPool } from '#store/engine/postgres-pool.ts';
import { servers as serversOn } from '#store/engine/servers.ts';
import type { Sql, SqlValue } from '#store/sql.ts';
import type { Store } from '#store/store.ts';
import { newDatabase } from './database.ts';
import type { FaultRates } from './database-backends.ts';
import type { Process, World } from './world.ts';

/** Database of a simulated run, which servers open. */
export interface Storage {
  /** With `postgres`, several servers share the database. With `sqlite`, the database belongs to one server. */
  readonly engine: Engine;
  open(process: Process, options: StorageOptions): Promise<{ readonly store: Store; readonly registry: OpenServers }>;
  setFaults(rates: FaultRates): void;
  /** Reads committed rows at once, without simulated latency or faults. */
  rows<Row>(text: string, values?: readonly SqlValue[]): Row[];
  /** Writes the database to a file. All servers must have stopped. */
  copyTo(path: string): void;
  /** Discards the writes that the killed server did not sync to disk. Does nothing with PostgreSQL, which is on another machine. */
  cutPower(): void;
  close(): void;
}

export type Engine = 'postgres' | 'sqlite';

export interface StorageOptions {
  /** Reports whether the server cannot reach the database. */
  readonly isCut: () => boolean;
  readonly fatal: (error: unknown) => void;
}

/** Number of connections for requests. It is small, so that requests have to wait for a connection. */
const CONNECTIONS = 4;
const STATEMENT_MS = 2_000;
/**
 * Limits of the two connection pools that a server uses for its lease and for reading identity records. The product
 * sets the same time limits in `openServers`.
 */
const QUICK = { connections: 3, timeoutMilliseconds: 1_000 };
const PATIENT = { connections: 3, timeoutMilliseconds: 60_000 };
/**
 * SQL expression for the epoch, which identifies the history of a database. It is constant, because a simulated
 * database does not fail over.
 */
const EPOCH = "'simulated'";

/**
 * Creates a simulated PostgreSQL. `template` is a database file that `copyTo` wrote. By default, the database is empty.
 */
export function postgresStorage(world: World, template?: string): Storage {
  const database = newDatabase(world, template);
  return {
    ...database,
    engine: 'postgres',
    cutPower() {},
    async open(process, { isCut, fatal }) {
      const openPool = (limits: typeof QUICK): PostgresPool => database.openPool(process, { ...limits, isCut });
      const store = await openOnPool(openPool({ connections: CONNECTIONS, timeoutMilliseconds: STATEMENT_MS }), { fatal });
      return { store, registry: registryOn(openPool(QUICK), openPool(PATIENT)) };
    },
  };
}

/**
 * Opens the registry, in which servers store their leases and read identity records. As in the product, `page` and
 * `trim` use `patient`, the pool with the longer time limit. A `page` or `trim` call may take longer than a lease.
 */
function registryOn(quick: PostgresPool, patient: PostgresPool): OpenServers {
  const sqlOn = (pool: PostgresPool): Sql => {
    const query = (text: string, values: readonly SqlValue[] = []) => pool.query({ text, values: values as SqlValue[] });
    return {
      row: async <Row>(text: string, values?: readonly SqlValue[]) => (await query(text, values)).rows[0] as Row | undefined,
      rows: async <Row>(text: string, values?: readonly SqlValue[]) => (await query(text, values)).rows as Row[],
      run: async (text, values) => (await query(text, values)).rowCount ?? 0,
    };
  };
  const answering = serversOn(sqlOn(quick), EPOCH);
  const loading = serversOn(sqlOn(patient), EPOCH);
  return {
    servers: { ...answering, page: loading.page, trim: loading.trim },
    shared: true,
    async close() {
      await Promise.all([quick.end(), patient.end()]);
    },
  };
}
