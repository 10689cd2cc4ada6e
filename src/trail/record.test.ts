import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId, Arn } from '#core/arn.ts';
import type { Received } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import { loadModel } from '#model/load.ts';
import { type Recorded, trailRecorder } from './record.ts';

const ACCOUNT = '111122223333' as AccountId;
const NOW = instant(Date.UTC(2026, 10, 22, 2, 25, 0, 123));

const RECEIVED: Received = {
  requestId: '0b5e7c1e-6d4e-4b9c-8f2b-0f2f0f2f0f2f',
  receivedAt: NOW,
  method: 'GET',
  target: '/meetings/x',
  rawHeaders: ['Host', 'meetings-chime.example.org', 'User-Agent', 'aws-cli/2.31'],
  body: new Uint8Array(),
  sourceIp: '198.51.100.7',
};

const ADA: Principal = {
  type: 'IAMUser',
  accountId: ACCOUNT,
  arn: `arn:aws:iam::${ACCOUNT}:user/ada` as Arn,
  principalId: 'AIDA1',
  userName: 'ada',
};

const SESSION = {
  issuedAt: NOW,
  expiresAt: instant(NOW + 3_600_000),
  mfaAuthenticated: false,
  tags: {},
  transitiveTagKeys: [],
  chained: false,
};

const GET_MEETING: Recorded = {
  received: RECEIVED,
  service: 'chime-sdk-meetings',
  operation: 'GetMeeting',
  eventSource: 'chime.amazonaws.com',
  region: 'us-east-1',
  now: NOW,
  eventId: '11111111-2222-4333-8444-555555555555',
  recipientAccountId: ACCOUNT,
  principal: ADA,
  accessKeyId: 'AKIA1',
  input: { MeetingId: 'a6b1e9b0-0000-4000-8000-000000000001' },
  output: { Meeting: { MeetingId: 'a6b1e9b0-0000-4000-8000-000000000001' } },
  resources: [`arn:aws:chime:us-east-1:${ACCOUNT}:meeting/a6b1e9b0-0000-4000-8000-000000000001`],
  identityVersion: 7,
};

const record = trailRecorder(loadModel);
const written = (recorded: Partial<Recorded> = {}) => JSON.parse(record({ ...GET_MEETING, ...recorded }).document);

