/** Tests STS with AWS's clients: requirements STS-1 to STS-13, in the order of the specification. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  AttachUserPolicyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteRoleCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  GetRoleCommand,
  ListUsersCommand,
  PutRolePolicyCommand,
  TagUserCommand,
  UntagUserCommand,
  UpdateUserCommand,
} from '@aws-sdk/client-iam';
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  DecodeAuthorizationMessageCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts';
import { instant } from '#core/instant.ts';
import { presign } from '#sigv4/sign.ts';
import { startAccount } from '../kit/account.ts';
import { type Keys, keysOf } from '../kit/keys.ts';
import { assertRefused } from '../kit/outcome.ts';
import { allow, deny, policy, trust } from '../kit/policy.ts';
import { everyEvent } from '../kit/trail.ts';

const account = await startAccount();
const { server, accountId, admin, iam, roleArn, rootArn: root, sts, user } = account;

async function assume(keys: Keys, input: Partial<AssumeRoleCommandInput> & { RoleArn: string }) {
  const answer = await sts(keys).send(new AssumeRoleCommand({ RoleSessionName: 'me', ...input }));
  return { ...answer, keys: keysOf(answer.Credentials) };
}

const ALL_STS = allow('sts:*');
const alice = await user('alice', ALL_STS, allow('iam:ListUsers'));
const mallory = await user('mallory');
const ALL_SESSION = ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'];
await account.role('plain', trust(root, ALL_SESSION), allow(['iam:ListUsers', ...ALL_SESSION]));
await account.role({ RoleName: 'next', MaxSessionDuration: 43_200 }, trust(root, ALL_SESSION), allow('*'));

test("GetCallerIdentity: the response has the ARN of the user or role session, without the role's path", async () => {
  await account.role({ RoleName: 'pathed', Path: '/team/' }, trust(root));
  const who = await sts(alice).send(new GetCallerIdentityCommand({}));
  assert.equal(who.Arn, `arn:aws:iam::${accountId}:user/alice`);
  assert.match(who.UserId as string, /^AIDA/);
  const session = await assume(alice, { RoleArn: roleArn('team/pathed') });
  const whoInside = await sts(session.keys).send(new GetCallerIdentityCommand({}));
  assert.equal(whoInside.Arn, `arn:aws:sts::${accountId}:assumed-role/pathed/me`);
  assert.match(whoInside.UserId as string, /^AROA[A-Z2-7]{17}:me$/);
  assert.equal(whoInside.Account, accountId);
});

test('STS-11: GetCallerIdentity succeeds under an explicit Deny of all actions', async () => {
  const denied = await user('denied', deny('*'));
  assert.equal((await sts(denied).send(new GetCallerIdentityCommand({}))).Account, accountId);
});

test('AssumeRole: the response has credentials for an hour and the assumed role user', async () => {
  const { Credentials, AssumedRoleUser, PackedPolicySize, SourceIdentity, keys } = await assume(alice, { RoleArn: roleArn('plain') });
  assert.match(keys.accessKeyId, /^ASIA[A-Z2-7]{16}$/);
  assert.ok(keys.sessionToken.length <= 300);
  assert.equal(AssumedRoleUser?.Arn, `arn:aws:sts::${accountId}:assumed-role/plain/me`);
  assert.deepEqual([PackedPolicySize, SourceIdentity], [undefined, undefined]);
  const lifeMs = (Credentials?.Expiration?.getTime() as number) - Date.now();
  assert.ok(lifeMs > 3_500_000 && lifeMs <= 3_600_000);
  assert.ok((await iam(keys).send(new ListUsersCommand({}))).Users?.length);
});

// biome-ignore format: a table
const LIFETIMES: readonly [name: string, input: Partial<AssumeRoleCommandInput>, chained: boolean, message?: string | RegExp][] = [
  // title                                          input                                                    by a session  refusal
  ["the role's maximum",                            { RoleArn: roleArn('next'), DurationSeconds: 43_200 },   false],
  ["more than the role's maximum",                  { RoleArn: roleArn('plain'), DurationSeconds: 3601 },    false,        'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.'],
  ['an hour, chained',                              { RoleArn: roleArn('next'), DurationSeconds: 3600 },     true],
  ['more than an hour, chained',                    { RoleArn: roleArn('next'), DurationSeconds: 3601 },     true,         'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.'],
  ['less than 15 minutes',                          { RoleArn: roleArn('next'), DurationSeconds: 899 },      false,        /Member must have value greater than or equal to 900/],
];

for (const [name, input, chained, message] of LIFETIMES) {
  test(`STS-2: AssumeRole for ${name} is ${message === undefined ? 'allowed' : 'ValidationError'}`, async () => {
    const keys = chained ? (await assume(alice, { RoleArn: roleArn('plain') })).keys : alice;
    const answer = assume(keys, input as { RoleArn: string });
    if (message === undefined) await answer;
    else await assertRefused(answer, 'ValidationError', message);
  });
}

test('STS-3: GetSessionToken and GetFederationToken refuse session credentials', async () => {
  const user = keysOf((await sts(alice).send(new GetSessionTokenCommand({}))).Credentials);
  const session = (await assume(alice, { RoleArn: roleArn('plain') })).keys;
  for (const keys of [user, session]) {
    await assertRefused(
      sts(keys).send(new GetSessionTokenCommand({})),
      'AccessDenied',
      'Cannot call GetSessionToken with session credentials',
    );
    await assertRefused(
      sts(keys).send(new GetFederationTokenCommand({ Name: 'bob' })),
      'AccessDenied',
      'Cannot call GetFederationToken with session credentials',
    );
  }
});

test('STS-4: an unknown role gets the same AccessDenied as a role that does not trust the caller', async () => {
  await account.role('closed', trust(`arn:aws:iam::${accountId}:user/alice`));
  const trudy = await user('trudy', ALL_STS);
  const because = ' because no identity-based policy allows the sts:AssumeRole action';
  for (const [name, keys, why] of [
    ['mallory', mallory, because],
    ['trudy', trudy, ''],
  ] as const) {
    for (const RoleArn of [roleArn('closed'), roleArn('absent'), 'arn:aws:iam::444455556666:role/absent']) {
      const who = `User: arn:aws:iam::${accountId}:user/${name} is not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`;
      await assertRefused(assume(keys, { RoleArn }), 'AccessDenied', `${who}${why}`);
    }
  }
});

test("STS-5: trust in the caller suffices, and trust in the account also requires the caller's policies", async () => {
  await account.role('named', trust(`arn:aws:iam::${accountId}:user/mallory`));
  await assume(mallory, { RoleArn: roleArn('named') });
  await assertRefused(assume(mallory, { RoleArn: roleArn('plain') }), 'AccessDenied', /is not authorized to perform: sts:AssumeRole/);
});

test('STS-6: if the trust policy allows sts:TagSession, the session has the passed tags', async () => {
  await account.role('untagged', trust(root), allow('*'));
  const Tags = [{ Key: 'team', Value: 'blue' }];
  await assertRefused(
    assume(alice, { RoleArn: roleArn('untagged'), Tags }),
    'AccessDenied',
    /is not authorized to perform: sts:TagSession on resource/,
  );

  const onlyBlue = allow('iam:ListUsers', '*', { Condition: { StringEquals: { 'aws:PrincipalTag/team': 'blue' } } });
  await account.role('tagged', trust(root, ALL_SESSION), onlyBlue);
  const blue = await assume(alice, { RoleArn: roleArn('tagged'), Tags });
  assert.ok((blue.PackedPolicySize as number) >= 1);
  await iam(blue.keys).send(new ListUsersCommand({}));
  const red = await assume(alice, { RoleArn: roleArn('tagged'), Tags: [{ Key: 'team', Value: 'red' }] });
  await assertRefused(iam(red.keys).send(new ListUsersCommand({})), 'AccessDenied', /is not authorized to perform: iam:ListUsers/);
});

test("STS-6: the caller's policies can deny a tag with aws:RequestTag and aws:TagKeys", async () => {
  const onlyUid = allow('sts:TagSession', '*', {
    Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['uid'] }, StringLike: { 'aws:RequestTag/uid': 'u-*' } },
  });
  const tagger = await user('tagger', allow('sts:AssumeRole'), onlyUid);
  await assume(tagger, { RoleArn: roleArn('plain'), Tags: [{ Key: 'uid', Value: 'u-1' }] });
  await assertRefused(assume(tagger, { RoleArn: roleArn('plain'), Tags: [{ Key: 'uid', Value: 'x' }] }), 'AccessDenied', /sts:TagSession/);
  await assertRefused(
    assume(tagger, {
      RoleArn: roleArn('plain'),
      Tags: [
        { Key: 'uid', Value: 'u-1' },
        { Key: 'b', Value: '' },
      ],
    }),
    'AccessDenied',
    /sts:TagSession/,
  );
});

test('STS-7: only transitive tags are inherited by a chained session, and they cannot be overridden', async () => {
  const tags = [
    { Key: 'Team', Value: 'blue' },
    { Key: 'other', Value: 'x' },
  ];
  const first = await assume(alice, { RoleArn: roleArn('plain'), Tags: tags, TransitiveTagKeys: ['team'] });
  const needs = (key: string) => allow('iam:ListUsers', '*', { Condition: { Null: { [`aws:PrincipalTag/${key}`]: 'false' } } });
  await account.role('sees-team', trust(root, ALL_SESSION), needs('team'));
  await account.role('sees-other', trust(root, ALL_SESSION), needs('other'));
  await iam((await assume(first.keys, { RoleArn: roleArn('sees-team') })).keys).send(new ListUsersCommand({}));
  await assertRefused(
    iam((await assume(first.keys, { RoleArn: roleArn('sees-other') })).keys).send(new ListUsersCommand({})),
    'AccessDenied',
    /iam:ListUsers/,
  );
  const conflict =
    "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.";
  await assertRefused(
    assume(first.keys, { RoleArn: roleArn('sees-team'), Tags: [{ Key: 'TEAM', Value: 'red' }] }),
    'InvalidParameterValue',
    conflict,
  );
});

test('STS-7: inherited tags require sts:TagSession in the trust policy of the next role', async () => {
  await account.role('no-tags', trust(root));
  const first = await assume(alice, { RoleArn: roleArn('plain'), Tags: [{ Key: 'team', Value: 'blue' }], TransitiveTagKeys: ['team'] });
  await assertRefused(assume(first.keys, { RoleArn: roleArn('no-tags') }), 'AccessDenied', /sts:TagSession/);
});

// biome-ignore format: a table
const BAD: readonly [name: string, input: Partial<AssumeRoleCommandInput>, code: string, message: string | RegExp][] = [
  // title                          the request                                                                              code                      message
  // Source: localstack/localstack, tests/aws/services/sts, test_sts_invalid_parameters, recorded on AWS on 2025-07-21.
  ['no ARN',                        { RoleArn: 'nothing-valid-in-here' },                                                    'ValidationError',        'nothing-valid-in-here is invalid'],
  ['an ARN without a partition',    { RoleArn: 'arn::b:::something/test-role' },                                             'ValidationError',        'arn::b:::something/test-role is invalid'],
  ['an ARN without a service',      { RoleArn: 'arn:a::::something/test-role' },                                             'ValidationError',        'arn:a::::something/test-role is invalid'],
  ['an ARN with too few colons',    { RoleArn: 'arn:a:::something/test-role' },                                              'ValidationError',        'arn:a:::something/test-role is invalid'],
  ['an ARN without a resource',     { RoleArn: 'arn:a:a::aaaaaaaaaa:' },                                                     'ValidationError',        'arn:a:a::aaaaaaaaaa: is invalid'],
  // Source: amzn/selling-partner-api-models, issue 2523: AccessDenied for arn:aws:iam::67211257:user/….
  ['an account of 9 digits',        { RoleArn: 'arn:aws:iam::123456789:role/plain' },                                        'AccessDenied',           `User: arn:aws:iam::${accountId}:user/alice is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789:role/plain`],
  ["a user's ARN",                  { RoleArn: `arn:aws:iam::${accountId}:user/alice` },                                     'AccessDenied',           `User: arn:aws:iam::${accountId}:user/alice is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::${accountId}:user/alice`],
  ['another partition',             { RoleArn: `arn:aws-cn:iam::${accountId}:role/plain` },                                  'AccessDenied',           /on resource: arn:aws-cn:/],
  ['a region in the ARN',           { RoleArn: `arn:aws:iam:us-east-1:${accountId}:role/plain` },                            'AccessDenied',           /on resource: arn:aws:iam:us-east-1:/],
  ['another case',                  { RoleArn: `arn:aws:iam::${accountId}:role/PLAIN` },                                     'AccessDenied',           /on resource: .*PLAIN$/],
  ['every role',                    { RoleArn: `arn:aws:iam::${accountId}:role/*` },                                         'AccessDenied',           /on resource: .*\*$/],
  ['a session name with a blank',   { RoleSessionName: 'a b' },                                                              'ValidationError',        "1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"],
  ['tag keys that differ in case',  { Tags: [{ Key: 'a', Value: '1' }, { Key: 'A', Value: '2' }] },                          'InvalidParameterValue',  'Duplicate tag keys found. Please note that Tag keys are case insensitive.'],
  ['a reserved tag key',            { Tags: [{ Key: 'aws:a', Value: '1' }] },                                                'InvalidParameterValue',  /reserved/],
  ['a transitive key not passed',   { TransitiveTagKeys: ['a'] },                                                            'InvalidParameterValue',  'The specified transitive tag key must be included in the requested tags.'],
  ['an invalid session policy',     { Policy: 'not a policy' },                                                              'MalformedPolicyDocument', /JSON/],
  ['a session policy too long',     { Policy: policy(allow('chime:*', 'x'.repeat(2048))) },                                'PackedPolicyTooLarge',   /^Packed policy consumes 1\d\d% of allotted space, please use smaller policy\.$/],
  ['an unknown managed policy',     { PolicyArns: [{ arn: `arn:aws:iam::${accountId}:policy/absent` }] },                    'MalformedPolicyDocument', /absent does not exist/],
  ['eleven managed policies',       { PolicyArns: Array.from({ length: 11 }, () => ({ arn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' })) }, 'ValidationError', /less than or equal to 10/],
  ['an unknown MFA device',         { SerialNumber: `arn:aws:iam::${accountId}:mfa/alice`, TokenCode: '123456' },            'AccessDenied',           /^MultiFactorAuthentication failed/],
];

for (const [name, input, code, message] of BAD) {
  test(`AssumeRole: ${name} is ${code}`, async () => {
    await assert.rejects(assume(alice, { RoleArn: roleArn('plain'), ...input } as { RoleArn: string }), (error: Error) => {
      assert.ok(error.name === code || error.name === `${code}Exception`, `${error.name}: ${error.message}`);
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    });
  });
}

test('STS-9: a source identity is inherited by each chained session, and cannot be changed', async () => {
  const first = await assume(alice, { RoleArn: roleArn('plain'), SourceIdentity: 'alice@example' });
  assert.equal(first.SourceIdentity, 'alice@example');
  const onlyAlice = allow('iam:ListUsers', '*', { Condition: { StringEquals: { 'aws:SourceIdentity': 'alice@example' } } });
  await account.role('for-alice', trust(root, ALL_SESSION), onlyAlice);
  const second = await assume(first.keys, { RoleArn: roleArn('for-alice') });
  assert.equal(second.SourceIdentity, 'alice@example');
  await iam(second.keys).send(new ListUsersCommand({}));
  await assertRefused(assume(first.keys, { RoleArn: roleArn('for-alice'), SourceIdentity: 'bob' }), 'AccessDenied', /cannot be changed/);
  await account.role('no-identity', trust(root));
  await assertRefused(assume(first.keys, { RoleArn: roleArn('no-identity') }), 'AccessDenied', /sts:SetSourceIdentity/);
});

// Source: Service Authorization Reference, AWS STS: only GetServiceBearerToken and GetWebIdentityToken have `sts:DurationSeconds`.
test('STS-13: a trust policy can require external ID and session name, and has no key for the duration', async () => {
  const asks = {
    Condition: {
      StringEquals: { 'sts:ExternalId': 'e-1', 'sts:RoleSessionName': 'me' },
      Null: { 'sts:DurationSeconds': 'true' },
    },
  };
  await account.role('asks', trust(root, 'sts:AssumeRole', asks));
  const right = { RoleArn: roleArn('asks'), ExternalId: 'e-1', DurationSeconds: 900 };
  await assume(alice, right);
  for (const wrong of [{ ExternalId: 'e-2' }, { RoleSessionName: 'you' }]) {
    await assertRefused(assume(alice, { ...right, ...wrong } as typeof right), 'AccessDenied', /sts:AssumeRole/);
  }
});

test('EVAL-5: a session policy narrows a role session and never widens it', async () => {
  const narrowed = await assume(alice, { RoleArn: roleArn('plain'), Policy: policy(allow('sts:*')) });
  await assertRefused(iam(narrowed.keys).send(new ListUsersCommand({})), 'AccessDenied', /iam:ListUsers/);
  const within = await assume(alice, { RoleArn: roleArn('plain'), PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/IAMReadOnlyAccess' }] });
  await iam(within.keys).send(new ListUsersCommand({}));
  const wider = await assume(alice, { RoleArn: roleArn('plain'), Policy: policy(allow('*')) });
  await assertRefused(iam(wider.keys).send(new CreateUserCommand({ UserName: 'x' })), 'AccessDenied', /iam:CreateUser/);
});

test('STS-10: a federated user needs a session policy, which cannot exceed its issuer’s permissions', async () => {
  const bare = await sts(alice).send(new GetFederationTokenCommand({ Name: 'bob' }));
  assert.equal(bare.FederatedUser?.Arn, `arn:aws:sts::${accountId}:federated-user/bob`);
  assert.equal(bare.FederatedUser?.FederatedUserId, `${accountId}:bob`);
  const who = await sts(keysOf(bare.Credentials)).send(new GetCallerIdentityCommand({}));
  assert.deepEqual([who.Arn, who.UserId], [`arn:aws:sts::${accountId}:federated-user/bob`, `${accountId}:bob`]);
  await assertRefused(assume(keysOf(bare.Credentials), { RoleArn: roleArn('plain') }), 'AccessDenied', /sts:AssumeRole/);
  await assert.rejects(iam(keysOf(bare.Credentials)).send(new ListUsersCommand({})), { name: 'InvalidClientTokenId' });
});

test('GetFederationToken: a call requires permission, and the session lasts twelve hours by default', async () => {
  await assertRefused(
    sts(mallory).send(new GetFederationTokenCommand({ Name: 'bob' })),
    'AccessDenied',
    /sts:GetFederationToken on resource: arn:aws:sts::\d{12}:federated-user\/bob/,
  );
  const { Credentials, PackedPolicySize } = await sts(alice).send(new GetFederationTokenCommand({ Name: 'bob' }));
  assert.equal(PackedPolicySize, 0);
  const limited = await sts(alice).send(new GetFederationTokenCommand({ Name: 'bob', Policy: policy(allow('*')) }));
  assert.ok((limited.PackedPolicySize ?? 0) > 0);
  const lifeMs = (Credentials?.Expiration?.getTime() as number) - Date.now();
  assert.ok(lifeMs > 43_100_000 && lifeMs <= 43_200_000);
});

test('GetSessionToken: a call requires no permission, and the session can call IAM only with MFA', async () => {
  const { Credentials } = await sts(mallory).send(new GetSessionTokenCommand({ DurationSeconds: 900 }));
  const keys = keysOf(Credentials);
  assert.equal((await sts(keys).send(new GetCallerIdentityCommand({}))).Arn, `arn:aws:iam::${accountId}:user/mallory`);
  await assert.rejects(iam(keys).send(new ListUsersCommand({})), { name: 'InvalidClientTokenId' });
  await assume(keys, { RoleArn: roleArn('named') });
});

test("GetFederationToken: session tags override the user's tags, regardless of case", async () => {
  const lookUp = (team: string) =>
    allow('cloudtrail:LookupEvents', '*', { Condition: { StringEquals: { 'aws:PrincipalTag/Team': team } } });
  const keys = await user('tagged', allow(['sts:GetFederationToken', 'sts:TagSession', 'cloudtrail:*']));
  const tag = (Value: string) => admin.send(new TagUserCommand({ UserName: 'tagged', Tags: [{ Key: 'Team', Value }] }));
  await tag('blue');
  const federated = async (team: string, Tags?: { Key: string; Value: string }[]) => {
    const answer = await sts(keys).send(
      new GetFederationTokenCommand({ Name: 'fed', Policy: policy(lookUp(team)), ...(Tags && { Tags }) }),
    );
    return keysOf(answer.Credentials);
  };
  const mayLookUp = async (session: Keys) =>
    await new CloudTrailClient(server.client(session)).send(new LookupEventsCommand({})).then(
      () => true,
      () => false,
    );
  const [blue, red] = [await federated('blue'), await federated('red')];
  assert.deepEqual([await mayLookUp(blue), await mayLookUp(red)], [true, false]);
  await tag('red');
  assert.deepEqual([await mayLookUp(blue), await mayLookUp(red)], [false, true]);
  const passed = [{ Key: 'team', Value: 'green' }];
  assert.deepEqual([await mayLookUp(await federated('green', passed)), await mayLookUp(await federated('red', passed))], [true, false]);
  await admin.send(new UntagUserCommand({ UserName: 'tagged', TagKeys: ['Team'] }));
  assert.equal(await mayLookUp(red), false);
});

test('GetSessionToken, GetFederationToken: sessions of a renamed user continue under the new name', async () => {
  const asAfter = allow('cloudtrail:LookupEvents', '*', { Condition: { StringEquals: { 'aws:username': 'after' } } });
  const keys = await user('before', allow('sts:GetFederationToken'), asAfter, allow('sts:GetAccessKeyInfo'));
  const own = keysOf((await sts(keys).send(new GetSessionTokenCommand({}))).Credentials);
  const federation = await sts(keys).send(new GetFederationTokenCommand({ Name: 'fed', Policy: policy(allow('cloudtrail:*')) }));
  const federated = keysOf(federation.Credentials);
  const trail = (session: Keys) => new CloudTrailClient(server.client(session));
  await assert.rejects(everyEvent(trail(own)), { name: 'AccessDeniedException' });

  await admin.send(new UpdateUserCommand({ UserName: 'before', NewUserName: 'after' }));
  assert.equal((await sts(own).send(new GetCallerIdentityCommand({}))).Arn, `arn:aws:iam::${accountId}:user/after`);
  await everyEvent(trail(own));
  assert.equal((await sts(federated).send(new GetCallerIdentityCommand({}))).Arn, `arn:aws:sts::${accountId}:federated-user/fed`);

  const identities = (await everyEvent(trail(own))).map(({ eventName, document }) => ({ eventName, ...document.userIdentity }));
  const last = identities.findLast(({ accessKeyId }) => accessKeyId === own.accessKeyId);
  assert.deepEqual([last?.eventName, last?.arn], ['LookupEvents', `arn:aws:iam::${accountId}:user/after`]);
  const lastFederated = identities.findLast(({ accessKeyId }) => accessKeyId === federated.accessKeyId);
  assert.equal(lastFederated?.sessionContext?.sessionIssuer?.arn, `arn:aws:iam::${accountId}:user/after`);
});

test('GetSessionToken, GetFederationToken: a user with a reused name does not inherit sessions', async () => {
  const keys = await user('reborn', allow('sts:GetFederationToken'));
  const own = keysOf((await sts(keys).send(new GetSessionTokenCommand({}))).Credentials);
  const federated = keysOf((await sts(keys).send(new GetFederationTokenCommand({ Name: 'fed' }))).Credentials);
  await admin.send(new DeleteAccessKeyCommand({ UserName: 'reborn', AccessKeyId: keys.accessKeyId }));
  await admin.send(new DeleteUserPolicyCommand({ UserName: 'reborn', PolicyName: 'p' }));
  await admin.send(new DeleteUserCommand({ UserName: 'reborn' }));
  await user('reborn', allow('*'));
  for (const session of [own, federated]) {
    await assertRefused(sts(session).send(new GetCallerIdentityCommand({})), 'InvalidClientTokenId', /is invalid/);
  }
});

test('GetRole: a trust policy shows the first administrator as an ARN', async () => {
  const administrator = (await sts().send(new GetCallerIdentityCommand({}))).Arn as string;
  await account.role('of-the-administrator', trust(administrator));
  const { Role } = await admin.send(new GetRoleCommand({ RoleName: 'of-the-administrator' }));
  const { Statement } = JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument as string)) as { Statement: [{ Principal: object }] };
  assert.deepEqual(Statement[0].Principal, { AWS: administrator });
});

test('AUTHN-4: a token with another key ID, an altered token and a missing token are rejected', async () => {
  const { keys } = await assume(alice, { RoleArn: roleArn('plain') });
  const other = (await assume(alice, { RoleArn: roleArn('plain') })).keys;
  const altered = `${keys.sessionToken.slice(0, -3)}AAA`;
  for (const wrong of [
    { ...keys, sessionToken: other.sessionToken },
    { ...keys, sessionToken: altered },
    { accessKeyId: keys.accessKeyId, secretAccessKey: keys.secretAccessKey },
  ]) {
    await assertRefused(
      sts(wrong).send(new GetCallerIdentityCommand({})),
      'InvalidClientTokenId',
      'The security token included in the request is invalid.',
    );
  }
  await assert.rejects(sts({ ...keys, secretAccessKey: other.secretAccessKey }).send(new GetCallerIdentityCommand({})), {
    name: 'SignatureDoesNotMatch',
  });
});

test('STS-12: older sessions end at once if a policy denies tokens issued before a date', async () => {
  await account.role('revoked', trust(root), allow('iam:ListUsers'));
  const { keys } = await assume(alice, { RoleArn: roleArn('revoked') });
  await iam(keys).send(new ListUsersCommand({}));
  const deny = (before: number) =>
    policy({
      Effect: 'Deny',
      Action: '*',
      Resource: '*',
      Condition: { DateLessThan: { 'aws:TokenIssueTime': new Date(before).toISOString() } },
    });
  const put = (before: number) =>
    admin.send(new PutRolePolicyCommand({ RoleName: 'revoked', PolicyName: 'AWSRevokeOlderSessions', PolicyDocument: deny(before) }));
  await put(Date.now() + 60_000);
  await assertRefused(iam(keys).send(new ListUsersCommand({})), 'AccessDenied', /with an explicit deny/);
  await put(Date.now() - 60_000);
  await iam((await assume(alice, { RoleArn: roleArn('revoked') })).keys).send(new ListUsersCommand({}));
});

test('AssumeRole: sessions of a deleted role do not work with a new role of the same name', async () => {
  const make = () => account.role('again', trust(root));
  await make();
  const { keys } = await assume(alice, { RoleArn: roleArn('again') });
  await admin.send(new DeleteRoleCommand({ RoleName: 'again' }));
  await make();
  await assertRefused(
    sts(keys).send(new GetCallerIdentityCommand({})),
    'InvalidClientTokenId',
    'The security token included in the request is invalid.',
  );
});

// biome-ignore format: a table
const PRESIGNED: readonly [minutesAgo: number, status: number][] = [
  // Source: aws/aws-sdk-go-v2, pull request 1030 (no X-Amz-Expires); aws/aws-sdk-go, issue 2167 (15 minutes).
  [0,  200],
  [14, 200],
  [16, 403],
];

for (const [minutesAgo, status] of PRESIGNED) {
  test(`GetCallerIdentity: a URL without X-Amz-Expires, presigned ${minutesAgo} minutes ago, is ${status}`, async () => {
    const { host } = new URL(server.endpoint);
    const request = { method: 'GET', target: '/?Action=GetCallerIdentity&Version=2011-06-15', headers: { host }, body: '' };
    const now = instant(Date.now() - minutesAgo * 60_000);
    const target = presign(request, { credentials: alice, region: 'us-east-1', signingName: 'sts', now });
    const response = await fetch(`${server.endpoint}${target}`);
    assert.equal(response.status, status);
    assert.equal((await response.text()).includes(`user/alice</Arn>`), status === 200);
  });
}

test('GetAccessKeyInfo: a long-term or temporary key returns its account, and an unknown key is an error', async () => {
  const { keys } = await assume(alice, { RoleArn: roleArn('plain') });
  for (const { accessKeyId } of [alice, keys]) {
    assert.equal((await sts().send(new GetAccessKeyInfoCommand({ AccessKeyId: accessKeyId }))).Account, accountId);
  }
  await assert.rejects(sts().send(new GetAccessKeyInfoCommand({ AccessKeyId: 'AKIAQ222222222222222' })), { name: 'ValidationError' });
  await assertRefused(
    sts(mallory).send(new GetAccessKeyInfoCommand({ AccessKeyId: alice.accessKeyId })),
    'AccessDenied',
    /sts:GetAccessKeyInfo/,
  );
});

test('DecodeAuthorizationMessage: an invalid message is an error', async () => {
  await assert.rejects(sts().send(new DecodeAuthorizationMessageCommand({ EncodedMessage: 'nothing' })), {
    name: 'InvalidAuthorizationMessageException',
  });
});

test('AssumeRole: AdministratorAccess suffices for a role that trusts the account', async () => {
  const carol = await user('carol');
  await admin.send(new AttachUserPolicyCommand({ UserName: 'carol', PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' }));
  await assume(carol, { RoleArn: roleArn('plain') });
});
