import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createConnection } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { ChimeSDKIdentityClient } from '@aws-sdk/client-chime-sdk-identity';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { startAccount } from '../kit/account.ts';
import { newAppInstance, newAppInstanceUser } from '../kit/app-instance.ts';
import type { Keys } from '../kit/keys.ts';
import { allow } from '../kit/policy.ts';
import { connect, exchange, signedHeaders } from '../kit/raw.ts';
import type { TestServer } from '../kit/server.ts';
import { everyEvent } from '../kit/trail.ts';
import { connectTarget } from '../kit/upgrade.ts';
import { proxyHeader, sslTlv, startProxy } from './proxy.ts';

/** CTX-2: client address and protocol in conditions and records, behind a proxy. */

const PROXY = '127.0.0.9';
const CLIENT = '127.0.0.5';
const MEETING = '/meetings/00000000-0000-4000-8000-000000000000';

interface Outcome {
  /** Whether the server allowed the call of the user who may call only from the client's address. */
  readonly byAddress: boolean;
  readonly byTls: boolean;
  readonly recorded: unknown;
}

/** Starts a server with two users: one may call only from `address`, and the other only over TLS. */
async function startProxied(environment: Readonly<Record<string, string>>, address: string) {
  const account = await startAccount(environment);
  const { server } = account;
  const condition = (Condition: object) => allow('chime:GetMeeting', '*', { Condition });
  const byAddress = await account.user('by-address', condition({ IpAddress: { 'aws:SourceIp': `${address}/32` } }));
  const byTls = await account.user('by-tls', condition({ Bool: { 'aws:SecureTransport': 'true' } }));

  async function allowed(endpoint: string, keys: Keys, headers: Readonly<Record<string, string>>, localAddress: string) {
    const plain = { method: 'GET', target: MEETING };
    const signed = signedHeaders(endpoint, plain, { credentials: keys, signingName: 'chime' });
    const reply = await send(server, endpoint, { path: MEETING, headers: { ...signed, ...headers }, localAddress });
    reply.resume();
    const { statusCode = 0 } = reply;
    assert.ok([403, 404].includes(statusCode), `${statusCode} ${reply.headers['x-amzn-errortype']}`);
    return { isAllowed: statusCode === 404, requestId: reply.headers['x-amzn-requestid'] };
  }

  return {
    ...account,
    /**
     * Calls the server through `endpoint` as each of the two users. Returns whether each call was allowed. Also returns
     * the client's address and TLS version from the trail record of the second call.
     */
    async outcome(endpoint: string, headers: Readonly<Record<string, string>> = {}, localAddress = CLIENT): Promise<Outcome> {
      const first = await allowed(endpoint, byAddress, headers, localAddress);
      const second = await allowed(endpoint, byTls, headers, localAddress);
      const events = await everyEvent(new CloudTrailClient(server.client()));
      const document = events.find((event) => event.document.requestID === second.requestId)?.document;
      const { sourceIPAddress, tlsDetails } = document as unknown as { sourceIPAddress: string; tlsDetails?: { tlsVersion: string } };
      return { byAddress: first.isAllowed, byTls: second.isAllowed, recorded: [sourceIPAddress, tlsDetails?.tlsVersion] };
    },
  };
}

interface Sent {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly localAddress?: string;
}

function send(server: TestServer, endpoint: string, sent: Sent): Promise<IncomingMessage> {
  const { hostname, port, protocol } = new URL(endpoint);
  const options = { hostname, port, agent: false as const, localAddress: CLIENT, ...sent };
  const request = protocol === 'https:' ? httpsRequest({ ...options, ca: readFileSync(server.caFile) }) : httpRequest(options);
  return new Promise((resolve, reject) => {
    request.on('response', resolve).on('upgrade', resolve).on('error', reject).end();
  });
}

// Both servers start before the first test. Otherwise, the tests so far can end during a start, and the servers with them.
const headers = await startProxied({ BELFRY_TRUSTED_PROXIES: `${PROXY}/32` }, CLIENT);
const stated = await startProxied({ BELFRY_TRUSTED_PROXIES: PROXY, BELFRY_PROXY_PROTOCOL: 'on' }, CLIENT);
/** Starts a proxy that terminates TLS and adds the header lines that `lines` returns, as nginx and HAProxy do. */
const tlsProxy = (lines: (clientAddress: string) => readonly string[]) =>
  startProxy({ target: headers.server.endpoint, from: PROXY, tlsOf: headers.server, lines });

