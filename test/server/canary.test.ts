import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { SERVICE_NAMES, type ServiceName } from '#model/services.ts';
import { allow, policy } from '../kit/policy.ts';
import { startServerProcess } from '../kit/process.ts';
import { everyEvent } from '../kit/trail.ts';
import { caller, inputFor, operationsOf } from '../sdk/every-operation.ts';

/**
 * Names of members that contain a secret. This pattern is independent of the server's own rule.
 *
 * LOG-4: secrets in inputs and outputs of operations are not in the trail, in the database files or in the server's output. The tests put
 * canaries, which are recognizable strings, into all secret members.
 */
const SOUNDS_SECRET =
  /password$|^secret(?:accesskey)?$|(?:credential|client)secret|(?:session|security|join|device|tradein)token$|^webidentitytoken$|(?:^|add)privatekey$|pin$|passcode|assertion$|seed$|apikeyvalue/i;

const CANARY = 'CanaryYellowBird';

const server = await startServerProcess({ BELFRY_LOOKUPS_PER_SECOND: '0' });
const sdk = { endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials, maxAttempts: 1 };
const call = (service: ServiceName, operation: string, input: object = {}, settings: object = {}) =>
  caller(service, { ...sdk, ...settings })(operation, input);
/** Secrets that the server has returned in responses. */
const returned = new Set<string>([server.credentials.secretAccessKey]);

/** Adds the secrets of an output to `returned`. Blobs are treated as text. */
function collect(value: unknown, name = ''): void {
  if (value instanceof Uint8Array) {
    if (SOUNDS_SECRET.test(name)) returned.add(Buffer.from(value).toString('latin1'));
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) collect(inner, Array.isArray(value) ? name : key);
  } else if (typeof value === 'string' && value.length >= 8 && SOUNDS_SECRET.test(name)) returned.add(value);
}

async function done(service: ServiceName, operation: string, input: object = {}, settings: object = {}): Promise<Record<string, unknown>> {
  const { code, message, output } = await call(service, operation, input, settings);
  assert.equal(code, 'ok', `${operation}: ${message}`);
  collect(output);
  return output as Record<string, unknown>;
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesUnder(join(folder, entry.name)) : entry.isFile() ? [join(folder, entry.name)] : [],
  );
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
  const { VoiceConnector } = (await done('chime-sdk-voice', 'CreateVoiceConnector', { Name: 'trunk', RequireEncryption: true })) as {
    VoiceConnector: { VoiceConnectorId: string };
  };
  const { VoiceConnectorId } = VoiceConnector;
  await done('chime-sdk-voice', 'PutVoiceConnectorTermination', { VoiceConnectorId, Termination: { CallingRegions: ['US'] } });
  const users = [{ Username: 'sip', Password: `${CANARY}Sip` }];
  await done('chime-sdk-voice', 'PutVoiceConnectorTerminationCredentials', { VoiceConnectorId, Credentials: users });
  await done('chime-sdk-voice', 'ListVoiceConnectorTerminationCredentials', { VoiceConnectorId });
  // Also sends requests that the server rejects: with a wrong token, and with a wrong secret.
  await call('sts', 'GetCallerIdentity', {}, { credentials: { ...session.credentials, sessionToken: `${CANARY}Token` } });
  await call('sts', 'GetCallerIdentity', {}, { credentials: { ...session.credentials, secretAccessKey: `${CANARY}Secret` } });
  assert.ok(returned.size >= 10, `${returned.size} secrets in outputs`);
});

test('LOG-4: every operation is called with canaries as secrets', async () => {
  const faults: string[] = [];
  let canaries = 0;
  for (const service of SERVICE_NAMES) {
    const one = caller(service, sdk);
    for (const operation of operationsOf(service)) {
      const input = inputFor(service, operation, '111122223333', (text, member) => {
        if (!SOUNDS_SECRET.test(member)) return text;
        canaries++;
        return `${CANARY}${member}`;
      });
      const { code, status, message, output } = await one(operation.name, input);
      collect(output);
      if (status === undefined || status >= 500) faults.push(`${service} ${operation.name}: ${code} ${message}`);
    }
  }
  assert.deepEqual(faults, []);
  assert.ok(canaries > 20, `${canaries} canaries`);
});

test('LOG-4: no secret is in the trail, in a file of the data folder or in the output of the server', async () => {
  const secrets = [CANARY, ...returned];
  const trail = JSON.stringify(await everyEvent(new CloudTrailClient(sdk)));
  const files = filesUnder(server.dataFolder).filter((file) => !OWN_FILES.some((own) => file.endsWith(own)));
  assert.ok(
    files.some((file) => statSync(file).size > 100_000 && file.includes('belfry')),
    files.join(' '),
  );
  const places = [
    ['the trail', trail],
    ['the output of the server', server.written()],
    ...files.map((file) => [file, readFileSync(file, 'latin1')] as const),
  ] as const;
  for (const [place, text] of places) {
    for (const secret of secrets) {
      const at = text.indexOf(secret);
      assert.equal(at, -1, `${place}: ${text.slice(Math.max(0, at - 300), at)} (then a secret of ${secret.length} characters)`);
    }
  }
  // Checks that the search works: it finds values that are not secret in the trail and in the files.
  assert.ok(trail.includes('"userName":"holder"') && places.slice(2).some(([, text]) => text.includes('CreateMeetingWithAttendees')));
});
