import { type Keys, keysOf } from '../../kit/keys.ts';
import { allow, managed, policy, trust } from '../../kit/policy.ts';
import type { Recorder } from '../recorder.ts';

const ALLOW = policy(allow('chime:GetMeeting'));

/** Records calls of STS, CloudTrail and Access Analyzer: successes, then errors of each operation. */
export async function sts(recorder: Recorder): Promise<undefined> {
  const { RoleArn, session } = await roleSessions(recorder);
  await otherSessions(recorder, RoleArn, session);
  await denials(recorder, RoleArn);
  await eventHistory(recorder);
  await policyChecks(recorder);
  return undefined;
}

/** Creates a role and a session of the role. */
async function roleSessions(recorder: Recorder): Promise<{ readonly RoleArn: string; readonly session: Keys }> {
  const { ok, call } = recorder.of('sts');
  const actions = ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'];
  const AssumeRolePolicyDocument = policy(trust(`arn:aws:iam::${recorder.accountId}:root`, actions));
  const { Role } = await recorder.ok('iam', 'CreateRole', { RoleName: 'Session', AssumeRolePolicyDocument });
  const RoleArn = Role.Arn;
  await ok('GetCallerIdentity');
  const { Credentials } = await ok('AssumeRole', {
    RoleArn,
    RoleSessionName: 'one',
    Tags: [{ Key: 'team', Value: 'blue' }],
    TransitiveTagKeys: ['team'],
    SourceIdentity: 'ada',
    Policy: ALLOW,
    PolicyArns: [{ arn: managed('AmazonChimeReadOnly') }],
  });
  const session = keysOf(Credentials);
  await ok('GetCallerIdentity', {}, session);
  for (const change of [
    { RoleArn: `arn:aws:iam::${recorder.accountId}:role/None` },
    { RoleArn: 'none' },
    { DurationSeconds: 43_200 },
    { DurationSeconds: 1 },
    { Policy: '{}' },
    { PolicyArns: [{ arn: managed('None') }] },
    { RoleSessionName: 'a b' },
    {
      Tags: [
        { Key: 'a', Value: 'b' },
        { Key: 'A', Value: 'c' },
      ],
    },
    { TransitiveTagKeys: ['absent'] },
    { Tags: Array.from({ length: 50 }, (_, i) => ({ Key: `${i}`.padEnd(120, 'k'), Value: `${i}`.padEnd(250, 'v') })) },
    { ProvidedContexts: [{ ProviderArn: 'arn:aws:iam::aws:contextProvider/IdentityCenter', ContextAssertion: 'aaaa' }] },
    { SerialNumber: `arn:aws:iam::${recorder.accountId}:mfa/none`, TokenCode: '000000' },
  ])
    await call('AssumeRole', { RoleArn, RoleSessionName: 'two', ...change });
  return { RoleArn, session };
}

/** Records the creation of sessions of users and federated users, and calls with the credentials of these sessions. */
async function otherSessions(recorder: Recorder, RoleArn: string, session: Keys): Promise<void> {
  const { ok, call } = recorder.of('sts');
  await call('AssumeRole', { RoleArn, RoleSessionName: 'three' }, session);
  await call('GetSessionToken', {}, session);
  await call('GetFederationToken', { Name: 'fed' }, session);
  await ok('GetSessionToken', { DurationSeconds: 900 });
  await call('GetSessionToken', { SerialNumber: `arn:aws:iam::${recorder.accountId}:mfa/none`, TokenCode: '000000' });
  const federation = await ok('GetFederationToken', { Name: 'fed', Policy: ALLOW, Tags: [{ Key: 'team', Value: 'blue' }] });
  const federated = keysOf(federation.Credentials);
  await ok('GetCallerIdentity', {}, federated);
  await recorder.call('iam', 'ListUsers', {}, federated);
  await recorder.call('chime-sdk-meetings', 'GetMeeting', { MeetingId: '00000000-0000-4000-8000-000000000000' }, federated);
  await recorder.call(
    'chime-sdk-meetings',
    'CreateMeeting',
    { ClientRequestToken: 'denied', MediaRegion: 'us-east-1', ExternalMeetingId: 'denied' },
    federated,
  );
  await call('GetFederationToken', { Name: 'f' });
  await call('GetFederationToken', { Name: 'fed', Policy: '{}' });
  await ok('GetAccessKeyInfo', { AccessKeyId: recorder.server.credentials.accessKeyId });
  await call('GetAccessKeyInfo', { AccessKeyId: 'AKIAAAAAAAAAAAAAAAAA' });
}

