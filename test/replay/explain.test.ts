// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables
/**
 * ExplainDecision end to end: requests are denied, every policy is then changed or deleted, and the explanations still show the policies as they
 * were. Each grant that an explanation proposes is then really added, and the same request is allowed.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { GetMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { CloudWatchLogsClient, DeleteLogStreamCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  AddUserToGroupCommand,
  AttachGroupPolicyCommand,
  CreateGroupCommand,
  CreateLoginProfileCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  DeleteGroupPolicyCommand,
  DeleteUserPolicyCommand,
  DetachGroupPolicyCommand,
  GetUserCommand,
  ListUsersCommand,
  PutGroupPolicyCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import {
  AttachPolicyCommand,
  CreateAccountCommand,
  CreateOrganizationCommand,
  CreatePolicyCommand as CreateScpCommand,
  DetachPolicyCommand,
  EnablePolicyTypeCommand,
  ListRootsCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { callOwn } from '../../src/cli/own-call.ts';
import { startAccount } from '../kit/account.ts';
import { newFolder } from '../kit/folder.ts';
import type { Keys } from '../kit/keys.ts';
import { createMeeting } from '../kit/meeting.ts';
import { errorOf } from '../kit/outcome.ts';
import { allow, deny, policy, trust } from '../kit/policy.ts';
import { belfry } from '../kit/process.ts';
import { browser } from '../sign-in/browser.ts';

type Output = AccessanalyzerApi['ExplainDecision']['output'];

const account = await startAccount();
const { server, admin, accountId, keys, userArn } = account;
/** Environment of commands that call the server. */
const environment = {
  AWS_ACCESS_KEY_ID: keys.accessKeyId,
  AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
  AWS_ENDPOINT_URL: server.endpoint,
};
after(() => server.stop());
const organizations = new OrganizationsClient(server.client());
const operation = loadModel('accessanalyzer').operations['ExplainDecision'] as OperationModel;

/** Calls ExplainDecision with the keys of an administrator. */
async function explainAs(as: Keys, input: object) {
  return await callOwn({ endpoint: server.endpoint, region: 'us-east-1', credentials: as }, 'accessanalyzer', operation, input);
}

async function explained(requestId: string | undefined, as: Keys = keys): Promise<Output> {
  const { status, body } = await explainAs(as, { requestId });
  assert.equal(status, 200, JSON.stringify(body));
  return body as unknown as Output;
}

/** A denied request: how it is sent, and what its explanation says. */
interface Case {
  readonly title: string;
  readonly send: () => Promise<unknown>;
  /** Result: policy types of the grants, or the Sid of the statement that denies, or the reason why nothing helps. */
  readonly expected: string;
  /** Adds the grants to the real policies. Absent if a grant belongs to a session or if nothing helps. */
  readonly grant?: (statements: readonly object[]) => Promise<unknown>;
}

const cases: Case[] = [];
const requestIds = new Map<string, string>();
let MeetingId = '';
let member: Keys;

before(async () => {
  MeetingId = (await account.meetings().send(createMeeting('one'))).Meeting?.MeetingId as string;
  await prepare();
  for (const { title, send } of cases) requestIds.set(title, (await errorOf(send())).$metadata?.requestId as string);
  await changeEverything();
});

