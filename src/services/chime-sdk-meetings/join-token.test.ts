import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { loadModel } from '#model/load.ts';
import { type JoinTokenFacts, joinTokens } from './join-token.ts';

const KEY = new Uint8Array(32).fill(1);
const NOW = instant(1_800_000_000_000);
const FACTS: JoinTokenFacts = {
  accountId: '111122223333',
  region: 'us-east-1',
  meetingId: 'a6b1e9b0-0000-4000-8000-000000000001',
  attendeeId: 'a6b1e9b0-0000-4000-8000-000000000002',
  externalUserId: 'É'.repeat(64),
  expiresAt: instant(NOW + 1),
};

test('Join tokens: verify returns the content of a token until it expires; equal content has equal tokens', () => {
  const { issue, verify } = joinTokens(KEY);
  const token = issue(FACTS);
  assert.deepEqual(verify(token, NOW), FACTS);
  assert.equal(issue(FACTS), token);
  assert.equal(verify(token, FACTS.expiresAt), undefined);
});

test('Join tokens: the longest token has only characters of an HTTP token, and the model allows its length', () => {
  const token = joinTokens(KEY).issue(FACTS);
  assert.match(token, /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/);
  const shape = loadModel('chime-sdk-meetings').shapes['JoinTokenString'];
  assert.ok(token.length <= (shape?.max ?? 0), `${token.length}`);
});

test('Join tokens: a token that was altered, or was issued with another key, is invalid', () => {
  const { issue, verify } = joinTokens(KEY);
  const token = issue(FACTS);
  const refused = Array.from(token, (character, i) => `${token.slice(0, i)}${character === 'A' ? 'B' : 'A'}${token.slice(i + 1)}`);
  // The last character of 32 bytes in base64url has two unused bits, so a token with another last character can be valid.
  refused.pop();
  refused.push(
    '',
    '.',
    token.slice(0, -4),
    `${token}#content`.repeat(40),
    token.replace('.', ''),
    joinTokens(new Uint8Array(32)).issue(FACTS),
  );
  for (const each of refused) assert.equal(verify(each, NOW), undefined, each);
});

test('Join tokens: a short key is an error', () => {
  assert.throws(() => joinTokens(new Uint8Array(31)), /32 bytes/);
});

test('Join tokens: a token of a previous key is valid only if `older` contains that key', () => {
  const older = new Uint8Array(32).fill(9);
  const token = joinTokens(older).issue(FACTS);
  assert.deepEqual(joinTokens(KEY, [older]).verify(token, NOW), FACTS);
  assert.equal(joinTokens(KEY).verify(token, NOW), undefined);
});
