import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { SipConnector } from './decision.ts';
import { callIdOf, sipLogBook, withoutCredentials } from './sip-logs.ts';

const HIDDEN = 'HIDDEN_DUE_TO_SECURITY_REASONS';

// biome-ignore format: a table
const MASKED: readonly (readonly [title: string, message: string, expected: string])[] = [
  ['the scheme remains',      'INVITE sip:a SIP/2.0\r\nProxy-Authorization: Digest username="ada", response="1"\r\nTo: b\r\n', `INVITE sip:a SIP/2.0\r\nProxy-Authorization: Digest ${HIDDEN}\r\nTo: b\r\n`],
  ['continued lines',         'A: 1\r\nAuthorization: Digest a="1",\r\n response="secret"\r\n\tx="secret"\r\nB: 2',             `A: 1\r\nAuthorization: Digest ${HIDDEN}\r\n\r\n\r\nB: 2`],
  ['a scheme on its own line', 'Authorization:\r\n Basic c2VjcmV0\r\nB: 2',                                                   `Authorization: ${HIDDEN}\r\n\r\nB: 2`],
  ['an unknown scheme',       'authorization :c2VjcmV0',                                                                      `authorization : ${HIDDEN}`],
  ['bare line feeds',         'A: 1\nAUTHORIZATION: Digest secret\nB: 2',                                                     `A: 1\nAUTHORIZATION: Digest ${HIDDEN}\nB: 2`],
  ['bare carriage returns',   'A: 1\rProxy-Authorization: Bearer secret\rB: 2',                                               `A: 1\rProxy-Authorization: Bearer ${HIDDEN}\rB: 2`],
  ['other headers',           'Proxy-Authenticate: Digest nonce="n"\r\nX-Authorization: visible',                             'Proxy-Authenticate: Digest nonce="n"\r\nX-Authorization: visible'],
];

for (const [title, message, expected] of MASKED) {
  test(`SIP logs: credentials are hidden: ${title} (LOG-28)`, () => assert.equal(withoutCredentials(message), expected));
}

test('SIP logs: the Call-ID has a compact form', () => {
  assert.equal(callIdOf('INVITE sip:a SIP/2.0\r\nCall-ID: one@host\r\n'), 'one@host');
  assert.equal(callIdOf('INVITE sip:a SIP/2.0\r\ni:two\r\n'), 'two');
  assert.equal(callIdOf('INVITE sip:a SIP/2.0\r\nVia: three\r\n'), undefined);
});

test('SIP logs: messages wait 5 seconds for the decision, and only logged connectors have entries', () => {
  let now = 1_000_000;
  const book = sipLogBook(() => instant(now));
  const connector = (logsSip: boolean): SipConnector => ({
    ...{ accountId: '111122223333' as AccountId, region: 'us-east-1', awsRegion: 'us-east-1', id: `vc-${logsSip}`, hostName: 'h' },
    ...{ requireEncryption: false, credentials: [], logsSip },
  });
  const add = (callId: string, text: string) => book.add({ at: now, text: `${text}\r\nCall-ID: ${callId}\r\n` });
  const texts = () => book.take().entries.map(({ text, transactionId }) => `${transactionId} ${text.split('\r\n')[0]}`);
  add('a', 'first');
  add('b', 'never');
  add('late', 'too late');
  now += 4_999;
  book.decided('a', connector(true), 'tx-a');
  book.decided('b', connector(false), 'tx-b');
  add('a', 'second');
  add('b', 'never');
  assert.deepEqual(texts(), ['tx-a first', 'tx-a second']);
  now += 1;
  add('other', 'removes what waits too long');
  book.decided('late', connector(true), 'tx-late');
  assert.deepEqual(texts(), []);
  for (let index = 0; index < 5_010; index++) add('a', 'many');
  const { entries, dropped } = book.take();
  assert.deepEqual([entries.length, dropped], [5_000, 10]);
});
