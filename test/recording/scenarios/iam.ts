import { allow, managed, policy, trust } from '../../kit/policy.ts';
import type { Recorder } from '../recorder.ts';
import { providersAndDevices } from './iam-providers.ts';
import { deleteAda, users } from './iam-users.ts';

const ALLOW = policy(allow('chime:GetMeeting'));
const ALLOW_MORE = policy(allow('chime:*'));

/** Records calls of IAM: first the success of each operation, then the errors of each operation. */
export async function iam(recorder: Recorder): Promise<undefined> {
  await users(recorder);
  await policies(recorder);
  await roles(recorder);
  await serviceLinkedRoles(recorder);
  await providersAndDevices(recorder);
  await reports(recorder);
  await deleteAda(recorder);
  return undefined;
}

async function policies(recorder: Recorder): Promise<void> {
  const { ok, fails } = recorder.of('iam');
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
  const { ok, fails } = recorder.of('iam');
  const AssumeRolePolicyDocument = policy(trust(`arn:aws:iam::${recorder.accountId}:root`));
  const PolicyArn = managed('AmazonChimeSDK');
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
  await fails('MalformedPolicyDocumentException', 'UpdateAssumeRolePolicy', { RoleName: 'Host', PolicyDocument: policy(trust('nobody')) });
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
}

async function serviceLinkedRoles(recorder: Recorder): Promise<void> {
  const { ok, fails } = recorder.of('iam');
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

async function reports(recorder: Recorder): Promise<void> {
  const { ok, call, fails } = recorder.of('iam');
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
  await call('SimulatePrincipalPolicy', { PolicySourceArn: `${bob}by`, ActionNames: ['iam:ListUsers'] });
  await ok('ListPoliciesGrantingServiceAccess', { Arn: bob, ServiceNamespaces: ['iam', 'chime'] });
  const { JobId } = await ok('GenerateServiceLastAccessedDetails', { Arn: bob });
  await ok('GetServiceLastAccessedDetails', { JobId });
  await ok('GetServiceLastAccessedDetailsWithEntities', { JobId, ServiceNamespace: 'iam' });
  await fails('NoSuchEntityException', 'GetServiceLastAccessedDetails', { JobId: '00000000-0000-4000-8000-000000000000' });
  await fails('NoSuchEntityException', 'GenerateServiceLastAccessedDetails', { Arn: `${bob}by` });
}
