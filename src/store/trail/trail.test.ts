import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instant } from '#core/instant.ts';
import { ALICE, NOON, trailRow } from '../conformance-fixtures.ts';
import { openSqlite } from '../engine/sqlite.ts';
import { observedSqlite } from '../engine/sqlite-fixture.ts';
import { PACK_RECORDS, packInserts, recordsOf } from './trail-pack.ts';

const COUNT = 30_000;
/** Interval of records with the event name `Rare`. The other records have another name. */
const RARE = 1_000;

test('LookupEvents: the number of statements depends on the results, not on the size of the trail', async () => {
  const texts: string[] = [];
  const store = await openSqlite(':memory:', {
    open: observedSqlite(
      () => {},
      (text) => texts.push(text.trim()),
    ),
    now: () => NOON,
  });
  const lookup = (name: 'EventName' | 'EventId' | 'Username', value: string) =>
    store.transaction((tx) =>
      tx.trail.lookup({ accountId: ALICE, region: 'us-east-1', from: NOON, to: NOON, attribute: { name, value }, limit: 50 }),
    );
  for (let i = 0; i < COUNT; i += 500) {
    await store.transaction(async ({ trail }) => {
      for (let n = i; n < i + 500; n++) {
        const eventName = n % RARE === 0 ? 'Rare' : 'CreateMeeting';
        await trail.append(trailRow(`e${n}`, NOON, { eventName, userName: `user-${n % 100}`, resources: [{ name: `r${n}` }] }));
      }
    });
  }
  const runs = await store.transaction(({ sql }) => sql.rows('SELECT * FROM trail_run'));
  assert.ok(runs.length > 10, `${runs.length} runs`);
  // biome-ignore format: a table
  for (const [name, value, results, most] of [
    ['EventName', 'CreateMeeting', 50, { runs: 1, packs: 1, tail: 1 }],
    ['EventName', 'Rare',          30, { runs: 3, packs: 3, tail: 1 }],
    ['Username',  'user-7',        50, { runs: 3, packs: 4, tail: 2 }],
    ['EventId',   'e5',            1,  { runs: 3, packs: 1, tail: 1 }],
    ['EventId',   'absent',        0,  { runs: 3, packs: 0, tail: 1 }],
  ] as const) {
    texts.length = 0;
    const { rows } = await lookup(name, value);
    const count = (part: string) => texts.filter((text) => text.includes(part)).length;
    const read = { runs: count('FROM trail_run r'), packs: count('position IN'), tail: count('keys LIKE') };
    assert.equal(rows.length, results, `${name} ${value}`);
    for (const part of ['runs', 'packs', 'tail'] as const) assert.ok(read[part] <= most[part], `${name} ${value}: ${JSON.stringify(read)}`);
  }
  await store.close();
});

test('packInserts: a pack ends at 32 records, or when its documents reach the maximum length', () => {
  let position = 0;
  const sizes = (documents: readonly string[]) =>
    packInserts(
      documents.map((document, i) => trailRow(`e${i}`, NOON as Instant, { document })),
      () => ++position,
    ).map(({ values }) => recordsOf({ heads: values[3] as string, documents: values[4] as string }).length);
  assert.deepEqual(sizes(Array.from({ length: 70 }, () => '{}')), [PACK_RECORDS, PACK_RECORDS, 6]);
  assert.deepEqual(sizes(['{}', 'x'.repeat(131_071), '{}', 'x'.repeat(131_072), '{}', '{}']), [2, 2, 2]);
});
