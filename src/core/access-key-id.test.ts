import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { accountOfAccessKeyId, newAccessKeyId } from './access-key-id.ts';
import type { AccountId } from './arn.ts';

for (const account of ['000000000000', '000000000001', '123456789012', '999999999999'] as AccountId[]) {
  test(`newAccessKeyId: accountOfAccessKeyId finds the account ${account} in the new ID`, () => {
    for (const prefix of ['AKIA', 'ASIA'] as const) {
      const id = newAccessKeyId(prefix, account, randomBytes);
      assert.match(id, new RegExp(`^${prefix}[A-Z2-7]{16}$`));
      assert.equal(accountOfAccessKeyId(id), account);
    }
  });
}

test('newAccessKeyId: the random bits change only the end of the ID', () => {
  const ids = [0, 0xff].map((byte) => newAccessKeyId('AKIA', '123456789012' as AccountId, (bytes) => new Uint8Array(bytes).fill(byte)));
  assert.deepEqual(
    ids.map((id) => id.slice(0, 12)),
    [ids[0]?.slice(0, 12), ids[0]?.slice(0, 12)],
  );
  assert.notEqual(ids[0]?.slice(12), ids[1]?.slice(12));
});

for (const text of [
  '',
  'AKIAIOSFODNN7EXAMPLE',
  'AIDAQ22222222222222A',
  'ASIAQ22222222222222',
  'ASIA77777777777777777',
  'ASIA7777777777777777',
]) {
  test(`accountOfAccessKeyId: '${text}' is undefined`, () => assert.equal(accountOfAccessKeyId(text), undefined));
}
