import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { NOON, type Within } from './conformance-fixtures.ts';

export function attemptsConformance(within: Within, fresh: () => AccountId): void {
  describe('attempts', () => {
    const later = instant(NOON + 60_000);
    const afterDays = instant(later + 2 * 24 * 3_600_000);

    test('attempts: failures in a row are counted, each thing by itself, until they are cleared', async () => {
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

    test('attempts: after a day without any, a failure is the first again', async () => {
      const accountId = fresh();
      const read = await within(async ({ attempts }) => {
        await attempts.fail(accountId, 'one', NOON);
        await attempts.fail(accountId, 'one', afterDays);
        return attempts.of(accountId, 'one');
      });
      assert.deepEqual(read, { failures: 1, failedAt: afterDays });
    });
  });
}
