import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { ChimeClient, ListPhoneNumbersCommand as ListClassicPhoneNumbersCommand } from '@aws-sdk/client-chime';
import { ChimeSDKMeetingsClient, GetMeetingCommand, ServiceUnavailableException } from '@aws-sdk/client-chime-sdk-meetings';
import { ChimeSDKMessagingClient, ListChannelMembershipsCommand } from '@aws-sdk/client-chime-sdk-messaging';
import { ChimeSDKVoiceClient, ListPhoneNumbersCommand, ListTagsForResourceCommand } from '@aws-sdk/client-chime-sdk-voice';
import { CloudWatchClient, GetDashboardCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CreateUserCommand, IAMClient, ListUsersCommand, paginateListUsers } from '@aws-sdk/client-iam';
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { AwsError } from '#core/aws-error.ts';
import { createMeeting } from '../kit/meeting.ts';
import { presignedCallerIdentity } from '../kit/presign.ts';
import { type BareServer, startBareServer } from './bare-server.ts';

let server: BareServer;
before(async () => {
  server = await startBareServer();
});
after(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
  server.response = {};
});

const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const settings = (path = '') => ({ endpoint: `${server.url}${path}`, region: 'us-east-1', credentials, maxAttempts: 1 });
const firstRequest = () => structuredClone(server.requests[0]);

const metrics = Array.from({ length: 200 }, (_, i) => ({
  MetricName: `metric-${i}`,
  Value: i,
  Timestamp: new Date(1_795_305_600_123),
  Dimensions: [{ Name: 'host', Value: `host-${i}` }],
}));

test('PutMetricData: a compressed body is decoded', async () => {
  const client = new CloudWatchClient(settings());
  await client.send(new PutMetricDataCommand({ Namespace: 'Belfry', MetricData: metrics }));
  client.destroy();
  const request = firstRequest();
  assert.equal(request?.gzip, true);
  assert.deepEqual(request?.input, { Namespace: 'Belfry', MetricData: metrics.map((one) => ({ ...one, Timestamp: 1_795_305_600_123 })) });
});

test('base path: a client endpoint with a trailing slash reaches the same operation', async () => {
  for (const path of ['/_iam', '/_iam/']) {
    const client = new IAMClient(settings(path));
    await client.send(new ListUsersCommand({ PathPrefix: '/a+b%c/' }));
    client.destroy();
  }
  assert.deepEqual(
    server.requests.map(({ service, operation, input }) => [service, operation, input]),
    [
      ['iam', 'ListUsers', { PathPrefix: '/a+b%c/' }],
      ['iam', 'ListUsers', { PathPrefix: '/a+b%c/' }],
    ],
  );
});

test('ListChannelMemberships: an ARN in the path is decoded', async () => {
  const ChannelArn = 'arn:aws:chime:us-east-1:111122223333:app-instance/a1/channel/b2';
  const ChimeBearer = 'arn:aws:chime:us-east-1:111122223333:app-instance/a1/user/c3';
  const client = new ChimeSDKMessagingClient(settings());
  await client.send(
    new ListChannelMembershipsCommand({ ChannelArn, ChimeBearer, Type: 'DEFAULT', MaxResults: 5, NextToken: 'a+b/c=d&e f%20' }),
  );
  client.destroy();
  assert.deepEqual(firstRequest()?.input, { ChannelArn, ChimeBearer, Type: 'DEFAULT', MaxResults: 5, NextToken: 'a+b/c=d&e f%20' });
});

test('route: if two services have the same path, the User-Agent of the SDK selects the service', async () => {
  const voice = new ChimeSDKVoiceClient(settings());
  const classic = new ChimeClient(settings());
  await voice.send(new ListPhoneNumbersCommand({}));
  await classic.send(new ListClassicPhoneNumbersCommand({}));
  await voice.send(new ListTagsForResourceCommand({ ResourceARN: 'arn:aws:chime:us-east-1:111122223333:meeting/a' }));
  voice.destroy();
  classic.destroy();
  assert.deepEqual(
    server.requests.map(({ service, profile }) => [service, profile]),
    [
      ['chime-sdk-voice', 'sdk'],
      ['chime', 'classic'],
      ['chime-sdk-voice', 'sdk'],
    ],
  );
});

