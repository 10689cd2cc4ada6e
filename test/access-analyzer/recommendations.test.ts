/** Recommendations for findings of unused permissions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as aa from '@aws-sdk/client-accessanalyzer';
import * as iam from '@aws-sdk/client-iam';
import { outcomeOf } from '../kit/outcome.ts';
import { allow, deny, policy } from '../kit/policy.ts';
import {
  admin,
  analyzerArn,
  analyzers,
  core,
  MONTH,
  newKey,
  newRole,
  newUser,
  ofRole,
  ofUser,
  scanned,
  scannedPermissions,
  useChime,
} from './unused-account.ts';

/** IAM returns times without milliseconds. */
function secondsOf(date: Date | undefined): number | undefined {
  return date && Math.floor(date.getTime() / 1000);
}

/** Generates a recommendation for the permissions of a user or role, and returns all its pages. */
async function recommended(resource: string, pageSize = 100): Promise<aa.GetFindingRecommendationResponse> {
  await analyzers().send(new aa.StartResourceScanCommand({ analyzerArn, resourceArn: resource }));
  const filter = { resource: { eq: [resource] }, findingType: { eq: ['UnusedPermission'] } };
  const { findings: [finding] = [] } = await analyzers().send(new aa.ListFindingsV2Command({ analyzerArn, filter }));
  const input = { analyzerArn, id: finding?.id };
  await analyzers().send(new aa.GenerateFindingRecommendationCommand(input));
  const steps: aa.RecommendedStep[] = [];
  for (let nextToken: string | undefined; ; ) {
    const page = await analyzers().send(new aa.GetFindingRecommendationCommand({ ...input, maxResults: pageSize, nextToken }));
    assert.ok((page.recommendedSteps ?? []).length <= pageSize);
    steps.push(...(page.recommendedSteps ?? []));
    nextToken = page.nextToken;
    if (nextToken === undefined) return { ...page, recommendedSteps: steps };
  }
}

test('GenerateFindingRecommendation: the steps remove the unused permissions, and used calls still work', async () => {
  const used = { PolicyName: 'mixed', PolicyDocument: policy({ Sid: 'a', ...allow(['chime:*', 'ec2:*']) }, deny('chime:DeleteMeeting')) };
  const { Policy } = await admin().send(new iam.CreatePolicyCommand(used));
  await newUser('busy', policy(allow('ec2:Run*')));
  await admin().send(new iam.AttachUserPolicyCommand({ UserName: 'busy', PolicyArn: Policy?.Arn }));
  await admin().send(
    new iam.PutUserPolicyCommand({ UserName: 'busy', PolicyName: 'used', PolicyDocument: policy(allow('chime:GetMeeting')) }),
  );
  const keys = await newKey('busy');
  core.advance(MONTH);
  const before = await useChime(keys);
  const { recommendedSteps = [], ...rest } = await recommended(ofUser('busy'), 1);
  assert.deepEqual(
    [rest.status, rest.recommendationType, rest.resourceArn],
    ['SUCCEEDED', 'UnusedPermissionRecommendation', ofUser('busy')],
  );
  const document = policy({ Sid: 'a', ...allow(['chime:GetMeeting']) }, deny('chime:DeleteMeeting'));
  const steps = recommendedSteps.map(({ unusedPermissionsRecommendedStep: step }) => [
    ...[step?.recommendedAction, step?.existingPolicyId, secondsOf(step?.policyUpdatedAt), step?.recommendedPolicy],
  ]);
  const updatedAt = secondsOf(Policy?.UpdateDate);
  assert.deepEqual(
    steps.map(([action, id, at, text]) => [action, id, at, text === undefined ? undefined : JSON.parse(String(text))]),
    [
      ['DETACH_POLICY', 'own', undefined, undefined],
      ['CREATE_POLICY', Policy?.Arn, updatedAt, JSON.parse(document)],
      ['DETACH_POLICY', Policy?.Arn, updatedAt, undefined],
    ],
  );

  for (const [action, id, , PolicyDocument] of steps) {
    const UserName = 'busy';
    if (action === 'CREATE_POLICY') {
      const created = await admin().send(
        new iam.CreatePolicyCommand({ PolicyName: 'recommended', PolicyDocument: String(PolicyDocument) }),
      );
      await admin().send(new iam.AttachUserPolicyCommand({ UserName, PolicyArn: created.Policy?.Arn }));
    } else if (String(id).startsWith('arn:')) await admin().send(new iam.DetachUserPolicyCommand({ UserName, PolicyArn: String(id) }));
    else await admin().send(new iam.DeleteUserPolicyCommand({ UserName, PolicyName: String(id) }));
  }
  assert.equal(await useChime(keys), before);
  assert.deepEqual(
    (await scannedPermissions(ofUser('busy'))).map(([type, status]) => [type, status]),
    [['UnusedPermission', 'RESOLVED']],
  );
});

