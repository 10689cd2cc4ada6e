import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { openSqlite } from '../engine/sqlite.ts';
import type { LastUse } from './last-use.ts';

const ACCOUNT = '111122223333' as AccountId;
const use: LastUse = { holder: 'AIDAEXAMPLE', service: 'chime', action: 'CreateMeeting', at: instant(1000), region: 'us-east-1' };

// biome-ignore format: a table
const NOTED: readonly (readonly [title: string, notes: readonly LastUse[], kept: readonly LastUse[]])[] = [
  ['a use is returned as it was stored',                  [use],                                                         [use]],
  ['a later use replaces an earlier one',                 [use, { ...use, at: instant(2000), region: 'eu-west-1' }],     [{ ...use, at: instant(2000), region: 'eu-west-1' }]],
  ['an earlier use changes nothing',                      [use, { ...use, at: instant(500) }],                           [use]],
  ['two services can have actions with the same name',    [use, { ...use, service: 'iam' }],                             [use, { ...use, service: 'iam' }]],
  ['an access key has one row for all services',          [{ ...use, action: '' }, { ...use, action: '', service: 'iam', at: instant(2000) }], [{ ...use, action: '', service: 'iam', at: instant(2000) }]],
  ['the uses of another holder are not returned',         [{ ...use, holder: 'AROAEXAMPLE' }],                           []],
];

for (const [title, notes, kept] of NOTED) {
  test(`Last uses: ${title}`, async () => {
    const store = await openSqlite(':memory:');
    const found = await store.transaction(async (tx) => {
      for (const note of notes) await tx.lastUses.note(ACCOUNT, note);
      return tx.lastUses.of(ACCOUNT, use.holder);
    });
    assert.deepEqual(found, kept);
    await store.close();
  });
}
