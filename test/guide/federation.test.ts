/**
 * Federation as in the Amazon Chime Administration Guide: users sign in at their identity provider and get temporary
 * credentials of a role. ROLE-3, FED-1, FED-2.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeleteMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { CreateOpenIDConnectProviderCommand } from '@aws-sdk/client-iam';
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromWebToken } from '@aws-sdk/credential-providers';
import { startAccount } from '../kit/account.ts';
import { keysOf, UNKNOWN_KEYS } from '../kit/keys.ts';
import { createMeeting } from '../kit/meeting.ts';
import { denialOf, refusalOf } from '../kit/outcome.ts';
import { allow, trustProvider } from '../kit/policy.ts';
import { startOpenIdProvider } from './openid-provider.ts';

const provider = await startOpenIdProvider();
const account = await startAccount({ BELFRY_INTERNAL_ISSUERS: provider.host });
const { accountId, admin, meetings, server } = account;
const unsigned = account.sts(UNKNOWN_KEYS);

const { OpenIDConnectProviderArn } = await admin.send(
  new CreateOpenIDConnectProviderCommand({
    Url: provider.issuer,
    ClientIDList: [provider.clientId],
    ThumbprintList: [provider.thumbprint],
  }),
);
const ada = { StringEquals: { [`${provider.host}:aud`]: provider.clientId, [`${provider.host}:sub`]: 'ada' } };
const host = await account.role(
  'Host',
  trustProvider(OpenIDConnectProviderArn, 'sts:AssumeRoleWithWebIdentity', { Condition: ada }),
  allow('chime:CreateMeeting'),
);
const assume = (WebIdentityToken: string) =>
  unsigned.send(new AssumeRoleWithWebIdentityCommand({ RoleArn: host, RoleSessionName: 'app', WebIdentityToken }));

test('FED-2, ROLE-3: a user of an OpenID provider gets only the permissions of the role that trusts it', async () => {
  const answer = await assume(await provider.signIn('ada'));
  assert.deepEqual(
    [answer.SubjectFromWebIdentityToken, answer.Audience, answer.Provider],
    ['ada', provider.clientId, OpenIDConnectProviderArn],
  );
  const keys = keysOf(answer.Credentials);
  const { Meeting } = await meetings(keys).send(createMeeting('ada'));
  await denialOf(meetings(keys).send(new DeleteMeetingCommand({ MeetingId: Meeting?.MeetingId })));
});

test('FED-1: a federated identity becomes a role session', async () => {
  const { Credentials, AssumedRoleUser } = await assume(await provider.signIn('ada'));
  const { Arn } = await account.sts(keysOf(Credentials)).send(new GetCallerIdentityCommand({}));
  assert.equal(Arn, `arn:aws:sts::${accountId}:assumed-role/Host/app`);
  assert.equal(AssumedRoleUser?.Arn, Arn);
});

test('FED-2: the trust policy denies another user, and an altered token is InvalidIdentityToken', async () => {
  assert.match(await denialOf(assume(await provider.signIn('mallory'))), /Not authorized to perform sts:AssumeRoleWithWebIdentity/);
  const [head, claims, signature] = (await provider.signIn('mallory')).split('.') as [string, string, string];
  const forged = Buffer.from(Buffer.from(claims, 'base64url').toString().replace('"mallory"', '"ada"')).toString('base64url');
  assert.notEqual(forged, claims);
  assert.equal((await refusalOf(assume(`${head}.${forged}.${signature}`))).name, 'InvalidIdentityTokenException');
});

test('FED-2: fromWebToken of the SDK returns credentials', async () => {
  const credentials = fromWebToken({
    roleArn: host,
    roleSessionName: 'sdk',
    webIdentityToken: await provider.signIn('ada'),
    clientConfig: { endpoint: server.endpoint, region: 'us-east-1' },
  });
  const { Arn } = await new STSClient({ ...server.client(), credentials }).send(new GetCallerIdentityCommand({}));
  assert.equal(Arn, `arn:aws:sts::${accountId}:assumed-role/Host/sdk`);
});
