/** Tests AssumeRoleWithWebIdentity with the SDK and a local identity provider. Requirement FED-2. */

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { CreateOpenIDConnectProviderCommand, DeleteOpenIDConnectProviderCommand, ListUsersCommand } from '@aws-sdk/client-iam';
import { type AssumeRoleWithWebIdentityCommandInput, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { keysOf } from '../kit/keys.ts';
import { assertRefused } from '../kit/outcome.ts';
import { allow, type Statement, trust, trustProvider } from '../kit/policy.ts';
import { startFederation } from './federation.ts';
import { startIdentityProvider } from './identity-provider.ts';

const federation = await startFederation();
const { accountId, admin, issuer, oidc: provider, oidcArn, sts } = federation;
const outsider = await startIdentityProvider();
await admin.send(
  new CreateOpenIDConnectProviderCommand({ Url: outsider.issuer, ClientIDList: ['client-1'], ThumbprintList: [outsider.thumbprint] }),
);

/** Creates a role that trusts the provider under a condition. */
function role(
  role: string | { RoleName: string; MaxSessionDuration: number },
  Condition: object = {},
  actions: readonly string[] = ['sts:AssumeRoleWithWebIdentity'],
  ...statements: Statement[]
) {
  return federation.role(role, trustProvider(oidcArn, actions, { Condition }), ...statements);
}
const ALL = ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity'];
const open = await role('open', {}, ALL);

const assume = (token: string, { RoleArn = open, ...more }: Partial<AssumeRoleWithWebIdentityCommandInput> = {}) =>
  federation.assumeWithToken(RoleArn, token, more);

test("AssumeRoleWithWebIdentity: a token creates a role session, and the response has the token's subject", async () => {
  const answer = await assume(await provider.token());
  // Source: IAM User Guide, "Logging IAM and AWS STS API calls with AWS CloudTrail", the sample of OIDC: `provider` is an ARN.
  assert.deepEqual([answer.SubjectFromWebIdentityToken, answer.Audience, answer.Provider], ['user-1', 'client-1', oidcArn]);
  assert.equal(answer.AssumedRoleUser?.Arn, `arn:aws:sts::${accountId}:assumed-role/open/web`);
  const who = await sts(keysOf(answer.Credentials)).send(new GetCallerIdentityCommand({}));
  assert.equal(who.Arn, `arn:aws:sts::${accountId}:assumed-role/open/web`);
});

test("AssumeRoleWithWebIdentity: the server fetches the provider's keys once for many tokens", async () => {
  await assume(await provider.token());
  await assume(await provider.token());
  assert.deepEqual(provider.asked, ['/realms/a/.well-known/openid-configuration', '/keys']);
});

/** Returns a token from its parts, without a valid signature. */
const raw = (header: object, payload: object, signature: string) => `${encoded(header)}.${encoded(payload)}.${signature}`;
const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
const claims = () => ({
  iss: provider.issuer,
  sub: 'user-1',
  aud: 'client-1',
  iat: Math.floor(Date.now() / 1000),
  exp: Math.floor(Date.now() / 1000) + 600,
});

/** Returns a token signed with the public key as an HMAC secret (algorithm confusion). */
function confused(): string {
  const signed = `${encoded({ alg: 'HS256', kid: 'first' })}.${encoded(claims())}`;
  return `${signed}.${createHmac('sha256', JSON.stringify(provider.documents.get('/keys')))
    .update(signed)
    .digest('base64url')}`;
}
async function altered(): Promise<string> {
  const [header, , signature] = (await provider.token()).split('.');
  return `${header}.${encoded({ ...claims(), sub: 'admin' })}.${signature}`;
}
const seconds = (from: number) => Math.floor(Date.now() / 1000) + from;

// biome-ignore format: a table
const REFUSED: readonly [name: string, token: () => string | Promise<string>, code: string, message: string | RegExp][] = [
  // title                           token                                                                        code                    message
  ['a string that is not a JWT',     () => 'an access token',                                                     'InvalidIdentityTokenException', 'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)'],
  ['an unregistered issuer',         () => provider.token({ iss: 'https://idp.example' }),                        'InvalidIdentityTokenException', 'No OpenIDConnect provider found in your account for https://idp.example'],
  ['an issuer without TLS',          () => provider.token({ iss: provider.issuer.replace('https', 'http') }),     'InvalidIdentityTokenException', /^No OpenIDConnect provider found in your account for http:/],
  ['a changed claim',                altered,                                                                     'InvalidIdentityTokenException', 'The web identity token that was passed could not be validated.'],
  ['algorithm none',                 () => raw({ alg: 'none' }, claims(), ''),                                    'InvalidIdentityTokenException', 'The web identity token that was passed could not be validated.'],
  ['the public key as HMAC secret',  confused,                                                                    'InvalidIdentityTokenException', 'The web identity token that was passed could not be validated.'],
  ['another audience',               () => provider.token({ aud: 'client-9' }),                                   'InvalidIdentityTokenException', 'Incorrect token audience'],
  ['another authorized party',       () => provider.token({ azp: 'client-9' }),                                   'InvalidIdentityTokenException', 'Incorrect token audience'],
  ['expired',                        () => provider.token({ exp: seconds(-301) }),                                'ExpiredTokenException',         /^Token expired: current date\/time \d+ must be before the expiration date\/time \d+$/],
  ['issued in an hour',              () => provider.token({ nbf: seconds(3600) }),                                'InvalidIdentityTokenException', 'Invalid claim: nbf'],
  ['no expiry',                      () => provider.token({ exp: undefined }),                                    'InvalidIdentityTokenException', 'Missing a required claim: exp'],
  ['no subject',                     () => provider.token({ sub: undefined }),                                    'InvalidIdentityTokenException', 'Missing a required claim: sub'],
  ['a tag of two values',            () => provider.token({ 'https://aws.amazon.com/tags': { principal_tags: { a: ['1', '2'] } } }), 'InvalidIdentityTokenException', /^Invalid session tag 'a' in the token/],
  ['a source identity with a blank', () => provider.token({ 'https://aws.amazon.com/source_identity': 'a b' }),   'InvalidIdentityTokenException', /Invalid source identity/],
];

for (const [name, token, code, message] of REFUSED) {
  test(`AssumeRoleWithWebIdentity: ${name} is ${code}`, async () => assertRefused(assume(await token()), code, message));
}

test('AssumeRoleWithWebIdentity: a provider at an internal address that is not allowed is not called', async () => {
  await assertRefused(assume(await outsider.token()), 'IDPCommunicationErrorException', /internal/);
  assert.deepEqual(outsider.asked, []);
});

test('AssumeRoleWithWebIdentity: a role without trust gets the same error as an unknown role', async () => {
  const token = await provider.token();
  const closed = await federation.role('closed', trust(accountId));
  for (const RoleArn of [closed, `arn:aws:iam::${accountId}:role/absent`]) {
    await assertRefused(assume(token, { RoleArn }), 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
  }
});

test('AssumeRoleWithWebIdentity: a trust policy can require audience, subject and methods', async () => {
  const RoleArn = await role('asks', {
    StringEquals: { [`${issuer}:aud`]: 'client-2', [`${issuer}:sub`]: 'user-2' },
    'ForAnyValue:StringEquals': { [`${issuer}:amr`]: ['otp'] },
  });
  const right = { aud: 'client-2', sub: 'user-2', amr: ['pwd', 'otp'] };
  await assume(await provider.token(right), { RoleArn });
  for (const wrong of [{ aud: 'client-1' }, { sub: 'user-1' }, { amr: ['pwd'] }, { amr: undefined }]) {
    await assertRefused(assume(await provider.token({ ...right, ...wrong }), { RoleArn }), 'AccessDenied', /^Not authorized/);
  }
});

test('AssumeRoleWithWebIdentity: the authorized party (claim azp) of a token is returned as the audience', async () => {
  const answer = await assume(await provider.token({ aud: ['elsewhere'], azp: 'client-2' }));
  assert.equal(answer.Audience, 'client-2');
});

test('AssumeRoleWithWebIdentity: the session has tags and source identity if the trust policy allows them', async () => {
  const token = await provider.token({
    'https://aws.amazon.com/tags': { principal_tags: { team: ['blue'] }, transitive_tag_keys: ['team'] },
    'https://aws.amazon.com/source_identity': 'user-1',
  });
  const blue = { StringEquals: { 'aws:PrincipalTag/team': 'blue', 'aws:SourceIdentity': 'user-1', 'aws:FederatedProvider': oidcArn } };
  const RoleArn = await role('tagged', {}, ALL, allow('iam:ListUsers', '*', { Condition: blue }));
  const answer = await assume(token, { RoleArn });
  assert.equal(answer.SourceIdentity, 'user-1');
  await federation.iam(keysOf(answer.Credentials)).send(new ListUsersCommand({}));
  await assertRefused(assume(token, { RoleArn: await role('untagged') }), 'AccessDenied', 'Not authorized to perform sts:TagSession');
});

test("AssumeRoleWithWebIdentity: a session may last for the role's maximum, but may not assume role `open`", async () => {
  const RoleArn = await role({ RoleName: 'long', MaxSessionDuration: 7200 });
  const answer = await assume(await provider.token(), { RoleArn, DurationSeconds: 7200 });
  await assertRefused(assume(await provider.token(), { RoleArn, DurationSeconds: 7201 }), 'ValidationError', /MaxSessionDuration/);
  await assert.rejects(federation.assume(keysOf(answer.Credentials), open), { name: 'AccessDenied' });
});

test('AssumeRoleWithWebIdentity: ProviderId is ValidationError', async () => {
  await assertRefused(assume(await provider.token(), { ProviderId: 'www.amazon.com' }), 'ValidationError', /ProviderId/);
});

test('AssumeRoleWithWebIdentity: after a provider is deleted, its tokens fail at once', async () => {
  const token = await provider.token();
  await assume(token);
  await admin.send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: oidcArn }));
  await assertRefused(
    assume(token),
    'InvalidIdentityTokenException',
    `No OpenIDConnect provider found in your account for ${provider.issuer}`,
  );
});