async function denials(recorder: Recorder, RoleArn: string): Promise<void> {
  const { ok, call } = recorder.of('sts');
  const stranger = await recorder.user('stranger');
  const { authorizationMessage: EncodedMessage } = await recorder.call('iam', 'ListUsers', {}, stranger);
  recorder.name(EncodedMessage ?? '', 'denial');
  await ok('DecodeAuthorizationMessage', { EncodedMessage });
  await call('DecodeAuthorizationMessage', { EncodedMessage: 'forged' });
  for (const operation of ['AssumeRoleWithWebIdentity', 'AssumeRoleWithSAML'])
    await call(operation, {
      RoleArn,
      RoleSessionName: 'web',
      WebIdentityToken: 'not.a.token',
      PrincipalArn: `arn:aws:iam::${recorder.accountId}:saml-provider/none`,
      SAMLAssertion: 'bm90IFhNTA==',
    });
}

async function eventHistory(recorder: Recorder): Promise<void> {
  const lookUp = (input: object) => recorder.call('cloudtrail', 'LookupEvents', input);
  await lookUp({ MaxResults: 1, LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'CreateOpenIDConnectProvider' }] });
  await lookUp({
    LookupAttributes: [
      { AttributeKey: 'EventName', AttributeValue: 'a' },
      { AttributeKey: 'EventName', AttributeValue: 'b' },
    ],
  });
  await lookUp({ StartTime: new Date(2_000_000_000_000), EndTime: new Date(1_000_000_000_000) });
  await lookUp({ NextToken: 'forged' });
  await lookUp({ MaxResults: 51 });
}

async function policyChecks(recorder: Recorder): Promise<void> {
  const check = (operation: string, input: object) => recorder.call('accessanalyzer', operation, input);
  await check('ValidatePolicy', { policyDocument: ALLOW, policyType: 'IDENTITY_POLICY' });
  await check('ValidatePolicy', {
    policyDocument: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"chime:None","Resource":"*"}]}',
    policyType: 'IDENTITY_POLICY',
  });
  await check('ValidatePolicy', { policyDocument: 'x', policyType: 'SERVICE_CONTROL_POLICY' });
  await check('ValidatePolicy', { policyDocument: ALLOW, policyType: 'IDENTITY_POLICY', nextToken: 'forged' });
  await check('CheckNoNewAccess', {
    existingPolicyDocument: ALLOW,
    newPolicyDocument: ALLOW.replace('GetMeeting', '*'),
    policyType: 'IDENTITY_POLICY',
  });
  await check('CheckNoNewAccess', { existingPolicyDocument: ALLOW, newPolicyDocument: ALLOW, policyType: 'IDENTITY_POLICY' });
  await check('CheckNoNewAccess', { existingPolicyDocument: 'x', newPolicyDocument: ALLOW, policyType: 'IDENTITY_POLICY' });
  await check('CheckAccessNotGranted', {
    policyDocument: ALLOW,
    access: [{ actions: ['chime:GetMeeting'] }],
    policyType: 'IDENTITY_POLICY',
  });
  await check('CheckAccessNotGranted', { policyDocument: ALLOW, access: [{ actions: ['iam:GetUser'] }], policyType: 'IDENTITY_POLICY' });
  await check('CheckAccessNotGranted', { policyDocument: 'x', access: [{ actions: ['iam:GetUser'] }], policyType: 'IDENTITY_POLICY' });
}
