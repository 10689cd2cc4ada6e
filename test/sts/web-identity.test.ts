/** AssumeRoleWithWebIdentity over the wire, with a local identity provider. Requirement FED-2. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import {
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  DeleteOpenIDConnectProviderCommand,
  IAMClient,
  ListUsersCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandInput,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { startTestServer } from '../server.ts';
import { startIdentityProvider } from './identity-provider.ts';

const provider = await startIdentityProvider();
const outsider = await startIdentityProvider();
const server = await startTestServer({ BELFRY_INTERNAL_ISSUERS: `${provider.host}` });
const { accountId } = server;
const iam = new IAMClient(server.client());
const anonymous = new STSClient({
  endpoint: server.endpoint,
  region: 'us-east-1',
  maxAttempts: 1,
  credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
});

const name = provider.issuer.slice('https://'.length);
const { OpenIDConnectProviderArn } = await iam.send(
  new CreateOpenIDConnectProviderCommand({
    Url: provider.issuer,
    ClientIDList: ['client-1', 'client-2'],
    ThumbprintList: [provider.thumbprint],
  }),
);
await iam.send(
  new CreateOpenIDConnectProviderCommand({ Url: outsider.issuer, ClientIDList: ['client-1'], ThumbprintList: [outsider.thumbprint] }),
);

const document = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
async function role(
  RoleName: string,
  condition: object = {},
  actions: readonly string[] = ['sts:AssumeRoleWithWebIdentity'],
  more: object = {},
): Promise<string> {
  const trust = {
    Effect: 'Allow',
    Principal: { Federated: OpenIDConnectProviderArn },
    Action: actions,
    ...(Object.keys(condition).length > 0 && { Condition: condition }),
  };
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: document(trust), ...more }));
  return Role?.Arn as string;
}
const open = await role('open', {}, ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity']);

async function assume(token: string, input: Partial<AssumeRoleWithWebIdentityCommandInput> = {}) {
  return await anonymous.send(
    new AssumeRoleWithWebIdentityCommand({ RoleArn: open, RoleSessionName: 'web', WebIdentityToken: token, ...input }),
  );
}
type Answer = Awaited<ReturnType<typeof assume>>;
function client({ Credentials }: Answer) {
  return server.client({
    accessKeyId: Credentials?.AccessKeyId as string,
    secretAccessKey: Credentials?.SecretAccessKey as string,
    sessionToken: Credentials?.SessionToken as string,
  });
}

const refused = (promise: Promise<unknown>, code: string, message: string | RegExp) =>
  assert.rejects(promise, (error: Error) => {
    assert.ok(error.name === code || error.name === `${code}Exception`, `${error.name}: ${error.message}`);
    if (typeof message === 'string') assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  });

test('AssumeRoleWithWebIdentity: a token creates a session of the role, and the response has its subject', async () => {
  const answer = await assume(await provider.token());
  // Source: IAM User Guide, "Logging IAM and AWS STS API calls with AWS CloudTrail", the sample of OIDC: `provider` is an ARN.
  assert.deepEqual(
    [answer.SubjectFromWebIdentityToken, answer.Audience, answer.Provider],
    ['user-1', 'client-1', OpenIDConnectProviderArn],
  );
  assert.equal(answer.AssumedRoleUser?.Arn, `arn:aws:sts::${accountId}:assumed-role/open/web`);
  const who = await new STSClient(client(answer)).send(new GetCallerIdentityCommand({}));
  assert.equal(who.Arn, `arn:aws:sts::${accountId}:assumed-role/open/web`);
});

test('AssumeRoleWithWebIdentity: the keys are fetched once for many tokens', async () => {
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
  // what is wrong                   the token                                                                    code                    message
  ['a string that is not a JWT',     () => 'an access token',                                                     'InvalidIdentityToken', 'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)'],
  ['an unregistered issuer',         () => provider.token({ iss: 'https://idp.example' }),                        'InvalidIdentityToken', 'No OpenIDConnect provider found in your account for https://idp.example'],
  ['an issuer without TLS',          () => provider.token({ iss: provider.issuer.replace('https', 'http') }),     'InvalidIdentityToken', /^No OpenIDConnect provider found in your account for http:/],
  ['a changed claim',                altered,                                                                     'InvalidIdentityToken', 'The web identity token that was passed could not be validated.'],
  ['algorithm none',                 () => raw({ alg: 'none' }, claims(), ''),                                    'InvalidIdentityToken', 'The web identity token that was passed could not be validated.'],
  ['the public key as HMAC secret',  confused,                                                                    'InvalidIdentityToken', 'The web identity token that was passed could not be validated.'],
  ['another audience',               () => provider.token({ aud: 'client-9' }),                                   'InvalidIdentityToken', 'Incorrect token audience'],
  ['another authorized party',       () => provider.token({ azp: 'client-9' }),                                   'InvalidIdentityToken', 'Incorrect token audience'],
  ['expired',                        () => provider.token({ exp: seconds(-301) }),                                'ExpiredToken',         /^Token expired: current date\/time \d+ must be before the expiration date\/time \d+$/],
  ['issued in an hour',              () => provider.token({ nbf: seconds(3600) }),                                'InvalidIdentityToken', 'Invalid claim: nbf'],
  ['no expiry',                      () => provider.token({ exp: undefined }),                                    'InvalidIdentityToken', 'Missing a required claim: exp'],
  ['no subject',                     () => provider.token({ sub: undefined }),                                    'InvalidIdentityToken', 'Missing a required claim: sub'],
  ['a tag of two values',            () => provider.token({ 'https://aws.amazon.com/tags': { principal_tags: { a: ['1', '2'] } } }), 'InvalidIdentityToken', /cannot be a session tag: a$/],
  ['a source identity with a blank', () => provider.token({ 'https://aws.amazon.com/source_identity': 'a b' }),   'InvalidIdentityToken', /source identity that cannot be one/],
];

for (const [name, token, code, message] of REFUSED) {
  test(`AssumeRoleWithWebIdentity: ${name} is ${code}`, async () => refused(assume(await token()), code, message));
}

test('AssumeRoleWithWebIdentity: a provider with an internal address is not called unless allowed', async () => {
  await refused(assume(await outsider.token()), 'IDPCommunicationError', /internal/);
  assert.deepEqual(outsider.asked, []);
});

test('AssumeRoleWithWebIdentity: a role without trust and an unknown role are the same error', async () => {
  const token = await provider.token();
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName: 'closed',
      AssumeRolePolicyDocument: document({ Effect: 'Allow', Principal: { AWS: accountId }, Action: 'sts:AssumeRole' }),
    }),
  );
  for (const RoleArn of [Role?.Arn as string, `arn:aws:iam::${accountId}:role/absent`]) {
    await refused(assume(token, { RoleArn }), 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
  }
});

test('AssumeRoleWithWebIdentity: a trust policy can require audience, subject and methods', async () => {
  const RoleArn = await role('asks', {
    StringEquals: { [`${name}:aud`]: 'client-2', [`${name}:sub`]: 'user-2' },
    'ForAnyValue:StringEquals': { [`${name}:amr`]: ['otp'] },
  });
  const right = { aud: 'client-2', sub: 'user-2', amr: ['pwd', 'otp'] };
  await assume(await provider.token(right), { RoleArn });
  for (const wrong of [{ aud: 'client-1' }, { sub: 'user-1' }, { amr: ['pwd'] }, { amr: undefined }]) {
    await refused(assume(await provider.token({ ...right, ...wrong }), { RoleArn }), 'AccessDenied', /^Not authorized/);
  }
});

test('AssumeRoleWithWebIdentity: an authorized party in the token is the audience', async () => {
  const answer = await assume(await provider.token({ aud: ['elsewhere'], azp: 'client-2' }));
  assert.equal(answer.Audience, 'client-2');
});

test('AssumeRoleWithWebIdentity: tags and source identity are in the session, and require permissions', async () => {
  const token = await provider.token({
    'https://aws.amazon.com/tags': { principal_tags: { team: ['blue'] }, transitive_tag_keys: ['team'] },
    'https://aws.amazon.com/source_identity': 'user-1',
  });
  const RoleArn = await role('tagged', {}, ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity']);
  const blue = {
    Effect: 'Allow',
    Action: 'iam:ListUsers',
    Resource: '*',
    Condition: {
      StringEquals: { 'aws:PrincipalTag/team': 'blue', 'aws:SourceIdentity': 'user-1', 'aws:FederatedProvider': OpenIDConnectProviderArn },
    },
  };
  await iam.send(new PutRolePolicyCommand({ RoleName: 'tagged', PolicyName: 'p', PolicyDocument: document(blue) }));
  const answer = await assume(token, { RoleArn });
  assert.equal(answer.SourceIdentity, 'user-1');
  await new IAMClient(client(answer)).send(new ListUsersCommand({}));
  await refused(assume(token, { RoleArn: await role('untagged') }), 'AccessDenied', 'Not authorized to perform sts:TagSession');
});

test("AssumeRoleWithWebIdentity: the session may last for the role's maximum, a chained one for an hour", async () => {
  const RoleArn = await role('long', {}, ['sts:AssumeRoleWithWebIdentity'], { MaxSessionDuration: 7200 });
  const answer = await assume(await provider.token(), { RoleArn, DurationSeconds: 7200 });
  await refused(assume(await provider.token(), { RoleArn, DurationSeconds: 7201 }), 'ValidationError', /MaxSessionDuration/);
  await assert.rejects(new STSClient(client(answer)).send(new AssumeRoleCommand({ RoleArn: open, RoleSessionName: 'me' })), {
    name: 'AccessDenied',
  });
});

test('AssumeRoleWithWebIdentity: ProviderId is ValidationError', async () => {
  await refused(assume(await provider.token(), { ProviderId: 'www.amazon.com' }), 'ValidationError', /ProviderId/);
});

test('AssumeRoleWithWebIdentity: tokens of a deleted provider fail at once', async () => {
  const token = await provider.token();
  await assume(token);
  await iam.send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }));
  await refused(assume(token), 'InvalidIdentityToken', `No OpenIDConnect provider found in your account for ${provider.issuer}`);
});
