/**
 * Trail records of denied requests with a valid token. The number and the size of these records are limited, because
 * anyone can get a token of a public issuer (Decision 0015).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { CreateOpenIDConnectProviderCommand } from '@aws-sdk/client-iam';
import { startAccount } from '../kit/account.ts';
import { trustProvider } from '../kit/policy.ts';
import { bytesOf, errorCodeOf, exchange, signedHeaders } from '../kit/raw.ts';
import { everyEvent } from '../kit/trail.ts';
import { startIdentityProvider } from './identity-provider.ts';

const PER_MINUTE = 20;
const provider = await startIdentityProvider();
const account = await startAccount({ BELFRY_INTERNAL_ISSUERS: provider.host, BELFRY_UNPROVEN_RECORDS: String(PER_MINUTE) });
const { server, admin } = account;
const { host } = new URL(server.endpoint);
const issuer = provider.issuer.slice('https://'.length);
const { OpenIDConnectProviderArn } = await admin.send(
  new CreateOpenIDConnectProviderCommand({ Url: provider.issuer, ClientIDList: ['client-1'], ThumbprintList: [provider.thumbprint] }),
);

const role = (name: string, subject: string) =>
  account.role(
    name,
    trustProvider(OpenIDConnectProviderArn, 'sts:AssumeRoleWithWebIdentity', { Condition: { StringLike: { [`${issuer}:sub`]: subject } } }),
  );

/** Sends a request with a valid token, and with policies that make its record large. */
function assuming(RoleArn: string, token: string, policies: number) {
  const parameters = {
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn,
    RoleSessionName: 'web',
    WebIdentityToken: token,
  };
  const arns = Array.from(
    { length: policies },
    (_, i) => `&PolicyArns.member.${i + 1}.arn=arn:aws:iam::aws:policy/NoSuchPolicyAtAllAnywhere`,
  );
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'gzip' };
  return { method: 'POST', target: '/', headers, body: gzipSync(`${new URLSearchParams(parameters)}${arns.join('')}`) };
}

test('Refused tokens: unsigned denied requests have at most 20 records of 6 KB; all others are recorded', async () => {
  const [open, closed] = [await role('open', '*'), await role('closed', 'nobody')];
  const token = await provider.token({});
  const send = (plain: ReturnType<typeof assuming>) => exchange(server.endpoint, bytesOf(plain, { host, ...plain.headers }));
  for (let i = 0; i < 30; i++) assert.equal(errorCodeOf(await send(assuming(closed, token, 1_000))), 'AccessDenied');
  for (let i = 0; i < 30; i++) assert.equal((await send(assuming(open, token, 0))).status, 200);
  for (let i = 0; i < 30; i++) {
    const plain = assuming(closed, token, 0);
    const headers = signedHeaders(server.endpoint, plain, { credentials: server.credentials, signingName: 'sts' });
    assert.equal(errorCodeOf(await exchange(server.endpoint, bytesOf(plain, headers))), 'AccessDenied');
  }
  const records = (await everyEvent(new CloudTrailClient(server.client()))).filter(
    ({ eventName }) => eventName === 'AssumeRoleWithWebIdentity',
  );
  const refused = records.filter(({ errorCode }) => errorCode === 'AccessDenied');
  const large = refused.map(({ document }) => JSON.stringify(document)).filter((text) => text.includes('"omitted":true'));
  assert.deepEqual([records.length - refused.length, refused.length, large.length], [30, PER_MINUTE + 30, PER_MINUTE]);
  for (const text of large) assert.ok(text.length <= 6_144, `${text.length} bytes`);
});