async function prepare(): Promise<void> {
  const nobody = await account.user('nobody');
  const boundaryDocument = policy(allow('chime:ListAttendees'));
  const { Policy: Boundary } = await admin.send(new CreatePolicyCommand({ PolicyName: 'bound', PolicyDocument: boundaryDocument }));
  const bound = await account.user({ UserName: 'bound', PermissionsBoundary: Boundary?.Arn });
  const far = await account.user(
    'far',
    allow('chime:GetMeeting', '*', { Sid: 'Office', Condition: { IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '192.168.0.0/16'] } } }),
  );
  const banned = await account.user('banned', allow('iam:*'), deny('iam:GetUser', userArn('${aws:username}'), { Sid: 'NotMe' }));
  const grouped = await account.user('grouped');
  await admin.send(new CreateGroupCommand({ GroupName: 'readers' }));
  await admin.send(new AddUserToGroupCommand({ GroupName: 'readers', UserName: 'grouped' }));
  const { Policy: Shared } = await admin.send(
    new CreatePolicyCommand({
      PolicyName: 'shared',
      PolicyDocument: policy(deny('iam:ListUsers', '*', { Sid: 'NoUsers' }), allow('iam:*')),
    }),
  );
  await admin.send(new AttachGroupPolicyCommand({ GroupName: 'readers', PolicyArn: Shared?.Arn }));
  await admin.send(new PutGroupPolicyCommand({ GroupName: 'readers', PolicyName: 'inline', PolicyDocument: policy(allow('iam:GetUser')) }));
  const caller = await account.user('caller', allow('sts:AssumeRole'));
  const closed = await account.role('closed', trust(userArn('grouped')));
  const open = await account.role('open', trust(userArn('caller')), allow('chime:*'), allow('iam:GetUser'));
  const limited = await account.assume(caller, open, { Policy: policy(allow('chime:ListAttendees')) });
  const session = await account.assume(caller, open);

  await organizations.send(new CreateOrganizationCommand({}));
  const rootId = (await organizations.send(new ListRootsCommand({}))).Roots?.[0]?.Id as string;
  await organizations.send(new EnablePolicyTypeCommand({ RootId: rootId, PolicyType: 'SERVICE_CONTROL_POLICY' }));
  const { CreateAccountStatus } = await organizations.send(new CreateAccountCommand({ AccountName: 'm', Email: 'm@example.com' }));
  const Content = policy(deny('iam:ListUsers', '*', { Sid: 'Central' }));
  const { Policy: Scp } = await organizations.send(
    new CreateScpCommand({ Name: 'no', Description: '', Type: 'SERVICE_CONTROL_POLICY', Content }),
  );
  await organizations.send(new AttachPolicyCommand({ PolicyId: Scp?.PolicySummary?.Id, TargetId: rootId }));
  changes.push(() => organizations.send(new DetachPolicyCommand({ PolicyId: Scp?.PolicySummary?.Id, TargetId: rootId })));
  member = await account.assume(keys, `arn:aws:iam::${CreateAccountStatus?.AccountId}:role/OrganizationAccountAccessRole`);

  const meeting = (as: Keys) => () => account.meetings(as).send(new GetMeetingCommand({ MeetingId }));
  const putUserPolicy = (UserName: string) => (statements: readonly object[]) =>
    admin.send(
      new PutUserPolicyCommand({
        UserName,
        PolicyName: 'granted',
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: statements }),
      }),
    );
  cases.push(
    { title: 'no policy', send: meeting(nobody), expected: 'IDENTITY', grant: putUserPolicy('nobody') },
    {
      title: 'a boundary',
      send: meeting(bound),
      expected: 'IDENTITY BOUNDARY',
      async grant([identity, boundary]) {
        await putUserPolicy('bound')([identity as object]);
        const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [boundary] });
        await admin.send(new CreatePolicyVersionCommand({ PolicyArn: Boundary?.Arn, PolicyDocument, SetAsDefault: true }));
      },
    },
    { title: 'a condition', send: meeting(far), expected: 'IDENTITY', grant: putUserPolicy('far') },
    {
      title: 'a Deny with a variable',
      send: () => account.iam(banned).send(new GetUserCommand({ UserName: 'banned' })),
      expected: 'NotMe',
    },
    { title: 'a Deny of a group', send: () => account.iam(grouped).send(new ListUsersCommand({})), expected: 'NoUsers' },
    {
      title: 'a trust policy',
      send: () => account.assume(caller, closed),
      expected: 'TRUST',
      grant: ([statement]) =>
        admin.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'closed', PolicyDocument: policy(statement as Record<string, unknown>) })),
    },
    { title: 'a session policy', send: meeting(limited), expected: 'SESSION' },
    {
      title: 'a role',
      send: () => account.iam(session).send(new ListUsersCommand({})),
      expected: 'IDENTITY',
      grant: (Statement) =>
        admin.send(
          new PutRolePolicyCommand({
            RoleName: 'open',
            PolicyName: 'granted',
            PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }),
          }),
        ),
    },
  );
  changes.push(
    () => admin.send(new DeleteUserPolicyCommand({ UserName: 'far', PolicyName: 'p' })),
    () => admin.send(new DeleteUserPolicyCommand({ UserName: 'banned', PolicyName: 'p' })),
    () => admin.send(new DetachGroupPolicyCommand({ GroupName: 'readers', PolicyArn: Shared?.Arn })),
    () => admin.send(new DeleteGroupPolicyCommand({ GroupName: 'readers', PolicyName: 'inline' })),
    () =>
      admin.send(new CreatePolicyVersionCommand({ PolicyArn: Boundary?.Arn, PolicyDocument: policy(allow('s3:*')), SetAsDefault: true })),
    () => admin.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'closed', PolicyDocument: policy(trust(userArn('nobody'))) })),
  );
}

