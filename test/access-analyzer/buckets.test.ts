import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as aa from '@aws-sdk/client-accessanalyzer';
import * as s3 from '@aws-sdk/client-s3';
import { refusalOf } from '../kit/outcome.ts';
import { policy } from '../kit/policy.ts';
import { createAnalyzer, findingReader, STRANGER, startAnalyzedAccount } from './fixture.ts';

/** Findings of external access follow each change of a bucket. All changes are calls of unmodified clients. */

const { account, analyzer, analyzerArn, findingsOf, statusesOf } = await startAnalyzedAccount();
const buckets = new s3.S3Client({ ...account.at('s3'), forcePathStyle: true });

test('a bucket: the finding follows PutBucketPolicy, DeleteBucketPolicy and DeleteBucket', async () => {
  const Bucket = 'shared-bucket';
  const arn = `arn:aws:s3:::${Bucket}`;
  await buckets.send(new s3.CreateBucketCommand({ Bucket }));
  assert.deepEqual(await statusesOf(arn), []);
  const statement = { Effect: 'Allow', Principal: { AWS: STRANGER }, Action: 's3:GetObject', Resource: `${arn}/*` };
  await buckets.send(new s3.PutBucketPolicyCommand({ Bucket, Policy: policy(statement) }));
  const [finding] = await findingsOf(arn);
  assert.deepEqual([finding?.status, finding?.action, finding?.isPublic], ['ACTIVE', ['s3:GetObject'], false]);
  assert.deepEqual(finding?.sources, [{ type: 'POLICY' }]);

  await buckets.send(new s3.DeleteBucketPolicyCommand({ Bucket }));
  assert.deepEqual(await statusesOf(arn), ['RESOLVED']);
  await buckets.send(new s3.PutBucketPolicyCommand({ Bucket, Policy: policy({ ...statement, Principal: '*' }) }));
  assert.deepEqual(
    (await findingsOf(arn)).map(({ status, isPublic }) => [status, isPublic]),
    [
      ['RESOLVED', false],
      ['ACTIVE', true],
    ],
  );
  const { resource } = await analyzer.send(new aa.GetAnalyzedResourceCommand({ analyzerArn, resourceArn: arn }));
  assert.deepEqual([resource?.isPublic, resource?.actions, resource?.status], [true, ['s3:GetObject'], 'ACTIVE']);

  await buckets.send(new s3.DeleteBucketPolicyCommand({ Bucket }));
  await buckets.send(new s3.DeleteBucketCommand({ Bucket }));
  assert.deepEqual(await statusesOf(arn), ['RESOLVED', 'RESOLVED']);
  const gone = analyzer.send(new aa.GetAnalyzedResourceCommand({ analyzerArn, resourceArn: arn }));
  assert.equal((await refusalOf(gone)).name, 'ResourceNotFoundException');
});

test('a bucket in another region: only the analyzer of its region has the finding', async () => {
  const west = { region: 'us-west-2' };
  const Bucket = 'western-bucket';
  const arn = `arn:aws:s3:::${Bucket}`;
  const inWest = new aa.AccessAnalyzerClient({ ...account.client(), ...west });
  const { findingsOf: inWestOf } = findingReader(inWest, await createAnalyzer(inWest, 'west'));
  const westBuckets = new s3.S3Client({ ...account.at('s3'), ...west, forcePathStyle: true });
  await westBuckets.send(new s3.CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'us-west-2' } }));
  const Policy = policy({ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `${arn}/*` });
  await westBuckets.send(new s3.PutBucketPolicyCommand({ Bucket, Policy }));
  assert.deepEqual(await statusesOf(arn), []);
  assert.equal((await inWestOf(arn)).length, 1);
  await inWest.send(new aa.DeleteAnalyzerCommand({ analyzerName: 'west' }));
});
