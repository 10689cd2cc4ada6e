import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ChimeSDKMessagingClient } from '@aws-sdk/client-chime-sdk-messaging';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { loadModel } from '#model/load.ts';
import type { ServiceName } from '#model/services.ts';
import { askControl } from '#server/operator/ask-control.ts';
import { redactedMembers } from '#trail/redact.ts';
import { trustAuthority } from '../kit/chat.ts';
import { SDK_SERVICES } from '../kit/clients.ts';
import { startCollector } from '../kit/collector.ts';
import { allow, policy } from '../kit/policy.ts';
import { startServerProcess } from '../kit/process.ts';
import { collectStrings, leaks, type Place, SOUNDS_SECRET } from '../kit/secrets.ts';
import { everyEvent, readUnproven } from '../kit/trail.ts';
import { connect } from '../messaging-sessions/client.ts';
import { capturing } from '../recording/capture.ts';
import { caller, inputFor, operationsOf } from '../sdk/every-operation.ts';
import { startDeliveries, startDestinationHost } from './canary-deliveries.ts';
import { callObjectOperations, type ObjectCanaries } from './canary-objects.ts';

/**
 * LOG-4: secrets in inputs and outputs of operations are not in the trail, in the database files, in the server's output, in the metrics, in
 * traces, in responses to failed requests, in the events of messaging sessions or in anything that the server delivers: log files, digests,
 * log groups, events of EventBridge and messages. The tests put canaries, which are recognizable strings, into all secret members.
 * The recording searches for the secrets of successful calls of all other operations (`test/recording/recorder.ts`).
 */
const CANARY = 'CanaryYellowBird';
/** Strings in contents of objects, which only the files of objects contain, and in headers that are stored with objects. */
const OBJECTS: ObjectCanaries = { secret: CANARY, content: 'ContentGreenBird', header: 'HeaderBlueBird' };

const collector = await startCollector();
const destination = await startDestinationHost();
const server = await startServerProcess({
  BELFRY_LOOKUPS_PER_SECOND: '0',
  // Lines of JSON contain all that lines of text do.
  BELFRY_LOG: 'json',
  BELFRY_METRICS: '127.0.0.1:0',
  BELFRY_OTLP_ENDPOINT: collector.url,
  BELFRY_TRAIL_DELIVERY_SECONDS: '1',
  ...destination.environment,
});
const sdk = { endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials, maxAttempts: 1 };
const call = (service: ServiceName, operation: string, input: object = {}, settings: object = {}) =>
  caller(service, { ...sdk, requestHandler, ...settings })(operation, input);
/** Strings of responses, among them the secrets that the server has returned. */
const strings = { secret: new Set<string>([server.credentials.secretAccessKey]), plain: new Set<string>() };
/** Events that a messaging session received. */
const frames: string[] = [];
/** Responses to failed requests, with their status and headers. */
const errors: Place[] = [];
const requestHandler = capturing(({ request, response }) => {
  if (!response.startsWith('2')) errors.push([request.slice(0, request.indexOf('\n')), response]);
});

async function done(service: ServiceName, operation: string, input: object = {}, settings: object = {}): Promise<Record<string, unknown>> {
  const { code, message, output } = await call(service, operation, input, settings);
  assert.equal(code, 'ok', `${operation}: ${message}`);
  collectStrings(output, strings);
  return output as Record<string, unknown>;
}

const operations = ['CreateAccessKey', ...new Set(expectedWithSecrets().map((each) => each.split(' ')[1] as string))];
const deliveries = await startDeliveries(server, { destination, canary: CANARY, operations });

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesUnder(join(folder, entry.name)) : entry.isFile() ? [join(folder, entry.name)] : [],
  );
}

/** Returns all strings that no place may contain. A client encodes the keys of customers in base64. */
function searched(): readonly string[] {
  const encoded = Buffer.from(CANARY).toString('base64url');
  // The last characters also depend on the text after the canary.
  return [CANARY, encoded.slice(0, Math.floor((CANARY.length * 4) / 3)), ...strings.secret];
}

/** Files of the operator, which may contain secrets. */
const OWN_FILES = ['operator.key', join('aws', 'credentials'), join('tls', 'ca.key'), join('tls', 'server.key')];

