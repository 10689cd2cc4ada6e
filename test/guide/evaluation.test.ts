/** Evaluation of requests (security.md 3.1 to 3.3) on a running server. Each row of the tables sets a policy and makes a call. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import {
  AddUserToGroupCommand,
  AttachGroupPolicyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  DeleteRolePolicyCommand,
  DeleteUserCommand,
  DeleteUserPermissionsBoundaryCommand,
  GetRoleCommand,
  GetUserCommand,
  ListGroupsCommand,
  ListUsersCommand,
  PutGroupPolicyCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  RemoveUserFromGroupCommand,
  TagUserCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { newKey, startAccount } from '../kit/account.ts';
import { createMeeting } from '../kit/meeting.ts';
import { denialOf, refusalOf, verdictOf } from '../kit/outcome.ts';
import { allow, deny, managed, policy, type Statement, trust } from '../kit/policy.ts';

const account = await startAccount();
const { accountId, admin, iam, meetings } = account;
const tester = await account.user('tester');
await admin.send(
  new TagUserCommand({
    UserName: 'tester',
    Tags: Object.entries({ team: 'Blue', number: '10', bytes: 'QmxhY2s=', since: '2026-01-02T03:04:05Z', path: 'a/b' }).map(
      ([Key, Value]) => ({ Key, Value }),
    ),
  }),
);

/** Sets the only policy of the user `tester`. */
const put = (PolicyDocument: string) => admin.send(new PutUserPolicyCommand({ UserName: 'tester', PolicyName: 'tried', PolicyDocument }));
const listUsers = () => verdictOf(iam(tester).send(new ListUsersCommand({ MaxItems: 1 })));
const getUser = (UserName: string) => verdictOf(iam(tester).send(new GetUserCommand({ UserName })));
const onList = (Condition: Statement) => allow('iam:ListUsers', '*', { Condition });
const tag = (name: string) => `aws:PrincipalTag/${name}`;

