/**
 * The operations that AWS removed from Amazon Chime, with `BELFRY_LEGACY_CHIME=on`. `removed.test.ts` covers a server without this setting.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { DescribeAppInstanceCommand } from '@aws-sdk/client-chime-sdk-identity';
import {
  CreateAttendeeCommand,
  CreateMeetingCommand,
  DeleteMeetingCommand,
  GetMeetingCommand,
  ListAttendeesCommand,
  ListTagsForResourceCommand,
} from '@aws-sdk/client-chime-sdk-meetings';
import { ListChannelMessagesCommand } from '@aws-sdk/client-chime-sdk-messaging';
import { ListSipRulesCommand } from '@aws-sdk/client-chime-sdk-voice';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { loadLegacyModel, loadModel } from '#model/load.ts';
import type { Member } from '#model/model.ts';
import { isNotYet } from '#services/kit/not-yet.ts';
import { operationTableOf } from '../../tools/parity.ts';
import { startAccount } from '../kit/account.ts';
import { trustAuthority } from '../kit/chat.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { allow, deny } from '../kit/policy.ts';
import { everyEvent } from '../kit/trail.ts';
import { connect } from '../messaging-sessions/client.ts';
import { sample, withCanonicalArns } from '../wire/samples.ts';
import { callLegacy, type LegacyOutcome, legacyChime } from './legacy-clients.ts';

const account = await startAccount({ BELFRY_LEGACY_CHIME: 'on' });
const { accountId, server, keys } = account;
trustAuthority(server.caFile);
const classic = legacyChime(server.endpoint, keys);
const call = (operation: string, input: object) => callLegacy(classic, operation, input);
const LEGACY = loadLegacyModel();
const OPERATIONS = Object.values(LEGACY.operations);
const GATE = `Account Id ${accountId} is not authorized to call deprecated Amazon Chime SDK API on the "chime" endpoint, use one of the "*-chime*" endpoints instead.`;

/** Members of the samples that would end every call with the same error, with the value that replaces them. */
const REPLACED: Readonly<Record<string, unknown>> = { NextToken: undefined, MediaRegion: 'eu-central-1' };

/** Returns a valid input of an operation, with ARNs in the account of the server. */
function inputOf(name: string): object {
  const { input } = LEGACY.operations[name] as { readonly input?: string };
  if (input === undefined) return {};
  const use: Member = { shape: input };
  const form = {
    timestamp: (at: number) => new Date(at),
    milliseconds: Date.UTC(2026, 0, 2),
    blob: (bytes: Uint8Array) => bytes,
    elements: 1,
  };
  const valid = sample(LEGACY, use, form);
  assert.ok(valid !== undefined, `no sample for ${input}`);
  const operation = LEGACY.operations[name] as (typeof OPERATIONS)[number];
  const text = JSON.stringify(withCanonicalArns(LEGACY, operation, valid)).replaceAll('111122223333', accountId);
  return JSON.parse(text, (member, value) =>
    member in REPLACED ? REPLACED[member] : typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value) : value,
  );
}

const outcomes = new Map<string, LegacyOutcome>();
const stranger = await account.user('stranger');
const denied = new Map<string, LegacyOutcome>();
before(async () => {
  const forbidden = legacyChime(server.endpoint, stranger);
  await Promise.all(OPERATIONS.map(async ({ name }) => denied.set(name, await callLegacy(forbidden, name, inputOf(name)))));
  for (const { name } of OPERATIONS) outcomes.set(name, await call(name, inputOf(name)));
});

