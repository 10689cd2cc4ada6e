/** Statements and bytes of look-ups on PostgreSQL, where each statement is a round trip. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Instant } from '#core/instant.ts';
import { testPostgres } from '../../../test/store/test-postgres.ts';
import { ALICE, NOON, trailRow } from '../conformance-fixtures.ts';
import { openOnPool } from '../engine/postgres.ts';
import { faultyPool } from '../engine/postgres-fixture.ts';
import { writeRun } from './trail-index.ts';
import type { LookupAttribute } from './trail-row.ts';

const COUNT = 2_000;
/** Records of one transaction. They are in four packs. */
const BATCH = 100;
const DOCUMENT = 2_000;

const { url, stop } = await testPostgres();
const { pool, setFault } = faultyPool(url, 2);
let clock = NOON as number;
const store = await openOnPool(pool, { now: () => clock });
after(async () => {
  await store.close();
  await stop();
});

test('LookupEvents on PostgreSQL: a page has few statements, and reads only the documents that it returns', async () => {
  for (let i = 0; i < COUNT; i += BATCH) {
    await store.transaction(async (tx) => {
      // A transaction that writes has packs of its own.
      await tx.meta.put('batch', `${i}`);
      for (let n = i; n < i + BATCH; n++) {
        const document = `{"n":"${`${n} `.repeat(DOCUMENT).slice(0, DOCUMENT)}"}`;
        const eventName = n % BATCH === 50 ? 'Rare' : 'CreateMeeting';
        await tx.trail.append(trailRow(`e${n}`, clock as Instant, { eventName, userName: `user-${n % 10}`, document }));
      }
    });
  }
  clock += 60 * 60_000;
  await store.transaction(async ({ sql }) => {
    while ((await writeRun(sql, Number.MAX_SAFE_INTEGER, { keys: 400, packs: 1_024 })) === 'more');
  });
  const counted = { statements: 0, bytes: 0 };
  setFault(async (_, execute) => {
    const result = await execute();
    counted.statements++;
    for (const row of result.rows as readonly object[])
      for (const value of Object.values(row)) counted.bytes += value instanceof Uint8Array ? value.length : String(value).length;
    return result;
  });
  // biome-ignore format: a table
  for (const [name, value, results, statements] of [
    // BEGIN, places, tail, runs, packs, documents, COMMIT
    ['EventName', 'CreateMeeting', 50, 7],
    ['EventName', 'Rare',          20, 9],
    ['Username',  'user-7',        50, 9],
    ['EventId',   'e5',            1,  8],
    ['EventId',   'absent',        0,  6],
  ] as const satisfies readonly (readonly [LookupAttribute, string, number, number])[]) {
    Object.assign(counted, { statements: 0, bytes: 0 });
    const query = { accountId: ALICE, region: 'us-east-1', from: 0 as Instant, to: clock as Instant, limit: 50 };
    const { rows } = await store.transaction((tx) => tx.trail.lookup({ ...query, attribute: { name, value } }));
    assert.equal(rows.length, results, value);
    assert.ok(rows.every(({ eventId, document }) => document.startsWith(`{"n":"${eventId.slice(1)} `) && document.length === DOCUMENT + 8));
    assert.ok(counted.statements <= statements, `${value}: ${counted.statements} statements`);
    // Whole packs would have 64,000 characters each.
    assert.ok(counted.bytes < 200_000 + results * 4 * DOCUMENT, `${value}: ${counted.bytes} bytes`);
  }
  setFault(undefined);
});

test('openPostgres: packs are compressed with LZ4 if the database has it', async () => {
  const facts = await store.transaction(({ sql }) =>
    sql.row<{ readonly setting: string; readonly used: string; readonly lz4: boolean }>(
      `SELECT setting, 'lz4' = ANY (enumvals) AS lz4, (SELECT pg_column_compression(documents) FROM trail_pack WHERE documents <> '' LIMIT 1) AS used
       FROM pg_settings WHERE name = 'default_toast_compression'`,
    ),
  );
  const expected = facts?.lz4 === true ? 'lz4' : 'pglz';
  assert.deepEqual([facts?.setting, facts?.used], [expected, expected]);
});