// biome-ignore format: a table
for (const [what, lines] of [
  ['X-Forwarded-For and X-Forwarded-Proto', (address: string) => [`x-forwarded-for: ${address}`, 'x-forwarded-proto: https']],
  ['Forwarded',                             (address: string) => [`forwarded: for=${address};proto=https`]],
  ['an address appended to a header of the client', (address: string) => [`x-forwarded-for: unknown, 10.0.0.1, ${address}`, 'x-forwarded-proto: https']],
] as const) {
  test(`CTX-2: behind a TLS proxy with ${what}, conditions and records have the address of the client`, async () => {
    assert.deepEqual(await headers.outcome(await tlsProxy(lines)), { byAddress: true, byTls: true, recorded: [CLIENT, undefined] });
  });
}

test('CTX-2: aws:SecureTransport is false if the proxy reports plain HTTP', async () => {
  const endpoint = await tlsProxy((address) => [`forwarded: for=${address};proto=http`]);
  assert.deepEqual(await headers.outcome(endpoint), { byAddress: true, byTls: false, recorded: [CLIENT, undefined] });
});

// biome-ignore format: a table
const SPOOFED: readonly (readonly [what: string, headers: Readonly<Record<string, string>>])[] = [
  ['X-Forwarded-For',   { 'x-forwarded-for': CLIENT, 'x-forwarded-proto': 'https' }],
  ['Forwarded',         { forwarded: `for=${CLIENT};proto=https` }],
  ['malformed headers', { forwarded: 'for="', 'x-forwarded-for': 'unknown', 'x-forwarded-proto': 'gopher' }],
];
for (const [what, spoofed] of SPOOFED) {
  test(`CTX-2: ${what} from an untrusted peer change neither the decision nor the record`, async () => {
    const { endpoint, httpsEndpoint } = headers.server;
    const without = { byAddress: false, byTls: false, recorded: ['127.0.0.6', undefined] };
    assert.deepEqual(await headers.outcome(endpoint, {}, '127.0.0.6'), without);
    assert.deepEqual(await headers.outcome(endpoint, spoofed, '127.0.0.6'), without);
    const secure = { byAddress: false, byTls: true, recorded: ['127.0.0.6', 'TLSv1.3'] };
    assert.deepEqual(await headers.outcome(httpsEndpoint, spoofed, '127.0.0.6'), secure);
  });
}

test('CTX-2: a client behind the proxy cannot claim another address or TLS', async () => {
  const endpoint = await startProxy({
    target: headers.server.endpoint,
    from: PROXY,
    lines: (address) => [`x-forwarded-for: ${CLIENT}, ${address}`, 'x-forwarded-proto: http'],
  });
  const outcome = await headers.outcome(endpoint, {}, '127.0.0.6');
  assert.deepEqual(outcome, { byAddress: false, byTls: false, recorded: ['127.0.0.6', undefined] });
});

test("CTX-2: a request is 400 if the proxy's headers do not contain exactly one client address", async () => {
  const endpoint = await tlsProxy(() => ['x-forwarded-for: unknown', 'x-forwarded-proto: https']);
  const reply = await send(headers.server, endpoint, { path: MEETING });
  assert.deepEqual([reply.statusCode, reply.headers['x-amzn-errortype']], [400, 'BadRequest']);
  reply.resume();
});

test('CTX-2: a messaging session opens through a TLS proxy, and its record has the address of the client', async () => {
  const { server } = headers;
  const endpoint = await tlsProxy((address) => [`x-forwarded-for: ${address}`, 'x-forwarded-proto: wss']);
  const identity = new ChimeSDKIdentityClient(server.client());
  const userArn = await newAppInstanceUser(identity, await newAppInstance(identity), 'ada');
  const path = connectTarget(endpoint, { userArn, sessionId: 's' }, { keys: server.credentials });
  const upgraded = await send(server, endpoint, {
    path,
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    },
  });
  assert.equal(upgraded.statusCode, 101);
  upgraded.socket.destroy();
  const events = await everyEvent(new CloudTrailClient(server.client()));
  const connected = events.find(({ eventName }) => eventName === 'Connect')?.document as { sourceIPAddress?: string } | undefined;
  assert.equal(connected?.sourceIPAddress, CLIENT);
});

test('CTX-2: the cookie of a sign-in through a TLS proxy is a secure cookie', async () => {
  const endpoint = await tlsProxy((address) => [`x-forwarded-for: ${address}`, 'x-forwarded-proto: https']);
  const reply = await send(headers.server, endpoint, { path: '/_belfry/sign-in', method: 'DELETE', headers: { origin: endpoint } });
  reply.resume();
  assert.match(reply.headers['set-cookie']?.[0] ?? '', /^__Host-belfry-sign-in=; .*; Secure$/);
});

const TLS_12 = sslTlv('TLSv1.2', 'ECDHE-RSA-AES128-GCM-SHA256');