const changes: (() => Promise<unknown>)[] = [];
let memberRequestId = '';

/** Sends the request of the member, and then changes or deletes each policy. */
async function changeEverything(): Promise<void> {
  memberRequestId = (await errorOf(account.iam(member).send(new ListUsersCommand({})))).$metadata?.requestId as string;
  for (const change of changes) await change();
}

/** Returns the statements of all layers of the denied resource, with their policies. */
function statementsOf({ permissions = [] }: Output) {
  const layers = permissions.flatMap(({ resources }) => resources.at(-1)?.layers ?? []);
  return layers.flatMap(({ policyType, policies }) =>
    policies.flatMap(({ policyId, statements }) => statements.map((each) => ({ policyType, policyId, ...each }))),
  );
}

test('ExplainDecision: each denial names what would allow the request, after all policies were changed', async () => {
  const found: string[][] = [];
  for (const { title } of cases) {
    const output = await explained(requestIds.get(title));
    assert.deepEqual([output.decision, output.reproduced], ['DENIED', true], title);
    const { grants = [], allowsRequest, blockedBy } = output.change ?? {};
    assert.equal(allowsRequest, blockedBy === undefined, title);
    found.push([title, blockedBy?.sid ?? grants.map(({ policyType }) => policyType).join(' ')]);
  }
  assert.deepEqual(
    found,
    cases.map(({ title, expected }) => [title, expected]),
  );
});

test('ExplainDecision: shows conditions with the values of the policy and of the request', async () => {
  const output = await explained(requestIds.get('a condition'));
  const [statement] = statementsOf(output);
  assert.deepEqual([statement?.policyId, statement?.sid, statement?.applies], ['user/far:p', 'Office', false]);
  const [condition] = statement?.conditions ?? [];
  assert.deepEqual(
    [condition?.operator, condition?.key, condition?.holds, condition?.requestValues, condition?.values.map(({ value }) => value)],
    ['IpAddress', 'aws:SourceIp', false, ['127.0.0.1'], ['10.0.0.0/8', '192.168.0.0/16']],
  );
  assert.ok(output.documents?.some(({ policyId, document }) => policyId === 'user/far:p' && document.includes('192.168.0.0/16')));
});

test('ExplainDecision: shows the value of a variable, and the policies of groups as they were', async () => {
  const denied = statementsOf(await explained(requestIds.get('a Deny with a variable'))).find(({ sid }) => sid === 'NotMe');
  assert.deepEqual(
    [denied?.applies, denied?.resource?.values],
    [true, [{ value: userArn('${aws:username}'), matched: true, resolved: userArn('banned') }]],
  );
  const ofGroup = statementsOf(await explained(requestIds.get('a Deny of a group')));
  assert.deepEqual(
    ofGroup.map(({ policyId, index, applies }) => [policyId, index, applies]),
    [
      [`arn:aws:iam::${accountId}:policy/shared`, 0, true],
      [`arn:aws:iam::${accountId}:policy/shared`, 1, true],
    ],
  );
});

test('ExplainDecision: the policies of another account are hidden: service control policies, and of the caller of a role', async () => {
  const output = await explained(memberRequestId, member);
  assert.equal(output.change?.blockedBy?.policyType, 'SERVICE_CONTROL');
  const control = statementsOf(output).filter(({ policyType }) => policyType === 'SERVICE_CONTROL');
  assert.ok(control.some(({ sid, applies, effect }) => sid === 'Central' && applies && effect === 'Deny'));
  assert.ok(control.every(({ action, conditions }) => action === undefined && conditions === undefined));
  assert.ok(!JSON.stringify(output.documents).includes('Central'));
  assert.equal((await explainAs(keys, { requestId: memberRequestId })).code, 'ResourceNotFoundException');
});

test('ExplainDecision: an example request is allowed by the grant too', async () => {
  const { change } = await explained(requestIds.get('no policy'));
  assert.deepEqual(change?.example, {
    principalArn: userArn('nobody'),
    action: 'chime:GetMeeting',
    resource: `arn:aws:chime:us-east-1:${accountId}:meeting/${MeetingId}`,
    sourceIpAddress: '192.0.2.1',
  });
});

