import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSignature } from './claim.ts';
import { received } from './fixtures.ts';

const SIGNATURE = '0'.repeat(64);
const CREDENTIAL = 'Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request';
const WHOLE = `AWS4-HMAC-SHA256 ${CREDENTIAL}, SignedHeaders=host;x-amz-date, Signature=${SIGNATURE}`;
const DATE = ['X-Amz-Date', '20150830T123600Z'] as const;

const header = (authorization: string, ...more: (readonly [string, string])[]) =>
  readSignature(received('POST', '/', [['Host', 'h'], ...more, ['Authorization', authorization]]));

test('readSignature: returns the kind none for an unsigned request', () => {
  assert.deepEqual(readSignature(received('GET', '/?Action=X&x=X-Amz-Signature', [['Host', 'h']])), { kind: 'none' });
});

test('readSignature: parses an Authorization header with and without spaces between parameters', () => {
  for (const authorization of [WHOLE, WHOLE.replaceAll(', ', ',')]) {
    const read = header(authorization, DATE, ['X-Amz-Security-Token', 'token']);
    assert.ok(read.kind === 'claim');
    const { headerNames, signedAt, ...claim } = read.claim;
    assert.deepEqual(headerNames, ['host', 'x-amz-date', 'x-amz-security-token', 'authorization']);
    assert.equal(signedAt, Date.UTC(2015, 7, 30, 12, 36, 0));
    assert.deepEqual(claim, {
      accessKeyId: 'AKIDEXAMPLE',
      date: '20150830',
      region: 'us-east-1',
      service: 'iam',
      amzDate: '20150830T123600Z',
      signedHeaders: 'host;x-amz-date',
      signature: SIGNATURE,
      presigned: false,
      sessionToken: 'token',
    });
  }
});