test('legacy: SDK v2 gets a modeled response from each of the 119 operations with a successor', async () => {
  assert.equal(OPERATIONS.length, 119);
  const notYet = new Set<string>();
  for (const { name } of OPERATIONS) {
    const [service] = LEGACY.successors?.[name] ?? [];
    if (isNotYet((await operationTableOf(service as 'chime'))[name] as object)) notYet.add(name);
  }
  const wrong = OPERATIONS.flatMap(({ name }) => {
    const { code, message } = outcomes.get(name) as LegacyOutcome;
    const isModeled =
      code === 'ok' || LEGACY.shapes[code]?.error !== undefined || (notYet.has(name) && code === 'NotYetImplementedException');
    return isModeled && message !== GATE ? [] : [`${name}: ${code}: ${message}`];
  });
  assert.deepEqual(wrong, []);
});

test('legacy, CHM-1: without permission, each of them is denied for its own action on *', () => {
  const wrong = OPERATIONS.flatMap(({ name }) => {
    const { code, status, message } = denied.get(name) as LegacyOutcome;
    const expected = `User: ${account.userArn('stranger')} is not authorized to perform: chime:${name} on resource: * because no identity-based policy allows the chime:${name} action`;
    return code === 'ForbiddenException' && status === 403 && message === expected ? [] : [`${name}: ${status} ${code}: ${message}`];
  });
  assert.deepEqual(wrong, []);
});

test('legacy, LOG-1: each call is recorded once, under its old name and with its parameters', async () => {
  const events = await everyEvent(new CloudTrailClient(server.client()));
  const wrong: string[] = [];
  for (const { name, readOnly, input } of OPERATIONS) {
    const { requestId, code } = outcomes.get(name) as LegacyOutcome;
    const mine = events.filter(({ document }) => document.requestID === requestId);
    const [event] = mine as unknown as { eventName: string; errorCode?: string; document: Record<string, unknown> }[];
    const found = [mine.length, event?.eventName, event?.errorCode ?? 'ok', event?.document['eventSource'], event?.document['readOnly']];
    const expected = [1, name, code, 'chime.amazonaws.com', readOnly];
    if (found.join() !== expected.join()) wrong.push(`${found.join()} instead of ${expected.join()}`);
    const members = Object.keys(LEGACY.shapes[input ?? '']?.members ?? {});
    if (members.length > 0 && event?.document['requestParameters'] === null) wrong.push(`${name} has no parameters`);
  }
  assert.deepEqual(wrong, []);
});

test('CHM-7: the ten removed operations without a successor are refused with the setting too', async () => {
  const without = Object.keys(loadModel('chime').removed).filter((name) => !(name in LEGACY.operations));
  const ID = 'a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d';
  const Tags = [{ Key: 'a', Value: 'b' }];
  const AppInstanceArn = `arn:aws:chime:us-east-1:${accountId}:app-instance/${ID}`;
  const AppInstanceStreamingConfigurations = [
    { AppInstanceDataType: 'Channel', ResourceArn: 'arn:aws:kinesis:us-east-1:111122223333:stream/chime-messaging-a' },
  ];
  const all = { MeetingId: ID, AttendeeId: ID, Tags, TagKeys: ['a'], AppInstanceArn, AppInstanceStreamingConfigurations };
  const MEMBERS: Readonly<Record<string, readonly (keyof typeof all)[]>> = {
    ListMeetings: [],
    ListMeetingTags: ['MeetingId'],
    ListAttendeeTags: ['MeetingId', 'AttendeeId'],
    TagMeeting: ['MeetingId', 'Tags'],
    UntagMeeting: ['MeetingId', 'TagKeys'],
    TagAttendee: ['MeetingId', 'AttendeeId', 'Tags'],
    UntagAttendee: ['MeetingId', 'AttendeeId', 'TagKeys'],
    GetAppInstanceStreamingConfigurations: ['AppInstanceArn'],
    DeleteAppInstanceStreamingConfigurations: ['AppInstanceArn'],
    PutAppInstanceStreamingConfigurations: ['AppInstanceArn', 'AppInstanceStreamingConfigurations'],
  };
  assert.deepEqual([...without].sort(), Object.keys(MEMBERS).sort());
  for (const [name, members] of Object.entries(MEMBERS)) {
    const { code, status, message } = await call(name, Object.fromEntries(members.map((member) => [member, all[member]])));
    assert.deepEqual([name, status, code, message], [name, 403, 'ForbiddenException', GATE]);
  }
});