test('AssumeRoleWithWebIdentity: an unsigned request is routed by its Version', async () => {
  const client = new STSClient({ endpoint: server.url, region: 'us-east-1', maxAttempts: 1 });
  server.response = { Credentials: { AccessKeyId: 'ASIA', SecretAccessKey: 's', SessionToken: 't', Expiration: 1_795_305_600_000 } };
  const { Credentials } = await client.send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: 'arn:aws:iam::111122223333:role/a',
      RoleSessionName: 'ab',
      WebIdentityToken: 'a.b.c_',
    }),
  );
  client.destroy();
  assert.deepEqual(Credentials?.Expiration, new Date(1_795_305_600_000));
  assert.equal(firstRequest()?.operation, 'AssumeRoleWithWebIdentity');
});

for (const method of ['GET', 'POST']) {
  test(`GetCallerIdentity: a presigned ${method} calls the action in its query string`, async () => {
    const response = await fetch(await presignedCallerIdentity(server.url, credentials, method), { method });
    assert.equal(response.status, 200);
    assert.match(await response.text(), /^<GetCallerIdentityResponse /);
    assert.equal(firstRequest()?.operation, 'GetCallerIdentity');
  });
}

test("CreateMeeting: a violated constraint returns AWS's error name and message", async () => {
  const client = new ChimeSDKMeetingsClient(settings());
  const sent = client.send(createMeeting('token', { ExternalMeetingId: 'x'.repeat(65) }));
  await assert.rejects(sent, {
    name: 'ValidationException',
    message:
      "1 validation error detected: Value at 'externalMeetingId' failed to satisfy constraint: Member must have length less than or equal to 64",
  });
  client.destroy();
});

test('NotYetImplementedException: the client does not retry', async () => {
  const client = new ChimeSDKMeetingsClient({ ...settings(), maxAttempts: 3 });
  server.response = new AwsError('NotYetImplementedException', 'GetMeeting is not implemented yet by Belfry.');
  await assert.rejects(client.send(new GetMeetingCommand({ MeetingId: 'a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d' })), {
    name: 'NotYetImplementedException',
    message: 'GetMeeting is not implemented yet by Belfry.',
  });
  client.destroy();
  assert.equal(server.requests.length, 1);
});

test('ServiceUnavailableException: the client reads Retry-After as a member of the error', async () => {
  const client = new ChimeSDKMeetingsClient(settings());
  server.response = new AwsError('ServiceUnavailableException', 'Later', { RetryAfterSeconds: '7' });
  await assert.rejects(
    client.send(new GetMeetingCommand({ MeetingId: 'a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d' })),
    (error) => error instanceof ServiceUnavailableException && error.RetryAfterSeconds === '7',
  );
  client.destroy();
});

test('AccessDenied: the client receives the error name of its protocol', async () => {
  server.response = new AwsError('AccessDenied', 'no');
  const names = [];
  const iam = new IAMClient(settings());
  const meetings = new ChimeSDKMeetingsClient(settings());
  const classic = new ChimeClient(settings('/_chime'));
  const cloudwatch = new CloudWatchClient(settings());
  for (const send of [
    () => iam.send(new ListUsersCommand({})),
    () => meetings.send(new GetMeetingCommand({ MeetingId: 'a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d' })),
    () => classic.send(new ListClassicPhoneNumbersCommand({})),
    () => cloudwatch.send(new GetDashboardCommand({ DashboardName: 'a' })),
  ]) {
    names.push(
      await send().then(
        () => 'nothing',
        (error: Error) => error.name,
      ),
    );
  }
  for (const client of [iam, meetings, classic, cloudwatch]) client.destroy();
  assert.deepEqual(names, ['AccessDenied', 'AccessDeniedException', 'ForbiddenException', 'AccessDenied']);
});

test('CreateUser: the client reads special characters of an XML response unchanged', async () => {
  const text = ' <a> & "b"\r\n\tc \u0085\u2028 😀 ';
  server.response = { User: { Path: '/', UserName: text, UserId: 'AIDA', Arn: 'arn', CreateDate: 0 } };
  const client = new IAMClient(settings());
  const { User } = await client.send(new CreateUserCommand({ UserName: 'a' }));
  client.destroy();
  assert.equal(User?.UserName, text);
});

test('ListUsers: a paginator sends the marker of the previous response', async () => {
  const client = new IAMClient(settings());
  server.response = { Users: [], IsTruncated: true, Marker: 'a+b/c==' };
  const pages = paginateListUsers({ client }, {});
  await pages.next();
  server.response = { Users: [], IsTruncated: false };
  await pages.next();
  client.destroy();
  assert.deepEqual(
    server.requests.map(({ input }) => input),
    [{}, { Marker: 'a+b/c==' }],
  );
});
