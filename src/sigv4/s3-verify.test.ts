import assert from 'node:assert/strict';
import { createHash, createHmac, hash } from 'node:crypto';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { type Instant, instant } from '#core/instant.ts';
import { CREDENTIALS, received, SECRET, SIGNED_AT } from './fixtures.ts';
import { readS3Signature } from './s3-claim.ts';
import { verifyS3Signature } from './s3-verify.ts';
import { signingKeyCache } from './signing-key.ts';

/** The package has no types. */
const aws4 = createRequire(import.meta.url)('aws4') as {
  sign(request: object, credentials: object): { readonly path: string; readonly headers: Readonly<Record<string, string | number>> };
};

/** SHA-256 and HMAC-SHA-256 with the interface that the signer of the AWS clients requires. */
class Sha256 {
  readonly digesting;
  constructor(secret?: string | Uint8Array) {
    this.digesting = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
  }
  update(bytes: string | Uint8Array): void {
    this.digesting.update(bytes);
  }
  async digest(): Promise<Uint8Array> {
    return this.digesting.digest();
  }
  reset(): void {}
}

type Headers = Readonly<Record<string, string>>;

const HOST = 'localhost:7080';
const EMPTY = hash('sha256', '', 'hex');
const signer = new SignatureV4({
  credentials: CREDENTIALS,
  region: 'eu-central-1',
  service: 's3',
  sha256: Sha256 as never,
  uriEscapePath: false,
  applyChecksum: false,
});

/** A request to sign. `path` is the path as sent. */
interface Unsigned {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Headers;
}

const requestOf = ({ method, path, query = {}, headers = {} }: Unsigned) => ({
  method,
  protocol: 'http:',
  hostname: 'localhost',
  path,
  query: { ...query },
  headers: { host: HOST, ...headers },
});

/** Returns the target with the query that the client sends. */
function targetOf(path: string, query: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(query).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(`${value}`)}`);
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
}

/** Signs a request in its headers, as the AWS SDK does, and returns it as the server receives it. */
async function signed(unsigned: Unsigned, added: Headers = {}) {
  const { method, path, query, headers } = await signer.sign(requestOf(unsigned), { signingDate: new Date(SIGNED_AT) });
  return received(method, targetOf(path, query ?? {}), Object.entries({ ...headers, ...added }));
}

/** Presigns a request, as the AWS SDK does. The lifetime is one hour. */
async function presigned(unsigned: Unsigned, change: (target: string) => string = (target) => target, added: Headers = {}) {
  // The SDK's presigner sets this header, and the signer moves it to the query.
  const request = requestOf({ ...unsigned, headers: { ...unsigned.headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } });
  const { method, path, query } = await signer.presign(request as never, {
    signingDate: new Date(SIGNED_AT),
    expiresIn: 3_600,
    unsignableHeaders: new Set(),
  });
  return received(method, change(targetOf(path, query ?? {})), Object.entries({ host: HOST, ...added }));
}

function verify(request: ReturnType<typeof received>, now: Instant = SIGNED_AT, secret: string | undefined = SECRET) {
  const signature = readS3Signature(request);
  if (signature.kind !== 'claim') return { ...signature, verified: false as const };
  return verifyS3Signature(request, signature.claim, { secret, now, keyCache: signingKeyCache() });
}

const GET: Unsigned = { method: 'GET', path: '/bucket/key', headers: { 'x-amz-content-sha256': EMPTY } };
const segment = fc.string({
  unit: fc.constantFrom('a', 'B', '9', '.', '..', '~', '%2F', '%20', '%2E', '%25', '+', '%C3%BC', ''),
  maxLength: 6,
});
const paths = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/bucket/${segments.join('/')}`);

test('verifyS3Signature: accepts what the signer of the AWS SDK signs, with every path as sent', async () => {
  await fc.assert(
    fc.asyncProperty(paths, fc.dictionary(fc.constantFrom('prefix', 'a b', 'ü'), fc.string({ maxLength: 6 })), async (path, query) => {
      assert.equal(verify(await signed({ ...GET, path, query })).verified, true);
      const request = await presigned({ method: 'GET', path, query });
      assert.deepEqual(verify(request), { verified: true, payload: { kind: 'unsigned' } });
      // A proxy or a library that normalizes the path changes the signed request.
      const normal = new URL(request.target, 'http://localhost');
      if (!request.target.startsWith(`${normal.pathname}?`))
        assert.equal(verify({ ...request, target: `${normal.pathname}${normal.search}` }).verified, false);
    }),
    { numRuns: 60 },
  );
});

