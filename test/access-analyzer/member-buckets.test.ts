import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as aa from '@aws-sdk/client-accessanalyzer';
import * as s3 from '@aws-sdk/client-s3';
import { startAccount } from '../kit/account.ts';
import type { Keys } from '../kit/keys.ts';
import { refusalOf } from '../kit/outcome.ts';
import { policy } from '../kit/policy.ts';
import { STRANGER } from './fixture.ts';
import { createOrganization } from './organization.ts';

/** Findings about buckets of member accounts. The ARN of a bucket does not have its account. All calls use unmodified clients. */

const account = await startAccount();
const { member } = await createOrganization(account.client);
const analyzer = new aa.AccessAnalyzerClient(account.client());
const { arn: analyzerArn } = await analyzer.send(new aa.CreateAnalyzerCommand({ analyzerName: 'all', type: 'ORGANIZATION' }));
const [blue, green] = [await member('blue'), await member('green')];

const Bucket = 'moving-bucket';
const resourceArn = `arn:aws:s3:::${Bucket}`;
const Policy = policy({ Effect: 'Allow', Principal: { AWS: STRANGER }, Action: 's3:GetObject', Resource: `${resourceArn}/*` });

async function createBucket({ keys }: { readonly keys: Keys }): Promise<s3.S3Client> {
  const client = new s3.S3Client({ ...account.at('s3', keys), forcePathStyle: true });
  await client.send(new s3.CreateBucketCommand({ Bucket }));
  await client.send(new s3.PutBucketPolicyCommand({ Bucket, Policy }));
  return client;
}

/** Returns the status and account of each finding. */
async function found() {
  const { findings = [] } = await analyzer.send(new aa.ListFindingsCommand({ analyzerArn }));
  return findings.map(({ status, resourceOwnerAccount }) => [status, resourceOwnerAccount]);
}

test("StartResourceScan: a member's bucket keeps its findings, also without its account or with another one", async () => {
  const buckets = await createBucket(blue);
  assert.deepEqual(await found(), [['ACTIVE', blue.id]]);
  const scan = (resourceOwnerAccount?: string) =>
    analyzer.send(new aa.StartResourceScanCommand({ analyzerArn, resourceArn, resourceOwnerAccount }));
  await scan();
  assert.deepEqual(await found(), [['ACTIVE', blue.id]]);
  for (const other of [green.id, account.accountId]) assert.equal((await refusalOf(scan(other))).name, 'ResourceNotFoundException');
  assert.deepEqual(await found(), [['ACTIVE', blue.id]]);
  await buckets.send(new s3.DeleteBucketCommand({ Bucket }));
  assert.deepEqual(await found(), [['RESOLVED', blue.id]]);
});

test('a bucket with the name of a deleted one in another account: the finding has the account of the new bucket', async () => {
  await createBucket(green);
  assert.deepEqual(await found(), [['ACTIVE', green.id]]);
  const filter = { resourceOwnerAccount: { eq: [blue.id] } };
  assert.deepEqual((await analyzer.send(new aa.ListFindingsCommand({ analyzerArn, filter }))).findings, []);
});
