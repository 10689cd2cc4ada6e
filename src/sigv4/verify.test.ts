import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import type { Received } from '#core/exchange.ts';
import { type Instant, instant } from '#core/instant.ts';
import { readSignature, type SignatureClaim } from './claim.ts';
import { CREDENTIALS, received, SECRET, SIGNED_AT } from './fixtures.ts';
import { presign, sign } from './sign.ts';
import { deriveSigningKey, signingKeyCache } from './signing-key.ts';
import { type Verification, verifySignature } from './verify.ts';

const HOST = ['Host', 'example.amazonaws.com'] as const;
const DATE = ['X-Amz-Date', '20150830T123600Z'] as const;
const UNRESERVED = '-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

interface Options {
  readonly secret?: string | undefined;
  readonly signingName?: string;
  readonly now?: Instant;
}

function verify(request: Received, options: Options = {}): Verification {
  const read = readSignature(request);
  assert.equal(read.kind, 'claim', JSON.stringify(read));
  return verifySignature(request, (read as { claim: SignatureClaim }).claim, {
    secret: SECRET,
    signingName: 'service',
    now: SIGNED_AT,
    keyCache: signingKeyCache(),
    ...options,
  });
}

function messageOf(request: Received, options: Options = {}): string {
  const verification = verify(request, options);
  assert.equal(verification.verified, false);
  return (verification as { message: string }).message;
}