test("PROXY protocol: behind a proxy that forwards TLS, records have the client's address and TLS version", async () => {
  const endpoint = await startProxy({
    target: stated.server.httpsEndpoint,
    from: PROXY,
    first: (client) => proxyHeader(client.remoteAddress ?? ''),
  });
  assert.deepEqual(await stated.outcome(endpoint), { byAddress: true, byTls: true, recorded: [CLIENT, 'TLSv1.3'] });
});

test('PROXY protocol: behind a proxy that ends TLS, records have the TLS parameters that it reports', async () => {
  const endpoint = await startProxy({
    target: stated.server.endpoint,
    from: PROXY,
    tlsOf: stated.server,
    first: (client) => proxyHeader(client.remoteAddress ?? '', TLS_12),
  });
  assert.deepEqual(await stated.outcome(endpoint), { byAddress: true, byTls: true, recorded: [CLIENT, 'TLSv1.2'] });
});

test('PROXY protocol: aws:SecureTransport is false if the proxy reports no TLS for a plain connection', async () => {
  const endpoint = await startProxy({
    target: stated.server.endpoint,
    from: PROXY,
    first: (client) => proxyHeader(client.remoteAddress ?? ''),
  });
  assert.deepEqual(await stated.outcome(endpoint), { byAddress: true, byTls: false, recorded: [CLIENT, undefined] });
});

test('PROXY protocol: a health check that the proxy itself sends succeeds', async () => {
  const endpoint = await startProxy({ target: stated.server.endpoint, from: PROXY, first: () => proxyHeader(undefined) });
  assert.equal((await exchange(endpoint, 'GET /_belfry/health HTTP/1.1\r\nhost: a\r\n\r\n')).status, 200);
});

test('PROXY protocol: a connection from a trusted proxy is closed if it lacks the PROXY header', async () => {
  const endpoint = await startProxy({ target: stated.server.endpoint, from: PROXY });
  await assert.rejects(exchange(endpoint, 'GET /_belfry/health HTTP/1.1\r\nhost: a\r\n\r\n'), /ended after 0 bytes/);
});

test('PROXY protocol: an untrusted peer gets 400 with the PROXY header, and 200 without the header', async () => {
  const { endpoint } = stated.server;
  const health = Buffer.from('GET /_belfry/health HTTP/1.1\r\nhost: a\r\n\r\n');
  assert.equal((await exchange(endpoint, health)).status, 200);
  assert.equal((await exchange(endpoint, Buffer.concat([proxyHeader(CLIENT), health]))).status, 400);
  const connection = await connect(endpoint);
  connection.write(proxyHeader(CLIENT));
  assert.equal((await connection.reply()).status, 400);
  await connection.closed;
});

const ownAddress = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === 'IPv4' && !each.internal)?.address;

test('Plain HTTP: a listener on all addresses accepts only loopback and trusted proxies', { skip: ownAddress === undefined }, async () => {
  const { server } = await startAccount({ BELFRY_HTTP: '0.0.0.0:0', BELFRY_TRUSTED_PROXIES: PROXY });
  const health = 'GET /_belfry/health HTTP/1.1\r\nhost: a\r\n\r\n';
  const { port } = new URL(server.endpoint);
  assert.equal((await exchange(`http://127.0.0.1:${port}`, health)).status, 200);
  // Connects to the machine's own address, so that the server sees this address as the client.
  const socket = createConnection({ host: ownAddress as string, port: Number(port) });
  const read: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => read.push(chunk)).on('error', () => {});
  socket.write(health);
  await new Promise((resolve) => socket.on('close', resolve));
  assert.deepEqual(read, []);
});

test('CTX-2: behind a proxy, the memory limit of one client does not affect requests of other clients', async () => {
  // The server holds at most 16 MiB of requests, and a quarter of that per source.
  const { server } = await startAccount({ BELFRY_TRUSTED_PROXIES: PROXY, BELFRY_UNDER_WAY_MAX_BYTES: '16777216' });
  const endpoint = await startProxy({ target: server.endpoint, from: PROXY });
  const size = 1_800_000;
  const head = (client: string) => `POST / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: ${client}\r\ncontent-length: ${size}\r\n\r\n`;
  const half = await Promise.all([1, 2, 3].map(() => connect(endpoint)));
  for (const connection of half) connection.write(head('192.0.2.1') + 'x'.repeat(size - 1));
  // Two bodies fit into the share of a source. The third request gets an error at once.
  assert.equal((await Promise.race(half.map((connection) => connection.reply()))).status, 503);
  assert.notEqual((await exchange(endpoint, head('192.0.2.2') + 'x'.repeat(size))).status, 503);
  for (const connection of half) connection.close();
});
