// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables
/** `belfry policy suggest` for principals whose policies deny: the suggested policy is valid in IAM, passes its tests and weakens no Deny. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { GetMeetingCommand, TagResourceCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { CloudWatchClient, DescribeAlarmsCommand, PutMetricAlarmCommand } from '@aws-sdk/client-cloudwatch';
import {
  CreatePolicyCommand,
  CreateUserCommand,
  GetUserCommand,
  IAMClient,
  ListUsersCommand,
  PutUserPolicyCommand,
  TagUserCommand,
  UpdateUserCommand,
} from '@aws-sdk/client-iam';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { literalResource } from '#access/past/literal-resource.ts';
import { withAnyId } from '#access/past/used-access.ts';
import { compilePolicy, decide, linkStack } from '#policy/engine.ts';
import { malformedPolicyText } from '#policy/validate/malformed-policy-text.ts';
import { policySize } from '#policy/validate/policy-size.ts';
import { startAccount } from '../kit/account.ts';
import { newFolder } from '../kit/folder.ts';
import type { Keys } from '../kit/keys.ts';
import { createMeeting } from '../kit/meeting.ts';
import { allow, deny, policy } from '../kit/policy.ts';
import { belfry } from '../kit/process.ts';

const account = await startAccount();
const { server, admin, userArn } = account;
after(() => server.stop());
const folder = newFolder('suggest');

interface Suggested {
  readonly text: string;
  readonly statements: readonly Readonly<Record<string, unknown>>[];
  readonly stderr: string;
  readonly tests: readonly { readonly action: string; readonly context: Readonly<Record<string, unknown>> }[];
}

/** Suggests a policy for a user, and runs its tests. */
async function suggested(name: string, ...flags: readonly string[]): Promise<Suggested> {
  const out = join(folder, name);
  const run = await belfry(['policy', 'suggest', '--principal', userArn(name), '--out', out, ...flags, '--data', server.dataFolder]);
  assert.equal(run.status, 0, run.stderr);
  const tested = await belfry(['policy', 'test', `${out}.iamtest.json`]);
  assert.equal(tested.status, 0, tested.stdout + tested.stderr);
  const text = readFileSync(`${out}.json`, 'utf8');
  const { requests: tests } = JSON.parse(readFileSync(`${out}.iamtest.json`, 'utf8')) as { requests: Suggested['tests'] };
  return { text, stderr: run.stderr, tests, statements: (JSON.parse(text) as { readonly Statement: Suggested['statements'] }).Statement };
}

/** Tags of a request whose facts have more than the 8 KB that are stored. */
const LARGE_TAGS = Array.from({ length: 40 }, (_, i) => ({ Key: `key-${i}`, Value: `${i}`.padEnd(250, 'v') }));

const put = (UserName: string, PolicyName: string, PolicyDocument: string) =>
  admin.send(new PutUserPolicyCommand({ UserName, PolicyName, PolicyDocument }));