// biome-ignore format: a table
const ROWS: readonly [requirement: string, title: string, statements: readonly Statement[], passes: boolean][] = [
  ['EVAL-1',  'an Allow and a Deny of the same action',           [allow('iam:*'), deny('iam:ListUsers')],                                                           false],
  ['EVAL-2',  'no matching statement',                            [allow('chime:*')],                                                                                false],
  ['EVAL-2',  'many Allows and one Deny',                         [allow('*'), allow('iam:*'), allow('iam:List*'), deny('iam:ListU*')],                              false],
  ['MATCH-1', 'the action in another case',                       [allow('IAM:lISTuSERS')],                                                                          true ],
  ['MATCH-1', 'wildcards within the action',                      [allow('iam:?ist*ers')],                                                                           true ],
  ['MATCH-1', 'the action of another service',                    [allow('chime:ListUsers'), allow('sts:*')],                                                        false],
  ['MATCH-1', 'NotAction with another action',                    [{ Effect: 'Allow', NotAction: 'iam:GetUser', Resource: '*' }],                                    true ],
  ['MATCH-1', 'NotAction with this action',                       [{ Effect: 'Allow', NotAction: 'iam:List*', Resource: '*' }],                                      false],
  ['COND-1',  'two operators, both met',                          [onList({ StringEquals: { [tag('team')]: 'Blue' }, Bool: { 'aws:SecureTransport': 'false' } })],   true ],
  ['COND-1',  'two operators, one met',                           [onList({ StringEquals: { [tag('team')]: 'Blue' }, Bool: { 'aws:SecureTransport': 'true' } })],    false],
  ['COND-1',  'two keys, one met',                                [onList({ StringEquals: { [tag('team')]: 'Blue', [tag('number')]: '11' } })],                      false],
  ['COND-1',  'two values, one met',                              [onList({ StringEquals: { [tag('team')]: ['Red', 'Blue'] } })],                                    true ],
  ['COND-1',  'two values, negated, one met',                     [onList({ StringNotEquals: { [tag('team')]: ['Red', 'Blue'] } })],                                 false],
  ['COND-2',  'a key in another case',                            [onList({ StringEquals: { 'AWS:principaltag/TEAM': 'Blue' } })],                                   true ],
  ['COND-2',  'an absent key',                                    [onList({ StringLike: { [tag('none')]: '*' } })],                                                  false],
  ['COND-2',  'an absent key, negated',                           [onList({ StringNotEquals: { [tag('none')]: 'x' } })],                                             true ],
  ['COND-2',  'Null true for an absent key',                      [onList({ Null: { [tag('none')]: 'true' } })],                                                     true ],
  ['COND-2',  'Null false for an absent key',                     [onList({ Null: { [tag('none')]: 'false' } })],                                                    false],
  ['COND-3',  'IfExists for an absent key',                       [onList({ StringEqualsIfExists: { [tag('none')]: 'x' } })],                                        true ],
  ['COND-3',  'IfExists for an existing key',                     [onList({ StringEqualsIfExists: { [tag('team')]: 'x' } })],                                        false],
  ['COND-3',  'IfExists with a number',                           [onList({ NumericLessThanIfExists: { [tag('number')]: '9' } })],                                   false],
  ['COND-4',  'ForAllValues for an absent key',                   [onList({ 'ForAllValues:StringEquals': { 'aws:TagKeys': 'a' } })],                                 true ],
  ['COND-4',  'ForAnyValue for an absent key',                    [onList({ 'ForAnyValue:StringEquals': { 'aws:TagKeys': 'a' } })],                                  false],
  ['COND-5',  'a string in another case',                         [onList({ StringEquals: { [tag('team')]: 'blue' } })],                                             false],
  ['COND-5',  'a string in another case, IgnoreCase',             [onList({ StringEqualsIgnoreCase: { [tag('team')]: 'bLUE' } })],                                   true ],
  ['COND-5',  'a wildcard in StringEquals',                       [onList({ StringEquals: { [tag('team')]: 'Bl*' } })],                                              false],
  ['COND-5',  'a wildcard in StringLike',                         [onList({ StringLike: { [tag('path')]: 'a?*' } })],                                                true ],
  ['COND-5',  'an equal number in another notation',              [onList({ NumericEquals: { [tag('number')]: '10.0' } })],                                          true ],
  ['COND-5',  'an equal number in NumericGreaterThan',            [onList({ NumericGreaterThan: { [tag('number')]: '10' } })],                                       false],
  ['COND-5',  'a date in ISO 8601',                               [onList({ DateGreaterThan: { 'aws:CurrentTime': '2020-01-01T00:00:00Z' } })],                      true ],
  ['COND-5',  'a date in seconds',                                [onList({ DateEquals: { [tag('since')]: '1767323045' } })],                                        true ],
  ['COND-5',  'an address without a prefix length',               [onList({ IpAddress: { 'aws:SourceIp': '127.0.0.1' } })],                                          true ],
  ['COND-5',  'an address in a mixed list',                       [onList({ IpAddress: { 'aws:SourceIp': ['2001:db8::/32', '127.0.0.0/8'] } })],                     true ],
  ['COND-5',  'an address of the other family',                   [onList({ IpAddress: { 'aws:SourceIp': '::/0' } })],                                               false],
  ['COND-6',  'bytes in base64',                                  [onList({ BinaryEquals: { [tag('bytes')]: 'QmxhY2s=' } })],                                        true ],
  ['COND-6',  'a Boolean in another case',                        [onList({ Bool: { 'aws:SecureTransport': 'FALSE' } })],                                            true ],
];

for (const [requirement, title, statements, passes] of ROWS) {
  test(`${requirement}: ${title} ${passes ? 'allows' : 'does not allow'}`, async () => {
    await put(policy(...statements));
    assert.equal(await listUsers(), passes ? 'allowed' : 'refused');
  });
}

