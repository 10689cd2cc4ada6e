/** Lists of many phone numbers: each statement reads the rows of its page, and not those before it or of other filters. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { type PhoneInventory, phoneInventory } from '#services/chime-kit/tables/phone-inventory.ts';
import { type PhoneNumbers, phoneNumbers } from '#services/chime-kit/tables/phone-numbers.ts';
import { ACCOUNT, START } from '#services/kit/fixture.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { plansOnSqlite, rowsReadOnPostgres } from '../store/reads.ts';
import { testPostgres } from '../store/test-postgres.ts';

const LATE = '+12065550000';
const now = instant(START + 60_000);
type Read = (numbers: PhoneNumbers, inventory: PhoneInventory) => Promise<unknown>;

// biome-ignore format: a table
const LISTS: readonly (readonly [title: string, read: Read])[] = [
  ['all numbers',                (numbers) => numbers.list(ACCOUNT, {}, now, 51, LATE)],
  ['a product',                  (numbers) => numbers.list(ACCOUNT, { productType: 'VoiceConnector' }, now, 51, LATE)],
  ['a frequent state',           (numbers) => numbers.list(ACCOUNT, { state: 'Unassigned' }, now, 51, LATE)],
  ['a rare state',               (numbers) => numbers.list(ACCOUNT, { state: 'Assigned' }, now, 51)],
  ['a rare state of a product',  (numbers) => numbers.list(ACCOUNT, { state: 'Assigned', productType: 'VoiceConnector' }, now, 51)],
  ['numbers of a connector',     (numbers) => numbers.associated(ACCOUNT, 'VoiceConnectorId', 'vc', 51)],
  ['numbers of a Chime account', (numbers) => numbers.associated(ACCOUNT, 'AccountId', 'a', 51)],
  ['orders that are not final',  (numbers) => numbers.acquiring(ACCOUNT, now)],
  ['the end of the queue',       (numbers) => numbers.overdue(ACCOUNT, now)],
  ['the sweep',                  (numbers) => numbers.released(now, 100)],
  ['a search by area code',      (_, inventory) => inventory.free({ country: 'US', areaCode: '206' }, 101, LATE)],
  ['a search by city',           (_, inventory) => inventory.free({ country: 'US', state: 'WA', city: 'seattle' }, 101, LATE)],
  ['a search by rare city',      (_, inventory) => inventory.free({ country: 'US', state: 'WA', city: 'spokane' }, 101)],
  ['the countries',              (_, inventory) => inventory.countries('VoiceConnector')],
];

const sqlite = await openSqlite(':memory:');
after(() => sqlite.close());
const database = await testPostgres();
const postgres = await openPostgres(database.url);
after(async () => {
  await postgres.close();
  await database.stop();
});
const COUNT = 20_000;
const AT_ONCE = 5_000;
for (let first = 1; first < COUNT; first += AT_ONCE) {
  await postgres.transaction(async ({ sql }) => {
    const number = `'+1206' || LPAD((5540000 + g)::text, 7, '0')`;
    const isRare = 'g % 10000 = 0';
    const source = `generate_series(${first}, ${first + AT_ONCE - 1}) g`;
    await sql.run(`INSERT INTO phone_number SELECT '${ACCOUNT}', ${number}, 'o', 'VoiceConnector',
      CASE WHEN ${isRare} THEN 'Assigned' ELSE 'Unassigned' END, ${START}, ${START}, ${START}, NULL, NULL,
      CASE WHEN ${isRare} THEN 'VoiceConnectorId' END, CASE WHEN ${isRare} THEN 'vc' END, NULL, NULL, '{}' FROM ${source}`);
    await sql.run(`INSERT INTO phone_inventory SELECT ${number}, 'US', 'Local', 1, 1, 1, '{}', '206', 'WA',
      CASE WHEN ${isRare} THEN 'spokane' ELSE 'seattle' END, 1, ${START} FROM ${source}`);
  });
}
await postgres.transaction(async ({ sql }) => {
  await sql.run('ANALYZE phone_number');
  await sql.run('ANALYZE phone_inventory');
});

for (const [title, read] of LISTS) {
  test(`Lists on SQLite: ${title} use an index, and sort nothing`, async () => {
    const plans = await plansOnSqlite(sqlite, (sql) => read(phoneNumbers(sql), phoneInventory(sql)));
    assert.ok(plans.length > 0);
    const searches = plans.filter((plan) => !plan.startsWith('LIST SUBQUERY'));
    const byKey = title === 'all numbers' ? 'account_id=? AND number>?' : 'account_id=? AND number=?';
    for (const plan of searches.filter((each) => each !== `SEARCH phone_number USING PRIMARY KEY (${byKey})`))
      assert.match(plan, /^SEARCH phone_\w+ USING (?:COVERING )?INDEX/);
  });

  test(`Lists on PostgreSQL: of 20,000 numbers, ${title} read few rows`, async () => {
    const rows = await rowsReadOnPostgres(postgres, (sql) => read(phoneNumbers(sql), phoneInventory(sql)));
    assert.ok(rows.length > 0);
    for (const each of rows) assert.ok(each <= 202, `rows of each statement: ${rows.join(' ')}`);
  });
}