before(async () => {
  const { Meeting } = await account.meetings().send(createMeeting('one', { Tags: [{ Key: 'Team', Value: 'red' }] }));
  const unless = (Value: string) => ({ Condition: { StringNotEquals: { 'aws:ResourceTag/Team': Value } } });
  const ada = await account.user('ada', allow('chime:GetMeeting'), deny('chime:GetMeeting', '*', { Sid: 'Same', ...unless('red') }));
  await account.meetings(ada).send(new GetMeetingCommand({ MeetingId: Meeting?.MeetingId }));

  const bob = await account.user('bob', allow('iam:GetUser'), deny('iam:ListUsers', '*', { Sid: 'Same' }));
  await account.iam(bob).send(new GetUserCommand({ UserName: 'bob' }));
  await put('bob', 'q', policy(deny('iam:ListRoles', '*', { Sid: 'Same' })));
  const NotResource = `arn:aws:iam::*:user/\${aws:username}`;
  const old = { Version: '2008-10-17', Statement: [{ Effect: 'Deny', Action: 'iam:DeleteUser', NotResource }] };
  await put('bob', 'old', JSON.stringify(old));

  const mfa = { Condition: { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } } };
  const carl = await account.user('carl', allow(['iam:GetUser', 'iam:ListUsers'], '*', mfa));
  const as = (customUserAgent: string) => new IAMClient({ ...account.client(carl), customUserAgent });
  for (const agent of ['old', 'new', 'old']) await as(agent).send(new GetUserCommand({ UserName: 'carl' }));
  await as('new').send(new ListUsersCommand({}));
  const ofOld = { Condition: { StringLike: { 'aws:UserAgent': '*old*' } } };
  await put('carl', 'later', policy(deny('iam:ListUsers'), deny('iam:GetUser', '*', ofOld)));

  const dan = await account.user('dan', allow(['iam:GetUser', 'iam:TagUser']));
  await account.iam(dan).send(new GetUserCommand({ UserName: 'dan' }));
  await account.iam(dan).send(new TagUserCommand({ UserName: 'dan', Tags: LARGE_TAGS }));
  const eve = await account.user('eve', allow('iam:GetUser'));
  await account.iam(eve).send(new GetUserCommand({ UserName: 'eve' }));
  await put('eve', 'none', policy(deny('*')));
  await account.sts(await account.user('fay')).send(new GetCallerIdentityCommand({}));

  // The last recorded request adds a Deny.
  await put('bob', 'last', policy(deny('iam:GetRole')));
});

test('policy suggest: a Deny that tests tags of the resource allows the recorded request in the test too', async () => {
  assert.ok((await suggested('ada')).statements.some(({ Sid }) => Sid === 'Same'));
});

test('policy suggest: a request that a later Deny forbids is not listed, and an action whose other requests are allowed is', async () => {
  const { statements, stderr, tests } = await suggested('carl');
  assert.deepEqual(
    statements.map(({ Effect, Action }) => [Effect, Action]),
    [
      ['Allow', ['iam:GetUser']],
      ['Deny', 'iam:ListUsers'],
      ['Deny', 'iam:GetUser'],
    ],
  );
  assert.deepEqual(
    tests.map(({ action, context }) => [action, /old|new/.exec(String(context['aws:useragent']))?.[0]]),
    [['iam:GetUser', 'new']],
  );
  assert.match(stderr, /covers 1 request; \d+ decided again, of which it denies 0 that were allowed/);
  assert.match(stderr, /keeps a Deny of today, which forbids 3 other requests that were allowed/);
  assert.match(stderr, /only under conditions, which the policy lacks: aws:MultiFactorAuthPresent/);
});

const suggestFor = (name: string) =>
  belfry(['policy', 'suggest', '--principal', userArn(name), '--out', join(folder, name), '--data', server.dataFolder]);

test('policy suggest: requests whose facts are too large to be stored are listed, and the exit status is 1', async () => {
  const [record] = await account.records('TagUser');
  const { status, stderr } = await suggestFor('dan');
  assert.equal(status, 1);
  assert.match(stderr, /\nbelfry policy: 1 other request has facts that are too large .* may deny it:\n {4}([0-9a-f-]+)\n$/);
  assert.ok(stderr.includes(record?.eventID ?? 'no record'), stderr);
});

test('policy suggest: if a Deny of today forbids all requests, the policy has it, and there is no file with tests', async () => {
  writeFileSync(join(folder, 'eve.iamtest.json'), 'of an earlier run');
  const { status, stdout } = await suggestFor('eve');
  assert.deepEqual([status, /and no test, because/.test(stdout)], [0, true]);
  assert.ok(!existsSync(join(folder, 'eve.iamtest.json')));
  const { Statement } = JSON.parse(readFileSync(join(folder, 'eve.json'), 'utf8')) as { readonly Statement: readonly object[] };
  assert.deepEqual(Statement, [deny('*')]);
});

