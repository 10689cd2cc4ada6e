import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { ALICE, BOB, NOON, type Suite } from './conformance-fixtures.ts';

export function conformance({ within }: Suite): void {
  const key = { accountId: ALICE, region: 'us-east-1', operation: 'chime:CreateMeeting', token: 't' };
  const answer = { requestHash: 'h', answer: '{}', expiresAt: instant(NOON + 1000) };

  test('idempotency: get() finds an answer by account, region, operation and token until the answer expires', async () => {
    const read = await within(async ({ idempotency }) => {
      await idempotency.put(key, answer);
      return [
        await idempotency.get(key, NOON),
        await idempotency.get(key, answer.expiresAt),
        await idempotency.get({ ...key, token: 'u' }, NOON),
        await idempotency.get({ ...key, region: 'eu-central-1' }, NOON),
        await idempotency.get({ ...key, accountId: BOB }, NOON),
      ];
    });
    assert.deepEqual(read, [answer, undefined, undefined, undefined, undefined]);
  });

  test('idempotency: a later answer replaces an earlier one', async () => {
    const later = { requestHash: 'h2', answer: '[]', expiresAt: instant(NOON + 2000) };
    const read = await within(async ({ idempotency }) => {
      await idempotency.put(key, answer);
      await idempotency.put(key, later);
      return idempotency.get(key, NOON);
    });
    assert.deepEqual(read, later);
  });

  test('idempotency: forgetExpired() deletes expired answers, at most as many as the limit', async () => {
    const forgotten = await within(async ({ idempotency }) => {
      await idempotency.forgetExpired(instant(NOON * 2), 1000);
      for (const token of ['1', '2', '3'])
        await idempotency.put({ ...key, token }, { ...answer, expiresAt: instant(NOON + Number(token)) });
      return [
        await idempotency.forgetExpired(instant(NOON + 2), 1),
        await idempotency.forgetExpired(instant(NOON + 2), 5),
        await idempotency.forgetExpired(instant(NOON + 2), 5),
      ];
    });
    assert.deepEqual(forgotten, [1, 1, 0]);
  });
}
