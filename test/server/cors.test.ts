/** Cross-origin requests: a page of another origin can read every API response, but no response of a sign-in page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SIGN_IN_PATHS } from '#server/sign-in/paths.ts';
import { bytesOf, exchange, type Plain, type Reply, signedHeaders } from '../kit/raw.ts';
import { startTestServer } from '../kit/server.ts';
import { readUnproven } from '../kit/trail.ts';

const server = await startTestServer();
const { host } = new URL(server.endpoint);
const ORIGIN = { origin: 'https://app.example' };
const PREFLIGHT = {
  ...ORIGIN,
  'access-control-request-method': 'PUT',
  'access-control-request-headers': 'authorization,x-amz-chime-bearer',
};

const send = (method: string, target: string, headers: Readonly<Record<string, string>> = {}, body = ''): Promise<Reply> =>
  exchange(server.endpoint, bytesOf({ method, target, body }, { host, ...headers }));

const signed = (plain: Plain): Promise<Reply> => {
  const headers = signedHeaders(server.endpoint, plain, { credentials: server.credentials, signingName: 'chime' });
  return exchange(server.endpoint, bytesOf(plain, { ...headers, ...ORIGIN }));
};

/** Returns the CORS headers of a response. */
const corsOf = ({ headers }: Reply) => Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));

const RESPONSE = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'x-amzn-errortype, x-amzn-requestid, date, x-belfry-authorization-message',
};
const ANSWER = {
  ...RESPONSE,
  'access-control-allow-methods': 'DELETE, GET, HEAD, PATCH, POST, PUT',
  'access-control-allow-headers':
    'amz-sdk-invocation-id, amz-sdk-request, authorization, content-type, x-amz-chime-bearer, x-amz-content-sha256, x-amz-date, x-amz-security-token, x-amz-target, x-amz-user-agent',
  'access-control-max-age': '7200',
};

for (const path of ['/', '/meetings', '/meetings/x/attendees?a=b', '/channels', '/v1/client-events', '/saml/', '/no-such-path']) {
  test(`CORS: a preflight of ${path} is answered without authentication`, async () => {
    const reply = await send('OPTIONS', path, PREFLIGHT);
    assert.deepEqual([reply.status, corsOf(reply), reply.body.length], [204, ANSWER, 0]);
  });
}

test('CORS: a preflight leaves no trail record', async () => {
  const before = (await readUnproven(server.dataFolder)).length;
  await send('OPTIONS', '/meetings', PREFLIGHT);
  await send('OPTIONS', '/meetings', ORIGIN);
  // Only the second request, which is not a preflight, has a record.
  assert.equal((await readUnproven(server.dataFolder)).length, before + 1);
});

// biome-ignore format: a table
const RESPONSES: readonly [title: string, send: () => Promise<Reply>, status: number][] = [
  ['a signed request for no meeting',   () => signed({ method: 'GET', target: '/meetings/00000000-0000-4000-8000-000000000000/attendees' }), 404],
  ['a created meeting',                 () => signed({ method: 'POST', target: '/meetings', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ClientRequestToken: 'cors', ExternalMeetingId: 'cors', MediaRegion: 'us-east-1' }) }), 200],
  ['a request without a signature',     () => send('GET', '/meetings/x', ORIGIN),                                          403],
  ['an unknown path',                   () => send('GET', '/no-such-path', ORIGIN),                                        404],
  ['an unknown method',                 () => send('OPTIONS', '/meetings', ORIGIN),                                        404],
  ['a body that is too large',          () => send('POST', '/meetings', { ...ORIGIN, 'content-length': '900000000' }),     413],
  ['a request without Host',            () => exchange(server.endpoint, bytesOf({ method: 'GET', target: '/meetings' }, ORIGIN)), 400],
];
for (const [title, request, status] of RESPONSES) {
  test(`CORS: the response to ${title} can be read by another origin`, async () => {
    const reply = await request();
    assert.deepEqual([reply.status, corsOf(reply)], [status, RESPONSE]);
  });
}

for (const target of ['/meetings/x', '/']) {
  test(`CORS: the response of ${target} to a request without Origin has no CORS headers`, async () => {
    assert.deepEqual(corsOf(await send('GET', target)), {});
  });
}

const OWN_PATHS = [...SIGN_IN_PATHS, '/saml?x=1', '/federation?Action=login', '/_belfry/sign-in/other', '/_belfry/live', '/_belfry/ready'];
for (const path of OWN_PATHS) {
  for (const method of ['OPTIONS', 'GET', 'POST', 'DELETE', 'PUT']) {
    test(`CORS: ${method} ${path} cannot be read by another origin`, async () => {
      const reply = await send(method, path, method === 'OPTIONS' ? PREFLIGHT : ORIGIN);
      assert.deepEqual(corsOf(reply), {});
      assert.notEqual(reply.status, 204);
    });
  }
}
