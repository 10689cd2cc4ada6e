import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instant } from '#core/instant.ts';
import { ALICE, NOON, trailRow } from '../conformance-fixtures.ts';
import { positionAt } from '../engine/position.ts';
import { openSqlite } from '../engine/sqlite.ts';
import { observedSqlite } from '../engine/sqlite-fixture.ts';
import { newTip } from './trail-chain.ts';
import { PACK_RECORDS, type PackInsert, packInserts, recordsOf, undocumentedWith } from './trail-pack.ts';

const COUNT = 30_000;
/** Each record whose number is a multiple of this has the event name `Rare`. The other records have another name. */
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
    const read = { runs: count('FROM trail_run r'), packs: count('position IN'), tail: count('keys LIKE'), documents: count('FROM (VALUES') };
    assert.equal(rows.length, results, `${name} ${value}`);
    for (const [part, number] of Object.entries(most)) assert.ok(read[part as keyof typeof read] <= number, `${name} ${value}: ${JSON.stringify(read)}`);
    assert.equal(texts.filter((text) => text.startsWith('SELECT')).length, 1 + Object.values(read).reduce((sum, each) => sum + each), value);
  }
  await store.close();
});

test('LookupEvents: a page searches a limited number of records that have no index', async () => {
  const store = await openSqlite(':memory:', { now: () => NOON });
  const packs = 5_000;
  await store.transaction(async ({ sql }) => {
    let position = positionAt(NOON);
    for (let i = 0; i < packs; i++) {
      const [insert] = packInserts([trailRow(`e${i}`, NOON)], () => ++position, newTip());
      await sql.run((insert as PackInsert).text, (insert as PackInsert).values);
    }
  });
  // biome-ignore format: a table
  for (const [value,    pages, results] of [
    [`e${packs - 1}`,  3,     1],
    ['e0',             3,     1],
    ['absent',         3,     0],
  ] as const) {
    let [read, found] = [0, 0];
    for (let before: string | undefined; read === 0 || before !== undefined; read++) {
      const attribute = { name: 'EventId', value } as const;
      const range = { accountId: ALICE, region: 'us-east-1', from: 0 as Instant, to: NOON, limit: 50 };
      const page = await store.transaction((tx) => tx.trail.lookup({ ...range, attribute, ...(before === undefined ? {} : { before }) }));
      found += page.rows.length;
      before = page.next;
    }
    assert.deepEqual([read, found], [pages, results], value);
  }
  await store.close();
});

test('packInserts: a pack ends at 32 records, or when its documents reach the maximum length', () => {
  let position = 0;
  const sizes = (documents: readonly string[]) =>
    packInserts(
      documents.map((document, i) => trailRow(`e${i}`, NOON as Instant, { document })),
      () => ++position,
      newTip(),
    ).map(({ values }) => recordsOf({ heads: values[3] as string, documents: values[4] as string }).length);
  assert.deepEqual(sizes(Array.from({ length: 70 }, () => '{}')), [PACK_RECORDS, PACK_RECORDS, 6]);
  assert.deepEqual(sizes(['{}', 'x'.repeat(131_071), '{}', 'x'.repeat(131_072), '{}', '{}']), [2, 2, 2]);
});

test('undocumentedWith: finds the same records with a value as a search of all records of the pack', () => {
  const values = [
    'ann',
    'e1',
    '],["',
    '],["e1","',
    ']],12],["e1"',
    '"',
    '\\',
    '\\"],["',
    '\0',
    '\ud800',
    'é\u{1f600}',
    ',1],["x',
    '1',
    'absent',
    '',
  ];
  const rows = values.flatMap((value, i) => [
    trailRow(`e${2 * i}`, NOON, { userName: value, document: `{"é":${i}}` }),
    trailRow(`e${2 * i + 1}`, NOON, {
      resources: [{ type: value, name: 'n' }, { name: value }],
      category: i % 3 === 0 ? 'Data' : undefined,
    }),
  ]);
  for (const part of [rows, rows.slice(0, 1), [...rows, ...rows]]) {
    const [insert] = packInserts(part.slice(0, PACK_RECORDS), () => 1, newTip());
    const [, , , heads, documents] = (insert as PackInsert).values as [0, 0, 0, string, string];
    const all = recordsOf({ heads, documents });
    for (const value of values) {
      const has = (row: (typeof all)[number]) =>
        [row.eventId, row.userName, ...row.resources.flatMap(({ type, name }) => [type, name])].includes(value);
      const { records, units } = undocumentedWith(heads, value);
      const found = records.map(({ row, begin, length }) => ({ ...row, document: documents.slice(begin, begin + length) }));
      assert.deepEqual([found.filter(has), units], [all.filter(has), documents.length], JSON.stringify(value));
    }
    assert.ok(undocumentedWith(heads, 'ann').records.length < Math.max(all.length, 2));
  }
});