test('policy suggest: requests without a permission suggest no policy', async () => {
  const { status, stderr } = await suggestFor('fay');
  assert.equal(status, 1);
  assert.match(stderr, /no recorded request of '.*' that requires a permission was allowed in the last 30 days/);
  assert.ok(!existsSync(join(folder, 'fay.json')));
});

test('policy suggest: each Deny is kept, also of the last request and of old versions, and IAM accepts the policy', async () => {
  const { text } = await suggested('bob');
  const stack = linkStack({ identity: [{ policyId: 'p', policy: compilePolicy(text) }] });
  const context = new Map([['aws:username', 'bob']]);
  for (const [action, resource] of [
    ['iam:ListUsers', '*'],
    ['iam:ListRoles', '*'],
    ['iam:GetRole', account.roleArn('r')],
    ['iam:DeleteUser', userArn('bob')],
  ] as const) {
    const decision = decide(stack, { action, resources: [resource], context });
    assert.equal(decision.effect === 'Deny' && decision.kind, 'explicit', action);
  }
  await put('bob', 'suggested', text);
});

test('policy suggest: resources with a generated ID are counted, and --any-id allows new ones too', async () => {
  const gus = await account.user('gus', allow(['chime:CreateMeeting', 'chime:GetMeeting', 'iam:GetUser']));
  const meetings = account.meetings(gus);
  const first = (await meetings.send(createMeeting('first'))).Meeting?.MeetingId;
  await meetings.send(new GetMeetingCommand({ MeetingId: first }));
  await account.iam(gus).send(new GetUserCommand({ UserName: 'gus' }));
  const listed = await suggested('gus');
  assert.match(listed.stderr, /lists 1 resource by a generated ID, so it denies requests on new ones; --any-id/);
  const any = await suggested('gus', '--any-id');
  assert.doesNotMatch(any.stderr, /generated ID/);
  assert.deepEqual(
    any.statements.map(({ Action, Resource }) => [Action, Resource]),
    [
      [['chime:CreateMeeting'], [`arn:aws:chime:us-east-1:${account.accountId}:meeting/\${*}`]],
      [['chime:GetMeeting'], [`arn:aws:chime:us-east-1:${account.accountId}:meeting/*`]],
      [['iam:GetUser'], [userArn('gus')]],
    ],
  );

  await put('gus', 'p', listed.text);
  const second = (await meetings.send(createMeeting('second'))).Meeting?.MeetingId;
  await assert.rejects(meetings.send(new GetMeetingCommand({ MeetingId: second })), { name: 'AccessDeniedException' });
  await put('gus', 'p', any.text);
  await meetings.send(new GetMeetingCommand({ MeetingId: second }));
});

// biome-ignore format: a table
const ANY_ID = [
  // resource                                                                       with any ID
  ['arn:aws:chime:us-east-1:1:meeting/6f0ff994-42be-4ffb-99ec-8e6edcff03d0',         'arn:aws:chime:us-east-1:1:meeting/*'],
  ['arn:aws:chime:us-east-1:1:app-instance/6f0ff994-42be-4ffb-99ec-8e6edcff03d0/user/ann', 'arn:aws:chime:us-east-1:1:app-instance/*/user/ann'],
  ['arn:aws:chime:us-east-1:1:meeting/a-6f0ff994-42be-4ffb-99ec-8e6edcff03d0',       'arn:aws:chime:us-east-1:1:meeting/a-6f0ff994-42be-4ffb-99ec-8e6edcff03d0'],
  ['arn:aws:iam::1:user/ann',                                                       'arn:aws:iam::1:user/ann'],
  ['*',                                                                             '*'],
] as const;

for (const [resource, expected] of ANY_ID)
  test(`withAnyId: ${resource} becomes ${expected}`, () => {
    assert.equal(withAnyId(resource), expected);
  });