const LIMITED = allow('chime:*', `arn:aws:chime:*:${accountId}:*`);
const TAGGED = { ...deny('chime:*'), Condition: { StringEquals: { 'aws:RequestTag/team': 'red' } } };

test('CHM-1, TAG-2: policies on ARNs grant nothing, and tags are in no condition', async () => {
  const narrow = legacyChime(server.endpoint, await account.user('narrow', LIMITED));
  const tagged = legacyChime(server.endpoint, await account.user('tagged', allow('chime:CreateMeeting'), TAGGED));
  const input = { ClientRequestToken: 'by-policy', Tags: [{ Key: 'team', Value: 'red' }] };
  const outcomes = [await callLegacy(narrow, 'CreateMeeting', input), await callLegacy(tagged, 'CreateMeeting', input)];
  assert.deepEqual(
    outcomes.map(({ code }) => code),
    ['ForbiddenException', 'ok'],
  );
});

const CLI = ['/usr/bin/aws', '/usr/local/bin/aws'].find((file) => existsSync(file)) as string;
const CLI_ENVIRONMENT = {
  PATH: process.env['PATH'],
  AWS_ACCESS_KEY_ID: keys.accessKeyId,
  AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
};

/** Runs a command of Debian's CLI at the endpoint without `/_<service>`. Returns its output, or the error message. */
async function aws(
  ...command: readonly string[]
): Promise<{ readonly output?: Record<string, Record<string, string>>; readonly error?: string }> {
  const args = ['--endpoint-url', server.endpoint, '--no-cli-pager', '--output', 'json', ...command];
  try {
    const { stdout } = await promisify(execFile)(CLI, args, { env: CLI_ENVIRONMENT });
    return { output: stdout === '' ? {} : JSON.parse(stdout) };
  } catch (error) {
    return { error: String((error as { readonly stderr?: string }).stderr).trim() };
  }
}

test('legacy: AWS CLI 2.9: chime create-meeting needs no region or external ID, and chime-sdk-meetings does not see it', async () => {
  const created = await aws('chime', 'create-meeting', '--client-request-token', 'cli');
  const MeetingId = created.output?.['Meeting']?.['MeetingId'] as string;
  assert.deepEqual(Object.keys(created.output?.['Meeting'] ?? {}).sort(), ['MediaPlacement', 'MediaRegion', 'MeetingId']);
  assert.equal(created.output?.['Meeting']?.['MediaRegion'], 'us-east-1');
  const [attendee, read, elsewhere, connector] = await Promise.all([
    aws('chime', 'create-attendee', '--meeting-id', MeetingId, '--external-user-id', 'ada'),
    aws('chime', 'get-meeting', '--meeting-id', MeetingId),
    aws('chime-sdk-meetings', 'get-meeting', '--meeting-id', MeetingId),
    aws('chime', 'create-voice-connector', '--name', 'cli', '--aws-region', 'us-east-1', '--no-require-encryption'),
  ]);
  assert.equal(attendee.output?.['Attendee']?.['ExternalUserId'], 'ada');
  assert.deepEqual(read, created);
  assert.match(elsewhere.error ?? '', /\(NotFoundException\) when calling the GetMeeting operation: Meeting <[0-9a-f-]+> not found/);
  assert.equal(connector.output?.['VoiceConnector']?.['Name'], 'cli');
  assert.deepEqual(await aws('chime', 'delete-meeting', '--meeting-id', MeetingId), { output: {} });
});

