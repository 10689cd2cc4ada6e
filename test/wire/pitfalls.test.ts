import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { ChimeClient, ListPhoneNumbersCommand as ListClassicPhoneNumbersCommand } from '@aws-sdk/client-chime';
import {
  ChimeSDKMeetingsClient,
  CreateMeetingCommand,
  GetMeetingCommand,
  ServiceUnavailableException,
} from '@aws-sdk/client-chime-sdk-meetings';
import { ChimeSDKMessagingClient, ListChannelMembershipsCommand } from '@aws-sdk/client-chime-sdk-messaging';
import { ChimeSDKVoiceClient, ListPhoneNumbersCommand, ListTagsForResourceCommand } from '@aws-sdk/client-chime-sdk-voice';
import { CloudWatchClient, GetDashboardCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CreateUserCommand, IAMClient, ListUsersCommand, paginateListUsers } from '@aws-sdk/client-iam';
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { SignatureV4 } from '@smithy/signature-v4';
import { AwsError } from '#core/aws-error.ts';
import { type BareServer, startBareServer } from './bare-server.ts';

let server: BareServer;
before(async () => {
  server = await startBareServer();
});
after(() => server.close());
beforeEach(() => {
  server.heard.length = 0;
  server.answer = {};
});

const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const settings = (path = '') => ({ endpoint: `${server.url}${path}`, region: 'us-east-1', credentials, maxAttempts: 1 });
const heardFirst = () => structuredClone(server.heard[0]);

const metrics = Array.from({ length: 200 }, (_, i) => ({
  MetricName: `metric-${i}`,
  Value: i,
  Timestamp: new Date(1_795_305_600_123),
  Dimensions: [{ Name: 'host', Value: `host-${i}` }],
}));

test('PutMetricData: a body the client compressed is read', async () => {
  const client = new CloudWatchClient(settings());
  await client.send(new PutMetricDataCommand({ Namespace: 'Belfry', MetricData: metrics }));
  client.destroy();
  const heard = heardFirst();
  assert.equal(heard?.gzip, true);
  assert.deepEqual(heard?.input, { Namespace: 'Belfry', MetricData: metrics.map((one) => ({ ...one, Timestamp: 1_795_305_600_123 })) });
});

test('a base path with and without a slash at its end is the same', async () => {
  for (const path of ['/_iam', '/_iam/']) {
    const client = new IAMClient(settings(path));
    await client.send(new ListUsersCommand({ PathPrefix: '/a+b%c/' }));
    client.destroy();
  }
  assert.deepEqual(
    server.heard.map(({ service, operation, input }) => [service, operation, input]),
    [
      ['iam', 'ListUsers', { PathPrefix: '/a+b%c/' }],
      ['iam', 'ListUsers', { PathPrefix: '/a+b%c/' }],
    ],
  );
});

test('an ARN in a path arrives whole', async () => {
  const ChannelArn = 'arn:aws:chime:us-east-1:111122223333:app-instance/a1/channel/b2';
  const ChimeBearer = 'arn:aws:chime:us-east-1:111122223333:app-instance/a1/user/c3';
  const client = new ChimeSDKMessagingClient(settings());
  await client.send(
    new ListChannelMembershipsCommand({ ChannelArn, ChimeBearer, Type: 'DEFAULT', MaxResults: 5, NextToken: 'a+b/c=d&e f%20' }),
  );
  client.destroy();
  assert.deepEqual(heardFirst()?.input, { ChannelArn, ChimeBearer, Type: 'DEFAULT', MaxResults: 5, NextToken: 'a+b/c=d&e f%20' });
});

test('of two services with one route the SDK says which it means', async () => {
  const voice = new ChimeSDKVoiceClient(settings());
  const classic = new ChimeClient(settings());
  await voice.send(new ListPhoneNumbersCommand({}));
  await classic.send(new ListClassicPhoneNumbersCommand({}));
  await voice.send(new ListTagsForResourceCommand({ ResourceARN: 'arn:aws:chime:us-east-1:111122223333:meeting/a' }));
  voice.destroy();
  classic.destroy();
  assert.deepEqual(
    server.heard.map(({ service, profile }) => [service, profile]),
    [
      ['chime-sdk-voice', 'sdk'],
      ['chime', 'classic'],
      ['chime-sdk-voice', 'sdk'],
    ],
  );
});