test('GenerateFindingRecommendation: iam:PassRole stays, because its use is not known', async () => {
  await newUser('passing', policy(allow(['chime:GetMeeting', 'iam:PassRole', 'iam:GetUser'])));
  const keys = await newKey('passing');
  core.advance(MONTH);
  await useChime(keys);
  const { recommendedSteps: [create] = [] } = await recommended(ofUser('passing'));
  const { recommendedPolicy = '' } = create?.unusedPermissionsRecommendedStep ?? {};
  assert.deepEqual(JSON.parse(recommendedPolicy), JSON.parse(policy(allow(['chime:GetMeeting', 'iam:PassRole']))));
});

async function toGroup(UserName: string): Promise<void> {
  await admin().send(new iam.CreateGroupCommand({ GroupName: 'readers' }));
  await admin().send(new iam.AddUserToGroupCommand({ GroupName: 'readers', UserName }));
}

// biome-ignore format: a table
const FAILED: readonly (readonly [title: string, name: string, document: string, prepare: (name: string) => Promise<unknown>, code: string])[] = [
  ['a user in a group',        'member', policy(allow(['chime:GetMeeting', 'ec2:*'])),   toGroup,        'USER_IN_GROUP'],
  ['a policy with NotAction',  'except', policy({ Effect: 'Allow', NotAction: 's3:*', Resource: '*' }), async () => {}, 'NOT_ACTION'],
];

for (const [title, name, document, prepare, code] of FAILED) {
  test(`GenerateFindingRecommendation: ${title} has the error ${code}`, async () => {
    await newUser(name, document);
    await prepare(name);
    const keys = await newKey(name);
    core.advance(MONTH);
    await useChime(keys);
    const { status, error, recommendedSteps } = await recommended(ofUser(name));
    assert.deepEqual([status, error?.code, recommendedSteps], ['FAILED', code, []]);
  });
}

test('GenerateFindingRecommendation: unknown findings and findings of other types are ValidationException', async () => {
  await newRole('other');
  core.advance(MONTH);
  await scanned(ofRole('other'));
  const filter = { findingType: { eq: ['UnusedIAMRole'] } };
  const { findings: [finding] = [] } = await analyzers().send(new aa.ListFindingsV2Command({ analyzerArn, filter }));
  for (const id of ['missing', finding?.id ?? '']) {
    assert.equal(await outcomeOf(analyzers().send(new aa.GenerateFindingRecommendationCommand({ analyzerArn, id }))), 'Validation');
    assert.equal(await outcomeOf(analyzers().send(new aa.GetFindingRecommendationCommand({ analyzerArn, id }))), 'ResourceNotFound');
  }
});

test('GenerateFindingRecommendation: the policy in place of an inline policy without a version can be created', async () => {
  await newUser('without-version', JSON.stringify({ Statement: [allow(['chime:*', 'ec2:*'])] }));
  const keys = await newKey('without-version');
  core.advance(MONTH);
  await useChime(keys);
  const { recommendedSteps = [] } = await recommended(ofUser('without-version'));
  const [create] = recommendedSteps.map(({ unusedPermissionsRecommendedStep: step }) => step);
  assert.deepEqual([create?.recommendedAction, create?.existingPolicyId], ['CREATE_POLICY', 'own']);
  assert.deepEqual(JSON.parse(create?.recommendedPolicy ?? ''), JSON.parse(policy(allow(['chime:GetMeeting']))));
  await admin().send(new iam.CreatePolicyCommand({ PolicyName: 'with-version', PolicyDocument: create?.recommendedPolicy }));
});
