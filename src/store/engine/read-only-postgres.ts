/** Reads a PostgreSQL database without the server. */
import pg from 'pg';
import type { Sql, SqlValue } from '../sql.ts';
import { EXACT_NUMBERS } from './postgres.ts';
import type { ReadOnlyDatabase } from './read-only-database.ts';

/** Opens a PostgreSQL database. All connections read the same moment. */
export async function openPostgresReadOnly(url: string): Promise<ReadOnlyDatabase> {
  const clients: pg.Client[] = [];
  async function open(): Promise<Sql> {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'belfry',
      connectionTimeoutMillis: 10_000,
      types: EXACT_NUMBERS,
    });
    client.on('error', () => {});
    clients.push(client);
    await client.connect();
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const query = (text: string, values: readonly SqlValue[] = []) => client.query({ text, values: values as SqlValue[] });
    return {
      row: async <Row>(text: string, values?: readonly SqlValue[]) => (await query(text, values)).rows[0] as Row | undefined,
      rows: async <Row>(text: string, values?: readonly SqlValue[]) => (await query(text, values)).rows as Row[],
      run: () => Promise.reject(new Error('the database is open for reading only')),
    };
  }
  const sql = await open();
  return {
    sql,
    async second() {
      const exported = await sql.row<{ readonly id: string }>('SELECT pg_export_snapshot() AS id');
      const other = await open();
      // The ID has hexadecimal digits and dashes. This statement accepts no parameters.
      await other.rows(`SET TRANSACTION SNAPSHOT '${exported?.id.replaceAll("'", "''")}'`);
      return other;
    },
    async close() {
      for (const client of clients) await client.end();
    },
  };
}
