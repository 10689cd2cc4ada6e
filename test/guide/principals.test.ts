/** Principals, request signing, and errors of IAM: security.md 2.1 to 2.6, 6, 7 and 9, with AWS's clients. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { ChimeClient, ListAccountsCommand } from '@aws-sdk/client-chime';
import {
  ChimeSDKMeetingsClient,
  GetMeetingCommand,
  ListTagsForResourceCommand,
  TagResourceCommand,
} from '@aws-sdk/client-chime-sdk-meetings';
import {
  AddUserToGroupCommand,
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateServiceLinkedRoleCommand,
  CreateUserCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteUserCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetUserCommand,
  ListAttachedRolePoliciesCommand,
  ListRolesCommand,
  ListUsersCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, GetCallerIdentityCommand, GetFederationTokenCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts';
import { loadOrCreateOperatorKey } from '#access/operator-keys.ts';
import { newSessionTokens } from '#access/session-token.ts';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { startAccount } from '../kit/account.ts';
import { keysOf } from '../kit/keys.ts';
import { createMeeting } from '../kit/meeting.ts';
import { denialOf, refusalOf, verdictOf } from '../kit/outcome.ts';
import { allow, deny, managed, policy, trust } from '../kit/policy.ts';
import { presignedCallerIdentity } from '../kit/presign.ts';

const account = await startAccount();
const { accountId, admin, iam, meetings, server, sts } = account;
const ada = await account.user('ada', allow(['sts:AssumeRole', 'sts:GetFederationToken', 'iam:ListUsers']));
const visible = await account.role('Visible', trust(account.userArn('ada')), allow('iam:ListUsers'));

test('IAM-2: each kind of principal has its ARN and ID, and a session has its role as aws:PrincipalArn', async () => {
  const identityOf = async (keys: typeof ada) => {
    const { Arn, UserId } = await sts(keys).send(new GetCallerIdentityCommand({}));
    return [Arn, UserId] as [string, string];
  };
  const session = await account.assume(ada, visible);
  const federated = keysOf(
    (await sts(ada).send(new GetFederationTokenCommand({ Name: 'bob', Policy: policy(allow('chime:*')) }))).Credentials,
  );
  const [userArn, userId] = await identityOf(ada);
  assert.equal(userArn, `arn:aws:iam::${accountId}:user/ada`);
  assert.match(userId, /^AIDA[A-Z2-7]{17}$/);
  const [sessionArn, sessionId] = await identityOf(session);
  assert.equal(sessionArn, `arn:aws:sts::${accountId}:assumed-role/Visible/me`);
  assert.match(sessionId, /^AROA[A-Z2-7]{17}:me$/);
  assert.deepEqual(await identityOf(federated), [`arn:aws:sts::${accountId}:federated-user/bob`, `${accountId}:bob`]);
  assert.match(ada.accessKeyId, /^AKIA[A-Z2-7]{16}$/);
  assert.match(session.accessKeyId, /^ASIA[A-Z2-7]{16}$/);

  const seen = await account.role(
    'Seen',
    trust(account.userArn('ada')),
    allow('iam:ListUsers', '*', { Condition: { ArnEquals: { 'aws:PrincipalArn': account.roleArn('Seen') } } }),
  );
  assert.equal(await verdictOf(iam(await account.assume(ada, seen)).send(new ListUsersCommand({}))), 'allowed');
});

// biome-ignore format: a table
const NAMES: readonly [title: string, input: { UserName: string; Path?: string }, code: string | undefined][] = [
  ['64 characters',                        { UserName: 'a'.repeat(64) },                        undefined],
  ['65 characters',                        { UserName: 'a'.repeat(65) },                        'ValidationError'],
  ['all allowed characters',               { UserName: '+=,.@-_aZ9' },                          undefined],
  ['a space',                              { UserName: 'a b' },                                 'ValidationError'],
  ['a path',                               { UserName: 'pathed', Path: '/a/b/' },               undefined],
  ['a path that does not end with /',      { UserName: 'pathed2', Path: '/a' },                 'ValidationError'],
  ['a used name in another case', { UserName: 'ADA' },                                'EntityAlreadyExistsException'],
];

for (const [title, input, code] of NAMES) {
  test(`IAM-3: a user with ${title} is ${code ?? 'created'}`, async () => {
    const sent = admin.send(new CreateUserCommand(input));
    if (code === undefined) assert.equal((await sent).User?.UserName, input.UserName);
    else assert.equal((await refusalOf(sent)).name, code);
  });
}

test('IAM-4: a group in a trust policy is MalformedPolicyDocument', async () => {
  await admin.send(new CreateGroupCommand({ GroupName: 'team' }));
  await admin.send(new AddUserToGroupCommand({ GroupName: 'team', UserName: 'ada' }));
  const AssumeRolePolicyDocument = policy(trust(`arn:aws:iam::${accountId}:group/team`));
  const { name } = await refusalOf(admin.send(new CreateRoleCommand({ RoleName: 'ForTeam', AssumeRolePolicyDocument })));
  assert.match(name, /^MalformedPolicyDocument/);
});

// biome-ignore format: a table
const HOSTS: readonly [host: string, service: 'classic' | 'meetings'][] = [
  ['chime.us-east-1.amazonaws.com',               'classic'],
  ['service.chime.aws.amazon.com',                'classic'],
  ['meetings-chime.us-east-1.amazonaws.com',      'meetings'],
  ['meetings-chime.eu-central-1.amazonaws.com',   'meetings'],
  ['meetings-chime-fips.us-east-1.amazonaws.com', 'meetings'],
];

for (const [host, service] of HOSTS) {
  test(`AUTHN-2: the host ${host} selects the ${service} service`, async () => {
    // Resolves the real host name to this machine, as a private DNS entry does.
    const httpAgent = new Agent({ lookup: (_name, _options, found) => found(null, [{ address: '127.0.0.1', family: 4 }]) });
    const settings = { ...server.client(), endpoint: `http://${host}:${new URL(server.endpoint).port}`, requestHandler: { httpAgent } };
    if (service === 'classic') assert.deepEqual((await new ChimeClient(settings).send(new ListAccountsCommand({}))).Accounts, []);
    else
      assert.match(
        (
          await refusalOf(
            new ChimeSDKMeetingsClient(settings).send(new GetMeetingCommand({ MeetingId: '00000000-0000-4000-8000-000000000000' })),
          )
        ).name,
        /NotFound/,
      );
    httpAgent.destroy();
  });
}

test('AUTHN-3: a presigned request is accepted, with the session token if the credentials have one', async () => {
  const session = await account.assume(ada, visible);
  const presigned = async (credentials: typeof session) => {
    const answer = await fetch(await presignedCallerIdentity(server.endpoint, credentials));
    return `${answer.status} ${await answer.text()}`;
  };
  assert.match(await presigned(session), /^200 [\s\S]*assumed-role\/Visible\/me/);
  assert.match(await presigned(ada), /^200 [\s\S]*user\/ada/);
  const { sessionToken: _, ...without } = session;
  assert.match(await presigned(without), /^403 [\s\S]*<Code>InvalidClientTokenId<\/Code>/);
});

// biome-ignore format: a table
const SECOND_FACTOR: readonly [title: string, condition: object, longTerm: boolean, session: boolean][] = [
  ['Bool false',         { Bool: { 'aws:MultiFactorAuthPresent': 'false' } },          false, true ],
  ['BoolIfExists false', { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } },  true,  true ],
  ['Bool true',          { Bool: { 'aws:MultiFactorAuthPresent': 'true' } },           false, false],
  ['Null true',          { Null: { 'aws:MultiFactorAuthPresent': 'true' } },           true,  false],
];

test('AUTHN-5: aws:MultiFactorAuthPresent exists only for temporary credentials', async () => {
  const keys = await account.user('factor');
  const session = keysOf((await sts(keys).send(new GetSessionTokenCommand({}))).Credentials);
  for (const [title, Condition, longTerm, temporary] of SECOND_FACTOR) {
    const PolicyDocument = policy(allow('chime:GetMeeting', '*', { Condition }));
    await admin.send(new PutUserPolicyCommand({ UserName: 'factor', PolicyName: 'p', PolicyDocument }));
    const get = (by: typeof keys) =>
      verdictOf(meetings(by).send(new GetMeetingCommand({ MeetingId: '00000000-0000-4000-8000-000000000000' })));
    assert.deepEqual(
      [await get(keys), await get(session)],
      [longTerm, temporary].map((may) => (may ? 'allowed' : 'refused')),
      title,
    );
  }
});

test('ROLE-4: an expired session is ExpiredToken in STS, and ExpiredTokenException in Chime', async () => {
  const { User } = await admin.send(new GetUserCommand({ UserName: 'ada' }));
  const facts = {
    issuedAt: instant(Date.now() - 3_600_000),
    expiresAt: instant(Date.now() - 1),
    mfaAuthenticated: false,
    tags: {},
    transitiveTagKeys: [],
    chained: false,
  };
  const issued = newSessionTokens(loadOrCreateOperatorKey(join(server.dataFolder, 'operator.key'))).issue(
    { kind: 'user', accountId: accountId as AccountId, session: facts, userId: User?.UserId as string },
    randomBytes,
  );
  const { expiration: _, ...keys } = issued.outcome === 'issued' ? issued.credentials : assert.fail();
  const ofSts = await refusalOf(sts(keys).send(new GetCallerIdentityCommand({})));
  assert.deepEqual(
    [ofSts.name, ofSts.status, ofSts.message],
    ['ExpiredToken', 403, 'The security token included in the request is expired'],
  );
  const ofChime = await refusalOf(meetings(keys).send(new GetMeetingCommand({ MeetingId: '00000000-0000-4000-8000-000000000000' })));
  assert.deepEqual([ofChime.name, ofChime.status], ['ExpiredTokenException', 403]);
});

const lastRecord = async (eventName: string) => (await account.records(eventName))[0];

test("ROLE-5: the trail event of a session's call contains the role", async () => {
  await iam(await account.assume(ada, visible)).send(new ListUsersCommand({}));
  const { userIdentity } = await lastRecord('ListUsers');
  assert.equal(userIdentity.type, 'AssumedRole');
  const { type, arn, accountId: issuer, userName, principalId } = userIdentity.sessionContext.sessionIssuer;
  assert.deepEqual([type, arn, issuer, userName], ['Role', visible, accountId, 'Visible']);
  assert.match(principalId, /^AROA/);
});

test('TS-7: the trail event of a denial contains its code and message', async () => {
  const message = await denialOf(meetings(ada).send(createMeeting('denied')));
  const { errorCode, errorMessage, responseElements } = await lastRecord('CreateMeeting');
  assert.deepEqual([errorCode, errorMessage, responseElements], ['AccessDeniedException', message, null]);
});

const own = (name: string) => `arn:aws:iam::${accountId}:policy/${name}`;
await admin.send(new CreatePolicyCommand({ PolicyName: 'Attached', PolicyDocument: policy(allow('chime:*')) }));
await admin.send(new CreatePolicyCommand({ PolicyName: 'Versions', PolicyDocument: policy(allow('chime:*')) }));
await admin.send(new CreatePolicyVersionCommand({ PolicyArn: own('Versions'), PolicyDocument: policy(allow('chime:*')) }));
await account.user('owner', own('Attached'));

// biome-ignore format: a table
const ERRORS: readonly [requirement: string, title: string, command: object, code: RegExp, message: string | RegExp][] = [
  ['ERR-1', 'attaching an invalid ARN',                 new AttachRolePolicyCommand({ RoleName: 'Visible', PolicyArn: 'not-an-arn-but-long-enough' }), /^ValidationError$/,        /./],
  ['ERR-1', 'attaching an unknown policy',              new AttachRolePolicyCommand({ RoleName: 'Visible', PolicyArn: own('none') }),                 /^NoSuchEntity/,            `Policy ${own('none')} does not exist or is not attachable.`],
  ['ERR-1', 'deleting an unknown policy',               new DeletePolicyCommand({ PolicyArn: own('none') }),                                          /^NoSuchEntity/,            `Policy ${own('none')} was not found.`],
  ['ERR-2', 'an unknown user',                          new GetUserCommand({ UserName: 'none' }),                                                     /^NoSuchEntity/,            'The user with name none cannot be found.'],
  ['ERR-2', 'deleting a user with a policy',            new DeleteUserCommand({ UserName: 'owner' }),                                                 /^DeleteConflict/,          /^Cannot delete entity, must /],
  ['ERR-3', 'deleting a policy that is attached',       new DeletePolicyCommand({ PolicyArn: own('Attached') }),                                      /^DeleteConflict/,          'Cannot delete a policy attached to entities.'],
  ['ERR-3', 'deleting a policy with versions',          new DeletePolicyCommand({ PolicyArn: own('Versions') }),                                      /^DeleteConflict/,          "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy."],
  ['ERR-3', 'deleting the default version',             new DeletePolicyVersionCommand({ PolicyArn: own('Versions'), VersionId: 'v1' }),              /^DeleteConflict/,          'Cannot delete the default version of a policy.'],
  ['ERR-4', 'a trust policy with invalid JSON',         new CreateRoleCommand({ RoleName: 'Bad', AssumeRolePolicyDocument: '{' }),                    /^MalformedPolicyDocument/, 'This policy contains invalid Json'],
  ['ERR-4', 'an identity policy with a principal',      new PutUserPolicyCommand({ UserName: 'ada', PolicyName: 'x', PolicyDocument: policy(allow('chime:*', '*', { Principal: '*' })) }), /^MalformedPolicyDocument/, 'Policy document should not specify a principal.'],
  ['ERR-4', 'a trust policy with a resource',           new CreateRoleCommand({ RoleName: 'Bad', AssumeRolePolicyDocument: policy({ ...trust(accountId), Resource: '*' }) }), /^MalformedPolicyDocument/, 'Has prohibited field Resource'],
  ['ERR-4', 'an identity policy without actions',       new PutUserPolicyCommand({ UserName: 'ada', PolicyName: 'x', PolicyDocument: policy({ Effect: 'Allow', Resource: '*' }) }), /^MalformedPolicyDocument/, 'Policy statement must contain actions.'],
  ['ERR-4', 'an identity policy without resources',     new PutUserPolicyCommand({ UserName: 'ada', PolicyName: 'x', PolicyDocument: policy({ Effect: 'Allow', Action: 'chime:*' }) }), /^MalformedPolicyDocument/, 'Policy statement must contain resources.'],
  ['ERR-5', 'tag keys that differ only in case',        new CreateUserCommand({ UserName: 'tagged', Tags: [{ Key: 'a', Value: '1' }, { Key: 'A', Value: '2' }] }), /^InvalidInput/, 'Duplicate tag keys found. Please note that Tag keys are case insensitive.'],
  ['EX-6, SLR-11', 'a service role policy on a customer role', new AttachRolePolicyCommand({ RoleName: 'Visible', PolicyArn: managed('aws-service-role/AmazonChimeServiceRolePolicy') }), /^PolicyNotAttachable/, 'Cannot attach a Service Role Policy to a Customer Role.'],
  ['SLR-11', 'a service role policy on a user',         new AttachUserPolicyCommand({ UserName: 'ada', PolicyArn: managed('aws-service-role/AmazonChimeServiceRolePolicy') }), /^PolicyNotAttachable/, /./],
  ['SLR-11', 'deleting a service role policy',          new DeletePolicyCommand({ PolicyArn: managed('aws-service-role/AmazonChimeServiceRolePolicy') }), /^AccessDenied/,        /./],
];

for (const [requirement, title, command, code, expected] of ERRORS) {
  test(`${requirement}: ${title} is ${code.source.replaceAll(/[^A-Za-z]/g, '')}`, async () => {
    const { name, message } = await refusalOf(admin.send(command as GetUserCommand));
    assert.match(name, code);
    if (typeof expected === 'string') assert.equal(message, expected);
    else assert.match(message, expected);
  });
}

test('STS-8: an invalid role ARN and an invalid session name have their own ValidationError messages', async () => {
  const send = (RoleArn: string, RoleSessionName: string) => refusalOf(sts(ada).send(new AssumeRoleCommand({ RoleArn, RoleSessionName })));
  assert.deepEqual(await send('nothing-valid-in-here', 'name'), {
    name: 'ValidationError',
    status: 400,
    message: 'nothing-valid-in-here is invalid',
  });
  assert.equal(
    (await send(visible, 'a b')).message,
    "1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
  );
});

// biome-ignore format: a table
const MANAGED: readonly [path: string, version: string][] = [
  ['AmazonChimeFullAccess',                                                   'v3' ],
  ['AmazonChimeReadOnly',                                                     'v10'],
  ['AmazonChimeUserManagement',                                               'v8' ],
  ['AmazonChimeSDK',                                                          'v5' ],
  ['aws-service-role/AmazonChimeServiceRolePolicy',                           'v1' ],
  ['aws-service-role/AmazonChimeVoiceConnectorServiceLinkedRolePolicy',       'v5' ],
  ['aws-service-role/AmazonChimeTranscriptionServiceLinkedRolePolicy',        'v1' ],
  ['aws-service-role/AmazonChimeSDKMediaPipelinesServiceLinkedRolePolicy',    'v3' ],
  ['aws-service-role/AmazonChimeSDKMessagingServiceRolePolicy',               'v1' ],
];

for (const [path, version] of MANAGED) {
  test(`EX-1: the AWS managed policy ${path} has the default version ${version} and cannot be changed`, async () => {
    const PolicyArn = managed(path);
    assert.equal((await admin.send(new GetPolicyCommand({ PolicyArn }))).Policy?.DefaultVersionId, version);
    const { PolicyVersion } = await admin.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: version }));
    assert.ok(JSON.parse(decodeURIComponent(PolicyVersion?.Document as string)).Statement.length > 0);
    await denialOf(admin.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: policy(allow('*')) })));
  });
}

test('EX-7: conditions can require MFA for changes', async () => {
  const unless = deny(['chime:Create*', 'chime:Delete*'], '*', { Condition: { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } } });
  const keys = await account.user('careful', managed('AmazonChimeFullAccess'), unless);
  assert.match(await denialOf(meetings(keys).send(createMeeting('careful'))), /with an explicit deny in an identity-based policy$/);
  assert.equal(
    await verdictOf(meetings(keys).send(new GetMeetingCommand({ MeetingId: '00000000-0000-4000-8000-000000000000' }))),
    'allowed',
  );
});

test('ROLE-10, SLR-7: a service-linked role is created with IAM and can be read', async () => {
  const { Role } = await admin.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: 'transcription.chime.amazonaws.com' }));
  const RoleName = Role?.RoleName as string;
  assert.equal((await admin.send(new GetRoleCommand({ RoleName }))).Role?.Path, '/aws-service-role/transcription.chime.amazonaws.com/');
  const { Roles } = await admin.send(new ListRolesCommand({ PathPrefix: '/aws-service-role/' }));
  assert.ok(Roles?.some((role) => role.RoleName === RoleName));
  const { AttachedPolicies } = await admin.send(new ListAttachedRolePoliciesCommand({ RoleName }));
  const PolicyArn = AttachedPolicies?.[0]?.PolicyArn as string;
  assert.equal(PolicyArn, managed('aws-service-role/AmazonChimeTranscriptionServiceLinkedRolePolicy'));
  assert.equal((await admin.send(new GetPolicyCommand({ PolicyArn }))).Policy?.AttachmentCount, 1);
});

test('TAG-6: a 51st tag is TooManyTags, and an unknown resource is ResourceNotFound', async () => {
  const { Meeting } = await meetings().send(createMeeting('tags'));
  const ResourceARN = Meeting?.MeetingArn as string;
  const tags = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => ({ Key: `${prefix}${i}`, Value: '' }));
  await meetings().send(new TagResourceCommand({ ResourceARN, Tags: tags('a', 50) }));
  const tooMany = await refusalOf(meetings().send(new TagResourceCommand({ ResourceARN, Tags: tags('b', 1) })));
  assert.deepEqual([tooMany.name, tooMany.status], ['TooManyTagsException', 400]);
  const absent = ResourceARN.replace(/[^/]+$/, '00000000-0000-4000-8000-000000000000');
  const missing = await refusalOf(meetings().send(new ListTagsForResourceCommand({ ResourceARN: absent })));
  assert.deepEqual([missing.name, missing.status], ['ResourceNotFoundException', 404]);
});
