import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { instant } from '#core/instant.ts';
import { sign } from '#sigv4/sign.ts';
import { connect, type Reply } from '../kit/raw.ts';
import { startTestServer } from '../kit/server.ts';
import { everyEvent } from '../kit/trail.ts';
import { until } from '../kit/until.ts';

/** Requests of S3 to a whole server. The operations are not called: the tests are about the way to them. */
const server = await startTestServer({ BELFRY_S3_HOST: 's3.test.example' });
const HOST = server.endpoint.slice('http://'.length);

interface Sent {
  readonly method?: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function send({ method = 'GET', target, headers = {}, body = '' }: Sent): Promise<Reply> {
  const connection = await connect(server.endpoint);
  const all = { host: HOST, ...headers, 'content-length': `${Buffer.byteLength(body)}` };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  connection.write(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  const reply = await connection.reply();
  connection.close();
  return reply;
}

/** Signs a request. The path must have only characters that need no encoding, because `sign` encodes like other services. */
function signed({ method = 'GET', target, headers = {}, body = '' }: Sent): Sent {
  const signWith = { credentials: server.credentials, region: 'eu-west-1', signingName: 's3', now: instant(Date.now()) };
  return { method, target, body, headers: sign({ method, target, headers: { host: HOST, ...headers }, body }, signWith) };
}

function codeOf({ body }: Reply): string | undefined {
  return /<Code>(\w+)<\/Code>/.exec(body.toString())?.[1];
}

// Rows of record.md C1 and C5.
// biome-ignore format: a table
const ANONYMOUS: readonly [title: string, request: Sent][] = [
  ['the base path',                  { target: '/_s3/bucket/key' }],
  ['the host label s3',              { target: '/bucket/key',           headers: { host: 's3.test.example' } }],
  ['a bucket in the host',           { target: '/key',                  headers: { host: 'bucket.s3.test.example' } }],
  ['a probe as a key',               { target: '/_belfry/live',         headers: { host: 'bucket.s3.test.example' } }],
  ['a page as a key',                { target: '/saml', method: 'POST', headers: { host: 'bucket.s3.test.example' } }],
  ['an operation that S3 has',       { target: '/_s3/bucket?acl' }],
  ['an invalid key',                 { target: '/_s3/bucket/../b' }],
];

for (const [title, request] of ANONYMOUS) {
  test(`S3: an anonymous request is 403 AccessDenied: ${title}`, async () => {
    const reply = await send(request);
    assert.deepEqual([reply.status, codeOf(reply), reply.headers['content-type']], [403, 'AccessDenied', 'application/xml']);
  });
}

test('S3: pages and probes are answered if the request is not for S3', async () => {
  assert.equal((await send({ target: '/_belfry/live' })).status, 200);
  assert.match((await send({ target: '/saml', method: 'POST' })).body.toString(), /<html/);
});

const EMPTY = hash('sha256', '', 'hex');
const altered = (request: Sent, name: string, value: string): Sent => ({ ...request, headers: { ...request.headers, [name]: value } });

// biome-ignore format: a table
const REQUESTS: readonly [title: string, request: () => Sent, status: number, code: string | undefined][] = [
  ['row 32: another body than signed',           () => ({ ...signed({ method: 'PUT', target: '/b?policy', body: '{}', headers: { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' } }), body: '[]' }), 400, 'XAmzContentSHA256Mismatch'],
  ['row 34: an invalid hash',                    () => altered(signed({ target: '/b' }), 'x-amz-content-sha256', 'X'), 400, 'InvalidArgument'],
  ['row 44: another path than signed',           () => ({ ...signed({ target: '/b/k' }), target: '/b/l' }),             403, 'SignatureDoesNotMatch'],
  ['row 48: Signature 2',                        () => ({ target: '/b/k', headers: { authorization: 'AWS AKIDEXAMPLE:c2ln' } }), 400, 'InvalidRequest'],
  ['row 58: a key of 1,025 bytes',               () => signed({ target: `/b/${'k'.repeat(1_025)}` }),                   400, 'KeyTooLongError'],
  ['the bucket saml',                            () => signed({ target: '/saml' }),                                     404, 'NoSuchBucket'],
  ['the path of a console',                      () => signed({ target: '/' }),                                         200, undefined],
  ['an operation that this server does not have', () => signed({ target: '/b?acl' }),                                   501, 'NotImplemented'],
  ['a method that S3 does not have',             () => signed({ method: 'POST', target: '/b' }),                        405, 'MethodNotAllowed'],
  ['a missing checksum',                         () => signed({ method: 'POST', target: '/b?delete', body: '<Delete/>' }), 400, 'InvalidRequest'],
  ['a document type declaration',                () => signed({ method: 'PUT', target: '/b', body: '<!DOCTYPE a><a/>' }), 400, 'MalformedXML'],
  ['an unknown region',                          () => ({ target: '/b', headers: sign({ method: 'GET', target: '/b', headers: { host: HOST }, body: '' }, { credentials: server.credentials, region: 'nowhere-1', signingName: 's3', now: instant(Date.now()) }) }), 400, 'AuthorizationHeaderMalformed'],
];

for (const [title, request, status, code] of REQUESTS) {
  test(`S3: ${title} is ${[status, code].join(' ').trim()}`, async () => {
    const reply = await send(request());
    assert.deepEqual([reply.status, codeOf(reply)], [status, code], reply.body.toString());
    assert.ok(reply.headers['x-amz-request-id'] !== undefined);
  });
}

test('S3: an error to HEAD has no body', async () => {
  const connection = await connect(server.endpoint);
  const { headers = {} } = signed({ method: 'HEAD', target: '/b' });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  let bytes = '';
  connection.socket.on('data', (chunk: Buffer) => (bytes += chunk.toString('latin1')));
  connection.write(`HEAD /b HTTP/1.1\r\nconnection: close\r\n${lines.join('')}\r\n`);
  await connection.closed;
  assert.match(bytes, /^HTTP\/1\.1 404 [\s\S]*\r\n\r\n$/);
  assert.doesNotMatch(bytes, /<Error>/);
});

test('S3: refused operations are recorded with their name, the signed region and the event source of S3', async () => {
  await send(signed({ target: '/recorded?acl', headers: { 'x-amz-content-sha256': EMPTY } }));
  const events = await everyEvent(new CloudTrailClient({ ...server.client(), region: 'eu-west-1' }));
  const found = events.filter(({ eventName }) => eventName === 'GetBucketAcl');
  assert.ok(found.length > 0);
  for (const { errorCode, document } of found)
    assert.deepEqual([document.eventSource, errorCode, document.awsRegion], ['s3.amazonaws.com', 'NotImplemented', 'eu-west-1']);
});

// A request whose head is refused was counted twice and ended once, so that its source had no requests left after some hundreds.
test('Requests that are refused before their body is read are counted until they end', async () => {
  const scim = { method: 'POST', target: '/_belfry/scim/v2/Users', headers: { authorization: 'Bearer unknown' }, body: '{}' };
  const upload = signed({ method: 'PUT', target: '/missing/key', headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }, body: 'x' });
  for (const [request, status] of [
    [scim, 401],
    [upload, 404],
  ] as const) {
    assert.equal((await send(request)).status, status);
    await until(
      () => server.counts().requests === 0,
      () => `${server.counts().requests} requests`,
    );
  }
});
