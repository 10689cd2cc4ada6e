import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as aa from '@aws-sdk/client-accessanalyzer';
import * as iam from '@aws-sdk/client-iam';
import * as s3 from '@aws-sdk/client-s3';
import { otherAccount, startAccount } from '../kit/account.ts';
import { refusalOf } from '../kit/outcome.ts';
import { policy, type Statement, trust, trustProvider, trustService } from '../kit/policy.ts';
import { until } from '../kit/until.ts';

/** Findings of external access follow each change of a role or bucket. All changes are calls of unmodified clients. */

const account = await startAccount();
const { accountId, admin, server } = account;
const other = await otherAccount(server, 'other');
const analyzer = new aa.AccessAnalyzerClient(account.client());
const buckets = new s3.S3Client({ ...account.at('s3'), forcePathStyle: true });
const STRANGER = '999988887777';

async function created(client: aa.AccessAnalyzerClient, analyzerName: string): Promise<string> {
  const { arn = '' } = await client.send(new aa.CreateAnalyzerCommand({ analyzerName, type: 'ACCOUNT' }));
  return arn;
}

const analyzerArn = await created(analyzer, 'own');

async function findingsOf(resource: string, client = analyzer, arn = analyzerArn): Promise<readonly aa.FindingSummary[]> {
  const { findings = [] } = await client.send(
    new aa.ListFindingsCommand({ analyzerArn: arn, filter: { resource: { eq: [resource] } }, sort: { attributeName: 'createdAt' } }),
  );
  return findings;
}

/** Returns the status and principal of the findings of a resource, oldest first. */
async function stated(resource: string) {
  return (await findingsOf(resource)).map(({ status, principal }) => [status, principal]);
}

const EXTERNAL_TRUST: readonly (readonly [title: string, statement: Statement, principal: Record<string, string>, isPublic: boolean])[] = [
  // title                      statement                                                        principal of the finding             public
  ['an account', trust(STRANGER), { AWS: STRANGER }, false],
  ['the root user', trust(`arn:aws:iam::${STRANGER}:root`), { AWS: STRANGER }, false],
  ['everyone', trust('*'), { AWS: '*' }, true],
  ['an OpenID provider', trustProvider('accounts.google.com', 'sts:AssumeRoleWithWebIdentity'), { Federated: 'accounts.google.com' }],
];

for (const [index, [title, statement, principal, isPublic]] of EXTERNAL_TRUST.entries()) {
  test(`a role that trusts ${title}: the finding appears and disappears with the statement`, async () => {
    const RoleName = `trusting${index}`;
    const arn = await account.role(RoleName, trustService('ec2.amazonaws.com'));
    assert.deepEqual(await stated(arn), []);

    await admin.send(new iam.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: policy(statement) }));
    const [finding, ...more] = await findingsOf(arn);
    assert.equal(more.length, 0);
    assert.equal(finding?.status, 'ACTIVE');
    assert.equal(finding.resourceType, 'AWS::IAM::Role');
    assert.equal(finding.resourceOwnerAccount, accountId);
    assert.deepEqual(Object.keys(finding.principal ?? {}), Object.keys(principal));
    assert.match(Object.values(finding.principal ?? {})[0] ?? '', new RegExp(Object.values(principal)[0]?.replace('*', '\\*') ?? ''));
    if (isPublic !== undefined) assert.equal(finding.isPublic, isPublic);

    await admin.send(new iam.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: policy(trustService('ec2.amazonaws.com')) }));
    assert.deepEqual(
      (await findingsOf(arn)).map(({ id, status }) => [id, status]),
      [[finding.id, 'RESOLVED']],
    );

    await admin.send(new iam.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: policy(statement) }));
    assert.deepEqual(
      (await findingsOf(arn)).map(({ id, status }) => [id, status]),
      [[finding.id, 'ACTIVE']],
      'the same finding is active again',
    );

    await admin.send(new iam.DeleteRoleCommand({ RoleName }));
    assert.deepEqual(
      (await findingsOf(arn)).map(({ id, status }) => [id, status]),
      [[finding.id, 'RESOLVED']],
    );
  });
}

