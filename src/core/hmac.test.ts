import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { hmacSha256 } from './hmac.ts';

// biome-ignore format: a table
const CASES: readonly [title: string, keyBytes: number, prefix: string, text: string][] = [
  ['a short key',                   1,  '',         'text'],
  ['a key of a block',              64, '',         'text'],
  ['an empty string',               32, '',         ''],
  ['a prefix',                      32, 'join\n',   'text'],
  ['a string of the maximum',       32, 'join\n',   'x'.repeat(100)],
];

for (const [title, keyBytes, prefix, text] of CASES) {
  test(`hmacSha256: for ${title}, the MAC equals that of createHmac, even after the MAC of another string`, () => {
    const key = new Uint8Array(keyBytes).fill(0xa5);
    const hmac = hmacSha256(key, 100, prefix);
    hmac('y'.repeat(100), 'hex');
    for (const encoding of ['hex', 'base64url'] as const) {
      assert.equal(hmac(text, encoding), createHmac('sha256', key).update(prefix).update(text).digest(encoding));
    }
  });
}

test('hmacSha256: throws for a key or a string that is too long', () => {
  assert.throws(() => hmacSha256(new Uint8Array(65), 100), /the HMAC key has 65 bytes; the maximum is 64/);
  assert.throws(() => hmacSha256(new Uint8Array(32), 100)('x'.repeat(101), 'hex'), /has 101 bytes; the maximum is 100/);
});