test('LOG-4: operations with secrets in inputs and outputs succeed, and the inputs have canaries', async () => {
  await done('iam', 'CreateUser', { UserName: 'holder' });
  const { AccessKey } = (await done('iam', 'CreateAccessKey', { UserName: 'holder' })) as {
    AccessKey: { AccessKeyId: string; SecretAccessKey: string };
  };
  const holder = { credentials: { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey } };
  await done('iam', 'PutUserPolicy', {
    UserName: 'holder',
    PolicyName: 'all',
    PolicyDocument: policy(allow('*')),
  });
  const { Role } = (await done('iam', 'CreateRole', {
    RoleName: 'held',
    AssumeRolePolicyDocument: policy({ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }),
  })) as { Role: { Arn: string } };
  await done('iam', 'AttachRolePolicy', { RoleName: 'held', PolicyArn: 'arn:aws:iam::aws:policy/AmazonChimeSDK' });
  const { Credentials } = (await done('sts', 'AssumeRole', { RoleArn: Role.Arn, RoleSessionName: 'session' }, holder)) as {
    Credentials: { AccessKeyId: string; SecretAccessKey: string; SessionToken: string };
  };
  await done('sts', 'GetSessionToken', {}, holder);
  await done('sts', 'GetFederationToken', { Name: 'federated', Policy: policy(allow('*')) }, holder);
  const session = {
    credentials: {
      accessKeyId: Credentials.AccessKeyId,
      secretAccessKey: Credentials.SecretAccessKey,
      sessionToken: Credentials.SessionToken,
    },
  };
  const { Meeting } = (await done(
    'chime-sdk-meetings',
    'CreateMeetingWithAttendees',
    { ClientRequestToken: 'first', MediaRegion: 'us-east-1', ExternalMeetingId: 'weekly', Attendees: [{ ExternalUserId: 'anna' }] },
    session,
  )) as { Meeting: { MeetingId: string } };
  const { MeetingId } = Meeting;
  const { Attendee } = (await done('chime-sdk-meetings', 'CreateAttendee', { MeetingId, ExternalUserId: 'bert' }, session)) as {
    Attendee: { AttendeeId: string };
  };
  await done('chime-sdk-meetings', 'BatchCreateAttendee', { MeetingId, Attendees: [{ ExternalUserId: 'carl' }] }, session);
  await done('chime-sdk-meetings', 'GetAttendee', { MeetingId, AttendeeId: Attendee.AttendeeId }, session);
  await done('chime-sdk-meetings', 'ListAttendees', { MeetingId }, session);
  const identity = (operation: string, input: object) => done('chime-sdk-identity', operation, { ClientRequestToken: 'first', ...input });
  const { AppInstanceArn } = (await identity('CreateAppInstance', { Name: 'chat' })) as { AppInstanceArn: string };
  const AppInstanceUserArn = `${AppInstanceArn}/user/anna`;
  await identity('CreateAppInstanceUser', { AppInstanceArn, AppInstanceUserId: 'anna', Name: 'Anna' });
  const { EndpointId } = await identity('RegisterAppInstanceUserEndpoint', {
    AppInstanceUserArn,
    Type: 'APNS',
    ResourceArn: `arn:aws:mobiletargeting:us-east-1:${AppInstanceArn.split(':')[4]}:apps/9f1c`,
    EndpointAttributes: { DeviceToken: `${CANARY}Device`, VoipDeviceToken: `${CANARY}Calls` },
  });
  await identity('DescribeAppInstanceUserEndpoint', { AppInstanceUserArn, EndpointId });
  trustAuthority(join(server.dataFolder, 'tls', 'ca.pem'));
  const client = await connect(new ChimeSDKMessagingClient(sdk), AppInstanceUserArn);
  const message = { ChimeBearer: AppInstanceUserArn, ClientRequestToken: 'first' };
  const { ChannelArn } = await done('chime-sdk-messaging', 'CreateChannel', { AppInstanceArn, Name: 'standup', ...message });
  const sent = { ChannelArn, Content: 'in plain sight', Type: 'STANDARD', Persistence: 'PERSISTENT', ...message };
  await done('chime-sdk-messaging', 'SendChannelMessage', sent);
  await client.find(({ payload }) => payload?.['Content'] === sent.Content);
  frames.push(...client.received.map((each) => JSON.stringify(each)));
  client.stop();
  const { VoiceConnector } = (await done('chime-sdk-voice', 'CreateVoiceConnector', { Name: 'trunk', RequireEncryption: true })) as {
    VoiceConnector: { VoiceConnectorId: string };
  };
  const { VoiceConnectorId } = VoiceConnector;
  await done('chime-sdk-voice', 'PutVoiceConnectorTermination', { VoiceConnectorId, Termination: { CallingRegions: ['US'] } });
  const users = [{ Username: 'sip', Password: `${CANARY}Sip` }];
  await done('chime-sdk-voice', 'PutVoiceConnectorTerminationCredentials', { VoiceConnectorId, Credentials: users });
  await done('chime-sdk-voice', 'ListVoiceConnectorTerminationCredentials', { VoiceConnectorId });
  // The server logs this command.
  const { Account: accountId = '' } = (await done('sts', 'GetCallerIdentity')) as { readonly Account?: string };
  const restored = await askControl(server.dataFolder, { command: 'account restore-administrator', accountId });
  assert.ok(restored.ok && restored.administrator !== undefined);
  strings.secret.add(restored.administrator.secretAccessKey);
  // Also sends requests that the server rejects: with a wrong token, and with a wrong secret.
  await call('sts', 'GetCallerIdentity', {}, { credentials: { ...session.credentials, sessionToken: `${CANARY}Token` } });
  await call('sts', 'GetCallerIdentity', {}, { credentials: { ...session.credentials, secretAccessKey: `${CANARY}Secret` } });
  assert.ok(strings.secret.size >= 10, `${strings.secret.size} secrets in outputs`);
});