test('legacy: the server of the React component library creates and ends a meeting at …/console', async () => {
  // Assumed: the inputs are those of aws/amazon-chime-sdk-component-library-react, demo/meeting/serverless and server.js of 2020: the endpoint, the calls and their inputs.
  const react = legacyChime(server.endpoint, keys, '/_chime/console');
  const ClientRequestToken = 'b1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d';
  const started = await callLegacy(react, 'CreateMeeting', { ClientRequestToken, MediaRegion: 'us-west-2', ExternalMeetingId: 'weekly' });
  const { MeetingId, MediaPlacement } = started.output['Meeting'] as { MeetingId: string; MediaPlacement: Record<string, string> };
  const joined = await callLegacy(react, 'CreateAttendee', { MeetingId, ExternalUserId: 'b1b2c3d4#ada' });
  const attendee = joined.output['Attendee'] as Record<string, string>;
  assert.deepEqual([started.status, joined.status], [201, 201]);
  assert.deepEqual(Object.keys(attendee).sort(), ['AttendeeId', 'ExternalUserId', 'JoinToken']);
  assert.ok(MediaPlacement['SignalingUrl'] !== undefined && MediaPlacement['AudioHostUrl'] !== undefined);
  const again = await callLegacy(react, 'CreateMeeting', { ClientRequestToken, MediaRegion: 'us-west-2', ExternalMeetingId: 'weekly' });
  assert.deepEqual(again.output, started.output);
  const ended = await callLegacy(react, 'DeleteMeeting', { MeetingId });
  const gone = await callLegacy(react, 'GetMeeting', { MeetingId });
  assert.deepEqual([ended.status, gone.status, gone.code, gone.clientCode], [204, 404, 'NotFoundException', 'NotFound']);
  assert.equal(gone.message, `Meeting <${MeetingId}> not found`);
});

test('legacy: meetings with one token on both hosts are two meetings, and each host sees only its own', async () => {
  const sdk = account.meetings();
  const ClientRequestToken = 'on-both-hosts';
  const old = (await call('CreateMeeting', { ClientRequestToken, Tags: [{ Key: 'host', Value: 'old' }] })).output['Meeting'] as {
    MeetingId: string;
  };
  const { Meeting } = await sdk.send(new CreateMeetingCommand({ ClientRequestToken, MediaRegion: 'us-east-1', ExternalMeetingId: 'new' }));
  const newId = Meeting?.MeetingId as string;
  assert.notEqual(old.MeetingId, newId);
  const arnOf = (id: string) => `arn:aws:chime:us-east-1:${accountId}:meeting/${id}`;

  const onOld = async (id: string) => [
    (await call('GetMeeting', { MeetingId: id })).code,
    (await call('ListAttendees', { MeetingId: id })).code,
    (await call('CreateAttendee', { MeetingId: id, ExternalUserId: 'ada' })).code,
    (await call('ListTagsForResource', { ResourceARN: arnOf(id) })).code,
  ];
  const onNew = (id: string) =>
    Promise.all([
      outcomeOf(sdk.send(new GetMeetingCommand({ MeetingId: id }))),
      outcomeOf(sdk.send(new ListAttendeesCommand({ MeetingId: id }))),
      outcomeOf(sdk.send(new CreateAttendeeCommand({ MeetingId: id, ExternalUserId: 'ada' }))),
      outcomeOf(sdk.send(new ListTagsForResourceCommand({ ResourceARN: arnOf(id) }))),
    ]);
  const primary = {
    ClientRequestToken: 'replica',
    MediaRegion: 'us-east-1',
    ExternalMeetingId: 'replica',
    PrimaryMeetingId: old.MeetingId,
  };
  assert.deepEqual(await onOld(old.MeetingId), ['ok', 'ok', 'ok', 'ok']);
  assert.deepEqual(await onOld(newId), ['NotFoundException', 'NotFoundException', 'NotFoundException', 'NotFoundException']);
  assert.deepEqual(await onNew(newId), ['allowed', 'allowed', 'allowed', 'allowed']);
  assert.deepEqual(await onNew(old.MeetingId), ['NotFound', 'NotFound', 'NotFound', 'ResourceNotFound']);
  assert.equal(await outcomeOf(sdk.send(new CreateMeetingCommand(primary))), 'BadRequest');
  assert.equal(await outcomeOf(sdk.send(new DeleteMeetingCommand({ MeetingId: old.MeetingId }))), 'NotFound');
  assert.deepEqual((await call('ListTagsForResource', { ResourceARN: arnOf(old.MeetingId) })).output, {
    Tags: [{ Key: 'host', Value: 'old' }],
  });
});

