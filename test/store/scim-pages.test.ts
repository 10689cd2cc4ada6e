/** Pages of a long list of provisioned users: a late page reads as few rows as an early one. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { scimUsers } from '#services/chime/tables/scim.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Sql } from '#store/sql.ts';
import type { Store } from '#store/store.ts';
import { plansOnSqlite, rowsReadOnPostgres } from './reads.ts';
import { testPostgres } from './test-postgres.ts';

const USERS = 25_600;
const PAGE = 100;
/** IDs begin with each of 256 pairs of hexadecimal digits, 100 times. */
const HEX = "SUBSTR('0123456789abcdef', 1 + (i / 16) % 16, 1) || SUBSTR('0123456789abcdef', 1 + i % 16, 1)";

async function fill(store: Store, analyze: boolean): Promise<void> {
  const numbers = `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${USERS - 1})`;
  await store.transaction(async ({ sql }) => {
    await sql.run(`${numbers} INSERT INTO chime_scim_user
      (chime_account_id, scim_id, account_id, email, is_active, is_due, created_at_ms, updated_at_ms, document)
      SELECT 'a', ${HEX} || (1000 + i / 256), '1', 'u' || i, 1, 0, 0, 0, '{}' FROM n`);
    await sql.run(`INSERT INTO chime_scim_bucket (chime_account_id, bucket, users)
      SELECT chime_account_id, SUBSTR(scim_id, 1, 2), COUNT(*) FROM chime_scim_user GROUP BY chime_account_id, SUBSTR(scim_id, 1, 2)`);
    if (analyze) for (const name of ['chime_scim_user', 'chime_scim_bucket']) await sql.run(`ANALYZE ${name}`);
  });
}

const sqlite = await openSqlite(':memory:');
const database = await testPostgres();
const postgres = await openPostgres(database.url);
after(async () => {
  await Promise.all([sqlite.close(), postgres.close()]);
  await database.stop();
});
await fill(sqlite, false);
await fill(postgres, true);

// biome-ignore format: a table
const PAGES: readonly (readonly [title: string, offset: number, first: string | undefined, found: number, statements: number])[] = [
  ['the first page',           0,           '001000', PAGE, 1],
  ['a page in the middle',     12_850,      '801050', PAGE, 2],
  ['the last page',            USERS - 1,   'ff1099', 1,    2],
  ['a page after the end',     USERS,       undefined, 0,   1],
];

for (const [title, offset, first, count, statements] of PAGES) {
  const read = async (sql: Sql) => {
    const found = await scimUsers(sql).list('a', { offset, limit: PAGE });
    assert.deepEqual([found[0]?.scimId, found.length], [first, count]);
  };

  test(`SCIM pages on SQLite: ${title} is a range of the primary key`, async () => {
    const plans = await plansOnSqlite(sqlite, read);
    assert.equal(plans.length, statements);
    for (const plan of plans)
      assert.match(plan, /^SEARCH chime_scim_(?:user|bucket) USING PRIMARY KEY \(chime_account_id=\? AND (?:scim_id|bucket)>\?\)$/);
  });

  test(`SCIM pages on PostgreSQL: ${title} reads at most 256 rows in a statement`, async () => {
    const rows = await rowsReadOnPostgres(postgres, read);
    assert.equal(rows.length, statements);
    for (const each of rows) assert.ok(each <= 256, `rows of each statement: ${rows.join(' ')}`);
  });
}