test('AssumeRoleWithWebIdentity: the client sends no signature, and the version tells whose it is', async () => {
  const client = new STSClient({ endpoint: server.url, region: 'us-east-1', maxAttempts: 1 });
  server.answer = { Credentials: { AccessKeyId: 'ASIA', SecretAccessKey: 's', SessionToken: 't', Expiration: 1_795_305_600_000 } };
  const { Credentials } = await client.send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: 'arn:aws:iam::111122223333:role/a',
      RoleSessionName: 'ab',
      WebIdentityToken: 'a.b.c_',
    }),
  );
  client.destroy();
  assert.deepEqual(Credentials?.Expiration, new Date(1_795_305_600_000));
  assert.equal(heardFirst()?.operation, 'AssumeRoleWithWebIdentity');
});

for (const method of ['GET', 'POST']) {
  test(`GetCallerIdentity: a presigned ${method} is the action of its query string`, async () => {
    class Sha256 {
      readonly #hash;
      constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
        this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', Buffer.from(secret as Uint8Array));
      }
      update(data: Uint8Array): void {
        this.#hash.update(data);
      }
      async digest(): Promise<Uint8Array> {
        return this.#hash.digest();
      }
    }
    const { hostname, port } = new URL(server.url);
    const signer = new SignatureV4({ service: 'sts', region: 'us-east-1', credentials, sha256: Sha256 });
    const { query } = await signer.presign({
      method,
      protocol: 'http:',
      hostname,
      port: Number(port),
      path: '/',
      headers: { host: `${hostname}:${port}` },
      query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
    });
    const response = await fetch(`${server.url}/?${new URLSearchParams(query as Record<string, string>)}`, { method });
    assert.equal(response.status, 200);
    assert.match(await response.text(), /^<GetCallerIdentityResponse /);
    assert.equal(heardFirst()?.operation, 'GetCallerIdentity');
  });
}

test("constraints broken: the client shows AWS's name and text", async () => {
  const client = new ChimeSDKMeetingsClient(settings());
  const sent = client.send(
    new CreateMeetingCommand({ MediaRegion: 'us-east-1', ExternalMeetingId: 'x'.repeat(65), ClientRequestToken: 'token' }),
  );
  await assert.rejects(sent, {
    name: 'ValidationException',
    message:
      "1 validation error detected: Value at 'externalMeetingId' failed to satisfy constraint: Member must have length less than or equal to 64",
  });
  client.destroy();
});

test('not built yet is told in one attempt', async () => {
  const client = new ChimeSDKMeetingsClient({ ...settings(), maxAttempts: 3 });
  server.answer = new AwsError('NotYetImplementedException', 'GetMeeting is not implemented yet by Belfry.');
  await assert.rejects(client.send(new GetMeetingCommand({ MeetingId: 'a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d' })), {
    name: 'NotYetImplementedException',
    message: 'GetMeeting is not implemented yet by Belfry.',
  });
  client.destroy();
  assert.equal(server.heard.length, 1);
});

test('Retry-After reaches the client as a member of the error', async () => {
  const client = new ChimeSDKMeetingsClient(settings());
  server.answer = new AwsError('ServiceUnavailableException', 'Later', { RetryAfterSeconds: '7' });
  await assert.rejects(
    client.send(new GetMeetingCommand({ MeetingId: 'a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d' })),
    (error) => error instanceof ServiceUnavailableException && error.RetryAfterSeconds === '7',
  );
  client.destroy();
});

test('AccessDenied: each dialect has its own spelling', async () => {
  server.answer = new AwsError('AccessDenied', 'no');
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

test('texts of an XML answer come through as they were', async () => {
  const text = ' <a> & "b"\r\n\tc \u0085\u2028 😀 ';
  server.answer = { User: { Path: '/', UserName: text, UserId: 'AIDA', Arn: 'arn', CreateDate: 0 } };
  const client = new IAMClient(settings());
  const { User } = await client.send(new CreateUserCommand({ UserName: 'a' }));
  client.destroy();
  assert.equal(User?.UserName, text);
});

test('a paginator walks on with the marker it was given', async () => {
  const client = new IAMClient(settings());
  server.answer = { Users: [], IsTruncated: true, Marker: 'a+b/c==' };
  const pages = paginateListUsers({ client }, {});
  await pages.next();
  server.answer = { Users: [], IsTruncated: false };
  await pages.next();
  client.destroy();
  assert.deepEqual(
    server.heard.map(({ input }) => input),
    [{}, { Marker: 'a+b/c==' }],
  );
});
