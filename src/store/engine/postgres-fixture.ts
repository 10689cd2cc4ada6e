import pg from 'pg';
import { EXACT_NUMBERS, SERIALIZABLE_SESSIONS } from './postgres.ts';
import type { PostgresConnection, PostgresPool, PostgresQuery, PostgresRows } from './postgres-pool.ts';

/** Replaces how one connection executes a query. */
export type Fault = (
  query: PostgresQuery,
  execute: () => Promise<PostgresRows>,
  client: pg.ClientBase,
) => Promise<PostgresRows> | undefined;

/**
 * Creates a pool whose statements a test can replace. `setFault` can replace the result of a statement. `checked-pool.ts` checks each
 * connection of the pool.
 */
export function faultyPool(
  connectionString: string,
  connections: number,
  connectionTimeoutMillis = 10_000,
): { readonly pool: PostgresPool; readonly raw: pg.Pool; setFault(fault: Fault | undefined): void } {
  const raw = new pg.Pool({ connectionString, max: connections, connectionTimeoutMillis, types: EXACT_NUMBERS, ...SERIALIZABLE_SESSIONS });
  raw.on('error', () => {});
  raw.on('connect', (client) => client.on('error', () => {}));
  let fault: Fault | undefined;
  const lend = (client: pg.PoolClient): PostgresConnection => ({
    query(query) {
      const execute = () => client.query({ ...query });
      return fault?.(query, execute, client) ?? execute();
    },
    release: (broken) => client.release(broken),
  });
  return {
    raw,
    pool: {
      async query(query) {
        const client = await raw.connect();
        try {
          return await lend(client).query(query);
        } finally {
          client.release();
        }
      },
      connect: async () => lend(await raw.connect()),
      end: () => raw.end(),
    },
    setFault(next) {
      fault = next;
    },
  };
}