/** Returns the operations whose records hide or omit an input that sounds secret. */
function expectedWithSecrets(): readonly string[] {
  return SDK_SERVICES.flatMap((service) => {
    const model = loadModel(service);
    const isSecret = (path: string) => SOUNDS_SECRET.test(path.slice(path.lastIndexOf('.') + 1));
    return operationsOf(service)
      .filter(({ input }) => input !== undefined && [...redactedMembers(model, input).keys()].some(isSecret))
      .map(({ name }) => `${service} ${name}`);
  }).sort();
}

/** Callers of each operation: an administrator, a user without permissions, and requests without a signature or with a wrong one. */
async function callers(): Promise<readonly (readonly [name: string, settings: object])[]> {
  await done('iam', 'CreateUser', { UserName: 'guest' });
  const { AccessKey } = (await done('iam', 'CreateAccessKey', { UserName: 'guest' })) as {
    AccessKey: { AccessKeyId: string; SecretAccessKey: string };
  };
  const guest = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
  return [
    ['admin', {}],
    ['guest', { credentials: guest }],
    ['unsigned', { signer: { sign: async (request: unknown) => request } }],
    ['forged', { credentials: { ...server.credentials, secretAccessKey: `${CANARY}Forged` } }],
  ];
}

// biome-ignore format: a table
const CANARIES: readonly [title: string, canary: (member: string) => string][] = [
  // constraint            value of a secret member
  ['a usual length',       (member) => `${CANARY}${member}`],
  ['control characters',   (member) => `${CANARY}${member}\u0001`],
  ['markup',               (member) => `${CANARY}${member}<&"'>{`],
  ['a length of 20 KB',    (member) => `${CANARY}${member}${'x'.repeat(20_000)}`],
];

test('LOG-4: every operation is called with canaries as secrets, valid and invalid, by each kind of caller', async () => {
  const faults: string[] = [];
  const withSecrets = new Set<string>();
  const everyone = await callers();
  for (const service of SDK_SERVICES) {
    const clients = everyone.map(([name, settings]) => [name, caller(service, { ...sdk, requestHandler, ...settings })] as const);
    for (const operation of operationsOf(service)) {
      const key = `${service} ${operation.name}`;
      const send = async (canary: (member: string) => string, as: (typeof clients)[number]) => {
        const input = inputFor(service, operation, '111122223333', (text, member) => {
          if (!SOUNDS_SECRET.test(member)) return text;
          withSecrets.add(key);
          return canary(member);
        });
        const { code, status, message, output } = await as[1](operation.name, input);
        collectStrings(output, strings);
        if (status === undefined || status >= 500) faults.push(`${key} as ${as[0]}: ${code} ${message}`);
      };
      const [[, usual], ...invalid] = CANARIES as [(typeof CANARIES)[number], ...typeof CANARIES];
      const [admin, ...others] = clients as [(typeof clients)[number], ...typeof clients];
      await send(usual, admin);
      if (!withSecrets.has(key)) continue;
      for (const [, canary] of invalid) await send(canary, admin);
      for (const other of others) await send(usual, other);
    }
  }
  assert.deepEqual(faults, []);
  assert.deepEqual([...withSecrets].sort(), expectedWithSecrets());
});

