import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { test } from 'node:test';
import { ChimeClient, ListAccountsCommand } from '@aws-sdk/client-chime';
import {
  ChimeSDKMeetingsClient,
  DeleteMeetingCommand,
  GetMeetingCommand,
  ListTagsForResourceCommand,
  TagResourceCommand,
} from '@aws-sdk/client-chime-sdk-meetings';
import { PutUserPolicyCommand, TagUserCommand } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { otherAccount, startAccount } from '../kit/account.ts';
import { createMeeting } from '../kit/meeting.ts';
import { refusalOf } from '../kit/outcome.ts';
import * as kit from '../kit/policy.ts';
import { policy, type Statement } from '../kit/policy.ts';

/** Tests policies on the host of the classic Chime service and on the hosts of the Chime SDK services. */

/** Starts a server with a user `tester` that has the tag team=blue, and a meeting that has the tag x=y. */
async function newWorld(environment: Readonly<Record<string, string>> = {}) {
  const account = await startAccount(environment);
  const { server, admin: iam } = account;
  const admin = new ChimeSDKMeetingsClient(server.client());
  const user = await account.user({ UserName: 'tester', Tags: [{ Key: 'team', Value: 'blue' }] });
  const { Meeting } = await admin.send(createMeeting('tagged', { Tags: [{ Key: 'x', Value: 'y' }] }));
  const tagged = { id: Meeting?.MeetingId as string, arn: Meeting?.MeetingArn as string };
  return {
    server,
    iam,
    admin,
    user,
    tagged,
    /** Replaces the policy of the user with these statements. */
    give: (...statements: readonly Statement[]) =>
      iam.send(new PutUserPolicyCommand({ UserName: 'tester', PolicyName: 'tried', PolicyDocument: policy(...statements) })),
    /** Reports whether the user's policy allows a call to the classic host and to an SDK host. */
    async outcomes(settings: object = {}) {
      const to = { ...server.client(user), ...settings };
      return {
        classic: await passes(new ChimeClient(to).send(new ListAccountsCommand({}))),
        sdk: await passes(new ChimeSDKMeetingsClient(to).send(new GetMeetingCommand({ MeetingId: tagged.id }))),
      };
    },
  };
}

/** Reports whether policies allowed a call. An allowed call may fail because the operation or resource does not exist. */
async function passes(sent: Promise<unknown>): Promise<boolean> {
  try {
    await sent;
    return true;
  } catch (error) {
    const { message, $metadata } = error as Error & { readonly $metadata?: { readonly httpStatusCode?: number } };
    assert.ok(($metadata?.httpStatusCode ?? 500) < 500, message);
    return !message.includes('is not authorized to perform: chime:');
  }
}

const now = await newWorld();
const in2021 = await newWorld({ BELFRY_GUIDE_2021: 'on' });
const { server, iam, admin, user, tagged, give, outcomes } = now;

const allow = (more: Statement = {}) => kit.allow('chime:*', '*', more);
const deny = (more: Statement) => kit.deny('chime:*', '*', more);
const MEETINGS = 'arn:aws:chime:*:*:meeting/*';
const RESOURCE_TAG = 'aws:ResourceTag/x';

