/** ExplainDecision about requests between two accounts: neither account sees the policies, principals or roles of the other one. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CreateBucketCommand, GetBucketLocationCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { callOwn } from '../../src/cli/own-call.ts';
import { otherAccount, startAccount } from '../kit/account.ts';
import type { Keys } from '../kit/keys.ts';
import { errorOf } from '../kit/outcome.ts';
import { allow, policy, trust } from '../kit/policy.ts';

type Output = AccessanalyzerApi['ExplainDecision']['output'];

const account = await startAccount();
const { server } = account;
after(() => server.stop());
const other = await otherAccount(server, 'other');
const operation = loadModel('accessanalyzer').operations['ExplainDecision'] as OperationModel;

async function explained(as: Keys, requestId: string | undefined): Promise<Output> {
  const caller = { endpoint: server.endpoint, region: 'us-east-1', credentials: as };
  const { status, body } = await callOwn(caller, 'accessanalyzer', operation, { requestId });
  assert.equal(status, 200, JSON.stringify(body));
  return body as unknown as Output;
}

const BUCKET = 'bucket-of-other';
const adaArn = account.userArn('ada');
/** Statements whose Sids are in no explanation for the caller's account. */
const secret = { Effect: 'Deny', Sid: 'SecretOfOther', Principal: { AWS: adaArn } };
const tagged = { Condition: { StringEquals: { 'aws:PrincipalTag/Team': 'blue' } }, Sid: 'Tagged' };
const s3 = (as: Keys) => new S3Client({ ...server.client(as), forcePathStyle: true });
let ada: Keys;

before(async () => {
  ada = await account.user({ UserName: 'ada', Tags: [{ Key: 'Team', Value: 'red' }] }, allow(['sts:AssumeRole', 's3:*']));
  await other.role('denying', [trust(account.rootArn), { ...secret, Action: 'sts:AssumeRole' }]);
  await other.role('silent', trust(other.rootArn));
  await other.role('trusting', [trust(adaArn), trust(adaArn, 'sts:AssumeRole', tagged)]);
  await s3(other.keys).send(new CreateBucketCommand({ Bucket: BUCKET }));
  const statement = { ...secret, Action: 's3:*', Resource: `arn:aws:s3:::${BUCKET}` };
  await s3(other.keys).send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy: policy(statement) }));
});

/** Explains a denied AssumeRole of a role of the other account. The name of the role is replaced, so that explanations can be compared. */
async function explainedRole(name: string): Promise<object> {
  const failed = await errorOf(account.assume(ada, other.roleArn(name)));
  const { permissions, summary, change } = await explained(account.keys, failed.$metadata?.requestId);
  const text = JSON.stringify({ permissions, summary, change }).replaceAll(`role/${name}`, 'role/NAME');
  return JSON.parse(text.replaceAll(/[0-9]{4}-[0-9-]+T[0-9:.]+Z|(?<=")[0-9]{10}(?=")/g, 'TIME')) as object;
}

test("ExplainDecision: another account's role that denies, that does not trust or that does not exist has one explanation", async () => {
  const absent = await explainedRole('absent');
  for (const text of ['A policy of its owner must also allow the request.', '"policyType":"TRUST"'])
    assert.ok(JSON.stringify(absent).includes(text), JSON.stringify(absent));
  assert.deepEqual(await explainedRole('silent'), absent);
  assert.deepEqual(await explainedRole('denying'), absent);
});

test('ExplainDecision: an absent role of the own account has no grant', async () => {
  const failed = await errorOf(account.assume(ada, account.roleArn('absent')));
  const { change } = await explained(account.keys, failed.$metadata?.requestId);
  assert.deepEqual([change?.grants, change?.allowsRequest, change?.blockedReason?.includes('does not exist')], [[], false, true]);
});

test("ExplainDecision: the statement of another account's bucket policy is hidden from the caller", async () => {
  const failed = await errorOf(s3(ada).send(new GetBucketLocationCommand({ Bucket: BUCKET })));
  assert.equal(failed.name, 'AccessDenied');
  const output = await explained(account.keys, failed.$metadata?.requestId);
  assert.equal(output.decision, 'DENIED');
  assert.ok(!JSON.stringify(output).includes('SecretOfOther'), JSON.stringify(output));
  assert.match(output.summary, /because the policies of the resource's account do not allow it\.$/);
  const { policyType, target } = output.change?.grants[0] ?? {};
  assert.deepEqual([output.change?.allowsRequest, policyType, target], [false, 'RESOURCE', `arn:aws:s3:::${BUCKET}`]);
});

test("ExplainDecision: the owner of a role sees its trust policy, but not the caller's ARN, tags and policies", async () => {
  const { $metadata } = await account.sts(ada).send(new AssumeRoleCommand({ RoleArn: other.roleArn('trusting'), RoleSessionName: 'me' }));
  const output = await explained(other.keys, $metadata.requestId);
  assert.equal(output.decision, 'ALLOWED');
  const [resource] = output.permissions?.[0]?.resources ?? [];
  assert.deepEqual(
    resource?.layers?.map(({ policyType, policies }) => [policyType, policies[0]?.statements.map(({ applies }) => applies)]),
    [['TRUST', [true, false]]],
  );
  const { documents = [], ...others } = output;
  // The owner wrote the ARN into the trust policy.
  assert.deepEqual(
    documents.map(({ policyId }) => policyId),
    [other.roleArn('trusting')],
  );
  const text = JSON.stringify(others);
  for (const hidden of [adaArn, 'user/ada', '"red"']) assert.ok(!text.includes(hidden), `${hidden}\n${text}`);
});