// biome-ignore format: a table
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: policy variables
const RESOURCES: readonly [requirement: string, title: string, document: object, passes: boolean][] = [
  ['MATCH-2', 'the exact ARN',                                    { Version: '2012-10-17', Statement: [allow('iam:GetUser', account.userArn('tester'))] },                                  true ],
  ['MATCH-2', 'the ARN in another case',                          { Version: '2012-10-17', Statement: [allow('iam:GetUser', account.userArn('Tester'))] },                                  false],
  ['MATCH-2', 'wildcards within one part',                        { Version: '2012-10-17', Statement: [allow('iam:GetUser', 'arn:aws:iam:*:*:user/t?ster')] },                              true ],
  ['MATCH-2', 'a wildcard over several parts of the path', { Version: '2012-10-17', Statement: [allow('iam:GetUser', `arn:aws:iam::${accountId}:user/*er`)] },                        true ],
  ['MATCH-2', 'NotResource with another ARN',                     { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iam:GetUser', NotResource: account.userArn('x') }] },    true ],
  ['MATCH-2', 'NotResource with this ARN',                        { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iam:GetUser', NotResource: account.userArn('t*') }] },   false],
  ['MATCH-4', 'a policy variable',                                { Version: '2012-10-17', Statement: [allow('iam:GetUser', 'arn:aws:iam::*:user/${aws:username}')] },                    true ],
  ['MATCH-4', 'a policy variable in version 2008-10-17',          { Version: '2008-10-17', Statement: [allow('iam:GetUser', 'arn:aws:iam::*:user/${aws:username}')] },                    false],
  ['MATCH-4', 'an undefined variable',                            { Version: '2012-10-17', Statement: [allow('iam:GetUser', 'arn:aws:iam::*:user/${aws:PrincipalTag/none}*')] },          false],
  ['MATCH-4', 'an undefined variable with a default',             { Version: '2012-10-17', Statement: [allow('iam:GetUser', "arn:aws:iam::*:user/${aws:PrincipalTag/none, 'tester'}")] }, true ],
  ['MATCH-4', 'an undefined variable in a negated condition',     { Version: '2012-10-17', Statement: [allow('iam:GetUser', '*', { Condition: { StringNotEquals: { 'aws:username': '${aws:PrincipalTag/none}' } } })] }, true ],
];
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: policy variables

for (const [requirement, title, document, passes] of RESOURCES) {
  test(`${requirement}: ${title} ${passes ? 'is matched' : 'is not matched'}`, async () => {
    await put(JSON.stringify(document));
    assert.equal(await getUser('tester'), passes ? 'allowed' : 'refused');
  });
}

// biome-ignore format: a table
const MALFORMED: readonly [title: string, document: string][] = [
  ['no Effect',                     policy({ Action: 'iam:*', Resource: '*' })],
  ['an Effect in another case',     policy({ Effect: 'allow', Action: 'iam:*', Resource: '*' })],
  ['a Sid with a space',            policy(allow('iam:*', '*', { Sid: 'a b' }))],
  ['a repeated Sid',                policy(allow('iam:*', '*', { Sid: 'a' }), allow('iam:*', '*', { Sid: 'a' }))],
  ['Action and NotAction',          policy(allow('iam:*', '*', { NotAction: 'iam:*' }))],
  ['Resource and NotResource',      policy(allow('iam:*', '*', { NotResource: '*' }))],
  ['a repeated key',                '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]}'],
];

for (const [title, document] of MALFORMED) {
  test(`MATCH-5: a policy with ${title} is MalformedPolicyDocument`, async () => {
    assert.match((await refusalOf(put(document))).name, /^MalformedPolicyDocument(Exception)?$/);
  });
}

test('MATCH-3: a recreated user is not trusted, and the trust policy shows the old unique ID', async () => {
  const { User } = await admin.send(new CreateUserCommand({ UserName: 'fleeting' }));
  const role = await account.role('TrustsFleeting', trust(account.userArn('fleeting')));
  await admin.send(new DeleteUserCommand({ UserName: 'fleeting' }));
  const recreated = await account.user('fleeting', allow('sts:AssumeRole', role));
  await denialOf(account.sts(recreated).send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'recreated' })));
  const { Role } = await admin.send(new GetRoleCommand({ RoleName: 'TrustsFleeting' }));
  assert.ok(decodeURIComponent(Role?.AssumeRolePolicyDocument as string).includes(User?.UserId as string));
});

test('EVAL-3, IAM-4: a user has its own policies and the policies of its current groups', async () => {
  const keys = await account.user('member', allow('iam:GetUser'), managed('AmazonChimeReadOnly'));
  for (const [GroupName, action] of [
    ['one', 'iam:ListUsers'],
    ['two', 'iam:ListGroups'],
  ] as const) {
    await admin.send(new CreateGroupCommand({ GroupName }));
    await admin.send(new PutGroupPolicyCommand({ GroupName, PolicyName: 'p', PolicyDocument: policy(allow(action)) }));
    await admin.send(new AddUserToGroupCommand({ GroupName, UserName: 'member' }));
  }
  const client = iam(keys);
  const verdicts = async () => [
    await verdictOf(client.send(new GetUserCommand({}))),
    await verdictOf(client.send(new ListUsersCommand({}))),
    await verdictOf(client.send(new ListGroupsCommand({}))),
    await verdictOf(meetings(keys).send(new GetMeetingCommand({ MeetingId: '00000000-0000-4000-8000-000000000000' }))),
  ];
  assert.deepEqual(await verdicts(), ['allowed', 'allowed', 'allowed', 'allowed']);
  await admin.send(new RemoveUserFromGroupCommand({ GroupName: 'two', UserName: 'member' }));
  assert.deepEqual(await verdicts(), ['allowed', 'allowed', 'refused', 'allowed']);
});

test('EVAL-4: a permissions boundary only limits and grants nothing', async () => {
  const keys = await account.user('bounded', allow(['iam:ListUsers', 'iam:ListGroups']));
  const { Policy } = await admin.send(
    new CreatePolicyCommand({ PolicyName: 'Bound', PolicyDocument: policy(allow(['iam:ListUsers', 'iam:GetUser'])) }),
  );
  await admin.send(new PutUserPermissionsBoundaryCommand({ UserName: 'bounded', PermissionsBoundary: Policy?.Arn }));
  assert.equal(await verdictOf(iam(keys).send(new ListUsersCommand({}))), 'allowed');
  assert.match(
    await denialOf(iam(keys).send(new ListGroupsCommand({}))),
    /because no permissions boundary allows the iam:ListGroups action$/,
  );
  assert.match(
    await denialOf(iam(keys).send(new GetUserCommand({ UserName: 'tester' }))),
    /because no identity-based policy allows the iam:GetUser action$/,
  );
  await admin.send(new DeleteUserPermissionsBoundaryCommand({ UserName: 'bounded' }));
  assert.equal(await verdictOf(iam(keys).send(new ListGroupsCommand({}))), 'allowed');
});

test('EVAL-7: a missing Allow in the boundary denies AssumeRole, unless the role trusts the user itself', async () => {
  const keys = await account.user('hemmed', allow('sts:AssumeRole'));
  await admin.send(new PutUserPermissionsBoundaryCommand({ UserName: 'hemmed', PermissionsBoundary: managed('AmazonChimeReadOnly') }));
  const named = await account.role('TrustsHemmed', trust(account.userArn('hemmed')));
  const unnamed = await account.role('TrustsAccount', trust(account.rootArn));
  await account.assume(keys, named);
  await denialOf(account.assume(keys, unnamed));
});

// Regression test. If a trust policy named a role, an earlier version ignored the boundary and the session policy of
// the role's sessions.
for (const [title, statements] of [
  ['with policies', [allow('sts:AssumeRole')]],
  ['without policies', []],
] as const) {
  test(`EVAL-7: boundary and session policy apply if a trust policy names a role ${title}, not a session`, async () => {
    const name = `Caller${statements.length}`;
    const caller = await account.role(name, trust(account.userArn('tester')), ...statements);
    const ofRole = await account.role(`TrustsRole${statements.length}`, trust(caller));
    const ofSession = await account.role(`TrustsSession${statements.length}`, trust(`arn:aws:sts::${accountId}:assumed-role/${name}/me`));
    const denial = (keys: typeof tester) => denialOf(account.assume(keys, ofRole));

    const limited = await account.assume(tester, caller, { Policy: policy(allow('iam:ListUsers')) });
    assert.match(await denial(limited), /because no session policy allows the sts:AssumeRole action$/);
    await account.assume(limited, ofSession);

    const free = await account.assume(tester, caller);
    await account.assume(free, ofRole);
    await admin.send(new PutRolePermissionsBoundaryCommand({ RoleName: name, PermissionsBoundary: managed('AmazonChimeReadOnly') }));
    assert.match(await denial(free), /because no permissions boundary allows the sts:AssumeRole action$/);
    await account.assume(free, ofSession);
  });
}

test('EVAL-9: CreateMeeting with tags also requires chime:TagResource', async () => {
  const keys = await account.user('creates', allow('chime:CreateMeeting'));
  const create = (ClientRequestToken: string, Tags?: { Key: string; Value: string }[]) =>
    meetings(keys).send(createMeeting(ClientRequestToken, { Tags }));
  await create('without');
  assert.match(await denialOf(create('with', [{ Key: 'a', Value: 'b' }])), /is not authorized to perform: chime:TagResource/);
});

test('RBP-2: stored policies that do not apply to the caller do not change a decision', async () => {
  const keys = await account.user('left-out');
  const everything = policy(allow('*'));
  const { Policy } = await admin.send(new CreatePolicyCommand({ PolicyName: 'Unattached', PolicyDocument: everything }));
  await admin.send(new CreateGroupCommand({ GroupName: 'others' }));
  await admin.send(new AttachGroupPolicyCommand({ GroupName: 'others', PolicyArn: Policy?.Arn }));
  await account.user('left-out-2', allow('*'));
  await account.role('TrustsLeftOut', trust(account.userArn('left-out')), allow('*'));
  await admin.send(new PutUserPermissionsBoundaryCommand({ UserName: 'left-out', PermissionsBoundary: Policy?.Arn }));
  assert.match(await denialOf(iam(keys).send(new ListUsersCommand({}))), /because no identity-based policy allows/);
});

test('TS-5, TS-6: each kind of denial names the deciding policy type, and a managed policy by its ARN', async () => {
  const name = 'reasons';
  const keys = await account.user(name, allow('iam:List*'), deny('iam:ListGroups'));
  const role = await account.role('Reasons', trust(account.userArn(name)), allow('iam:List*'));
  const start = (caller: string, action: string) => `User: ${caller} is not authorized to perform: iam:${action} on resource: `;
  const user = account.userArn(name);
  const sessionArn = `arn:aws:sts::${accountId}:assumed-role/Reasons/me`;
  const reasonOf = async (by: typeof keys, caller: string, action: string, command: object) => {
    const message = await denialOf(iam(by).send(command as ListUsersCommand));
    assert.ok(message.startsWith(start(caller, action)), message);
    return message.slice(start(caller, action).length).replace(/^(?:user )?\S+ /, '');
  };
  assert.equal(await reasonOf(keys, user, 'ListGroups', new ListGroupsCommand({})), 'with an explicit deny in an identity-based policy');
  assert.equal(
    await reasonOf(keys, user, 'GetUser', new GetUserCommand({})),
    'because no identity-based policy allows the iam:GetUser action',
  );

  const narrow = await account.assume(keys, role, { Policy: policy(allow('iam:ListUsers'), deny('iam:ListRoles')) });
  assert.equal(
    await reasonOf(narrow, sessionArn, 'ListGroups', new ListGroupsCommand({})),
    'because no session policy allows the iam:ListGroups action',
  );
  const denying = await account.assume(keys, role, { Policy: policy(allow('*'), deny('iam:ListGroups')) });
  assert.equal(await reasonOf(denying, sessionArn, 'ListGroups', new ListGroupsCommand({})), 'with an explicit deny in a session policy');

  const { Policy } = await admin.send(
    new CreatePolicyCommand({ PolicyName: 'DenyingBound', PolicyDocument: policy(allow('*'), deny('iam:ListUsers')) }),
  );
  await admin.send(new PutUserPermissionsBoundaryCommand({ UserName: name, PermissionsBoundary: Policy?.Arn }));
  assert.equal(
    await reasonOf(keys, user, 'ListUsers', new ListUsersCommand({})),
    `with an explicit deny in a permissions boundary: ${Policy?.Arn}`,
  );

  const refusing = await account.role('Refusing', { ...trust(user), Effect: 'Deny' });
  const denial = await denialOf(account.assume(keys, refusing));
  assert.equal(
    denial,
    `User: ${user} is not authorized to perform: sts:AssumeRole on resource: ${refusing} with an explicit deny in the role trust policy`,
  );
});

test('IAM-8, EVAL-10: a policy change applies to the next request of an existing session', async () => {
  const role = await account.role('Living', trust(account.userArn('tester')), allow('iam:ListUsers'));
  const session = iam(await account.assume(tester, role));
  for (const round of [1, 2, 3]) {
    await session.send(new ListUsersCommand({}));
    await admin.send(new DeleteRolePolicyCommand({ RoleName: 'Living', PolicyName: 'p' }));
    assert.equal(await verdictOf(session.send(new ListUsersCommand({}))), 'refused', `round ${round}`);
    await admin.send(new PutRolePolicyCommand({ RoleName: 'Living', PolicyName: 'p', PolicyDocument: policy(allow('iam:ListUsers')) }));
  }
});

test('IAM-8: a new access key is valid immediately', async () => {
  await admin.send(new CreateUserCommand({ UserName: 'newcomer' }));
  await admin.send(new PutUserPolicyCommand({ UserName: 'newcomer', PolicyName: 'p', PolicyDocument: policy(allow('iam:ListUsers')) }));
  assert.equal(await verdictOf(iam(await newKey(admin, 'newcomer')).send(new ListUsersCommand({}))), 'allowed');
});