test('policy suggest: an alarm that is named * and tags of a new meeting allow no other alarm and meeting', async () => {
  const tag = { Key: 'Team', Value: 'red' };
  const ike = await account.user('ike', allow(['cloudwatch:*', 'chime:CreateMeeting', 'chime:TagResource']));
  const [alarms, meetings] = [new CloudWatchClient(account.client(ike)), account.meetings(ike)];
  const putAlarm = (AlarmName: string) =>
    alarms.send(
      new PutMetricAlarmCommand({
        ...{ AlarmName, Namespace: 'n', MetricName: 'm', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 1 },
        ComparisonOperator: 'GreaterThanThreshold',
      }),
    );
  const calls = [
    () => putAlarm('*'),
    () => alarms.send(new DescribeAlarmsCommand({})),
    () => meetings.send(createMeeting('tagged', { Tags: [tag] })),
  ];
  for (const call of calls) await call();
  const { text } = await suggested('ike');
  await put('ike', 'p', text);
  for (const call of calls) await call();
  await assert.rejects(putAlarm('other'), { name: 'AccessDenied' });
  const { Meeting } = await account.meetings().send(createMeeting('other'));
  await assert.rejects(meetings.send(new TagResourceCommand({ ResourceARN: Meeting?.MeetingArn, Tags: [tag] })), {
    name: 'AccessDeniedException',
  });
  assert.equal(malformedPolicyText(text, 'identity'), undefined);
});

test('policy suggest: a Deny that two policies have is listed once', async () => {
  const hal = await account.user('hal', allow('iam:GetUser'), deny('iam:ListUsers', '*', { Sid: 'Same' }));
  await account.iam(hal).send(new GetUserCommand({ UserName: 'hal' }));
  await put('hal', 'q', policy(deny('iam:ListUsers', '*', { Sid: 'Other' })));
  assert.deepEqual(
    (await suggested('hal')).statements.map(({ Effect, Sid }) => [Effect, Sid]),
    [
      ['Allow', undefined],
      ['Deny', 'Same'],
    ],
  );
});

test('policy suggest: a wildcard in place of many resources is printed, because it also allows others', async () => {
  const ida = await account.user('ida', allow('iam:GetUser'));
  const names = Array.from({ length: 9 }, (_, i) => `absent-${i}`);
  for (const UserName of names)
    await assert.rejects(account.iam(ida).send(new GetUserCommand({ UserName })), { name: 'NoSuchEntityException' });
  const { stderr, statements } = await suggested('ida');
  assert.deepEqual(statements, [allow(['iam:GetUser'], [userArn('*')])]);
  assert.ok(stderr.includes(`has a wildcard in place of many resources, which also allows others:\n    ${userArn('*')}\n`), stderr);
  assert.doesNotMatch((await suggested('hal')).stderr, /wildcard in place of/);
});

test('policy suggest: a policy that is too long for IAM has a line that says so', async () => {
  const joe = await account.user('joe', allow('iam:GetUser'));
  const names = Array.from({ length: 56 }, (_, i) => `${i}`.padEnd(64, 'x'));
  for (const [i, UserName] of names.entries()) {
    await account.iam().send(new CreateUserCommand({ UserName, Path: `/${i % 8}/${'path/'.repeat(10)}` }));
    await account.iam(joe).send(new GetUserCommand({ UserName }));
  }
  const { text, stderr } = await suggested('joe');
  const size = policySize(text);
  assert.ok(size > 6_144, `${size}`);
  await assert.rejects(admin.send(new CreatePolicyCommand({ PolicyName: 'joe', PolicyDocument: text })), {
    name: 'LimitExceededException',
  });
  assert.ok(stderr.includes(`belfry policy: has ${size} characters; a managed policy can have 6144, so divide its statements`), stderr);
  assert.doesNotMatch((await suggested('hal')).stderr, /characters/);
});

