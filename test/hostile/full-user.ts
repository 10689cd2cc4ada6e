/** A user with the most policies that IAM allows, each with a document of its own, so that no compiled policy is shared. */
import {
  AddUserToGroupCommand,
  AttachGroupPolicyCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  type IAMClient,
} from '@aws-sdk/client-iam';
import { QUOTAS } from '#services/iam/quotas.ts';
import { type Keys, keysOf } from '../kit/keys.ts';
import { filled } from './worst-analysis-requests.ts';

/** Returns a policy of the largest size. All its statements match the action `iam:GetUser`, and none allows it. */
function documentOf(index: number): string {
  const statement = (i: number) =>
    `{"Effect":"Allow","Action":"iam:Get*","Resource":"arn:aws:iam::*:user/p${index}-${i}-*","Condition":{"StringLike":{"aws:UserAgent":"*a?${index}-${i}*"}}}`;
  return filled(QUOTAS.PolicySize, '{"Version":"2012-10-17","Statement":[', ']}', statement);
}

/** Number of policies that `createFullUser` attaches. */
export const FULL_USER_POLICIES = QUOTAS.PoliciesPerUser + QUOTAS.GroupsPerUser * QUOTAS.PoliciesPerGroup;

/** Creates the user, whose policies allow nothing. Returns its access key. */
export async function createFullUser(iam: IAMClient, UserName: string): Promise<Keys> {
  let created = 0;
  const newPolicy = async (): Promise<string> => {
    const PolicyDocument = documentOf(created);
    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: `${UserName}-${created++}`, PolicyDocument }));
    return Policy?.Arn as string;
  };
  await iam.send(new CreateUserCommand({ UserName }));
  for (let i = 0; i < QUOTAS.PoliciesPerUser; i++) await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn: await newPolicy() }));
  for (let group = 0; group < QUOTAS.GroupsPerUser; group++) {
    const GroupName = `${UserName}-${group}`;
    await iam.send(new CreateGroupCommand({ GroupName }));
    for (let i = 0; i < QUOTAS.PoliciesPerGroup; i++)
      await iam.send(new AttachGroupPolicyCommand({ GroupName, PolicyArn: await newPolicy() }));
    await iam.send(new AddUserToGroupCommand({ GroupName, UserName }));
  }
  return keysOf((await iam.send(new CreateAccessKeyCommand({ UserName }))).AccessKey);
}
