// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of ARNs
/** Policy generation of IAM Access Analyzer with AWS's client, on both engines. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  AccessAnalyzerClient,
  CancelPolicyGenerationCommand,
  GetGeneratedPolicyCommand,
  ListPolicyGenerationsCommand,
  StartPolicyGenerationCommand,
} from '@aws-sdk/client-accessanalyzer';
import { GetMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { DeleteUserCommand, DeleteUserPolicyCommand, GetUserCommand, ListUsersCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { startAccount } from '../kit/account.ts';
import { createMeeting } from '../kit/meeting.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { allow, deny, policy, trust } from '../kit/policy.ts';
import { until } from '../kit/until.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
const onSqlite = await startAccount();
const onPostgres = await startAccount({ BELFRY_DATABASE: postgres.url });
after(async () => {
  await onPostgres.server.stop();
  await onSqlite.server.stop();
  await postgres.stop();
});

for (const [engine, account] of [
  ['SQLite', onSqlite],
  ['PostgreSQL', onPostgres],
] as const) {
  const analyzer = new AccessAnalyzerClient(account.client());
  const start = (principalArn: string, more: object = {}) =>
    analyzer.send(new StartPolicyGenerationCommand({ policyGenerationDetails: { principalArn }, ...more }));

  const ended = async (jobId: string | undefined, options: object = {}) => {
    const get = () => analyzer.send(new GetGeneratedPolicyCommand({ jobId, ...options }));
    let found = await get();
    await until(
      async () => (found = await get()).jobDetails?.status !== 'IN_PROGRESS',
      () => JSON.stringify(found),
    );
    const { jobDetails, generatedPolicyResult } = found;
    const policies = (generatedPolicyResult?.generatedPolicies ?? []).map(({ policy: text }) => JSON.parse(text as string));
    return {
      jobDetails,
      properties: generatedPolicyResult?.properties,
      statements: policies.flatMap(({ Statement }) => Statement),
      policies,
    };
  };

  test(`policy generation on ${engine}: the policy has the recorded access of a user and each Deny`, async () => {
    const { Meeting } = await account.meetings().send(createMeeting('one'));
    const ada = await account.user('ada', allow(['chime:*', 'iam:*']), deny('iam:ListRoles', '*', { Sid: 'NoRoles' }));
    await account.meetings(ada).send(new GetMeetingCommand({ MeetingId: Meeting?.MeetingId }));
    await account.iam(ada).send(new GetUserCommand({ UserName: 'ada' }));
    await account.iam(ada).send(new ListUsersCommand({}));
    assert.equal(await outcomeOf(account.iam(ada).send(new DeleteUserCommand({ UserName: 'none' }))), 'NoSuchEntity');
    // A later Deny forbids one of the recorded requests.
    await account.admin.send(
      new PutUserPolicyCommand({ UserName: 'ada', PolicyName: 'later', PolicyDocument: policy(deny('iam:ListUsers')) }),
    );

    const { jobId } = await start(account.userArn('ada'));
    const { jobDetails, properties, statements, policies } = await ended(jobId);
    assert.equal(jobDetails?.status, 'SUCCEEDED', JSON.stringify(jobDetails));
    assert.ok((jobDetails?.completedOn as Date) >= (jobDetails?.startedOn as Date));
    assert.deepEqual(properties, { isComplete: true, principalArn: account.userArn('ada') });
    assert.deepEqual(statements, [
      { Sid: 'SupportedServiceSid0', Effect: 'Allow', Action: ['chime:GetMeeting'], Resource: [Meeting?.MeetingArn] },
      { Sid: 'SupportedServiceSid1', Effect: 'Allow', Action: ['iam:DeleteUser'], Resource: [account.userArn('none')] },
      { Sid: 'SupportedServiceSid2', Effect: 'Allow', Action: ['iam:GetUser'], Resource: [account.userArn('ada')] },
      { Sid: 'NoRoles', Effect: 'Deny', Action: 'iam:ListRoles', Resource: '*' },
      { Effect: 'Deny', Action: 'iam:ListUsers', Resource: '*' },
    ]);
    // The policy replaces the present ones.
    for (const PolicyName of ['p', 'later']) await account.admin.send(new DeleteUserPolicyCommand({ UserName: 'ada', PolicyName }));
    await account.admin.send(new PutUserPolicyCommand({ UserName: 'ada', PolicyName: 'g', PolicyDocument: JSON.stringify(policies[0]) }));
    assert.equal(await outcomeOf(account.iam(ada).send(new GetUserCommand({ UserName: 'ada' }))), 'allowed');
    assert.equal(await outcomeOf(account.iam(ada).send(new ListUsersCommand({}))), 'AccessDenied');

    const { statements: forms } = await ended(jobId, { includeResourcePlaceholders: true });
    assert.deepEqual(
      forms.slice(0, 2).map(({ Action, Resource }: { Action: unknown; Resource: unknown }) => [Action, Resource]),
      [
        [['chime:GetMeeting'], ['arn:aws:chime:${Region}:${AccountId}:meeting/${MeetingId}']],
        [['iam:DeleteUser', 'iam:GetUser'], ['arn:aws:iam::${Account}:user/${UserNameWithPath}']],
      ],
    );
  });

  test(`policy generation on ${engine}: sessions of a role count, and those of others do not`, async () => {
    const boss = await account.user('boss', allow('sts:AssumeRole'));
    const reader = await account.role('reader', trust(account.rootArn), allow('iam:*'));
    const other = await account.role('other', trust(account.rootArn), allow('iam:*'));
    for (const name of ['a', 'b']) {
      const keys = await account.assume(boss, reader, { RoleSessionName: `session-${name}` });
      await account.iam(keys).send(new GetUserCommand({ UserName: 'boss' }));
    }
    await account.iam(await account.assume(boss, other)).send(new ListUsersCommand({}));
    const { statements } = await ended((await start(reader)).jobId);
    assert.deepEqual(statements, [
      { Sid: 'SupportedServiceSid0', Effect: 'Allow', Action: ['iam:GetUser'], Resource: [account.userArn('boss')] },
    ]);
  });

  test(`policy generation on ${engine}: jobs are listed, and can be canceled while they are in progress`, async () => {
    const idle = account.userArn('idle');
    await account.user('idle');
    // A job can end before it is canceled.
    let canceled = '';
    await until(
      async () => {
        canceled = (await start(idle)).jobId as string;
        return (await outcomeOf(analyzer.send(new CancelPolicyGenerationCommand({ jobId: canceled })))) === 'allowed';
      },
      () => 'no job is canceled',
    );
    assert.deepEqual((await ended(canceled)).policies, []);
    assert.equal((await ended(canceled)).jobDetails?.status, 'CANCELED');
    assert.equal(await outcomeOf(analyzer.send(new CancelPolicyGenerationCommand({ jobId: canceled }))), 'Validation');

    const { jobId } = await start(idle, { clientToken: 'token' });
    assert.equal((await start(idle, { clientToken: 'token' })).jobId, jobId);
    assert.equal(await outcomeOf(start(account.userArn('ada'), { clientToken: 'token' })), 'Conflict');
    const { statements } = await ended(jobId);
    assert.deepEqual(statements, []);
    const pages = [];
    for (let nextToken: string | undefined, more = true; more; more = nextToken !== undefined) {
      const page: { policyGenerations: readonly object[] | undefined; nextToken?: string | undefined } = await analyzer.send(
        new ListPolicyGenerationsCommand({ maxResults: 1, principalArn: idle, ...(nextToken !== undefined && { nextToken }) }),
      );
      pages.push(page.policyGenerations);
      nextToken = page.nextToken;
    }
    const { policyGenerations } = await analyzer.send(new ListPolicyGenerationsCommand({ principalArn: idle }));
    assert.deepEqual(pages.flat(), policyGenerations);
    assert.deepEqual(
      policyGenerations?.slice(0, 2).map((each) => [each.jobId, each.status]),
      [
        [jobId, 'SUCCEEDED'],
        [canceled, 'CANCELED'],
      ],
    );
  });
}