test('Trail event: the record of a read-only call has every field that LOG-2 requires', () => {
  assert.deepEqual(written({ received: { ...RECEIVED, tls: { version: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256' } } }), {
    eventVersion: '1.08',
    userIdentity: { type: 'IAMUser', principalId: 'AIDA1', arn: ADA.arn, accountId: ACCOUNT, accessKeyId: 'AKIA1', userName: 'ada' },
    eventTime: '2026-11-22T02:25:00Z',
    eventSource: 'chime.amazonaws.com',
    eventName: 'GetMeeting',
    awsRegion: 'us-east-1',
    sourceIPAddress: '198.51.100.7',
    userAgent: 'aws-cli/2.31',
    requestParameters: { meetingId: 'a6b1e9b0-0000-4000-8000-000000000001' },
    responseElements: null,
    additionalEventData: { identityVersion: 7 },
    requestID: RECEIVED.requestId,
    eventID: GET_MEETING.eventId,
    readOnly: true,
    resources: [
      {
        accountId: ACCOUNT,
        type: 'AWS::Chime::Meeting',
        ARN: `arn:aws:chime:us-east-1:${ACCOUNT}:meeting/a6b1e9b0-0000-4000-8000-000000000001`,
      },
    ],
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: ACCOUNT,
    eventCategory: 'Management',
    tlsDetails: {
      tlsVersion: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      clientProvidedHostHeader: 'meetings-chime.example.org',
    },
  });
});

test('Trail event: the stored row contains the columns that LookupEvents searches', () => {
  const { document: _, ...row } = record(GET_MEETING);
  assert.deepEqual(row, {
    eventId: GET_MEETING.eventId,
    accountId: ACCOUNT,
    region: 'us-east-1',
    at: NOW,
    eventName: 'GetMeeting',
    eventSource: 'chime.amazonaws.com',
    readOnly: true,
    category: undefined,
    userName: 'ada',
    accessKeyId: 'AKIA1',
    resources: [{ type: 'AWS::Chime::Meeting', name: GET_MEETING.resources?.[0] }],
    context: undefined,
  });
});

// Source: DataDog/stratus-red-team, docs/attack-techniques/AWS/aws.persistence.iam-create-admin-user.md.
test('Trail event: a record of IAM omits secrets and resources, and has version 1.09', () => {
  const event = written({
    service: 'iam',
    operation: 'CreateAccessKey',
    input: { UserName: 'ada' },
    output: { AccessKey: { UserName: 'ada', AccessKeyId: 'AKIA2', Status: 'Active', SecretAccessKey: 'open sesame', CreateDate: NOW } },
    resources: [ADA.arn],
  });
  assert.deepEqual([event.eventVersion, event.resources], ['1.09', undefined]);
  assert.deepEqual(event.requestParameters, { userName: 'ada' });
  assert.deepEqual(event.responseElements, {
    accessKey: {
      userName: 'ada',
      accessKeyId: 'AKIA2',
      status: 'Active',
      createDate: 'Nov 22, 2026 2:25:00 AM',
    },
  });
});

test('Trail event: LookupEvents finds a record of IAM by its resources', () => {
  const { resources } = record({ ...GET_MEETING, service: 'iam', operation: 'GetUser', resources: [ADA.arn] });
  assert.deepEqual(resources, [{ type: 'AWS::IAM::User', name: 'ada' }]);
});

// Source: DataDog/stratus-red-team, docs/attack-techniques/AWS/aws.defense-evasion.organizations-leave.md.
test('Trail event: a denied call of Organizations is recorded as AccessDenied, in version 1.09', () => {
  const error = { code: 'AccessDeniedException', message: 'no' };
  const event = written({ service: 'organizations', operation: 'LeaveOrganization', input: {}, error });
  assert.deepEqual([event.errorCode, event.eventVersion, event.requestParameters], ['AccessDenied', '1.09', null]);
  assert.equal(written({ error }).errorCode, 'AccessDeniedException');
});

// Source: AWS Organizations User Guide, "Log entries: CreateAccount"; panther-labs/panther-analysis, a record of 2021, also for the address.
test('Trail event: a record of Organizations has asterisks in place of names and addresses', () => {
  const input = { Email: 'ada@example.com', AccountName: 'Ada', RoleName: 'SomeRole' };
  const event = written({ service: 'organizations', operation: 'CreateAccount', input });
  assert.deepEqual(event.requestParameters, { email: '****', accountName: '****', roleName: 'SomeRole' });
});

test('Trail event: a record of Chime has a constant in place of each secret', () => {
  const { requestParameters } = written({ operation: 'CreateAttendee', input: { MeetingId: 'm', ExternalUserId: 'ada' } });
  assert.deepEqual(requestParameters, { meetingId: 'm', externalUserId: 'HIDDEN_DUE_TO_SECURITY_REASONS' });
});

test('Trail event: a failed call has errorCode and errorMessage, and null for responseElements', () => {
  const event = written({ operation: 'DeleteMeeting', error: { code: 'NotFoundException', message: 'Meeting not found' } });
  assert.deepEqual(
    [event.errorCode, event.errorMessage, event.responseElements, event.readOnly],
    ['NotFoundException', 'Meeting not found', null, false],
  );
});

test('Trail event: the record of a denied call identifies the policy statement that denied the call', () => {
  const by = { policyType: 'identity', policyId: 'user/ada:no-meetings', statement: 1 } as const;
  const decision = { effect: 'Deny', kind: 'explicit', by, policyType: 'identity', resource: '*' } as const;
  assert.deepEqual(written({ decision, error: { code: 'AccessDenied', message: 'no' } }).additionalEventData, {
    identityVersion: 7,
    denial: { kind: 'explicit', policyType: 'identity', policyId: 'user/ada:no-meetings', statement: 1, resource: '*' },
  });
});

test("Trail event: if the evaluation exceeds its step limit, the recorded denial has the kind 'limit'", () => {
  const decision = { effect: 'Deny', kind: 'limit', resource: '*' } as const;
  assert.deepEqual(written({ decision, error: { code: 'AccessDenied', message: 'no' } }).additionalEventData, {
    identityVersion: 7,
    denial: decision,
  });
});

test('Trail event: if an ARN with a wildcard was authorized, the event lists the created resource', () => {
  const MeetingArn = `arn:aws:chime:us-east-1:${ACCOUNT}:meeting/a6b1e9b0-0000-4000-8000-000000000002`;
  const event = written({
    operation: 'CreateMeeting',
    resources: [`arn:aws:chime:us-east-1:${ACCOUNT}:meeting/*`],
    output: { Meeting: { MeetingArn } },
  });
  assert.deepEqual(
    event.resources.map((each: { ARN: string }) => each.ARN),
    [MeetingArn],
  );
});

test('Trail event: the record of an unknown operation and an unknown caller has no parameters', () => {
  const { principal: _, accessKeyId: __, ...withoutCaller } = GET_MEETING;
  const event = JSON.parse(record({ ...withoutCaller, operation: 'constructor' }).document);
  assert.deepEqual([event.userIdentity, event.eventName, event.requestParameters], [{ type: 'Unknown' }, 'constructor', null]);
});

const ROLE_SESSION: Principal = {
  type: 'AssumedRole',
  accountId: ACCOUNT,
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/Host/meeting` as Arn,
  principalId: 'AROA1:meeting',
  roleArn: `arn:aws:iam::${ACCOUNT}:role/Host` as Arn,
  roleId: 'AROA1',
  roleName: 'Host',
  sessionName: 'meeting',
  session: { ...SESSION, sourceIdentity: 'ada', federatedProvider: 'accounts.example.org' },
};

const ATTRIBUTES = { creationDate: '2026-11-22T02:25:00Z', mfaAuthenticated: 'false' };

// biome-ignore format: a table
const IDENTITIES: readonly [title: string, principal: Principal, userName: string | undefined, expected: Record<string, unknown>][] = [
  ['the root', { type: 'Root', accountId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root` as Arn, principalId: ACCOUNT }, 'root',
    { type: 'Root', principalId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT, accessKeyId: 'AKIA1' }],
  ['a user with a session of GetSessionToken', { ...ADA, session: { ...SESSION, mfaAuthenticated: true } }, 'ada',
    { type: 'IAMUser', principalId: 'AIDA1', arn: ADA.arn, accountId: ACCOUNT, accessKeyId: 'AKIA1', userName: 'ada',
      sessionContext: { attributes: { ...ATTRIBUTES, mfaAuthenticated: 'true' } } }],
  ['a role session of a web identity', ROLE_SESSION, 'meeting',
    { type: 'AssumedRole', principalId: 'AROA1:meeting', arn: ROLE_SESSION.arn, accountId: ACCOUNT, accessKeyId: 'AKIA1',
      sessionContext: {
        sessionIssuer: { type: 'Role', principalId: 'AROA1', arn: `arn:aws:iam::${ACCOUNT}:role/Host`, accountId: ACCOUNT, userName: 'Host' },
        webIdFederationData: { federatedProvider: 'accounts.example.org', attributes: {} },
        attributes: ATTRIBUTES, sourceIdentity: 'ada' } }],
  ['a federated user', { type: 'FederatedUser', accountId: ACCOUNT, arn: `arn:aws:sts::${ACCOUNT}:federated-user/bob` as Arn,
      principalId: `${ACCOUNT}:bob`, userName: 'bob', issuerArn: ADA.arn, issuerId: 'AIDA1', session: SESSION }, 'bob',
    { type: 'FederatedUser', principalId: `${ACCOUNT}:bob`, arn: `arn:aws:sts::${ACCOUNT}:federated-user/bob`, accountId: ACCOUNT, accessKeyId: 'AKIA1',
      sessionContext: { sessionIssuer: { type: 'IAMUser', principalId: 'AIDA1', arn: ADA.arn, accountId: ACCOUNT, userName: 'ada' }, attributes: ATTRIBUTES } }],
  ['a service', { type: 'AWSService', accountId: ACCOUNT, arn: 'arn:aws:iam::aws:service' as Arn, principalId: 's', service: 'chime.amazonaws.com' }, 'chime.amazonaws.com',
    { type: 'AWSService', invokedBy: 'chime.amazonaws.com' }],
];

for (const [title, principal, userName, expected] of IDENTITIES) {
  test(`userIdentity: ${title} has the members of its type (LOG-3)`, () => {
    const row = record({ ...GET_MEETING, principal });
    assert.deepEqual(JSON.parse(row.document).userIdentity, expected);
    assert.equal(row.userName, userName);
  });
}

test('userIdentity: an unsigned call without a verified token has the type Unknown', () => {
  const principal: Principal = { type: 'Unknown', accountId: ACCOUNT, arn: '' as Arn, principalId: '' };
  const { userIdentity } = written({ service: 'sts', operation: 'AssumeRoleWithSAML', output: {}, principal });
  assert.deepEqual(userIdentity, { type: 'Unknown', principalId: '', accountId: ACCOUNT });
});

test('userIdentity: if a principal has two access keys, each record has the key that signed the request', () => {
  assert.equal(written({ accessKeyId: 'AKIA1' }).userIdentity.accessKeyId, 'AKIA1');
  assert.equal(written({ accessKeyId: 'AKIA2' }).userIdentity.accessKeyId, 'AKIA2');
});

test('Trail event: a long field is truncated to at most 1 KB of UTF-8, without a partial character', () => {
  const event = written({ received: { ...RECEIVED, rawHeaders: ['User-Agent', `x${'é'.repeat(2000)}`] } });
  assert.equal(event.userAgent, `x${'é'.repeat(511)}`);
});

test('Trail event: parameters over 100 KB are omitted, and the event contains their size', () => {
  const event = written({ service: 'iam', operation: 'CreatePolicy', input: { PolicyName: 'p', PolicyDocument: 'x'.repeat(200_000) } });
  assert.deepEqual(event.requestParameters, { reason: 'requestParameters too large', omitted: true, originalSize: 200_038 });
});

test('Trail event: a record of a signed request with large fields has at most 256 KB', () => {
  const resources = Array.from({ length: 2_000 }, (_, i) => `arn:aws:chime:us-east-1:${ACCOUNT}:meeting/${'"'.repeat(100)}${i}`);
  const by = { policyType: 'identity', policyId: 'p'.repeat(50_000), statement: 1 } as const;
  const decision = { effect: 'Deny', kind: 'explicit', by, policyType: 'identity', resource: 'r'.repeat(50_000) } as const;
  const Content = 'é'.repeat(50_000);
  const { document, resources: names } = record({
    ...GET_MEETING,
    service: 'organizations',
    operation: 'CreatePolicy',
    received: { ...RECEIVED, rawHeaders: ['User-Agent', '"'.repeat(30_000), 'Host', 'h'.repeat(30_000)] },
    input: { Name: 'p', Content },
    output: { Policy: { Content } },
    resources,
    decision,
  });
  assert.ok(Buffer.byteLength(document) <= 262_144, `${Buffer.byteLength(document)} bytes`);
  const event = JSON.parse(document);
  assert.equal(event.additionalEventData.denial.omitted, true);
  assert.ok(names.length > 10 && names.length < 200);
  assert.equal(event.resources.length, names.length);
});
