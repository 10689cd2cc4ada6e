/** Protection of the sign-in pages against other sites: host names, cookies, headers, and cross-site requests. */

import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CreateLoginProfileCommand } from '@aws-sdk/client-iam';
import { startAccount } from '../kit/account.ts';
import { allow } from '../kit/policy.ts';
import { exchange } from '../kit/raw.ts';
import { startTestServer } from '../kit/server.ts';
import { browser } from './browser.ts';

const account = await startAccount({ BELFRY_PUBLIC_URL: 'https://belfry.example.org:8443' });
const { server } = account;
const GOOD = 'Correct-Horse-7';
await account.user('ada', allow('*'));
await account.admin.send(new CreateLoginProfileCommand({ UserName: 'ada', Password: GOOD }));
const SIGN_IN = { account: account.accountId, userName: 'ada', password: GOOD };

// biome-ignore format: a table
const HOSTS: readonly (readonly [host: string, status: number])[] = [
  ['127.0.0.1:7080',            401],
  ['127.8.8.8',                 401],
  ['[::1]:7443',                401],
  ['localhost:7080',            401],
  ['LOCALHOST',                 401],
  ['console.localhost',         401],
  [hostname(),                  401],
  ['belfry.example.org:8443',   401],
  ['belfry.example.org',        401],
  ['attacker.example',          421],
  ['attacker.example:7080',     421],
  ['belfry.example.org.attacker.example', 421],
  ['localhost.attacker.example', 421],
  ['192.0.2.7:7080',            421],
  ['[2001:db8::7]:7080',        421],
  ['belfry.example.org, attacker.example', 421],
  ['attacker.example@localhost', 421],
  ['localhost:7080:7080',       421],
];

for (const [host, status] of HOSTS) {
  test(`Sign-in pages: the Host '${host}' is ${status}`, async () => {
    assert.equal((await browser(server.endpoint).get('/_belfry/sign-in', { host })).status, status);
  });
}

for (const [method, path] of [
  ['GET', '/federation?Action=logout'],
  ['POST', '/federation'],
  ['POST', '/saml'],
  ['POST', '/_belfry/sign-in'],
  ['DELETE', '/_belfry/sign-in'],
  ['POST', '/_belfry/sign-in/credentials'],
] as const) {
  test(`Sign-in pages: ${method} ${path} with a foreign Host is 421`, async () => {
    const page = await browser(server.endpoint).send(method, path, { host: 'attacker.example', origin: 'http://attacker.example' });
    assert.deepEqual([page.status, page.json()['code'], page.headers['set-cookie']], [421, 'MisdirectedRequest', undefined]);
  });
}

for (const [what, version, lines] of [
  ['two Host headers', '1.1', 'host: localhost\r\nhost: attacker.example\r\n'],
  ['an empty Host', '1.1', 'host: \r\n'],
  ['no Host', '1.0', ''],
] as const) {
  test(`Sign-in pages: ${what} is 421`, async () => {
    const { status } = await exchange(server.endpoint, `GET /_belfry/sign-in HTTP/${version}\r\n${lines}\r\n`);
    assert.equal(status, 421);
  });
}

test('Sign-in pages: a listener on all addresses accepts any IP address as host, and refuses names', async () => {
  const open = await startTestServer({ BELFRY_HTTP: 'off', BELFRY_HTTPS: '0.0.0.0:0' });
  for (const [host, status] of [
    ['192.0.2.7:7443', 401],
    ['[2001:db8::7]:7443', 401],
    ['attacker.example', 421],
  ] as const) {
    const reply = await exchange(open.endpoint, `GET /_belfry/sign-in HTTP/1.1\r\nhost: ${host}\r\n\r\n`, open.caFile);
    assert.equal(reply.status, status, host);
  }
});

test('Sign-in pages: the names of a configured certificate are accepted', async () => {
  const own = (name: string) => join(server.dataFolder, 'tls', name);
  const other = await startTestServer({ BELFRY_TLS_CERTIFICATE: own('server.pem'), BELFRY_TLS_KEY: own('server.key') });
  const at = browser(other.endpoint);
  assert.equal((await at.get('/_belfry/sign-in', { host: 'belfry.example.org' })).status, 401);
  assert.equal((await at.get('/_belfry/sign-in', { host: 'attacker.example' })).status, 421);
});

