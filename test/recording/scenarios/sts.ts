import type { Keys, Recorder } from '../recorder.ts';

const ALLOW = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'chime:GetMeeting', Resource: '*' }] });

/** Temporary credentials, the event history and policy checks: success of each operation, then its errors. */
export async function sts(recorder: Recorder): Promise<undefined> {
  const ok = (operation: string, input: object = {}, as?: Keys) => recorder.ok('sts', operation, input, as);
  const call = (operation: string, input: object = {}, as?: Keys) => recorder.call('sts', operation, input, as);
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${recorder.accountId}:root` },
        Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
      },
    ],
  });
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
    PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/AmazonChimeReadOnly' }],
  });
  const session = {
    accessKeyId: Credentials.AccessKeyId,
    secretAccessKey: Credentials.SecretAccessKey,
    sessionToken: Credentials.SessionToken,
  };
  await ok('GetCallerIdentity', {}, session);
  for (const change of [
    { RoleArn: `arn:aws:iam::${recorder.accountId}:role/None` },
    { RoleArn: 'none' },
    { DurationSeconds: 43_200 },
    { DurationSeconds: 1 },
    { Policy: '{}' },
    { PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/None' }] },
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
  await call('AssumeRole', { RoleArn, RoleSessionName: 'three' }, session);
  await call('GetSessionToken', {}, session);
  await call('GetFederationToken', { Name: 'fed' }, session);
  await ok('GetSessionToken', { DurationSeconds: 900 });
  await call('GetSessionToken', { SerialNumber: `arn:aws:iam::${recorder.accountId}:mfa/none`, TokenCode: '000000' });
  const federation = await ok('GetFederationToken', { Name: 'fed', Policy: ALLOW, Tags: [{ Key: 'team', Value: 'blue' }] });
  const federated = {
    accessKeyId: federation.Credentials.AccessKeyId,
    secretAccessKey: federation.Credentials.SecretAccessKey,
    sessionToken: federation.Credentials.SessionToken,
  };
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
  return undefined;
}