// biome-ignore format: a table
const POLICIES: readonly [requirement: string, title: string, statements: readonly Statement[], classic: boolean, sdk: boolean][] = [
  // requirement, condition                                                        statements                                                                                        classic  SDK
  ['CHM-1', 'Allow on every Chime ARN',                                            [allow({ Resource: 'arn:aws:chime:*:*:*' })],                                                     false,   true ],
  ['CHM-1', 'Allow on the ARNs of meetings',                                       [allow({ Resource: MEETINGS })],                                                                  false,   true ],
  ['CHM-1', 'Allow on every Chime ARN of the region',                               [allow({ Resource: 'arn:aws:chime:us-east-1:*:*' })],                                              false,   true ],
  ['CHM-1', 'Allow and a Deny on every Chime ARN',                                 [allow(), deny({ Resource: 'arn:aws:chime:*:*:*' })],                                             true,    false],
  ['CHM-1', 'Allow with NotResource for meetings',                                 [allow({ Resource: undefined, NotResource: MEETINGS })],                                          true,    false],
  ['CHM-1', 'Allow and a Deny with NotResource for meetings',                      [allow(), deny({ Resource: undefined, NotResource: MEETINGS })],                                  false,   true ],
  ['CHM-2', 'Allow of exactly these actions',                                      [allow({ Action: ['chime:ListAccounts', 'chime:GetMeeting'] })],                                  true,    true ],
  ['CHM-2', 'Allow of the actions in another case',                                [allow({ Action: ['CHIME:listaccounts', 'Chime:GETMEETING'] })],                                  true,    true ],
  ['CHM-2', 'Allow with wildcards in the actions',                                 [allow({ Action: ['chime:List*', 'chime:?etMeetin?'] })],                                         true,    true ],
  ['CHM-2', 'Allow of other actions',                                              [allow({ Action: ['chime:ListAccount', 'chime:GetMeetings', 'chime:Delete*', 'iam:*'] })],        false,   false],
  ['EVAL-2', 'Allow and a Deny of everything',                                     [allow(), deny({ Action: '*' })],                                                                 false,   false],
  ['TAG-2', 'Allow if the resource has the tag',                                   [allow({ Condition: { StringEquals: { [RESOURCE_TAG]: 'y' } } })],                                false,   true ],
  ['TAG-2', 'Allow and a Deny if the resource has the tag',                        [allow(), deny({ Condition: { StringEquals: { [RESOURCE_TAG]: 'y' } } })],                        true,    false],
  ['TAG-2', 'Allow and a Deny if the resource does not have the tag',              [allow(), deny({ Condition: { StringNotEquals: { [RESOURCE_TAG]: 'y' } } })],                     false,   true ],
  ['TAG-2', 'Allow if the tag is absent or has another value',                     [allow({ Condition: { StringEqualsIfExists: { [RESOURCE_TAG]: 'z' } } })],                        true,    false],
  ['TAG-2', 'Allow if the tag is absent',                                          [allow({ Condition: { Null: { [RESOURCE_TAG]: 'true' } } })],                                     true,    false],
  ['TAG-2', 'Allow if all tag keys of the request are listed',                     [allow({ Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a'] } } })],                true,    true ],
  ['TAG-2', 'Allow and a Deny if any tag key of the request is listed',            [allow(), deny({ Condition: { 'ForAnyValue:StringEquals': { 'aws:TagKeys': ['a'] } } })],         true,    true ],
  ['TAG-4', 'Allow if the caller has the tag',                                     [allow({ Condition: { StringEquals: { 'aws:PrincipalTag/team': 'blue' } } })],                    true,    true ],
  ['TAG-4', 'Allow if the caller has another tag',                                 [allow({ Condition: { StringEquals: { 'aws:PrincipalTag/team': 'red' } } })],                     false,   false],
  ['CTX-2', 'Allow from this machine',                                             [allow({ Condition: { IpAddress: { 'aws:SourceIp': '127.0.0.1' } } })],                           true,    true ],
  ['CTX-2', 'Allow from another network',                                          [allow({ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } })],                          false,   false],
];

for (const [requirement, title, statements, classic, sdk] of POLICIES) {
  const verdict = (passed: boolean) => (passed ? 'allows' : 'denies');
  test(`${requirement}: ${title}: the classic host ${verdict(classic)}, an SDK host ${verdict(sdk)}`, async () => {
    await give(...statements);
    assert.deepEqual(await outcomes(), { classic, sdk });
  });

  test(`${requirement}: ${title}: with BELFRY_GUIDE_2021, an SDK host ${verdict(classic)} the request too`, async () => {
    await in2021.give(...statements);
    assert.deepEqual(await in2021.outcomes(), { classic, sdk: classic });
  });
}

test('EVAL-10: changed tags of the caller and of the meeting apply from the next request', async () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable
  await give(allow({ Condition: { StringEquals: { 'aws:ResourceTag/x': '${aws:PrincipalTag/wants}' } } }));
  assert.equal((await outcomes()).sdk, false);
  await iam.send(new TagUserCommand({ UserName: 'tester', Tags: [{ Key: 'wants', Value: 'y' }] }));
  assert.equal((await outcomes()).sdk, true);
  await admin.send(new TagResourceCommand({ ResourceARN: tagged.arn, Tags: [{ Key: 'x', Value: 'w' }] }));
  assert.equal((await outcomes()).sdk, false);
  await admin.send(new TagResourceCommand({ ResourceARN: tagged.arn, Tags: [{ Key: 'x', Value: 'y' }] }));
  assert.equal((await outcomes()).sdk, true);
});

test('CTX-3: a Deny on requests without TLS denies plain HTTP and does not affect HTTPS', async () => {
  await give(allow(), deny({ Action: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }));
  assert.deepEqual(await outcomes(), { classic: false, sdk: false });
  const refused = await refusalOf(new ChimeSDKMeetingsClient(server.client(user)).send(new GetMeetingCommand({ MeetingId: tagged.id })));
  assert.equal(
    refused.message,
    `User: arn:aws:iam::${server.accountId}:user/tester is not authorized to perform: chime:GetMeeting on resource: ${tagged.arn} with an explicit deny in an identity-based policy`,
  );
  const overTls = { endpoint: server.httpsEndpoint, requestHandler: { httpsAgent: new Agent({ ca: readFileSync(server.caFile) }) } };
  assert.deepEqual(await outcomes(overTls), { classic: true, sdk: true });
});

test('CTX-2: forwarding headers without a trusted proxy do not change address and transport', async () => {
  await give(
    allow({ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }),
    allow({ Condition: { Bool: { 'aws:SecureTransport': 'true' } } }),
  );
  const client = new ChimeSDKMeetingsClient(server.client(user));
  client.middlewareStack.add(
    (next) => (sent) => {
      Object.assign((sent.request as { headers: object }).headers, {
        'x-forwarded-for': '10.0.0.1',
        'x-forwarded-proto': 'https',
        forwarded: 'for=10.0.0.1;proto=https',
        'x-real-ip': '10.0.0.1',
      });
      return next(sent);
    },
    { step: 'build' },
  );
  assert.equal(await passes(client.send(new GetMeetingCommand({ MeetingId: tagged.id }))), false);
});

test('STS-11: GetCallerIdentity succeeds under a Deny of everything', async () => {
  await give(deny({ Action: '*' }));
  const identity = await new STSClient(server.client(user)).send(new GetCallerIdentityCommand({}));
  assert.equal(identity.Arn, `arn:aws:iam::${server.accountId}:user/tester`);
});

test('EVAL-8: an administrator of another account gets the same error for existing and unknown meetings', async () => {
  const { accountId, meetings } = await otherAccount(server, 'Other');
  const other = meetings();
  const nowhere = '00000000-0000-4000-8000-000000000000';
  for (const [ours, absent] of [
    [() => other.send(new GetMeetingCommand({ MeetingId: tagged.id })), () => other.send(new GetMeetingCommand({ MeetingId: nowhere }))],
    [
      () => other.send(new DeleteMeetingCommand({ MeetingId: tagged.id })),
      () => other.send(new DeleteMeetingCommand({ MeetingId: nowhere })),
    ],
    [
      () => other.send(new ListTagsForResourceCommand({ ResourceARN: tagged.arn })),
      () => other.send(new ListTagsForResourceCommand({ ResourceARN: tagged.arn.replace(tagged.id, nowhere) })),
    ],
  ] as const) {
    const outcome = (send: () => Promise<unknown>) =>
      send().then(
        (output) => JSON.stringify({ ...(output as object), $metadata: undefined }),
        (error: Error) => `${error.name} ${error.message.replaceAll(tagged.id, 'ID').replaceAll(nowhere, 'ID')}`,
      );
    const message = await outcome(ours);
    assert.equal(message, await outcome(absent));
    assert.doesNotMatch(message, /"Tags"|"Meeting"/);
  }
  const byArn = await refusalOf(other.send(new ListTagsForResourceCommand({ ResourceARN: tagged.arn })));
  assert.deepEqual([byArn.name, byArn.status], ['AccessDeniedException', 403]);
  assert.match(
    byArn.message,
    new RegExp(`^User: arn:aws:iam::${accountId}:user/admin is not authorized to perform: chime:ListTagsForResource `),
  );
  assert.equal((await admin.send(new GetMeetingCommand({ MeetingId: tagged.id }))).Meeting?.MeetingId, tagged.id);
});
