import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from './conformance-fixtures.ts';

export function conformance({ within, fresh }: Suite): void {
  describe('attempts', () => {
    const later = instant(NOON + 60_000);
    const afterDays = instant(later + 2 * DAY_MS);

    test('attempts: fail() counts the failures of each subject until clear() is called', async () => {
      const accountId = fresh();
      const read = await within(async ({ attempts }) => {
        await attempts.fail(accountId, 'one', NOON);
        await attempts.fail(accountId, 'one', later);
        await attempts.fail(accountId, 'other', NOON);
        const counted = [await attempts.of(accountId, 'one'), await attempts.of(accountId, 'other'), await attempts.of(accountId, 'none')];
        await attempts.clear(accountId, 'one');
        return [...counted, await attempts.of(accountId, 'one')];
      });
      assert.deepEqual(read, [{ failures: 2, failedAt: later }, { failures: 1, failedAt: NOON }, undefined, undefined]);
    });

    test('attempts: after a failure that is more than a day old, fail() counts from 1 again', async () => {
      const accountId = fresh();
      const read = await within(async ({ attempts }) => {
        await attempts.fail(accountId, 'one', NOON);
        await attempts.fail(accountId, 'one', afterDays);
        return attempts.of(accountId, 'one');
      });
      assert.deepEqual(read, { failures: 1, failedAt: afterDays });
    });

    test('attempts: set() replaces the record', async () => {
      const accountId = fresh();
      const read = await within(async ({ attempts }) => {
        await attempts.fail(accountId, 'source 192.0.2.1', NOON);
        await attempts.set(accountId, 'source 192.0.2.1', { failures: 7, failedAt: later });
        return attempts.of(accountId, 'source 192.0.2.1');
      });
      assert.deepEqual(read, { failures: 7, failedAt: later });
    });

    test('attempts: trim() deletes the oldest records of one account with the subject prefix', async () => {
      const [accountId, other] = [fresh(), fresh()];
      const left = await within(async ({ attempts }) => {
        for (const [i, subject] of ['name c', 'name b', 'name a'].entries()) await attempts.fail(accountId, subject, instant(NOON + i));
        await attempts.fail(accountId, 'password x', instant(NOON - 1));
        await attempts.fail(other, 'name c', NOON);
        await attempts.trim(accountId, 'name ', 3);
        const before = await attempts.of(accountId, 'name c');
        await attempts.trim(accountId, 'name ', 2);
        const subjects = ['name c', 'name b', 'name a', 'password x'];
        const after = [];
        for (const subject of subjects) if (await attempts.of(accountId, subject)) after.push(subject);
        return { before, after, other: await attempts.of(other, 'name c') };
      });
      const once = { failures: 1, failedAt: NOON };
      assert.deepEqual(left, { before: once, after: ['name b', 'name a', 'password x'], other: once });
    });

    test('attempts: trim() keeps the requested number of records even if all have the same time', async () => {
      const accountId = fresh();
      const left = await within(async ({ attempts }) => {
        const subjects = ['name 1', 'name 2', 'name 3', 'name 4'];
        for (const subject of subjects) await attempts.fail(accountId, subject, NOON);
        await attempts.trim(accountId, 'name ', 3);
        const kept = [];
        for (const subject of subjects) if (await attempts.of(accountId, subject)) kept.push(subject);
        return kept.length;
      });
      assert.equal(left, 3);
    });

    test('attempts: forget() deletes records older than a day, at most as many as the limit', async () => {
      const accountId = fresh();
      const read = await within(async ({ attempts }) => {
        for (const subject of ['a', 'b', 'c']) await attempts.fail(accountId, subject, instant(0));
        await attempts.fail(accountId, 'd', afterDays);
        const counts = [
          await attempts.forget(afterDays, 2),
          (await attempts.forget(afterDays, 1_000)) > 0,
          await attempts.forget(afterDays, 2),
        ];
        return [...counts, await attempts.of(accountId, 'c'), (await attempts.of(accountId, 'd'))?.failures];
      });
      assert.deepEqual(read, [2, true, 0, undefined, 1]);
    });
  });
}
