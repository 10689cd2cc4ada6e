/** Recommendations of an organization analyzer for users of a member account that leaves the organization. All calls use unmodified clients. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as aa from '@aws-sdk/client-accessanalyzer';
import * as iam from '@aws-sdk/client-iam';
import { RemoveAccountFromOrganizationCommand } from '@aws-sdk/client-organizations';
import { keysOf } from '../kit/keys.ts';
import { allow, policy } from '../kit/policy.ts';
import { createOrganization } from './organization.ts';
import { analyzers, core, MONTH, useChime } from './unused-account.ts';

const { member, organizations } = await createOrganization(core.client);
const { arn: analyzerArn } = await analyzers().send(
  new aa.CreateAnalyzerCommand({ analyzerName: 'unused-of-all', type: 'ORGANIZATION_UNUSED_ACCESS' }),
);

test('GenerateFindingRecommendation: an account that left the organization does not show its policies', async () => {
  const { id: accountId, keys } = await member('green');
  const inAccount = new iam.IAMClient(core.client(keys));
  const UserName = 'busy';
  await inAccount.send(new iam.CreateUserCommand({ UserName }));
  const PolicyDocument = policy(allow(['chime:GetMeeting', 'ec2:*']));
  await inAccount.send(new iam.PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument }));
  const userKeys = keysOf((await inAccount.send(new iam.CreateAccessKeyCommand({ UserName }))).AccessKey);
  core.advance(4 * MONTH);
  await useChime(userKeys);
  const resourceArn = `arn:aws:iam::${accountId}:user/${UserName}`;
  await analyzers().send(new aa.StartResourceScanCommand({ analyzerArn, resourceArn }));
  const filter = { resource: { eq: [resourceArn] }, findingType: { eq: ['UnusedPermission'] } };
  const { findings: [finding] = [] } = await analyzers().send(new aa.ListFindingsV2Command({ analyzerArn, filter }));
  const ofFinding = { analyzerArn, id: finding?.id };
  const recommended = async () => {
    await analyzers().send(new aa.GenerateFindingRecommendationCommand(ofFinding));
    const { status, error, recommendedSteps } = await analyzers().send(new aa.GetFindingRecommendationCommand(ofFinding));
    return [status, error?.code, recommendedSteps?.length];
  };
  assert.deepEqual(await recommended(), ['SUCCEEDED', undefined, 2]);

  await core.store.transaction(async (tx) => {
    const account = await tx.identity.get(accountId as never, 'account', accountId);
    await tx.identity.put(accountId as never, 'account', accountId, { ...account, standalone: true } as never);
  });
  await organizations().send(new RemoveAccountFromOrganizationCommand({ AccountId: accountId }));
  assert.deepEqual(await recommended(), ['FAILED', 'RESOURCE_NOT_FOUND', 0]);
});
