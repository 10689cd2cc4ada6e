import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '../conformance-fixtures.ts';
import { NOTED_MS, trailPolicies } from './trail-policy.ts';

export function conformance({ within }: Suite): void {
  test('trail policies: note() stores a text once, and the last time', async () => {
    const read = await within(async (tx) => {
      const policies = tx.of(trailPolicies);
      for (const days of [-90, -80, -85]) await policies.note({ hash: 'h', text: '{}', notedAt: instant(NOON + days * NOTED_MS) });
      const kept = await policies.forgetBefore(instant(NOON - 81 * NOTED_MS), 10);
      const texts = [await policies.text('h'), await policies.text('absent')];
      return [kept, texts, await policies.forgetBefore(instant(NOON - 77 * NOTED_MS), 10), await policies.text('h')];
    });
    assert.deepEqual(read, [0, ['{}', undefined], 1, undefined]);
  });

  test('trail policies: forgetBefore() deletes at most `limit` policies, and none that a remaining record can name', async () => {
    const days = [-40, -39, -38, -37];
    const [counts, left] = await within(async (tx) => {
      const policies = tx.of(trailPolicies);
      for (const day of days) await policies.note({ hash: `day ${day}`, text: '{}', notedAt: instant(NOON + day * NOTED_MS) });
      const oldest = instant(NOON - 36 * NOTED_MS);
      const deleted = [
        await policies.forgetBefore(oldest, 1),
        await policies.forgetBefore(oldest, 1),
        await policies.forgetBefore(oldest, 1),
      ];
      return [deleted, await Promise.all(days.map((day) => policies.text(`day ${day}`)))] as const;
    });
    assert.deepEqual(
      [counts, left],
      [
        [1, 1, 0],
        [undefined, undefined, '{}', '{}'],
      ],
    );
  });
}
