import { openStore } from '#store/engine/open.ts';

/**
 * Creates the schema in an empty database on PostgreSQL, and sets the length of the leases of its servers. Call it before a server starts,
 * which reads the length only once.
 */
export async function setLeaseLength(database: string, milliseconds: number): Promise<void> {
  const store = await openStore(database, {});
  await store.transaction(({ sql }) => sql.run("UPDATE counter SET value = $1 WHERE name = 'lease_ms'", [milliseconds]));
  await store.close();
}
