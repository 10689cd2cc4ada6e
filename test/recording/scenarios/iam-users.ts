import { keysOf } from '../../kit/keys.ts';
import { allow, managed, policy } from '../../kit/policy.ts';
import type { Recorder } from '../recorder.ts';

const ALLOW = policy(allow('chime:GetMeeting'));
const boundary = managed('AmazonChimeReadOnly');

/** Records calls on users with policies, keys and passwords, and on groups. The users `ada.l` and `bob` exist afterwards. */
export async function users(recorder: Recorder): Promise<void> {
  await newUsers(recorder);
  await userPolicies(recorder);
  await accessKeys(recorder);
  await passwords(recorder);
  await accountLists(recorder);
  await groups(recorder);
}

async function newUsers(recorder: Recorder): Promise<void> {
  const { ok, fails } = recorder.of('iam');
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
}

async function userPolicies(recorder: Recorder): Promise<void> {
  const { ok, fails } = recorder.of('iam');
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
}

async function accessKeys(recorder: Recorder): Promise<void> {
  const { ok, fails } = recorder.of('iam');
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
}

async function passwords(recorder: Recorder): Promise<void> {
  const { ok, call, fails } = recorder.of('iam');
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
  const keys = keysOf((await ok('CreateAccessKey', { UserName: 'bob' })).AccessKey);
  await ok('PutUserPolicy', { UserName: 'bob', PolicyName: 'own', PolicyDocument: policy(allow('iam:ChangePassword')) });
  await ok('ChangePassword', { OldPassword: 'Other-Horse-8', NewPassword: 'Third-Horse-9' }, keys);
  await call('ChangePassword', { OldPassword: 'wrong-horse', NewPassword: 'Fourth-Horse-9' }, keys);
  await ok('DeleteLoginProfile', { UserName: 'bob' });
  await fails('NoSuchEntityException', 'DeleteLoginProfile', { UserName: 'bob' });
  await fails('NoSuchEntityException', 'UpdateLoginProfile', { UserName: 'bob', Password: 'Other-Horse-8' });
}

async function accountLists(recorder: Recorder): Promise<void> {
  const { ok, fails } = recorder.of('iam');
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
  const { ok, fails } = recorder.of('iam');
  const PolicyArn = managed('AmazonChimeSDK');
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

/** Records the deletion of the keys, policies and other parts of the user `ada.l`, and then of the user. */
export async function deleteAda(recorder: Recorder): Promise<void> {
  const { ok, call, fails } = recorder.of('iam');
  await ok('DeleteUserPolicy', { UserName: 'ada.l', PolicyName: 'inline' });
  await fails('NoSuchEntityException', 'DeleteUserPolicy', { UserName: 'ada.l', PolicyName: 'inline' });
  await call('DetachUserPolicy', { UserName: 'ada.l', PolicyArn: boundary });
  const { AccessKeyMetadata } = await ok('ListAccessKeys', { UserName: 'ada.l' });
  for (const { AccessKeyId } of AccessKeyMetadata) await ok('DeleteAccessKey', { UserName: 'ada.l', AccessKeyId });
  await ok('DeleteUser', { UserName: 'ada.l' });
  await fails('NoSuchEntityException', 'DeleteUser', { UserName: 'ada.l' });
}