/** Requests and signatures of an independent signer. Source: AWS's "Signature Version 4 test suite". */
// biome-ignore format: a table
const VECTORS: readonly [name: string, target: string, headers: readonly (readonly [string, string])[], signature: string][] = [
  // case                                 target                                      further headers                                                               signature
  ['a vanilla GET',                       '/',                                        [],                                                                           '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  ['a header three times',                '/',                                        [['My-Header1', 'value2'], ['My-Header1', 'value2'], ['My-Header1', 'value1']], 'c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea'],
  ['spaces in header values',             '/',                                        [['My-Header1', ' value1'], ['My-Header2', ' "a   b   c"']],                  'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736'],
  ['a space in the path',                 '/example space/',                          [],                                                                           '652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741'],
  ['UTF-8 in the path',                   '/ሴ',                                       [],                                                                           '8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85'],
  ['a name that is a prefix of another',  '/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1', [],                                                                     '371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac'],
  ['a session token',                     '/',                                        [['X-Amz-Security-Token', '6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267']], '07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8'],
];

for (const [name, target, further, signature] of VECTORS) {
  test(`verifySignature: accepts a published test vector: ${name}`, () => {
    const names = [...new Set(['host', ...further.map(([header]) => header.toLowerCase()), 'x-amz-date'])].sort().join(';');
    const authorization = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${names}, Signature=${signature}`;
    assert.deepEqual(verify(received('GET', target, [HOST, ...further, DATE, ['Authorization', authorization]])), { verified: true });
  });
}

const SCOPE_PARAMETERS =
  'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Expires=3600';

// biome-ignore format: a table
const PRESIGNED_VECTORS: readonly [name: string, begin: string, end: string, signature: string][] = [
  // case                     before the parameters               after                                                                                         signature
  ['unreserved characters',   `/?${UNRESERVED}=${UNRESERVED}&`,   '',                                                                                           '8e76a88a7433637b12778d5592799b29ad21ecd6cf6325051c21d86f0acda2bf'],
  ['UTF-8 in the query',      '/?ሴ=bar&',                         '',                                                                                           '0bdd809b1519ac4f0c1dc3540e2cc46bd0c7f778eda408b2ebf3b913d21ff600'],
  ['a session token',         '/?',                               '&X-Amz-Security-Token=6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267',     '7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c'],
];

for (const [name, begin, end, signature] of PRESIGNED_VECTORS) {
  test(`verifySignature: accepts a published presigned test vector: ${name}`, () => {
    assert.deepEqual(verify(received('GET', `${begin}${SCOPE_PARAMETERS}${end}&X-Amz-Signature=${signature}`, [HOST])), { verified: true });
  });
}

// biome-ignore format: a table
const PATHS: readonly [name: string, target: string, signature: string][] = [
  ['doubled slashes',   '//example//',   '9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84'],
];

for (const [name, target, signature] of PATHS) {
  test(`verifySignature: ${name} in the path of a published test vector are rejected`, () => {
    const authorization = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`;
    const sent = (path: string) => received('GET', path, [HOST, DATE, ['Authorization', authorization]]);
    assert.match(messageOf(sent(target)), /Send the normalized path/);
    assert.deepEqual(verify(sent('/example/')), { verified: true });
    assert.match(messageOf(sent('/other/../example/')), /Send the normalized path/);
  });
}

/** Returns a signed POST request. Applies `change` after signing. */
function signed(
  change: Partial<{ host: string; method: string; target: string; body: string; add: [string, string] }> = {},
  now = SIGNED_AT,
): Received {
  const headers = sign(
    {
      method: 'POST',
      target: '/meetings?a=1',
      headers: { host: 'example.amazonaws.com', 'content-type': 'application/json' },
      body: '{"a":1}',
    },
    { credentials: CREDENTIALS, region: 'us-east-1', signingName: 'service', now },
  );
  const sent = Object.entries({ ...headers, ...(change.host && { host: change.host }) });
  return received(
    change.method ?? 'POST',
    change.target ?? '/meetings?a=1',
    change.add ? [...sent, change.add] : sent,
    change.body ?? '{"a":1}',
  );
}

test('verifySignature: accepts a request that sign() signed', () => {
  assert.deepEqual(verify(signed()), { verified: true });
});

test('verifySignature: an unsigned x-amzn-trace-id of a proxy is accepted', () => {
  assert.deepEqual(verify(signed({ add: ['X-Amzn-Trace-Id', 'Root=1'] })), { verified: true });
});

const MISMATCH = /^The request signature we calculated does not match the signature you provided\. Check your AWS Secret Access Key/;

// biome-ignore format: a table
const REJECTED: readonly [name: string, request: Received, options: Options, message: RegExp][] = [
  // problem                           the request                                                  verified with                     the message
  ['another service',                  signed(),                                                    { signingName: 'iam' },           /^Credential should be scoped to correct service: 'iam'\.$/],
  ['signed 5 min 1 s ago',             signed(),                                                    { now: instant(SIGNED_AT + 301_000) }, /^Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z \(20150830T124101Z - 5 min\.\)$/],
  ['signed 5 min 1 s ahead',           signed(),                                                    { now: instant(SIGNED_AT - 301_000) }, /^Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z \(20150830T123059Z \+ 5 min\.\)$/],
  ['an unsigned x-amz header',         signed({ add: ['X-Amz-Chime-Bearer', 'x'] }),                {},                               /^'x-amz-chime-bearer' must be a 'SignedHeader' in the AWS Authorization\.$/],
  ['another body',                     signed({ body: '{"a":2}' }),                                 {},                               MISMATCH],
  ['another method',                   signed({ method: 'PUT' }),                                   {},                               MISMATCH],
  ['another path',                     signed({ target: '/meeting?a=1' }),                          {},                               MISMATCH],
  ['another query',                    signed({ target: '/meetings?a=2' }),                         {},                               MISMATCH],
  ['one more query parameter',         signed({ target: '/meetings?a=1&b' }),                       {},                               MISMATCH],
  ['another host',                     signed({ host: 'evil.example' }),                            {},                               MISMATCH],
  ['one more value of a signed header', signed({ add: ['content-type', 'text/plain'] }),            {},                               MISMATCH],
  ['another secret',                   signed(),                                                    { secret: `${SECRET}x` },         MISMATCH],
  ['an unknown access key',            signed(),                                                    { secret: undefined },            MISMATCH],
];

for (const [name, request, options, message] of REJECTED) {
  test(`verifySignature: ${name}: the request is rejected`, () => assert.match(messageOf(request, options), message));
}

test('verifySignature: accepts a date five minutes in the past or future', () => {
  assert.equal(verify(signed(), { now: instant(SIGNED_AT + 300_000) }).verified, true);
  assert.equal(verify(signed(), { now: instant(SIGNED_AT - 300_000) }).verified, true);
});

/**
 * Returns a request with a signature that this function computes without `sign`. An attacker with a valid secret could
 * create such a request.
 */
function handmade(change: {
  readonly headers?: readonly (readonly [string, string])[];
  readonly signedHeaders?: string;
  readonly bodyHash?: string;
  readonly day?: string;
  readonly body?: string;
}): Received {
  const headers = change.headers ?? [HOST, DATE];
  const names =
    change.signedHeaders ??
    headers
      .map(([header]) => header.toLowerCase())
      .sort()
      .join(';');
  const value = (name: string) => headers.find(([header]) => header.toLowerCase() === name)?.[1] ?? '';
  const lines = names
    .split(';')
    .map((name) => `${name}:${value(name)}\n`)
    .join('');
  const bodyHash = change.bodyHash ?? sha256(change.body ?? '');
  const day = change.day ?? '20150830';
  const text = `AWS4-HMAC-SHA256\n20150830T123600Z\n${day}/us-east-1/service/aws4_request\n${sha256(`GET\n/\n\n${lines}\n${names}\n${bodyHash}`)}`;
  const signature = deriveSigningKey(SECRET, { date: day, region: 'us-east-1', service: 'service' })(text);
  const authorization = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${day}/us-east-1/service/aws4_request, SignedHeaders=${names}, Signature=${signature}`;
  return received('GET', '/', [...headers, ['Authorization', authorization]], change.body);
}

function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}

test('verifySignature: accepts a request with a signature that the test computed', () => {
  assert.deepEqual(verify(handmade({})), { verified: true });
});

const UNSIGNED_BODY = ['X-Amz-Content-Sha256', 'UNSIGNED-PAYLOAD'] as const;
const STREAMING_BODY = ['X-Amz-Content-Sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'] as const;

// biome-ignore format: a table
const WELL_SIGNED_AND_REJECTED: readonly [name: string, request: Received, message: RegExp][] = [
  ['a scope of another day',               handmade({ day: '20150829' }),                                                       /^Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != '20150830', from '20150830T123600Z'\.$/],
  ['an unsigned host',                     handmade({ signedHeaders: 'x-amz-date' }),                                           /^'Host' or ':authority' must be a 'SignedHeader'/],
  ['signed headers out of order',          handmade({ signedHeaders: 'x-amz-date;host' }),                                      /must be sorted/],
  ['a signed header twice',                handmade({ signedHeaders: 'host;host;x-amz-date' }),                                 /must be sorted/],
  ['an absent signed header',              handmade({ signedHeaders: 'absent;host;x-amz-date' }),                               MISMATCH],
  ['UNSIGNED-PAYLOAD',                     handmade({ headers: [HOST, DATE, UNSIGNED_BODY], bodyHash: 'UNSIGNED-PAYLOAD' }),    MISMATCH],
  ['a STREAMING payload',                  handmade({ headers: [HOST, DATE, STREAMING_BODY], bodyHash: STREAMING_BODY[1] }),    MISMATCH],
  ['a hash of another body',               handmade({ headers: [HOST, DATE, ['X-Amz-Content-Sha256', sha256('b')]], bodyHash: sha256('b'), body: 'a' }), MISMATCH],
];

for (const [name, request, message] of WELL_SIGNED_AND_REJECTED) {
  test(`verifySignature: ${name} is rejected although the signer has the secret`, () => assert.match(messageOf(request), message));
}

const PRESIGN = { credentials: CREDENTIALS, region: 'us-east-1', signingName: 'service', now: SIGNED_AT, expiresSeconds: 10 };

for (const method of ['GET', 'POST']) {
  test(`verifySignature: accepts a presigned ${method} request only until the request expires`, () => {
    const target = presign({ method, target: '/connect?sessionId=a%2Fb&userArn=x+y', headers: { host: 'h' }, body: '' }, PRESIGN);
    const request = received(method, target, [['host', 'h']]);
    assert.deepEqual(verify(request), { verified: true });
    assert.deepEqual(verify(request, { now: instant(SIGNED_AT + 10_000) }), { verified: true });
    assert.match(messageOf(request, { now: instant(SIGNED_AT + 10_001) }), /^Signature expired: .* - 10 sec\.\)$/);
    assert.match(messageOf(received(method, `${target}&more=1`, [['host', 'h']])), MISMATCH);
  });
}

test('verifySignature: a presigned request with an unsigned body is rejected', () => {
  const target = presign({ method: 'POST', target: '/', headers: { host: 'h' }, body: '' }, PRESIGN);
  assert.match(messageOf(received('POST', target, [['host', 'h']], 'Action=DeleteUser')), MISMATCH);
});

test('verifySignature: one flipped bit in the target, signed headers or body is rejected', () => {
  const whole = signed();
  const flip = (text: string, at: number) => text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
  const variants: Received[] = [];
  for (let i = 0; i < whole.target.length; i++) variants.push({ ...whole, target: flip(whole.target, i) });
  for (let i = 0; i < whole.body.length; i++)
    variants.push({ ...whole, body: Buffer.from(flip(Buffer.from(whole.body).toString('latin1'), i), 'latin1') });
  for (let h = 0; h < whole.rawHeaders.length; h++) {
    const text = whole.rawHeaders[h] as string;
    for (let i = 0; i < text.length; i++) variants.push({ ...whole, rawHeaders: whole.rawHeaders.with(h, flip(text, i)) });
  }
  const verified = variants.filter((variant) => {
    const read = readSignature(variant);
    return (
      read.kind === 'claim' &&
      verifySignature(variant, read.claim, { secret: SECRET, signingName: 'service', now: SIGNED_AT, keyCache: signingKeyCache() }).verified
    );
  });
  assert.ok(variants.length > 300);
  // The signature does not cover the access key ID. A changed ID is accepted only because this test uses one secret for
  // all IDs. The server uses a different secret for each ID.
  const harmless = verified.filter((variant) => !variant.rawHeaders.some((text) => /Credential=(?!AKIDEXAMPLE\/)/.test(text)));
  assert.deepEqual(harmless, []);
});

test('signingKeyCache: after an access key gets a new secret, its old signing key is not used', () => {
  const keyCache = signingKeyCache();
  const request = signed();
  const read = readSignature(request);
  assert.ok(read.kind === 'claim');
  const with_ = (secret: string) =>
    verifySignature(request, read.claim, { secret, signingName: 'service', now: SIGNED_AT, keyCache }).verified;
  assert.deepEqual([with_(SECRET), with_(SECRET), with_('another'), with_(SECRET)], [true, true, false, true]);
});

test('signingKeyCache: a full cache drops the least recently used access key', () => {
  const keyCache = signingKeyCache(2);
  const scope = { date: '20150830', region: 'us-east-1', service: 'service' };
  for (const id of ['A', 'B', 'C']) keyCache.keep(id, scope, SECRET, (text) => text);
  assert.deepEqual(
    ['A', 'B', 'C'].map((id) => keyCache.find(id, scope, SECRET) !== undefined),
    [false, true, true],
  );
});

test('signingKeyCache: keeps keys of several services, and drops them if the day or secret changes', () => {
  const keyCache = signingKeyCache();
  const scope = (service: string, date = '20150830') => ({ date, region: 'us-east-1', service });
  const found = (secret = SECRET, date?: string) =>
    ['chime', 'iam', 'sts'].filter((service) => keyCache.find('A', scope(service, date), secret)?.('') === service);
  keyCache.keep('A', scope('chime'), SECRET, () => 'chime');
  keyCache.keep('A', scope('iam'), SECRET, () => 'iam');
  assert.deepEqual([found(), found('another'), found(SECRET, '20150831')], [['chime', 'iam'], [], []]);
  keyCache.keep('A', scope('sts', '20150831'), SECRET, () => 'sts');
  assert.deepEqual([found(), found(SECRET, '20150831')], [[], ['sts']]);
  keyCache.keep('A', scope('iam', '20150831'), 'another', () => 'iam');
  assert.deepEqual([found(SECRET, '20150831'), found('another', '20150831')], [[], ['iam']]);
});

test('verifySignature: a wrong signature adds no key to the cache', () => {
  const keyCache = signingKeyCache();
  const request = signed({ body: 'x' });
  const read = readSignature(request);
  assert.ok(read.kind === 'claim');
  verifySignature(request, read.claim, { secret: SECRET, signingName: 'service', now: SIGNED_AT, keyCache });
  assert.equal(keyCache.find('AKIDEXAMPLE', read.claim, SECRET), undefined);
});
