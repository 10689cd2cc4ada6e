import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { NOON, trailRow } from '#store/conformance-fixtures.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { newFolder } from '../../../test/kit/folder.ts';
import { activitySection } from './activity.ts';
import { createReportFolder } from './report-folder.ts';

/** Returns the change of a fact of the record. */
const head =
  (index: number, value: unknown) =>
  (heads: string): Readonly<Record<string, string>> => {
    const [first] = JSON.parse(heads) as [readonly unknown[]];
    return { heads: JSON.stringify([first.with(index, value)]) };
  };

// biome-ignore format: a table
const ALTERED: readonly (readonly [title: string, change: (heads: string) => Readonly<Record<string, string>>])[] = [
  ['a document that is null',        (heads) => ({ documents: 'null', ...head(10, 4)(heads) })],
  ['a document that is not JSON',    () => ({ documents: 'x' })],
  ['a time that is text',            head(3, 'noon')],
  ['a time that is null',            head(3, null)],
  ['a time that has a fraction',     head(3, NOON + 0.5)],
  ['an account that is not text',    head(1, {})],
  ['an action that is absent',       head(4, null)],
  ['heads that are not a list',      () => ({ heads: '{}' })],
  ['a head that is not a list',      () => ({ heads: '[null]' })],
  ['contexts of another format',     () => ({ contexts: '[2,[],[[1]]]' })],
  ['contexts that are not a list',   () => ({ contexts: 'null' })],
];

for (const [title, change] of ALTERED) {
  test(`activity: ${title} counts as unreadable, and does not end the report`, async () => {
    const store = await openSqlite(':memory:');
    const rows = [trailRow('a', NOON, { document: '{"eventID":"a"}' }), trailRow('b', NOON, { document: '{"eventID":"b"}' })];
    for (const row of rows) await store.transaction((tx) => tx.trail.append(row));
    await store.transaction(async ({ sql }) => {
      const pack = await sql.row<{ readonly heads: string }>("SELECT heads FROM trail_pack WHERE event_id = 'a'");
      for (const [column, value] of Object.entries(change(pack?.heads ?? '')))
        await sql.run(`UPDATE trail_pack SET ${column} = $1 WHERE event_id = 'a'`, [value]);
    });
    const folder = createReportFolder(join(newFolder('activity'), 'report'));
    const window = { accountIds: undefined, from: instant(0), to: instant(NOON * 2) };
    const { requests, unreadable } = await store.transaction(({ sql }) => activitySection(sql, window, folder));
    assert.deepEqual([requests, unreadable], [1, 1]);
    await store.close();
  });
}

test('activity: counts the records of the window, in any number of pages', async () => {
  const store = await openSqlite(':memory:');
  for (let i = 0; i < 200; i++) await store.transaction((tx) => tx.trail.append(trailRow(`r${i}`, NOON + i, { document: '{}' })));
  // biome-ignore format: a table
  const WINDOWS: readonly (readonly [from: number, to: number, requests: number])[] = [
    [0,          NOON * 2, 200],
    [NOON,       NOON * 2, 200],
    [NOON + 1,   NOON * 2, 199],
    [NOON + 199, NOON * 2, 1],
    [NOON + 200, NOON * 2, 0],
    [0,          0,        0],
  ];
  for (const [from, to, expected] of WINDOWS) {
    const folder = createReportFolder(join(newFolder('activity'), 'report'));
    const window = { accountIds: undefined, from: instant(from), to: instant(to) };
    const { requests, principals } = await store.transaction(({ sql }) => activitySection(sql, window, folder));
    assert.deepEqual([requests, principals.total], [expected, expected === 0 ? 0 : 1], `${from} ${to}`);
  }
  await store.close();
});