test('ExplainDecision: explains allowed requests, requests without a decision, and finds records by the ID of the event', async () => {
  const { $metadata } = await account.meetings().send(new GetMeetingCommand({ MeetingId }));
  const allowed = await explained($metadata.requestId);
  assert.equal(allowed.decision, 'ALLOWED');
  assert.ok(statementsOf(allowed).some(({ applies, effect }) => applies && effect === 'Allow'));
  assert.equal(allowed.change, undefined);
  const { body } = await explainAs(keys, { eventId: allowed.record.eventId, region: 'us-east-1' });
  assert.deepEqual(body, JSON.parse(JSON.stringify(allowed)));

  const wrong = { ...keys, secretAccessKey: 'wrong' };
  const failed = await errorOf(account.meetings(wrong).send(new GetMeetingCommand({ MeetingId })));
  assert.equal((await explained(failed.$metadata?.requestId)).decision, 'NOT_DECIDED');
});

test('ExplainDecision: a successful sign-in has no facts of a decision, and is not explained as a failure', async () => {
  const [UserName, Password] = ['person', 'Correct-Horse-7'];
  await account.user(UserName);
  await admin.send(new CreateLoginProfileCommand({ UserName, Password }));
  const signedIn = await browser(server.endpoint).post('/_belfry/sign-in', { account: accountId, userName: UserName, password: Password });
  assert.equal(signedIn.status, 200, signedIn.text);
  const attribute = { AttributeKey: 'EventName', AttributeValue: 'ConsoleLogin' } as const;
  const { Events } = await new CloudTrailClient(account.client()).send(new LookupEventsCommand({ LookupAttributes: [attribute] }));
  const { body } = await explainAs(keys, { eventId: Events?.[0]?.EventId });
  assert.equal(body['decision'], 'NOT_DECIDED', JSON.stringify(body));
  assert.match(body['summary'] as string, /^The record has no facts of a decision/);
});

test('ExplainDecision: requires its permission, and one ID of a record of the account', async () => {
  const weak = await account.user('weak', 'arn:aws:iam::aws:policy/ReadOnlyAccess');
  // biome-ignore format: a table
  for (const [as, input, code] of [
    [weak, { requestId: requestIds.get('a role') },                        'AccessDeniedException'],
    [keys, {},                                                             'ValidationException'],
    [keys, { requestId: 'a', eventId: 'b' },                               'ValidationException'],
    [keys, { requestId: 'a', region: 'moon-1' },                           'ValidationException'],
    [keys, { requestId: 'a'.repeat(65) },                                  'ValidationException'],
    [keys, { requestId: '00000000-0000-4000-8000-000000000000' },          'ResourceNotFoundException'],
    [keys, { requestId: requestIds.get('a role'), region: 'eu-west-1' },   'ResourceNotFoundException'],
  ] as const) assert.equal((await explainAs(as, input)).code, code, JSON.stringify(input));
});

test('belfry explain: prints the decision, the statements and the grant', async () => {
  const ran = await belfry(['explain', requestIds.get('a condition') as string], environment);
  assert.equal(ran.stderr, '');
  const lines = ran.stdout.split('\n');
  assert.match(lines[0] ?? '', /^DENIED {2}GetMeeting \(chime\.amazonaws\.com\) at .* from 127\.0\.0\.1$/);
  for (const line of [
    `chime:GetMeeting on arn:aws:chime:us-east-1:${accountId}:meeting/${MeetingId}: denied`,
    '  identity: silent',
    '    user/far:p',
    '      statement 1 (Office), Allow: does not apply',
    '        - IpAddress aws:SourceIp: 10.0.0.0/8, 192.168.0.0/16; the request has 127.0.0.1',
    `  identity of ${userArn('far')}:`,
  ])
    assert.ok(lines.includes(line), `${line}\n${ran.stdout}`);
  const ofMember = {
    ...environment,
    AWS_ACCESS_KEY_ID: member.accessKeyId,
    AWS_SECRET_ACCESS_KEY: member.secretAccessKey,
    AWS_SESSION_TOKEN: member.sessionToken ?? '',
  };
  const { stdout: denied, stderr } = await belfry(['explain', memberRequestId], ofMember);
  assert.equal(stderr, '');
  assert.match(denied, /^ {2}service control at level 0 \(root\): denies$/m);
  assert.match(denied, /^ {2}service control at level 1: allows$/m);
  assert.match(denied, /^No added statement would allow the request: Statement Central of p-[a-z0-9]+ denies it\.$/m);
  const unknown = await belfry(['explain', 'x'], environment);
  assert.deepEqual(
    [unknown.status, unknown.stderr],
    [1, 'belfry explain: ResourceNotFoundException: The trail has no record with this ID: x\n'],
  );
});

