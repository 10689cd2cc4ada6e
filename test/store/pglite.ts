import { PGlite } from '@electric-sql/pglite';
import { openOnPool } from '#store/engine/postgres.ts';
import type { PostgresConnection, PostgresQuery, PostgresRows } from '#store/engine/postgres-pool.ts';
import type { Store, StoreOptions } from '#store/store.ts';

/**
 * Opens PostgreSQL 18 compiled to WebAssembly, to test only the SQL dialect. The database is in memory, and has one session. Callers use
 * the session one after another.
 */
export async function openPglite(options: StoreOptions): Promise<Store> {
  const db = await PGlite.create();
  await db.exec("SET default_transaction_isolation = 'serializable'");
  let free: Promise<unknown> = Promise.resolve();

  async function query({ text, values = [] }: PostgresQuery): Promise<PostgresRows> {
    const { rows, affectedRows } = await db.query(text, values);
    return { rows, rowCount: affectedRows ?? 0 };
  }
  async function connect(): Promise<PostgresConnection> {
    const before = free;
    let release = (): void => {};
    free = new Promise<void>((resolve) => {
      release = resolve;
    });
    await before;
    return { query, release: () => release() };
  }
  return openOnPool(
    {
      connect,
      async query(one) {
        const connection = await connect();
        try {
          return await connection.query(one);
        } finally {
          connection.release(false);
        }
      },
      end: () => db.close(),
    },
    options,
  );
}