test('legacy: attendees are created in batches, and tags of attendees are refused', async () => {
  const created = await call('CreateMeetingWithAttendees', { ClientRequestToken: 'batches', Attendees: [{ ExternalUserId: 'ada' }] });
  const { MeetingId } = created.output['Meeting'] as { MeetingId: string };
  const empty = await call('CreateMeetingWithAttendees', { ClientRequestToken: 'no-attendees' });
  const tooMany = Array.from({ length: 11 }, (_, i) => ({ ExternalUserId: `user-${i}` }));
  const Tags = [{ Key: 'a', Value: 'b' }];
  const outcomes = [
    created,
    empty,
    await call('CreateMeetingWithAttendees', { ClientRequestToken: 'eleven', Attendees: tooMany }),
    await call('BatchCreateAttendee', { MeetingId, Attendees: tooMany }),
    await call('BatchCreateAttendee', { MeetingId, Attendees: Array.from({ length: 101 }, (_, i) => ({ ExternalUserId: `many-${i}` })) }),
    await call('CreateAttendee', { MeetingId, ExternalUserId: 'bob', Tags }),
    await call('BatchCreateAttendee', { MeetingId, Attendees: [{ ExternalUserId: 'bob', Tags }] }),
    await call('CreateMeetingWithAttendees', { ClientRequestToken: 'tags', Attendees: [{ ExternalUserId: 'bob', Tags }] }),
  ];
  assert.deepEqual(
    outcomes.map(({ code }) => code),
    ['ok', 'ok', 'ValidationException', 'ok', 'ValidationException', 'BadRequestException', 'BadRequestException', 'BadRequestException'],
  );
  const listed = (await call('ListAttendees', { MeetingId, MaxResults: 5 })).output;
  const rest = (await call('ListAttendees', { MeetingId, NextToken: listed['NextToken'] })).output;
  assert.equal((listed['Attendees'] as object[]).length + (rest['Attendees'] as object[]).length, 12);
});

test('legacy: messaging: app instances and channels are those of the Chime SDK, and a bearer is required', async () => {
  const { AppInstanceArn } = (await call('CreateAppInstance', { Name: 'chat', Metadata: 'kept', ClientRequestToken: 'chat' })).output;
  const user = async (AppInstanceUserId: string) =>
    (
      await call('CreateAppInstanceUser', {
        AppInstanceArn,
        AppInstanceUserId,
        Name: AppInstanceUserId,
        ClientRequestToken: AppInstanceUserId,
      })
    ).output['AppInstanceUserArn'] as string;
  const ChimeBearer = await user('ada');
  const bob = await user('bob');
  const { ChannelArn } = (await call('CreateChannel', { AppInstanceArn, Name: 'general', ClientRequestToken: 'general', ChimeBearer }))
    .output;
  const message = { ChannelArn, Content: 'first', Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: 'first', ChimeBearer };
  const sent = await call('SendChannelMessage', message);
  const { MessageId } = sent.output;
  const changed = await call('UpdateChannelMessage', { ChannelArn, MessageId, Metadata: 'noted', ChimeBearer });
  const updated = await call('UpdateAppInstance', { AppInstanceArn, Name: 'renamed' });
  const renamed = await call('UpdateAppInstanceUser', { AppInstanceUserArn: bob, Name: 'Robert' });
  const joined = await call('BatchCreateChannelMembership', { ChannelArn, MemberArns: [bob], ChimeBearer });
  assert.deepEqual([sent.message, changed.message, updated.message, renamed.message, joined.message], ['', '', '', '', '']);
  const { AppInstance } = await account.identity().send(new DescribeAppInstanceCommand({ AppInstanceArn: AppInstanceArn as string }));
  assert.deepEqual([AppInstance?.Name, AppInstance?.Metadata], ['renamed', 'kept']);
  const seen = await account.messaging().send(new ListChannelMessagesCommand({ ChannelArn: ChannelArn as string, ChimeBearer: bob }));
  assert.deepEqual(
    seen.ChannelMessages?.map(({ Content, Metadata }) => [Content, Metadata]),
    [['first', 'noted']],
  );
  const unborn = await call('ListChannelMessages', { ChannelArn });
  assert.deepEqual(
    [unborn.status, unborn.code, unborn.message],
    [401, 'UnauthorizedClientException', 'An invalid app instance user ARN was supplied for the x-amz-chime-bearer HTTP header.'],
  );
  const endpoint = (await call('GetMessagingSessionEndpoint', {})).output['Endpoint'] as { readonly Url: string };
  const session = await connect(account.messaging(), bob, { url: endpoint.Url });
  await call('SendChannelMessage', { ...message, Content: 'second', ClientRequestToken: 'second' });
  const received = await session.find(({ type }) => type === 'CREATE_CHANNEL_MESSAGE');
  assert.equal(received.payload?.['Content'], 'second');
  session.stop();
});

