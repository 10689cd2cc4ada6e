import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestResponse, newDigests, parseDigest } from './digest.ts';

const MUFASA = { username: 'Mufasa', uri: '/dir/index.html', nc: '00000001' };

// biome-ignore format: a table
const VECTORS = [
  ['RFC 2617 §3.5', { ...MUFASA, realm: 'testrealm@host.com', nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093', cnonce: '0a4f113b' }, 'Circle Of Life', '6629fae49393a05397450978507c4ef1'],
  ['RFC 7616 §3.9.1', { ...MUFASA, realm: 'http-auth@example.org', nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v', cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ' }, 'Circle of Life', '8ca523f5e9506fed4657c9700eebdbec'],
] as const;

for (const [title, fields, password, expected] of VECTORS) {
  test(`Digest: the example of ${title}`, () => assert.equal(digestResponse(fields, 'GET', password), expected));
}

const REALM = 'abc.voiceconnector.chime.aws';
const URI = `sip:+12065550101@${REALM}`;
const PASSWORD = 'a long secret';

function rig() {
  let now = 1_000_000_000_000;
  let salt = 0;
  const digests = newDigests(
    new Uint8Array(32).fill(1),
    (bytes) => new Uint8Array(bytes).fill(++salt),
    () => now,
  );
  const request = { method: 'INVITE', requestUri: URI, source: '192.0.2.1', realm: REALM };
  const passwordOf = (user: string) => (user === 'ada' ? PASSWORD : undefined);
  return {
    wait: (milliseconds: number) => void (now += milliseconds),
    nonce: (more: object = {}) => /nonce="([^"]+)"/.exec(digests.challenge({ ...request, ...more }, false))?.[1] ?? '',
    challenge: (isStale: boolean) => digests.challenge(request, isStale),
    check: (authorization: string | undefined, more: object = {}) =>
      digests.check({ ...request, authorization, passwordOf, ...more }).result,
    digests,
  };
}

function header(nonce: string, more: Partial<Record<string, string>> = {}, password = PASSWORD): string {
  const fields = { username: 'ada', realm: REALM, nonce, uri: URI, cnonce: 'c', nc: '00000001', ...more };
  const response = digestResponse(fields, 'INVITE', password);
  const { nc, ...quoted } = fields;
  const members = Object.entries({ ...quoted, response, ...more }).filter(([name]) => name !== 'nc');
  return `Digest ${members.map(([name, value]) => `${name}="${value}"`).join(', ')}, nc=${nc}, qop=auth, algorithm=MD5`;
}

test('Digest: right credentials are accepted once for each count of a nonce', () => {
  const { nonce, check } = rig();
  const first = nonce();
  const results = ['00000001', '00000001', '00000003', '00000002', '00000003', '00000000', '00000101'].map((nc) =>
    check(header(first, { nc })),
  );
  assert.deepEqual(results, ['ok', 'stale', 'ok', 'ok', 'stale', 'stale', 'stale']);
});

test('Digest: a nonce is valid for 60 seconds, for its source and realm, at the server that issued it', () => {
  const { nonce, check, wait } = rig();
  const early = nonce();
  wait(59_999);
  assert.equal(check(header(early)), 'ok');
  wait(1);
  assert.equal(check(header(early, { nc: '00000002' })), 'stale');
  assert.equal(check(header(nonce({ source: '192.0.2.2' }))), 'stale');
  assert.equal(check(header(nonce({ realm: 'other' }))), 'stale');
  assert.equal(check(header('0'.repeat(60))), 'stale');
  const other = newDigests(
    new Uint8Array(32).fill(2),
    (bytes) => new Uint8Array(bytes),
    () => 1_000_000_060_000,
  );
  const foreign = /nonce="([^"]+)"/.exec(other.challenge({ realm: REALM, source: '192.0.2.1' }, false))?.[1] ?? '';
  assert.equal(check(header(foreign)), 'stale');
});

test('Digest: the challenge says stale only if the client should try its password again', () => {
  const { challenge } = rig();
  const pattern = /^Proxy-Authenticate: Digest realm="[a-z.]+", nonce="[0-9a-f]{60}", algorithm=MD5, qop="auth"(, stale=true)?\r\n$/;
  assert.equal(pattern.exec(challenge(false))?.[1], undefined);
  assert.equal(pattern.exec(challenge(true))?.[1], ', stale=true');
});

test('Digest: wrong credentials are wrong', () => {
  const { nonce, check } = rig();
  const at = nonce();
  // biome-ignore format: a table
  const cases: readonly (readonly [title: string, header: string | undefined, more: object, expected: string])[] = [
    ['no header',             undefined,                                        {},                          'missing'],
    ['another password',      header(at, {}, 'guess'),                          {},                          'wrong'],
    ['an unknown user',       header(at, { username: 'eve' }, ''),              {},                          'wrong'],
    ['another realm',         header(at, { realm: 'other' }),                   {},                          'wrong'],
    ['another called number', header(at, { uri: `sip:+19005550100@${REALM}` }), {},                          'wrong'],
    ['another method',        header(at),                                       { method: 'BYE' },           'wrong'],
    ['a response in capitals', header(at).replace(/response="([^"]+)"/, (text) => text.toUpperCase().replace('RESPONSE', 'response')), {}, 'wrong'],
    ['without qop',           header(at).replace(', qop=auth', ''),             {},                          'wrong'],
    ['qop=auth-int',          header(at).replace('qop=auth', 'qop=auth-int'),   {},                          'wrong'],
    ['SHA-256',               header(at).replace('MD5', 'SHA-256'),             {},                          'wrong'],
    ['a member twice',        `${header(at)}, username="ada"`,                  {},                          'wrong'],
    ['the Basic scheme',      'Basic YWRhOmEgbG9uZyBzZWNyZXQ=',                 {},                          'wrong'],
    ['the right one',         header(at),                                       {},                          'ok'],
  ];
  for (const [title, authorization, more, expected] of cases) assert.equal(check(authorization, more), expected, title);
});

test('parseDigest: hostile headers are refused', () => {
  const hostile = ['Digest ', 'Digest ,', 'Digest username', 'Digest username="', `Digest username="${'\\'.repeat(2_000)}`];
  hostile.push(
    `Digest ${'a=b,'.repeat(500)}`,
    `Digest ${'a'.repeat(2_000)}`,
    `Digest username="a"${' '.repeat(1_900)}x`,
    'Digest x'.repeat(9_000),
  );
  for (const each of hostile) assert.equal(parseDigest(each), undefined);
});