// biome-ignore format: a table
const MALFORMED: readonly [name: string, authorization: string, message: RegExp][] = [
  // problem                          the header                                                message
  ['Signature Version 2',             'AWS AKID:signature',                                     /^Unsupported AWS 'algorithm': 'AWS'/],
  ['Signature Version 4A',            WHOLE.replace('HMAC', 'ECDSA-P256'),                      /^Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'/],
  ['only the algorithm',              'AWS4-HMAC-SHA256',                                       /^Authorization header requires 'Credential' parameter\. Authorization header requires 'Signature' parameter\. Authorization header requires 'SignedHeaders' parameter\. \(Hashed/],
  ['no signature',                    `AWS4-HMAC-SHA256 ${CREDENTIAL}, SignedHeaders=host`,     /^Authorization header requires 'Signature' parameter\. \(Hashed/],
  ['a parameter without a value',     'AWS4-HMAC-SHA256 Credential',                            /missing equal-sign/],
  ['a parameter twice',               `${WHOLE}, ${CREDENTIAL}`,                                /unexpected or repeated/],
  ['an unknown parameter',            `${WHOLE}, Extra=1`,                                      /unexpected or repeated/],
  ['a scope of four parts',           WHOLE.replace('/iam', ''),                                /^Credential must have exactly 5 slash-delimited elements, e\.g\. keyid\/date\/region\/service\/term, got 'AKIDEXAMPLE\/20150830\/us-east-1\/aws4_request'$/],
  ['a scope of six parts',            WHOLE.replace('/iam', '/iam/iam'),                        /exactly 5 slash-delimited/],
  ['another terminator',              WHOLE.replace('aws4_request', 'aws4'),                    /valid terminator: 'aws4_request'/],
  ['a region with control chars',     WHOLE.replace('us-east-1', 'us\neast'),                   /has invalid characters/],
  ['a signature with a suffix',       `${WHOLE}x`,                                              /must be 64 lower-case hexadecimal digits/],
  ['a signature in capitals',         WHOLE.replace(/0{64}$/, 'A'.repeat(64)),                  /must be 64 lower-case hexadecimal digits/],
  ['signed headers in capitals',      WHOLE.replace('host', 'Host'),                            /must be lower-case/],
  ['an overlong header',              WHOLE + ' '.repeat(5000),                                 /too long/],
];

for (const [name, authorization, message] of MALFORMED) {
  test(`readSignature: ${name} is IncompleteSignature`, () => {
    const read = header(authorization, DATE);
    assert.ok(read.kind === 'malformed');
    assert.equal(read.code, 'IncompleteSignature');
    assert.match(read.message, message);
  });
}

test('readSignature: messages do not contain the signature', () => {
  const read = header(`AWS4-HMAC-SHA256 ${CREDENTIAL}, Signature=${SIGNATURE}`, DATE);
  assert.ok(read.kind === 'malformed');
  assert.ok(!read.message.includes(SIGNATURE));
});

for (const date of [
  '20150830T123600',
  '20150230T123600Z',
  '20151330T123600Z',
  '20150229T123600Z',
  '00150830T123600Z',
  '2015-08-30T12:36:00Z',
  'Sun, 30 Aug 2015 12:36:00 GMT',
  '20150830T246000Z',
]) {
  test(`readSignature: the date ${date} is IncompleteSignature`, () => {
    const read = header(WHOLE, ['X-Amz-Date', date]);
    assert.ok(read.kind === 'malformed');
    assert.match(read.message, /^Date must be in ISO-8601 'basic format'/);
  });
}

test('readSignature: a missing date is IncompleteSignature', () => {
  const read = header(WHOLE);
  assert.ok(read.kind === 'malformed');
  assert.match(read.message, /^Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header\./);
});

for (const name of ['Authorization', 'Host', 'X-Amz-Date', 'X-Amz-Security-Token', 'X-Amz-Content-Sha256']) {
  test(`readSignature: a second ${name} header is IncompleteSignature`, () => {
    const twice = [name, WHOLE] as const;
    const read = readSignature(received('POST', '/', [twice, [name.toLowerCase(), WHOLE]]));
    assert.ok(read.kind === 'malformed');
    assert.match(read.message, /must not occur more than once/);
  });
}

const PARAMETERS = {
  'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
  'X-Amz-Credential': 'AKIDEXAMPLE/20150830/us-east-1/chime/aws4_request',
  'X-Amz-Date': '20150830T123600Z',
  'X-Amz-Expires': '10',
  'X-Amz-SignedHeaders': 'host',
  'X-Amz-Signature': SIGNATURE,
};

function presigned(change: Readonly<Record<string, string | undefined>>, further = '') {
  const query = Object.entries({ ...PARAMETERS, ...change })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(value as string)}`)
    .join('&');
  return readSignature(received('GET', `/connect?${query}${further}`, [['Host', 'h']]));
}

test('readSignature: a presigned request is parsed', () => {
  const read = presigned({ 'X-Amz-Security-Token': 'to+ken/=' });
  assert.ok(read.kind === 'claim');
  const { presigned: isPresigned, expiresSeconds, sessionToken, service } = read.claim;
  assert.deepEqual(
    { isPresigned, expiresSeconds, sessionToken, service },
    { isPresigned: true, expiresSeconds: 10, sessionToken: 'to+ken/=', service: 'chime' },
  );
});

for (const name of Object.keys(PARAMETERS)) {
  test(`readSignature: a presigned request without ${name} is IncompleteSignature`, () => {
    const read = presigned({ [name]: undefined });
    assert.ok(read.kind === 'malformed');
    assert.match(read.message, new RegExp(`must include '${name}'`));
  });
  test(`readSignature: a presigned request with ${name} twice is IncompleteSignature`, () => {
    const read = presigned({}, `&${name}=1`);
    assert.ok(read.kind === 'malformed');
    assert.match(read.message, /must not occur more than once/);
  });
}

const FOR_STS = { 'X-Amz-Credential': 'AKIDEXAMPLE/20150830/us-east-1/sts/aws4_request' };

// Source: aws/aws-sdk-go-v2, pull request 1030 (PresignGetCallerIdentity omits the parameter); aws/aws-sdk-go, issue 2167.
test('readSignature: a presigned request to STS without X-Amz-Expires is valid for 15 minutes', () => {
  const read = presigned({ ...FOR_STS, 'X-Amz-Expires': undefined });
  assert.ok(read.kind === 'claim');
  assert.deepEqual([read.claim.presigned, read.claim.expiresSeconds], [true, 900]);
});

test('readSignature: a presigned request to STS with an empty X-Amz-Expires is IncompleteSignature', () => {
  assert.equal(presigned({ ...FOR_STS, 'X-Amz-Expires': '' }).kind, 'malformed');
});

for (const expires of ['0', '604801', '-1', '1e3', '10.5', '99999999999']) {
  test(`readSignature: an expiry of ${expires} seconds is IncompleteSignature`, () => {
    const read = presigned({ 'X-Amz-Expires': expires });
    assert.ok(read.kind === 'malformed');
    assert.match(read.message, /^X-Amz-Expires must be between 1 and 604800 seconds\.$/);
  });
}

test('readSignature: an expiry of seven days is valid', () => {
  assert.equal(presigned({ 'X-Amz-Expires': '604800' }).kind, 'claim');
});

test('readSignature: an invalid escape in a presigned query is IncompleteSignature', () => {
  assert.equal(presigned({}, '&a=%zz').kind, 'malformed');
});

test('readSignature: signatures in both header and query are IncompleteSignature', () => {
  const read = readSignature(received('GET', '/?X-Amz-Signature=1', [['Host', 'h'], DATE, ['Authorization', WHOLE]]));
  assert.equal(read.kind, 'malformed');
});
