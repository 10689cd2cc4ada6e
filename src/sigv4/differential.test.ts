/** Signs generated requests with the signer of the AWS clients and verifies them, both unchanged and with a flipped bit. */
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { canonicalQuery, isNormalPath, readQuery } from './canonical.ts';
import { readSignature } from './claim.ts';
import { CREDENTIALS, received, SECRET, SIGNED_AT } from './fixtures.ts';
import { sign } from './sign.ts';
import { signingKeyCache } from './signing-key.ts';
import { verifySignature } from './verify.ts';

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

const signer = new SignatureV4({ credentials: CREDENTIALS, region: 'eu-central-1', service: 'chime', sha256: Sha256 as never });

const segment = fc.string({
  unit: fc.constantFrom('a', 'B', '9', '-', '_', '.', '~', ':', '@', '$', '!', '*', "'", '(', '%2F', '%3A', '%20', '+'),
  maxLength: 8,
});
const text = fc.string({ unit: fc.constantFrom('a', 'B', '9', '-', '/', '?', '&', '=', '+', ' ', '%', 'ü', 'ሴ', '*', "'"), maxLength: 8 });
const headerValue = fc.string({ unit: fc.constantFrom('a', 'B', ' ', '\t', ',', '"', ';', '='), maxLength: 12 });

const requests = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
  path: fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`),
  query: fc.dictionary(
    text.filter((name) => name !== '' && name !== '__proto__'),
    fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 })),
    { maxKeys: 3 },
  ),
  header: headerValue,
  body: fc.oneof(fc.constant(''), fc.string({ unit: 'binary', maxLength: 40 })),
  token: fc.option(fc.string({ unit: fc.constantFrom('a', 'Z', '/', '+', '='), minLength: 4, maxLength: 20 })),
});
type Generated = typeof requests extends fc.Arbitrary<infer Value> ? Value : never;

function smithyRequest({ method, path, query, header, body, token }: Generated) {
  const headers = {
    host: 'identity-chime.eu-central-1.example',
    'X-Custom': header,
    'content-type': 'application/json',
    ...(token && { 'x-amz-meta': token }),
  };
  return { method, protocol: 'http:', hostname: 'identity-chime.eu-central-1.example', path, query, headers, body };
}

function targetOf(path: string, query: Readonly<Record<string, unknown>>): string {
  const written = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(String(one))}`),
  );
  return written.length === 0 ? path : `${path}?${written.join('&')}`;
}

function verified(request: ReturnType<typeof received>): boolean {
  const read = readSignature(request);
  return (
    read.kind === 'claim' &&
    verifySignature(request, read.claim, { secret: SECRET, signingName: 'chime', now: SIGNED_AT, keyCache: signingKeyCache() }).verified
  );
}

test('verifySignature: accepts a request signed by @smithy/signature-v4, and rejects it if a part changes', async () => {
  await fc.assert(
    fc.asyncProperty(requests, fc.nat(), async (generated, at) => {
      fc.pre(isNormalPath(generated.path));
      const signed = await signer.sign(smithyRequest(generated), { signingDate: new Date(SIGNED_AT) });
      const request = received(generated.method, targetOf(generated.path, generated.query), Object.entries(signed.headers), generated.body);
      assert.ok(verified(request));

      const body = Buffer.from(generated.body.length > 0 ? request.body : 'x');
      body[at % body.length] = (body[at % body.length] as number) ^ (1 << (at % 8));
      assert.ok(!verified({ ...request, body }));
      assert.ok(!verified({ ...request, method: `${request.method}X` }));
      assert.ok(!verified({ ...request, target: `${request.target}${request.target.includes('?') ? '&' : '?'}more` }));
    }),
    { numRuns: 300 },
  );
});

test('verifySignature: accepts a request presigned by @smithy/signature-v4', async () => {
  await fc.assert(
    fc.asyncProperty(requests, async (generated) => {
      fc.pre(isNormalPath(generated.path));
      const signed = await signer.presign(smithyRequest({ ...generated, body: '' }), { signingDate: new Date(SIGNED_AT), expiresIn: 60 });
      const request = received(generated.method, targetOf(generated.path, signed.query ?? {}), Object.entries(signed.headers));
      assert.ok(verified(request));
      assert.ok(!verified({ ...request, body: Buffer.from('x') }));
    }),
    { numRuns: 200 },
  );
});

test('sign: creates the same signature as @smithy/signature-v4', async () => {
  await fc.assert(
    fc.asyncProperty(requests, async (generated) => {
      const headers = { host: 'h', 'content-type': 'application/json', 'x-custom': generated.header };
      const theirs = await signer.sign({ ...smithyRequest(generated), headers }, { signingDate: new Date(SIGNED_AT) });
      const ours = sign(
        { method: generated.method, target: targetOf(generated.path, generated.query), headers, body: generated.body },
        { credentials: CREDENTIALS, region: 'eu-central-1', signingName: 'chime', now: SIGNED_AT },
      );
      assert.equal(ours['authorization'], theirs.headers['authorization']);
    }),
    { numRuns: 200 },
  );
});

test('canonicalQuery: the order of the parameters does not matter', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 5 }), (pairs) => {
      assert.equal(canonicalQuery(pairs), canonicalQuery([...pairs].reverse()));
    }),
  );
});

test('readQuery: decodes the output of encodeURIComponent', () => {
  fc.assert(
    fc.property(
      text.filter((name) => name !== ''),
      text,
      (name, value) => {
        const read = readQuery(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
        assert.deepEqual(read, [[Buffer.from(name).toString('latin1'), Buffer.from(value).toString('latin1')]]);
      },
    ),
  );
});