test('LOG-4: every operation of S3 is called with canaries in its body and headers, also with presigned URLs', async () => {
  const { faults, operations, signatures } = await callObjectOperations(server, OBJECTS, (request, response) => {
    if (!response.startsWith('2')) errors.push([request, response]);
  });
  assert.deepEqual(faults, []);
  assert.ok(operations > 80, `${operations} operations`);
  for (const signature of signatures) strings.secret.add(signature);
});

test('LOG-4: no secret is in the trail, a file, the output, metrics, traces, an error response or an event of a session', async () => {
  const trail = JSON.stringify([await everyEvent(new CloudTrailClient(sdk)), await readUnproven(server.dataFolder)]);
  const metrics = await (await fetch(/metrics for Prometheus are at (\S+)/.exec(server.written())?.[1] ?? '')).text();
  const files = filesUnder(server.dataFolder).filter((file) => !OWN_FILES.some((own) => file.endsWith(own)));
  assert.ok(
    files.some((file) => statSync(file).size > 100_000 && file.includes('belfry')),
    files.join(' '),
  );
  const places: readonly Place[] = [
    ['the trail', trail],
    ['the output of the server', server.written()],
    ['the metrics', metrics],
    ['the traces', collector.bodies().join('\n')],
    ['the events of a session', frames.join('\n')],
    ...errors,
    ...files.map((file) => [file, readFileSync(file, 'latin1')] as const),
  ];
  assert.deepEqual(leaks(searched(), places), []);
  const contents = join(server.dataFolder, 'objects');
  assert.deepEqual(
    leaks(
      [OBJECTS.content],
      places.filter(([name]) => !name.startsWith(contents)),
    ),
    [],
  );
  // Headers that are stored with an object are in the database and in no text of the server.
  assert.deepEqual(
    leaks(
      [OBJECTS.header],
      places.filter(([name]) => ['the output of the server', 'the metrics', 'the traces'].includes(name)),
    ),
    [],
  );
  // Checks that the search works: the places contain known values that are not secret.
  for (const text of [OBJECTS.content, OBJECTS.header])
    assert.ok(
      places.slice(-files.length).some(([, found]) => found.includes(text)),
      text,
    );
  assert.ok(trail.includes('"userName":"holder"') && frames.some((text) => text.includes('in plain sight')));
  assert.ok(errors.length > 500 && errors.some(([, text]) => text.includes('AccessDenied')), `${errors.length} errors`);
  assert.match(server.written(), /^\{"level":"warning",.*"message":"break-glass: /m);
  assert.ok(metrics.includes('operation="CreateMeetingWithAttendees"'));
  assert.ok(collector.spans().some(({ name }) => name === 'chime-sdk-meetings/CreateMeetingWithAttendees'));
  assert.ok(places.slice(-files.length).some(([, text]) => text.includes('CreateMeetingWithAttendees')));
});

test('LOG-4: no secret is in delivered log files, digests, log events, events of EventBridge or messages', async () => {
  const places = await deliveries.end();
  assert.deepEqual(leaks(searched(), places), []);
  const others = places.filter(([name]) => !name.startsWith('another object in a bucket'));
  assert.deepEqual(leaks([OBJECTS.content], others), []);
  // Checks that the search works: the deliveries contain the records of the operations with secrets.
  for (const kind of [
    'a log file in a folder',
    'a log file in a bucket',
    'a log group of a trail',
    'a log group of a rule',
    'a queue',
    'a function',
    'a stream',
    'an API destination',
  ]) {
    const text = places.flatMap(([name, found]) => (name.startsWith(kind) ? [found] : [])).join('\n');
    for (const operation of ['CreateAccessKey', 'PutVoiceConnectorTerminationCredentials', 'RegisterAppInstanceUserEndpoint'])
      assert.ok(text.includes(operation), `${operation} is in ${kind}`);
  }
  for (const kind of ['a digest in a folder', 'a digest in a bucket', 'a topic', 'another object in a bucket'])
    assert.ok(
      places.some(([name]) => name.startsWith(kind)),
      kind,
    );
});