// Assumed: the inputs are those of aws-samples/amazon-chime-sdk-cdk-constructs of 2021 (cdk-amazon-chime-resources), the calls of its custom resources.
test('legacy: a stack of CDK creates a Voice Connector, a SIP media application and a SIP rule', async () => {
  const lambda = `arn:aws:lambda:us-east-1:${accountId}:function:call`;
  const connector = await call('CreateVoiceConnector', { Name: 'stack', AwsRegion: 'us-east-1', RequireEncryption: true });
  const { VoiceConnectorId, OutboundHostName } = connector.output['VoiceConnector'] as {
    VoiceConnectorId: string;
    OutboundHostName: string;
  };
  const Termination = { CallingRegions: ['US'], CidrAllowedList: ['8.8.8.8/32'], CpsLimit: 1, Disabled: false };
  const Origination = { Disabled: false, Routes: [{ Host: '8.8.4.4', Port: 5061, Priority: 1, Protocol: 'TCP', Weight: 1 }] };
  const outcomes = [
    await call('PutVoiceConnectorTermination', { VoiceConnectorId, Termination }),
    await call('PutVoiceConnectorOrigination', { VoiceConnectorId, Origination }),
    await call('PutVoiceConnectorLoggingConfiguration', { VoiceConnectorId, LoggingConfiguration: { EnableSIPLogs: true } }),
    await call('GetVoiceConnectorTermination', { VoiceConnectorId }),
  ];
  const application = await call('CreateSipMediaApplication', {
    AwsRegion: 'us-east-1',
    Name: 'stack',
    Endpoints: [{ LambdaArn: lambda }],
  });
  const { SipMediaApplicationId } = application.output['SipMediaApplication'] as { SipMediaApplicationId: string };
  const rule = await call('CreateSipRule', {
    Name: 'stack',
    TriggerType: 'RequestUriHostname',
    TriggerValue: OutboundHostName,
    Disabled: false,
    TargetApplications: [{ SipMediaApplicationId, Priority: 1, AwsRegion: 'us-east-1' }],
  });
  assert.deepEqual(
    [connector, ...outcomes, application, rule].map(({ code, message }) => [code, message]),
    Array.from({ length: 7 }, () => ['ok', '']),
  );
  const { SipRules } = await account.voice().send(new ListSipRulesCommand({ SipMediaApplicationId }));
  assert.deepEqual(
    SipRules?.map(({ TriggerValue }) => TriggerValue),
    [OutboundHostName],
  );
});