test('policy suggest: for the former name of a user, it says that no Deny is known', async () => {
  const kim = await account.user('kim', allow('iam:GetUser'), deny('iam:ListUsers'));
  await account.iam(kim).send(new GetUserCommand({ UserName: 'kim' }));
  await admin.send(new UpdateUserCommand({ UserName: 'kim', NewUserName: 'kit' }));
  const { stderr, statements } = await suggested('kim');
  assert.deepEqual(statements, [allow(['iam:GetUser'], [userArn('kim')])]);
  assert.ok(stderr.includes(`belfry policy: '${userArn('kim')}' does not exist now, so no Deny of its policies is kept`), stderr);
  assert.doesNotMatch((await suggested('hal')).stderr, /does not exist/);
});

test('policy suggest: used actions of which no record has the resources are listed, and the exit status is 1', async () => {
  const s3 = (as?: Keys) => new S3Client({ ...account.client(as), forcePathStyle: true });
  await s3().send(new CreateBucketCommand({ Bucket: 'unselected' }));
  await s3().send(new PutObjectCommand({ Bucket: 'unselected', Key: 'a', Body: 'x' }));
  const lou = await account.user('lou', allow(['s3:GetObject', 'iam:GetUser']));
  await account.iam(lou).send(new GetUserCommand({ UserName: 'lou' }));
  // The server refuses the name before a policy decides.
  await assert.rejects(account.iam(lou).send(new CreateUserCommand({ UserName: 'not valid' })), { name: 'ValidationError' });
  assert.equal((await suggestFor('lou')).status, 0);
  await s3(lou).send(new GetObjectCommand({ Bucket: 'unselected', Key: 'a' }));
  const { status, stderr } = await suggestFor('lou');
  assert.equal(status, 1);
  assert.ok(
    stderr.includes('belfry policy: 1 other action was used, and no record has its resources, so the policy lacks it: s3:GetObject\n'),
    stderr,
  );
});

test('literalResource: matches the resource and no other one', () => {
  const object = 'arn:aws:s3:::keys/a${aws:username}b';
  // biome-ignore format: a table
  for (const [resource, other] of [
    [object,                                                     'arn:aws:s3:::keys/abobb'],
    ['arn:aws:s3:::keys/c*?',                                    'arn:aws:s3:::keys/c11'],
    ['arn:aws:cloudwatch:us-east-1:111122223333:alarm:a*b',                'arn:aws:cloudwatch:us-east-1:111122223333:alarm:a1b'],
    ['arn:aws:cloudwatch:us-east-1:111122223333:alarm:a*',                 'arn:aws:cloudwatch:us-east-1:111122223333:alarm:ab'],
    ['arn:aws:cloudwatch:us-east-1:111122223333:alarm:*',                  'arn:aws:cloudwatch:us-east-1:111122223333:alarm:a'],
    ['arn:aws:iam::111122223333:role/*',                                   'arn:aws:iam::111122223333:role/a'],
    ['arn:aws:organizations::1:policy/o-a/service_control_policy/p-*',     'arn:aws:organizations::1:policy/o-a/service_control_policy/p-b'],
    ['arn:aws:s3:::keys/*',                                                'arn:aws:s3:::keys/a'],
    ['arn:aws:chime:us-east-1:111122223333:sma/a?',                        'arn:aws:chime:us-east-1:111122223333:sma/ab'],
    ['arn:aws:logs:us-east-1:111122223333:log-group:g:${aws:x}', 'arn:aws:logs:us-east-1:111122223333:log-group:g:x'],
  ] as const) {
    const stack = linkStack({ identity: [{ policyId: 'p', policy: compilePolicy(policy(allow('s3:GetObject', literalResource(resource)))) }] });
    const context = new Map([['aws:username', 'bob']]);
    const effects = [resource, other].map((each) => decide(stack, { action: 's3:GetObject', resources: [each], context }).effect);
    assert.deepEqual(effects, ['Allow', 'Deny'], resource);
  }
  assert.deepEqual(['*', 'arn:aws:s3:::keys'].map(literalResource), ['*', 'arn:aws:s3:::keys']);
});