test('CreateRole: a role that trusts its own account has no finding', async () => {
  assert.deepEqual(await stated(await account.role('inside', trust(accountId))), []);
});

test('a role with other permissions for the same principal: a new finding, and the old one is resolved', async () => {
  const arn = await account.role('changing', trust(STRANGER));
  await admin.send(
    new iam.UpdateAssumeRolePolicyCommand({
      RoleName: 'changing',
      PolicyDocument: policy(trust(STRANGER, ['sts:AssumeRole', 'sts:TagSession'])),
    }),
  );
  assert.deepEqual(
    (await findingsOf(arn)).map(({ status }) => status),
    ['RESOLVED', 'ACTIVE'],
  );
});

test('a bucket: the finding follows PutBucketPolicy, DeleteBucketPolicy and DeleteBucket', async () => {
  const Bucket = 'shared-bucket';
  const arn = `arn:aws:s3:::${Bucket}`;
  await buckets.send(new s3.CreateBucketCommand({ Bucket }));
  assert.deepEqual(await stated(arn), []);
  const statement = { Effect: 'Allow', Principal: { AWS: STRANGER }, Action: 's3:GetObject', Resource: `${arn}/*` };
  await buckets.send(new s3.PutBucketPolicyCommand({ Bucket, Policy: policy(statement) }));
  const [finding] = await findingsOf(arn);
  assert.deepEqual([finding?.status, finding?.action, finding?.isPublic], ['ACTIVE', ['s3:GetObject'], false]);
  assert.deepEqual(finding?.sources, [{ type: 'POLICY' }]);

  await buckets.send(new s3.DeleteBucketPolicyCommand({ Bucket }));
  assert.deepEqual(
    (await stated(arn)).map(([status]) => status),
    ['RESOLVED'],
  );
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
  assert.deepEqual(
    (await stated(arn)).map(([status]) => status),
    ['RESOLVED', 'RESOLVED'],
  );
  const gone = analyzer.send(new aa.GetAnalyzedResourceCommand({ analyzerArn, resourceArn: arn }));
  assert.equal((await refusalOf(gone)).name, 'ResourceNotFoundException');
});

test('a bucket in another region: only the analyzer of its region has the finding', async () => {
  const west = { region: 'us-west-2' };
  const Bucket = 'western-bucket';
  const arn = `arn:aws:s3:::${Bucket}`;
  const inWest = new aa.AccessAnalyzerClient({ ...account.client(), ...west });
  const westArn = await created(inWest, 'west');
  const westBuckets = new s3.S3Client({ ...account.at('s3'), ...west, forcePathStyle: true });
  await westBuckets.send(new s3.CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'us-west-2' } }));
  const Policy = policy({ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `${arn}/*` });
  await westBuckets.send(new s3.PutBucketPolicyCommand({ Bucket, Policy }));
  assert.deepEqual(await stated(arn), []);
  assert.equal((await findingsOf(arn, inWest, westArn)).length, 1);
  await inWest.send(new aa.DeleteAnalyzerCommand({ analyzerName: 'west' }));
});

test('CreateAnalyzer: the first scan finds the access that existed before', async () => {
  const roleArn = await other.role('before', trust(STRANGER));
  const client = new aa.AccessAnalyzerClient(other.client());
  const arn = await created(client, 'later');
  await until(
    async () => (await findingsOf(roleArn, client, arn)).length === 1,
    () => 'the scan found nothing',
  );
  const { analyzer: summary } = await client.send(new aa.GetAnalyzerCommand({ analyzerName: 'later' }));
  assert.equal(summary?.status, 'ACTIVE');
  assert.ok(summary.lastResourceAnalyzedAt instanceof Date);
});
