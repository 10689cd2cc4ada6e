/** Requests for the keys of an identity provider: the number of requests, and the responses that the server accepts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FetchJson, FetchProblem, guardedFetch } from '#access/guarded-fetch.ts';
import { issuerKeys } from '#access/issuer-keys.ts';
import { verifyWebIdentity } from '#access/web-identity.ts';
import type { AccountId, Arn } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { OidcProviderRecord } from '#store/identity/identity.ts';
import { type IdentityProvider, startIdentityProvider } from './identity-provider.ts';

const fetching = ({ host }: IdentityProvider, maxBytes?: number) =>
  guardedFetch({ allowedInternalHosts: [host], ...(maxBytes !== undefined && { maxBytes }) });

function recordOf({ issuer, thumbprint }: IdentityProvider): OidcProviderRecord {
  const url = issuer.slice('https://'.length);
  const accountId = '111122223333' as AccountId;
  return {
    accountId,
    arn: `arn:aws:iam::${accountId}:oidc-provider/${url}` as Arn,
    url,
    clientIds: ['client-1'],
    thumbprints: [thumbprint.toUpperCase()],
    createdAt: instant(0),
    tags: [],
  };
}

const later = (seconds: number): Instant => instant(Date.now() + seconds * 1000);

test('Issuer keys: a token with an unknown key ID causes a fetch, at most once a minute', async () => {
  const provider = await startIdentityProvider();
  const keys = issuerKeys(fetching(provider));
  const verify = async (token: string, now: Instant) => (await verifyWebIdentity(token, recordOf(provider), keys, now)).subject;
  assert.equal(await verify(await provider.token(), later(0)), 'user-1');
  await provider.rotate('second');
  const token = await provider.token();
  await assert.rejects(verify(token, later(30)), { code: 'InvalidIdentityTokenException', message: /^Couldn't retrieve verification key/ });
  assert.equal(provider.asked.length, 2);
  assert.equal(await verify(token, later(61)), 'user-1');
  assert.equal(provider.asked.length, 4);
  await assert.rejects(verify(await provider.token({}, 'invented'), later(90)), { code: 'InvalidIdentityTokenException' });
  assert.equal(provider.asked.length, 4);
});

test('Issuer keys: the server fetches the keys again after an hour, so a withdrawn key becomes invalid', async () => {
  const provider = await startIdentityProvider();
  const keys = issuerKeys(fetching(provider));
  const token = await provider.token({ exp: Math.floor(Date.now() / 1000) + 7200 });
  await verifyWebIdentity(token, recordOf(provider), keys, later(0));
  await provider.rotate('second');
  await verifyWebIdentity(token, recordOf(provider), keys, later(3599));
  await assert.rejects(verifyWebIdentity(token, recordOf(provider), keys, later(3601)), { code: 'InvalidIdentityTokenException' });
});

test('Issuer keys: a token without a key ID is verified with each key', async () => {
  const provider = await startIdentityProvider();
  const [mine] = (provider.documents.get('/keys') as { keys: Record<string, unknown>[] }).keys;
  await provider.rotate('second');
  const [other] = (provider.documents.get('/keys') as { keys: Record<string, unknown>[] }).keys;
  provider.documents.set('/keys', {
    keys: [
      { ...mine, kid: 'same' },
      { ...other, kid: 'same' },
    ],
  });
  const federation = await verifyWebIdentity(
    await provider.token({}, 'same'),
    recordOf(provider),
    issuerKeys(fetching(provider)),
    later(0),
  );
  assert.equal(federation.subject, 'user-1');
});

test('Issuer keys: concurrent requests share one fetch, and a failure is cached for ten seconds', async () => {
  let fetches = 0;
  const failing: FetchJson = async () => {
    fetches++;
    throw new FetchProblem("Host 'idp.example' returned the status 500 instead of 200.");
  };
  const keys = issuerKeys(failing);
  const ask = (seconds: number) => assert.rejects(keys.keysOf('https://idp.example', [], later(seconds)), FetchProblem);
  await Promise.all([ask(0), ask(0), ask(0)]);
  await ask(9);
  assert.equal(fetches, 1);
  await ask(11);
  assert.equal(fetches, 2);
});

const CONFIGURATION = '/realms/a/.well-known/openid-configuration';

// biome-ignore format: a table
const NOT_TAKEN: readonly [name: string, change: (provider: IdentityProvider) => void, message: RegExp][] = [
  // title                                       change of the provider                                                                                              error message
  ['a configuration of another issuer',          (p) => p.documents.set(CONFIGURATION, { issuer: 'https://idp.example', jwks_uri: `https://${p.host}/keys` }),      /another issuer/],
  ['a configuration without keys',               (p) => p.documents.set(CONFIGURATION, { issuer: p.issuer }),                                                         /not have a jwks_uri/],
  ['keys over plain HTTP',                       (p) => p.documents.set(CONFIGURATION, { issuer: p.issuer, jwks_uri: `http://${p.host}/keys` }),                      /must be an https URL/],
  ['keys at an internal address not allowed',    (p) => p.documents.set(CONFIGURATION, { issuer: p.issuer, jwks_uri: 'https://169.254.169.254/keys' }),               /internal address/],
  ['a redirect',                                 (p) => p.documents.set('/keys', 302),                                                                                /status 302/],
  ['a missing document',                         (p) => p.documents.delete('/keys'),                                                                                  /status 404/],
  ['a response that is not JSON',                 (p) => p.documents.set('/keys', '<html>'),                                                                           /invalid JSON/],
  ['an endless response',                        (p) => p.documents.set('/keys', 'x'.repeat(20_000)),                                                                 /more than 10000 bytes/],
  ['invalid keys',                               (p) => p.documents.set('/keys', { keys: 'none' }),                                                                   /not a valid JSON Web Key Set/],
];

for (const [name, change, message] of NOT_TAKEN) {
  test(`Issuer keys: ${name} is rejected`, async () => {
    const provider = await startIdentityProvider();
    change(provider);
    const keys = issuerKeys(fetching(provider, 10_000));
    await assert.rejects(
      keys.keysOf(provider.issuer, [provider.thumbprint], later(0)),
      (error: Error) => error instanceof FetchProblem && message.test(error.message),
    );
  });
}

test('Issuer keys: an untrusted certificate is accepted only if a thumbprint of its chain is configured', async () => {
  const provider = await startIdentityProvider();
  const other = await startIdentityProvider();
  const url = `${provider.issuer}/.well-known/openid-configuration`;
  const fetchJson = fetching(provider);
  assert.ok(await fetchJson(url, { thumbprints: [provider.thumbprint] }));
  for (const thumbprints of [[], [other.thumbprint]]) {
    await assert.rejects(fetchJson(url, { thumbprints }), { message: /trusted certificate/ });
  }
  assert.equal(provider.asked.length, 1);
});

test('Issuer keys: a certificate of another host is rejected, even if its thumbprint is configured', async () => {
  const provider = await startIdentityProvider();
  // 127.1.1.1 also reaches this machine, but the certificate does not contain this address.
  const host = provider.host.replace('localhost', '127.1.1.1');
  const fetchJson = guardedFetch({ allowedInternalHosts: [host] });
  await assert.rejects(fetchJson(`https://${host}/keys`, { thumbprints: [provider.thumbprint] }), FetchProblem);
});