test('verifyS3Signature: accepts what aws4 signs', () => {
  for (const path of ['/bucket/a/b?list-type=2&prefix=x%2Fy', '/bucket/key']) {
    const headers = { Host: HOST, 'X-Amz-Date': '20150830T123600Z', 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD', 'X-Amz-Meta-A': 'b  c' };
    const request = aws4.sign({ method: 'PUT', path, headers, service: 's3', region: 'us-east-1', body: 'x' }, CREDENTIALS);
    assert.deepEqual(
      verify(
        received(
          'PUT',
          request.path,
          Object.entries(request.headers).map(([name, value]) => [name, `${value}`]),
        ),
      ),
      {
        verified: true,
        payload: { kind: 'unsigned' },
      },
    );
  }
});

test('verifyS3Signature: a signature in chunks returns what the verification of the chunks needs', async () => {
  const request = await signed({
    ...GET,
    method: 'PUT',
    headers: { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER' },
  });
  const result = verify(request);
  assert.ok(result.verified && result.payload.kind === 'chunked');
  const { signing, trailer } = result.payload;
  assert.deepEqual(
    [trailer, signing?.scope, signing?.amzDate, signing?.key.length],
    [true, '20150830/eu-central-1/s3/aws4_request', '20150830T123600Z', 32],
  );
  assert.match(request.rawHeaders.join(), new RegExp(`Signature=${signing?.seed}`));
});

const minutes = (count: number): Instant => instant(SIGNED_AT + count * 60_000);

// Rows of record.md C5. Each is a change of a correctly signed request.
// biome-ignore format: a table
const HEADER_ROWS: readonly [row: string, request: () => Promise<ReturnType<typeof received>>, now: Instant, code: string, members: RegExp][] = [
  ['33: no x-amz-content-sha256',            () => signed({ ...GET, headers: {} }),                                                   SIGNED_AT,   'InvalidRequest',       /^\{\}$/],
  ['34: x-amz-content-sha256: X',            () => signed({ ...GET, headers: { 'x-amz-content-sha256': 'X' } }),                      SIGNED_AT,   'InvalidArgument',      /"ArgumentName":"x-amz-content-sha256","ArgumentValue":"X"/],
  ['34: a mode of Signature Version 4A',     () => signed({ ...GET, headers: { 'x-amz-content-sha256': 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD' } }), SIGNED_AT, 'InvalidArgument', /ECDSA/],
  ['44: another method',                     async () => ({ ...(await signed(GET)), method: 'DELETE' }),                              SIGNED_AT,   'SignatureDoesNotMatch', /"StringToSign":"AWS4-HMAC-SHA256\\n.*"CanonicalRequest":"DELETE\\n\/bucket\/key\\n/],
  ['44: another path',                       async () => ({ ...(await signed(GET)), target: '/bucket/other' }),                       SIGNED_AT,   'SignatureDoesNotMatch', /"SignatureProvided":"[0-9a-f]{64}"/],
  ['44: a masked session token',             () => signed({ ...GET, headers: { ...GET.headers, 'x-amz-security-token': 'SECRETTOKEN' } }, { 'x-amz-date': '20150830T123601Z' }), SIGNED_AT, 'SignatureDoesNotMatch', /^(?!.*SECRETTOKEN).*x-amz-security-token:HIDDEN/],
  ['44: a masked code of MFA',               () => signed({ ...GET, headers: { ...GET.headers, 'x-amz-mfa': 'SECRETTOKEN' } }, { 'x-amz-date': '20150830T123601Z' }), SIGNED_AT, 'SignatureDoesNotMatch', /^(?!.*SECRETTOKEN).*x-amz-mfa:HIDDEN/],
  ['47: an unsigned x-amz-meta-x header',    () => signed(GET, { 'x-amz-meta-x': '1' }),                                              SIGNED_AT,   'AccessDenied',         /^\{"HeadersNotSigned":"x-amz-meta-x"\}$/],
  ['a clock that is 16 minutes behind',      () => signed(GET),                                                                       minutes(16), 'RequestTimeTooSkewed', /"MaxAllowedSkewMilliseconds":"900000"/],
  ['a clock that is 16 minutes ahead',       () => signed(GET),                                                                       minutes(-16), 'RequestTimeTooSkewed', /"RequestTime":"20150830T123600Z"/],
];

for (const [row, request, now, code, members] of HEADER_ROWS) {
  test(`verifyS3Signature: row ${row} is ${code}`, async () => {
    const result = verify(await request(), now);
    assert.ok(!result.verified && 'code' in result);
    assert.equal(result.code, code);
    assert.match(JSON.stringify(result.members), members);
  });
}

const without = (name: string) => (target: string) => target.replace(new RegExp(`&${name}=[^&]*`), '');
const lifetime = (seconds: string) => (target: string) => target.replace('X-Amz-Expires=3600', `X-Amz-Expires=${seconds}`);
const PRESIGNED: Unsigned = { method: 'GET', path: '/bucket/key' };

// biome-ignore format: a table
const URL_ROWS: readonly [row: string, request: () => Promise<ReturnType<typeof received>>, now: Instant, code: string, message: RegExp][] = [
  ['45: an expired URL',                     () => presigned(PRESIGNED),                                       minutes(61),  'AccessDenied', /^Request has expired$/],
  ['45: a URL of the future',                () => presigned(PRESIGNED),                                       minutes(-16), 'AccessDenied', /^Request is not valid yet$/],
  ['46: no X-Amz-Signature',                 () => presigned(PRESIGNED, without('X-Amz-Signature')),           SIGNED_AT,    'AuthorizationQueryParametersError', /^Query-string authentication version 4 requires/],
  ['46: no X-Amz-Expires',                   () => presigned(PRESIGNED, without('X-Amz-Expires')),             SIGNED_AT,    'AuthorizationQueryParametersError', /^Query-string authentication version 4 requires/],
  ['46: X-Amz-Expires of 604,801',           () => presigned(PRESIGNED, lifetime('604801')),                   SIGNED_AT,    'AuthorizationQueryParametersError', /less than 604800 seconds$/],
  ['46: a negative X-Amz-Expires',           () => presigned(PRESIGNED, lifetime('-1')),                       SIGNED_AT,    'AuthorizationQueryParametersError', /^X-Amz-Expires must be non-negative$/],
  ['46: X-Amz-Expires is not a number',      () => presigned(PRESIGNED, lifetime('x')),                        SIGNED_AT,    'AuthorizationQueryParametersError', /^X-Amz-Expires should be a number$/],
  ['44: a longer lifetime than signed',      () => presigned(PRESIGNED, lifetime('7200')),                     SIGNED_AT,    'SignatureDoesNotMatch', /Check your key and signing method\.$/],
  ['47: an unsigned x-amz-meta-x header',    () => presigned(PRESIGNED, undefined, { 'x-amz-meta-x': '1' }),   SIGNED_AT,    'AccessDenied', /^There were headers present in the request which were not signed$/],
  ['48: Signature 2 in the header',          async () => received('GET', '/bucket/key', [['Authorization', 'AWS AKIDEXAMPLE:frJIUN8DYpKDtOLCwo=']]), SIGNED_AT, 'InvalidRequest', /Please use AWS4-HMAC-SHA256\.$/],
  ['48: Signature 2 in the query',           async () => received('GET', '/bucket/key?AWSAccessKeyId=AKIDEXAMPLE&Expires=1&Signature=v', []),        SIGNED_AT, 'InvalidRequest', /Please use AWS4-HMAC-SHA256\.$/],
  ['two signatures',                         async () => ({ ...(await signed(GET)), target: '/bucket/key?X-Amz-Signature=0' }), SIGNED_AT, 'InvalidArgument', /^Only one auth mechanism allowed/],
  ['a malformed header',                     async () => received('GET', '/bucket/key', [['Authorization', 'AWS4-HMAC-SHA256 x']]),                   SIGNED_AT, 'AuthorizationHeaderMalformed', /^The authorization header is malformed; /],
];

for (const [row, request, now, code, message] of URL_ROWS) {
  test(`verifyS3Signature: row ${row} is ${code}`, async () => {
    const result = verify(await request(), now);
    assert.ok(!result.verified && 'code' in result);
    assert.equal(result.code, code);
    assert.match(result.message, message);
  });
}

test('verifyS3Signature: a scope of another service, another secret and an unknown key are rejected', async () => {
  const other = new SignatureV4({ credentials: CREDENTIALS, region: 'eu-central-1', service: 'iam', sha256: Sha256 as never });
  const { headers } = await other.sign(requestOf(GET), { signingDate: new Date(SIGNED_AT) });
  assert.equal(verify(received('GET', GET.path, Object.entries(headers))).verified, false);
  assert.equal(verify(await signed(GET), SIGNED_AT, 'another secret').verified, false);
  const unknown = await signed(GET);
  const signature = readS3Signature(unknown);
  assert.ok(signature.kind === 'claim');
  const result = verifyS3Signature(unknown, signature.claim, { secret: undefined, now: SIGNED_AT, keyCache: signingKeyCache() });
  assert.equal(result.verified, false);
});

test('readS3Signature: a request without a signature is anonymous', () => {
  assert.equal(readS3Signature(received('GET', '/bucket/key', [['Host', HOST]])).kind, 'none');
});
