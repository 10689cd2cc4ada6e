import { fromBase32 } from '#core/base32.ts';
import { codeAt, stepAt } from '#services/iam/mfa.ts';
import type { Recorder } from '../recorder.ts';

const ALLOW = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'chime:GetMeeting', Resource: '*' }] });
const ALLOW_MORE = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'chime:*', Resource: '*' }] });

/** Users, groups, roles, policies, keys, providers and reports of IAM: success of each operation, then its errors. */
export async function iam(recorder: Recorder): Promise<undefined> {
  await users(recorder);
  await groups(recorder);
  await policies(recorder);
  await roles(recorder);
  await providers(recorder);
  await mfaDevices(recorder);
  await reports(recorder);
  return undefined;
}

const callsOf = (recorder: Recorder) => ({
  ok: (operation: string, input: object = {}) => recorder.ok('iam', operation, input),
  fails: (code: string, operation: string, input: object = {}) => recorder.fails(code, 'iam', operation, input),
});

async function users(recorder: Recorder): Promise<void> {
  const { ok, fails } = callsOf(recorder);
  const boundary = 'arn:aws:iam::aws:policy/AmazonChimeReadOnly';
  await ok('CreateUser', { UserName: 'ada', Path: '/team/', Tags: [{ Key: 'team', Value: 'blue' }], PermissionsBoundary: boundary });
  await ok('CreateUser', { UserName: 'bob' });
  await fails('EntityAlreadyExistsException', 'CreateUser', { UserName: 'ADA' });
  await fails('InvalidInputException', 'CreateUser', {
    UserName: 'eve',
    Tags: [
      { Key: 'a', Value: '' },
      { Key: 'A', Value: '' },
    ],
  });
  await fails('NoSuchEntityException', 'CreateUser', {
    UserName: 'eve',
    PermissionsBoundary: `arn:aws:iam::${recorder.accountId}:policy/none`,
  });
  await ok('GetUser', { UserName: 'ada' });
  await ok('GetUser');
  await fails('NoSuchEntityException', 'GetUser', { UserName: 'nobody' });
  await ok('ListUsers', { PathPrefix: '/team/' });
  const { Marker } = await ok('ListUsers', { MaxItems: 1 });
  await ok('ListUsers', { MaxItems: 1, Marker });
  await fails('ValidationError', 'ListUsers', { Marker: 'forged' });
  await ok('UpdateUser', { UserName: 'ada', NewUserName: 'ada.l', NewPath: '/' });
  await fails('NoSuchEntityException', 'UpdateUser', { UserName: 'ada', NewUserName: 'eve' });
  await fails('EntityAlreadyExistsException', 'UpdateUser', { UserName: 'ada.l', NewUserName: 'bob' });
  await ok('TagUser', { UserName: 'ada.l', Tags: [{ Key: 'phase', Value: 'two' }] });
  await ok('ListUserTags', { UserName: 'ada.l' });
  await ok('UntagUser', { UserName: 'ada.l', TagKeys: ['phase'] });
  for (const operation of ['TagUser', 'ListUserTags', 'UntagUser'])
    await fails('NoSuchEntityException', operation, { UserName: 'nobody', Tags: [{ Key: 'a', Value: 'b' }], TagKeys: ['a'] });
  await fails('LimitExceededException', 'TagUser', {
    UserName: 'ada.l',
    Tags: Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}`, Value: '' })),
  });
  await ok('PutUserPermissionsBoundary', { UserName: 'ada.l', PermissionsBoundary: boundary });
  await ok('DeleteUserPermissionsBoundary', { UserName: 'ada.l' });
  await fails('NoSuchEntityException', 'DeleteUserPermissionsBoundary', { UserName: 'ada.l' });
  await fails('NoSuchEntityException', 'PutUserPermissionsBoundary', { UserName: 'nobody', PermissionsBoundary: boundary });

  await ok('PutUserPolicy', { UserName: 'ada.l', PolicyName: 'inline', PolicyDocument: ALLOW });
  await fails('MalformedPolicyDocumentException', 'PutUserPolicy', { UserName: 'ada.l', PolicyName: 'bad', PolicyDocument: '{}' });
  await fails('NoSuchEntityException', 'PutUserPolicy', { UserName: 'nobody', PolicyName: 'inline', PolicyDocument: ALLOW });
  await ok('GetUserPolicy', { UserName: 'ada.l', PolicyName: 'inline' });
  await fails('NoSuchEntityException', 'GetUserPolicy', { UserName: 'ada.l', PolicyName: 'none' });
  await ok('ListUserPolicies', { UserName: 'ada.l' });
  await fails('NoSuchEntityException', 'ListUserPolicies', { UserName: 'nobody' });
  await ok('AttachUserPolicy', { UserName: 'ada.l', PolicyArn: boundary });
  await fails('NoSuchEntityException', 'AttachUserPolicy', { UserName: 'nobody', PolicyArn: boundary });
  await fails('NoSuchEntityException', 'AttachUserPolicy', { UserName: 'ada.l', PolicyArn: 'arn:aws:iam::aws:policy/None' });
  await ok('ListAttachedUserPolicies', { UserName: 'ada.l' });
  await fails('NoSuchEntityException', 'ListAttachedUserPolicies', { UserName: 'nobody' });

  const { AccessKey } = await ok('CreateAccessKey', { UserName: 'ada.l' });
  await ok('CreateAccessKey', { UserName: 'ada.l' });
  await fails('LimitExceededException', 'CreateAccessKey', { UserName: 'ada.l' });
  await fails('NoSuchEntityException', 'CreateAccessKey', { UserName: 'nobody' });
  await ok('ListAccessKeys', { UserName: 'ada.l' });
  await ok('GetAccessKeyLastUsed', { AccessKeyId: AccessKey.AccessKeyId });
  await fails('NoSuchEntityException', 'GetAccessKeyLastUsed', { AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' });
  await ok('UpdateAccessKey', { UserName: 'ada.l', AccessKeyId: AccessKey.AccessKeyId, Status: 'Inactive' });
  await fails('NoSuchEntityException', 'UpdateAccessKey', { UserName: 'bob', AccessKeyId: AccessKey.AccessKeyId, Status: 'Active' });
  await fails('DeleteConflictException', 'DeleteUser', { UserName: 'ada.l' });
  await ok('DeleteAccessKey', { UserName: 'ada.l', AccessKeyId: AccessKey.AccessKeyId });
  await fails('NoSuchEntityException', 'DeleteAccessKey', { UserName: 'ada.l', AccessKeyId: AccessKey.AccessKeyId });

  await ok('CreateLoginProfile', { UserName: 'bob', Password: 'Correct-Horse-7', PasswordResetRequired: true });
  await fails('EntityAlreadyExistsException', 'CreateLoginProfile', { UserName: 'bob', Password: 'Correct-Horse-7' });
  await fails('NoSuchEntityException', 'CreateLoginProfile', { UserName: 'nobody', Password: 'Correct-Horse-7' });
  await ok('GetLoginProfile', { UserName: 'bob' });
  await fails('NoSuchEntityException', 'GetLoginProfile', { UserName: 'ada.l' });
  await ok('UpdateLoginProfile', { UserName: 'bob', Password: 'Other-Horse-8', PasswordResetRequired: false });
  await ok('UpdateAccountPasswordPolicy', { MinimumPasswordLength: 10, RequireNumbers: true, PasswordReusePrevention: 2 });
  await ok('GetAccountPasswordPolicy');
  await fails('PasswordPolicyViolationException', 'UpdateLoginProfile', { UserName: 'bob', Password: 'short' });
  await fails('PasswordPolicyViolationException', 'CreateLoginProfile', { UserName: 'ada.l', Password: 'nonumbers' });
  await ok('DeleteAccountPasswordPolicy');
  await fails('NoSuchEntityException', 'GetAccountPasswordPolicy');
  await fails('NoSuchEntityException', 'DeleteAccountPasswordPolicy');
  const bob = await recorder.ok('iam', 'CreateAccessKey', { UserName: 'bob' });
  const keys = { accessKeyId: bob.AccessKey.AccessKeyId, secretAccessKey: bob.AccessKey.SecretAccessKey };
  await recorder.ok('iam', 'PutUserPolicy', {
    UserName: 'bob',
    PolicyName: 'own',
    PolicyDocument: ALLOW.replace('chime:GetMeeting', 'iam:ChangePassword'),
  });
  await recorder.ok('iam', 'ChangePassword', { OldPassword: 'Other-Horse-8', NewPassword: 'Third-Horse-9' }, keys);
  await recorder.call('iam', 'ChangePassword', { OldPassword: 'wrong-horse', NewPassword: 'Fourth-Horse-9' }, keys);
  await ok('DeleteLoginProfile', { UserName: 'bob' });
  await fails('NoSuchEntityException', 'DeleteLoginProfile', { UserName: 'bob' });
  await fails('NoSuchEntityException', 'UpdateLoginProfile', { UserName: 'bob', Password: 'Other-Horse-8' });

  await ok('CreateAccountAlias', { AccountAlias: 'example-alias' });
  await ok('ListAccountAliases');
  await fails('NoSuchEntityException', 'DeleteAccountAlias', { AccountAlias: 'other-alias' });
  await ok('DeleteAccountAlias', { AccountAlias: 'example-alias' });
  await ok('ListInstanceProfiles');
  await ok('ListServerCertificates');
  await ok('ListSSHPublicKeys', { UserName: 'bob' });
  await ok('ListSigningCertificates', { UserName: 'bob' });
  await ok('ListServiceSpecificCredentials', { UserName: 'bob' });
}

async function groups(recorder: Recorder): Promise<void> {
  const { ok, fails } = callsOf(recorder);
  const PolicyArn = 'arn:aws:iam::aws:policy/AmazonChimeSDK';
  await ok('CreateGroup', { GroupName: 'makers', Path: '/team/' });
  await ok('CreateGroup', { GroupName: 'readers' });
  await fails('EntityAlreadyExistsException', 'CreateGroup', { GroupName: 'MAKERS' });
  await ok('ListGroups');
  await ok('ListGroups', { PathPrefix: '/team/', MaxItems: 1 });
  await ok('AddUserToGroup', { GroupName: 'makers', UserName: 'ada.l' });
  await fails('NoSuchEntityException', 'AddUserToGroup', { GroupName: 'none', UserName: 'ada.l' });
  await fails('NoSuchEntityException', 'AddUserToGroup', { GroupName: 'makers', UserName: 'nobody' });
  await ok('GetGroup', { GroupName: 'makers' });
  await fails('NoSuchEntityException', 'GetGroup', { GroupName: 'none' });
  await ok('ListGroupsForUser', { UserName: 'ada.l' });
  await fails('NoSuchEntityException', 'ListGroupsForUser', { UserName: 'nobody' });
  await ok('PutGroupPolicy', { GroupName: 'makers', PolicyName: 'inline', PolicyDocument: ALLOW });
  await fails('NoSuchEntityException', 'PutGroupPolicy', { GroupName: 'none', PolicyName: 'inline', PolicyDocument: ALLOW });
  await fails('MalformedPolicyDocumentException', 'PutGroupPolicy', { GroupName: 'makers', PolicyName: 'bad', PolicyDocument: '[]' });
  await ok('GetGroupPolicy', { GroupName: 'makers', PolicyName: 'inline' });
  await fails('NoSuchEntityException', 'GetGroupPolicy', { GroupName: 'makers', PolicyName: 'none' });
  await ok('ListGroupPolicies', { GroupName: 'makers' });
  await ok('AttachGroupPolicy', { GroupName: 'makers', PolicyArn });
  await fails('NoSuchEntityException', 'AttachGroupPolicy', { GroupName: 'none', PolicyArn });
  await ok('ListAttachedGroupPolicies', { GroupName: 'makers' });
  await fails('DeleteConflictException', 'DeleteGroup', { GroupName: 'makers' });
  await ok('DetachGroupPolicy', { GroupName: 'makers', PolicyArn });
  await fails('NoSuchEntityException', 'DetachGroupPolicy', { GroupName: 'makers', PolicyArn });
  await ok('DeleteGroupPolicy', { GroupName: 'makers', PolicyName: 'inline' });
  await fails('NoSuchEntityException', 'DeleteGroupPolicy', { GroupName: 'makers', PolicyName: 'inline' });
  await ok('RemoveUserFromGroup', { GroupName: 'makers', UserName: 'ada.l' });
  await fails('NoSuchEntityException', 'RemoveUserFromGroup', { GroupName: 'makers', UserName: 'nobody' });
  await ok('UpdateGroup', { GroupName: 'makers', NewGroupName: 'creators', NewPath: '/' });
  await fails('NoSuchEntityException', 'UpdateGroup', { GroupName: 'makers', NewGroupName: 'x' });
  await fails('EntityAlreadyExistsException', 'UpdateGroup', { GroupName: 'creators', NewGroupName: 'readers' });
  await ok('DeleteGroup', { GroupName: 'creators' });
  await fails('NoSuchEntityException', 'DeleteGroup', { GroupName: 'creators' });
}

async function policies(recorder: Recorder): Promise<void> {
  const { ok, fails } = callsOf(recorder);
  const { Policy } = await ok('CreatePolicy', {
    PolicyName: 'Meetings',
    Path: '/team/',
    PolicyDocument: ALLOW,
    Description: 'd',
    Tags: [{ Key: 'team', Value: 'blue' }],
  });
  const PolicyArn = Policy.Arn;
  const NONE = `arn:aws:iam::${recorder.accountId}:policy/none`;
  await fails('EntityAlreadyExistsException', 'CreatePolicy', { PolicyName: 'meetings', PolicyDocument: ALLOW });
  await fails('MalformedPolicyDocumentException', 'CreatePolicy', { PolicyName: 'Bad', PolicyDocument: '{"Statement":[]}' });
  await ok('GetPolicy', { PolicyArn });
  await fails('NoSuchEntityException', 'GetPolicy', { PolicyArn: NONE });
  await ok('ListPolicies', { Scope: 'Local' });
  await ok('ListPolicies', { Scope: 'AWS', MaxItems: 2 });
  await ok('CreatePolicyVersion', { PolicyArn, PolicyDocument: ALLOW_MORE, SetAsDefault: true });
  await fails('NoSuchEntityException', 'CreatePolicyVersion', { PolicyArn: NONE, PolicyDocument: ALLOW });
  for (let i = 0; i < 3; i++) await ok('CreatePolicyVersion', { PolicyArn, PolicyDocument: ALLOW });
  await fails('LimitExceededException', 'CreatePolicyVersion', { PolicyArn, PolicyDocument: ALLOW });
  await ok('GetPolicyVersion', { PolicyArn, VersionId: 'v2' });
  await fails('NoSuchEntityException', 'GetPolicyVersion', { PolicyArn, VersionId: 'v9' });
  await ok('ListPolicyVersions', { PolicyArn });
  await fails('NoSuchEntityException', 'ListPolicyVersions', { PolicyArn: NONE });
  await ok('SetDefaultPolicyVersion', { PolicyArn, VersionId: 'v1' });
  await fails('NoSuchEntityException', 'SetDefaultPolicyVersion', { PolicyArn, VersionId: 'v9' });
  await fails('DeleteConflictException', 'DeletePolicyVersion', { PolicyArn, VersionId: 'v1' });
  await ok('DeletePolicyVersion', { PolicyArn, VersionId: 'v2' });
  await fails('NoSuchEntityException', 'DeletePolicyVersion', { PolicyArn, VersionId: 'v2' });
  await ok('TagPolicy', { PolicyArn, Tags: [{ Key: 'phase', Value: 'two' }] });
  await ok('ListPolicyTags', { PolicyArn });
  await ok('UntagPolicy', { PolicyArn, TagKeys: ['phase'] });
  for (const operation of ['TagPolicy', 'ListPolicyTags', 'UntagPolicy'])
    await fails('NoSuchEntityException', operation, { PolicyArn: NONE, Tags: [{ Key: 'a', Value: 'b' }], TagKeys: ['a'] });
  await ok('AttachUserPolicy', { UserName: 'bob', PolicyArn });
  await ok('ListEntitiesForPolicy', { PolicyArn });
  await fails('NoSuchEntityException', 'ListEntitiesForPolicy', { PolicyArn: NONE });
  await fails('DeleteConflictException', 'DeletePolicy', { PolicyArn });
  await ok('DetachUserPolicy', { UserName: 'bob', PolicyArn });
  await fails('NoSuchEntityException', 'DetachUserPolicy', { UserName: 'bob', PolicyArn });
  for (const VersionId of ['v3', 'v4', 'v5']) await ok('DeletePolicyVersion', { PolicyArn, VersionId });
  await ok('DeletePolicy', { PolicyArn });
  await fails('NoSuchEntityException', 'DeletePolicy', { PolicyArn });
}

async function roles(recorder: Recorder): Promise<void> {
  const { ok, fails } = callsOf(recorder);
  const trust = (Principal: object) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }] });
  const AssumeRolePolicyDocument = trust({ AWS: `arn:aws:iam::${recorder.accountId}:root` });
  const PolicyArn = 'arn:aws:iam::aws:policy/AmazonChimeSDK';
  await ok('CreateRole', {
    RoleName: 'Host',
    Path: '/team/',
    AssumeRolePolicyDocument,
    Description: 'd',
    MaxSessionDuration: 7200,
    Tags: [{ Key: 'team', Value: 'blue' }],
  });
  await fails('EntityAlreadyExistsException', 'CreateRole', { RoleName: 'HOST', AssumeRolePolicyDocument });
  await fails('MalformedPolicyDocumentException', 'CreateRole', { RoleName: 'Bad', AssumeRolePolicyDocument: ALLOW });
  await ok('GetRole', { RoleName: 'Host' });
  await fails('NoSuchEntityException', 'GetRole', { RoleName: 'none' });
  await ok('ListRoles', { PathPrefix: '/team/' });
  await ok('UpdateRole', { RoleName: 'Host', Description: 'e', MaxSessionDuration: 3600 });
  await fails('NoSuchEntityException', 'UpdateRole', { RoleName: 'none' });
  await ok('UpdateRoleDescription', { RoleName: 'Host', Description: 'f' });
  await fails('NoSuchEntityException', 'UpdateRoleDescription', { RoleName: 'none', Description: 'f' });
  await ok('UpdateAssumeRolePolicy', { RoleName: 'Host', PolicyDocument: AssumeRolePolicyDocument });
  await fails('NoSuchEntityException', 'UpdateAssumeRolePolicy', { RoleName: 'none', PolicyDocument: AssumeRolePolicyDocument });
  await fails('MalformedPolicyDocumentException', 'UpdateAssumeRolePolicy', { RoleName: 'Host', PolicyDocument: trust({ AWS: 'nobody' }) });
  await ok('PutRolePolicy', { RoleName: 'Host', PolicyName: 'inline', PolicyDocument: ALLOW });
  await fails('NoSuchEntityException', 'PutRolePolicy', { RoleName: 'none', PolicyName: 'inline', PolicyDocument: ALLOW });
  await fails('MalformedPolicyDocumentException', 'PutRolePolicy', { RoleName: 'Host', PolicyName: 'bad', PolicyDocument: 'x' });
  await ok('GetRolePolicy', { RoleName: 'Host', PolicyName: 'inline' });
  await fails('NoSuchEntityException', 'GetRolePolicy', { RoleName: 'Host', PolicyName: 'none' });
  await ok('ListRolePolicies', { RoleName: 'Host' });
  await ok('AttachRolePolicy', { RoleName: 'Host', PolicyArn });
  await fails('NoSuchEntityException', 'AttachRolePolicy', { RoleName: 'none', PolicyArn });
  await ok('ListAttachedRolePolicies', { RoleName: 'Host' });
  await ok('PutRolePermissionsBoundary', { RoleName: 'Host', PermissionsBoundary: PolicyArn });
  await ok('DeleteRolePermissionsBoundary', { RoleName: 'Host' });
  await fails('NoSuchEntityException', 'DeleteRolePermissionsBoundary', { RoleName: 'Host' });
  await ok('TagRole', { RoleName: 'Host', Tags: [{ Key: 'phase', Value: 'two' }] });
  await ok('ListRoleTags', { RoleName: 'Host' });
  await ok('UntagRole', { RoleName: 'Host', TagKeys: ['phase'] });
  for (const operation of ['TagRole', 'ListRoleTags', 'UntagRole'])
    await fails('NoSuchEntityException', operation, { RoleName: 'none', Tags: [{ Key: 'a', Value: 'b' }], TagKeys: ['a'] });
  await ok('ListInstanceProfilesForRole', { RoleName: 'Host' });
  await fails('DeleteConflictException', 'DeleteRole', { RoleName: 'Host' });
  await ok('DetachRolePolicy', { RoleName: 'Host', PolicyArn });
  await fails('NoSuchEntityException', 'DetachRolePolicy', { RoleName: 'Host', PolicyArn });
  await ok('DeleteRolePolicy', { RoleName: 'Host', PolicyName: 'inline' });
  await fails('NoSuchEntityException', 'DeleteRolePolicy', { RoleName: 'Host', PolicyName: 'inline' });
  await ok('DeleteRole', { RoleName: 'Host' });
  await fails('NoSuchEntityException', 'DeleteRole', { RoleName: 'Host' });

  const { Role } = await ok('CreateServiceLinkedRole', { AWSServiceName: 'voiceconnector.chime.amazonaws.com', Description: 'd' });
  await fails('InvalidInputException', 'CreateServiceLinkedRole', { AWSServiceName: 'voiceconnector.chime.amazonaws.com' });
  await fails('InvalidInputException', 'CreateServiceLinkedRole', { AWSServiceName: 'none.amazonaws.com' });
  await fails('UnmodifiableEntityException', 'PutRolePolicy', { RoleName: Role.RoleName, PolicyName: 'inline', PolicyDocument: ALLOW });
  await fails('UnmodifiableEntityException', 'DeleteRole', { RoleName: Role.RoleName });
  const { DeletionTaskId } = await ok('DeleteServiceLinkedRole', { RoleName: Role.RoleName });
  await ok('GetServiceLinkedRoleDeletionStatus', { DeletionTaskId });
  await fails('NoSuchEntityException', 'DeleteServiceLinkedRole', { RoleName: 'none' });
  await fails('NoSuchEntityException', 'GetServiceLinkedRoleDeletionStatus', { DeletionTaskId: 'task/aws-service-role/none' });
}

async function providers(recorder: Recorder): Promise<void> {
  const { ok, fails } = callsOf(recorder);
  const provider = {
    Url: 'https://issuer.example.com',
    ClientIDList: ['app'],
    ThumbprintList: ['a'.repeat(40)],
    Tags: [{ Key: 'team', Value: 'blue' }],
  };
  const { OpenIDConnectProviderArn } = await ok('CreateOpenIDConnectProvider', provider);
  const it = { OpenIDConnectProviderArn };
  const none = { OpenIDConnectProviderArn: `arn:aws:iam::${recorder.accountId}:oidc-provider/none.example.com` };
  await fails('EntityAlreadyExistsException', 'CreateOpenIDConnectProvider', provider);
  await fails('ValidationError', 'CreateOpenIDConnectProvider', { ...provider, Url: 'http://plain.example.com' });
  await ok('GetOpenIDConnectProvider', it);
  await ok('ListOpenIDConnectProviders');
  await ok('AddClientIDToOpenIDConnectProvider', { ...it, ClientID: 'second' });
  await ok('RemoveClientIDFromOpenIDConnectProvider', { ...it, ClientID: 'second' });
  await ok('UpdateOpenIDConnectProviderThumbprint', { ...it, ThumbprintList: ['b'.repeat(40)] });
  await ok('TagOpenIDConnectProvider', { ...it, Tags: [{ Key: 'phase', Value: 'two' }] });
  await ok('ListOpenIDConnectProviderTags', it);
  await ok('UntagOpenIDConnectProvider', { ...it, TagKeys: ['phase'] });
  for (const [operation, more] of [
    ['GetOpenIDConnectProvider', {}],
    ['AddClientIDToOpenIDConnectProvider', { ClientID: 'x' }],
    ['RemoveClientIDFromOpenIDConnectProvider', { ClientID: 'x' }],
    ['UpdateOpenIDConnectProviderThumbprint', { ThumbprintList: ['b'.repeat(40)] }],
    ['TagOpenIDConnectProvider', { Tags: [{ Key: 'a', Value: 'b' }] }],
    ['ListOpenIDConnectProviderTags', {}],
    ['UntagOpenIDConnectProvider', { TagKeys: ['a'] }],
  ] as const)
    await fails('NoSuchEntityException', operation, { ...none, ...more });
  await ok('DeleteOpenIDConnectProvider', it);

  const certificate =
    'MIIBszCCAVmgAwIBAgIUJ6m1Fh2v0m6Qm2q7l2m0n8b3b9EwCgYIKoZIzj0EAwIwGTEXMBUGA1UEAwwOaWRwLmV4YW1wbGUuY29tMB4XDTI2MDEwMTAwMDAwMFoXDTM2MDEwMTAwMDAwMFowGTEXMBUGA1UEAwwOaWRwLmV4YW1wbGUuY29t';
  const SAMLMetadataDocument = `<?xml version="1.0"?><EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/saml"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso"/></IDPSSODescriptor></EntityDescriptor>${' '.repeat(400)}`;
  await recorder.call('iam', 'CreateSAMLProvider', { Name: 'idp', SAMLMetadataDocument, Tags: [{ Key: 'team', Value: 'blue' }] });
  const saml = { SAMLProviderArn: `arn:aws:iam::${recorder.accountId}:saml-provider/idp` };
  const noSaml = { SAMLProviderArn: `arn:aws:iam::${recorder.accountId}:saml-provider/none` };
  await fails('InvalidInputException', 'CreateSAMLProvider', { Name: 'bad', SAMLMetadataDocument: `<a/>${' '.repeat(1000)}` });
  await ok('ListSAMLProviders');
  for (const target of [saml, noSaml]) {
    await recorder.call('iam', 'GetSAMLProvider', target);
    await recorder.call('iam', 'UpdateSAMLProvider', { ...target, SAMLMetadataDocument });
    await recorder.call('iam', 'TagSAMLProvider', { ...target, Tags: [{ Key: 'phase', Value: 'two' }] });
    await recorder.call('iam', 'ListSAMLProviderTags', target);
    await recorder.call('iam', 'UntagSAMLProvider', { ...target, TagKeys: ['phase'] });
    await recorder.call('iam', 'DeleteSAMLProvider', target);
  }
}

async function mfaDevices(recorder: Recorder): Promise<void> {
  const { ok, fails } = callsOf(recorder);
  const { VirtualMFADevice } = await ok('CreateVirtualMFADevice', {
    VirtualMFADeviceName: 'phone',
    Tags: [{ Key: 'team', Value: 'blue' }],
  });
  const { SerialNumber } = VirtualMFADevice;
  await fails('EntityAlreadyExistsException', 'CreateVirtualMFADevice', { VirtualMFADeviceName: 'phone' });
  const seed = fromBase32(Buffer.from(VirtualMFADevice.Base32StringSeed).toString());
  const codes = (ahead: number) => {
    const step = stepAt(Date.now() as never) + ahead;
    return { AuthenticationCode1: codeAt(seed, step), AuthenticationCode2: codeAt(seed, step + 1) };
  };
  await fails('InvalidAuthenticationCodeException', 'EnableMFADevice', {
    UserName: 'bob',
    SerialNumber,
    AuthenticationCode1: '000000',
    AuthenticationCode2: '000000',
  });
  await ok('EnableMFADevice', { UserName: 'bob', SerialNumber, ...codes(-1) });
  await fails('EntityAlreadyExistsException', 'EnableMFADevice', { UserName: 'bob', SerialNumber, ...codes(1) });
  await ok('ListMFADevices', { UserName: 'bob' });
  await ok('GetMFADevice', { SerialNumber, UserName: 'bob' });
  await ok('ListVirtualMFADevices', { AssignmentStatus: 'Assigned' });
  await ok('ResyncMFADevice', { UserName: 'bob', SerialNumber, ...codes(3) });
  await ok('TagMFADevice', { SerialNumber, Tags: [{ Key: 'phase', Value: 'two' }] });
  await ok('ListMFADeviceTags', { SerialNumber });
  await ok('UntagMFADevice', { SerialNumber, TagKeys: ['phase'] });
  await fails('DeleteConflictException', 'DeleteVirtualMFADevice', { SerialNumber });
  await ok('DeactivateMFADevice', { UserName: 'bob', SerialNumber });
  await ok('DeleteVirtualMFADevice', { SerialNumber });
  for (const [operation, more] of [
    ['EnableMFADevice', { UserName: 'bob', ...codes(0) }],
    ['ResyncMFADevice', { UserName: 'bob', ...codes(0) }],
    ['DeactivateMFADevice', { UserName: 'bob' }],
    ['GetMFADevice', { UserName: 'bob' }],
    ['DeleteVirtualMFADevice', {}],
    ['TagMFADevice', { Tags: [{ Key: 'a', Value: 'b' }] }],
    ['ListMFADeviceTags', {}],
    ['UntagMFADevice', { TagKeys: ['a'] }],
  ] as const)
    await recorder.call('iam', operation, { SerialNumber, ...more });
}

async function reports(recorder: Recorder): Promise<void> {
  const { ok, fails } = callsOf(recorder);
  const bob = `arn:aws:iam::${recorder.accountId}:user/bob`;
  await ok('GetAccountSummary');
  await ok('GetAccountAuthorizationDetails', { Filter: ['User', 'Group', 'Role'] });
  await ok('GenerateCredentialReport');
  await ok('GetCredentialReport');
  await ok('GetContextKeysForCustomPolicy', {
    PolicyInputList: [ALLOW.replace('"Resource":"*"', '"Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"blue"}}')],
  });
  await fails('InvalidInputException', 'GetContextKeysForCustomPolicy', { PolicyInputList: ['{}'] });
  await ok('GetContextKeysForPrincipalPolicy', { PolicySourceArn: bob });
  await fails('NoSuchEntityException', 'GetContextKeysForPrincipalPolicy', { PolicySourceArn: `${bob}by` });
  await ok('SimulateCustomPolicy', {
    PolicyInputList: [ALLOW],
    ActionNames: ['chime:GetMeeting', 'chime:CreateMeeting'],
    ResourceArns: ['*'],
  });
  await fails('InvalidInputException', 'SimulateCustomPolicy', { PolicyInputList: ['{}'], ActionNames: ['chime:GetMeeting'] });
  await ok('SimulatePrincipalPolicy', { PolicySourceArn: bob, ActionNames: ['iam:ChangePassword', 'iam:ListUsers'] });
  await recorder.call('iam', 'SimulatePrincipalPolicy', { PolicySourceArn: `${bob}by`, ActionNames: ['iam:ListUsers'] });
  await ok('ListPoliciesGrantingServiceAccess', { Arn: bob, ServiceNamespaces: ['iam', 'chime'] });
  const { JobId } = await ok('GenerateServiceLastAccessedDetails', { Arn: bob });
  await ok('GetServiceLastAccessedDetails', { JobId });
  await ok('GetServiceLastAccessedDetailsWithEntities', { JobId, ServiceNamespace: 'iam' });
  await fails('NoSuchEntityException', 'GetServiceLastAccessedDetails', { JobId: '00000000-0000-4000-8000-000000000000' });
  await fails('NoSuchEntityException', 'GenerateServiceLastAccessedDetails', { Arn: `${bob}by` });
  await ok('DeleteUserPolicy', { UserName: 'ada.l', PolicyName: 'inline' });
  await fails('NoSuchEntityException', 'DeleteUserPolicy', { UserName: 'ada.l', PolicyName: 'inline' });
  await recorder.call('iam', 'DetachUserPolicy', { UserName: 'ada.l', PolicyArn: 'arn:aws:iam::aws:policy/AmazonChimeReadOnly' });
  const { AccessKeyMetadata } = await ok('ListAccessKeys', { UserName: 'ada.l' });
  for (const { AccessKeyId } of AccessKeyMetadata) await ok('DeleteAccessKey', { UserName: 'ada.l', AccessKeyId });
  await ok('DeleteUser', { UserName: 'ada.l' });
  await fails('NoSuchEntityException', 'DeleteUser', { UserName: 'ada.l' });
}