test('belfry explain and policy replay: names in requests cannot control the terminal', async () => {
  const logs = new CloudWatchLogsClient(server.client(await account.user('logger')));
  const failed = await errorOf(logs.send(new DeleteLogStreamCommand({ logGroupName: 'g', logStreamName: 'x\u001b[2Jy' })));
  assert.equal(failed.name, 'AccessDeniedException');
  const change = join(newFolder('terminal'), 'change.json');
  const document = { Version: '2012-10-17', Statement: [allow('*')] };
  writeFileSync(change, JSON.stringify({ changes: [{ inline: 'all', of: userArn('logger'), document }] }));
  for (const args of [
    ['explain', failed.$metadata?.requestId as string],
    ['policy', 'replay', '--change', change, '--data', server.dataFolder],
  ]) {
    const { stdout } = await belfry(args, environment);
    assert.ok(stdout.includes('x?[2Jy') && !stdout.includes('\u001b'), stdout);
  }
});

test('belfry policy replay and suggest: read the database of the running server', async () => {
  const data = ['--data', server.dataFolder];
  const folder = newFolder('suggest');
  const unchanged = await belfry(['policy', 'replay', ...data]);
  assert.deepEqual([unchanged.status, unchanged.stderr], [0, '']);
  assert.match(unchanged.stdout, /^[0-9]+ records, [0-9]+ decided again, 0 decisions flip$/m);

  const change = join(folder, 'change.json');
  const document = { Version: '2012-10-17', Statement: [allow('*')] };
  writeFileSync(change, JSON.stringify({ changes: [{ inline: 'all', of: userArn('nobody'), document }] }));
  const replayed = await belfry(['policy', 'replay', '--change', change, '--account-id', accountId, ...data]);
  assert.equal(replayed.status, 1);
  assert.match(replayed.stdout, new RegExp(`^denied → allowed {2}chime:GetMeeting {2}${userArn('nobody')}: 1$`, 'm'));
  assert.match(replayed.stdout, /^'belfry explain --event-id ID' explains .*\n[0-9]+ records, [0-9]+ decided again, 1 decision flips$/m);
  const [, eventId = ''] = /^ {4}\S+ (\S+) on /m.exec(replayed.stdout) ?? [];
  assert.match((await belfry(['explain', '--event-id', eventId], environment)).stdout, /^DENIED {2}GetMeeting /);
  const lines = await belfry(['policy', 'replay', '--change', change, '--json', ...data]);
  assert.equal((JSON.parse(lines.stdout) as { readonly allowed: boolean }).allowed, true);
  writeFileSync(change, JSON.stringify({ changes: [{ attach: 'arn:aws:iam::aws:policy/AWSDenyAll', to: userArn('absent') }] }));
  assert.match((await belfry(['policy', 'replay', '--change', change, ...data])).stderr, /names what does not exist/);
  const target = userArn('nobody');
  // biome-ignore format: a table
  for (const [removal, message] of [
    [{ detach: 'arn:aws:iam::aws:policy/AWSDenyAll', from: target }, `'arn:aws:iam::aws:policy/AWSDenyAll' was not attached to '${target}'`],
    [{ inline: 'absent', of: target, document: null },               `'${target}' had no inline policy 'absent'`],
    [{ boundary: null, of: target },                                 `'${target}' had no permissions boundary`],
  ] as const) {
    writeFileSync(change, JSON.stringify({ changes: [removal] }));
    const { status, stderr } = await belfry(['policy', 'replay', '--change', change, ...data]);
    assert.deepEqual([status, stderr], [1, `belfry policy: ${message} in these days\n`]);
  }

  const out = join(folder, 'caller');
  const suggested = await belfry(['policy', 'suggest', '--principal', userArn('caller'), '--out', out, ...data]);
  assert.equal(suggested.status, 0, suggested.stderr);
  assert.deepEqual((JSON.parse(readFileSync(`${out}.json`, 'utf8')) as { readonly Statement: readonly object[] }).Statement, [
    { Effect: 'Allow', Action: ['sts:AssumeRole'], Resource: [account.roleArn('open')] },
  ]);
  assert.equal((await belfry(['policy', 'test', `${out}.iamtest.json`])).status, 0);
});

// This test is the last one, because it changes the policies.
test('ExplainDecision: each request is allowed after its grants are added to the real policies', async () => {
  for (const { title, send, grant } of cases) {
    if (grant === undefined) continue;
    await assert.rejects(send(), title);
    const { change } = await explained(requestIds.get(title));
    await grant((change?.grants ?? []).map(({ statement }) => JSON.parse(statement) as object));
    await send();
  }
});