// biome-ignore format: a table
const COOKIES: readonly (readonly [what: string, endpoint: string, host: string | undefined, origin: string | undefined, name: string, secure: boolean])[] = [
  ['plain HTTP on loopback',                  server.endpoint,      undefined,                 undefined,                          'belfry-sign-in',        false],
  ['HTTPS',                                   server.httpsEndpoint, undefined,                 undefined,                          '__Host-belfry-sign-in', true ],
  ['a proxy that ends TLS of the public URL', server.endpoint,      'belfry.example.org:8443', 'https://belfry.example.org:8443',  '__Host-belfry-sign-in', true ],
];

for (const [what, endpoint, host, origin, name, secure] of COOKIES) {
  test(`Sign-in pages: over ${what} the cookie is ${name}`, async () => {
    const at = browser(endpoint, endpoint.startsWith('https') ? server.caFile : undefined);
    const from = { ...(host !== undefined && { host }), ...(origin !== undefined && { origin }) };
    const page = await at.post('/_belfry/sign-in', SIGN_IN, from);
    assert.equal(page.status, 200, page.text);
    const [pair = '', ...attributes] = page.headers['set-cookie']?.[0]?.split('; ') ?? [];
    assert.equal(pair.split('=')[0], name);
    const rest = attributes.filter((attribute) => !attribute.startsWith('Max-Age='));
    assert.deepEqual(rest, ['Path=/', 'HttpOnly', 'SameSite=Lax', ...(secure ? ['Secure'] : [])]);
    assert.equal((await at.get('/_belfry/sign-in', host === undefined ? {} : { host })).status, 200);
    const strict = page.headers['strict-transport-security'];
    assert.equal(strict !== undefined, host !== undefined, 'only the public URL requires HTTPS');
  });
}

test('Sign-in pages: a request for the public URL is 403 if its Origin header has the scheme http', async () => {
  const from = { host: 'belfry.example.org:8443', origin: 'http://belfry.example.org:8443' };
  assert.equal((await browser(server.endpoint).post('/_belfry/sign-in', SIGN_IN, from)).status, 403);
});

test('Sign-in pages: responses forbid caches, frames, referrers, scripts and other origins', async () => {
  const at = browser(server.endpoint);
  for (const page of [
    await at.get('/_belfry/sign-in'),
    await at.get('/federation?Action=logout'),
    await at.get('/federation?Action=login&SigninToken=x'),
    await at.post('/saml', 'SAMLResponse=eA%3D%3D'),
    await at.send('PUT', '/saml'),
    await at.get('/_belfry/sign-in', { host: 'attacker.example' }),
  ]) {
    assert.equal(page.headers['cache-control'], 'no-store');
    assert.equal(page.headers['x-frame-options'], 'DENY');
    assert.equal(page.headers['referrer-policy'], 'no-referrer');
    assert.equal(page.headers['x-content-type-options'], 'nosniff');
    assert.equal(page.headers['cross-origin-resource-policy'], 'same-origin');
    assert.equal(page.headers['cross-origin-opener-policy'], 'same-origin');
    assert.match(page.headers['content-security-policy'] as string, /default-src 'none'.*frame-ancestors 'none'/);
  }
});

for (const [method, path, form] of [
  ['GET', '/federation?Action=logout', ''],
  ['GET', '/federation?Action=login&SigninToken=x', ''],
  ['POST', '/saml', 'SAMLResponse=eA%3D%3D'],
] as const) {
  for (const [what, headers] of [
    ['an image', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    ['a frame', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
    ['a script', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }],
  ] as const) {
    test(`Sign-in pages: ${method} ${path}, sent by ${what} of another site, is 403 and sets no cookie`, async () => {
      const type = { 'content-type': 'application/x-www-form-urlencoded' };
      const page = await browser(server.endpoint).send(method, path, { ...type, ...headers, 'sec-fetch-site': 'cross-site' }, form);
      assert.deepEqual([page.status, page.headers['set-cookie']], [403, undefined]);
    });
  }
}
