/** Policy generation from trails: the role that reads them, with AWS's client and the AWS CLI, on both engines. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { AccessAnalyzerClient, GetGeneratedPolicyCommand, StartPolicyGenerationCommand } from '@aws-sdk/client-accessanalyzer';
import { CloudTrailClient, CreateTrailCommand, StartLoggingCommand } from '@aws-sdk/client-cloudtrail';
import { GetUserCommand, PutRolePolicyCommand, PutUserPolicyCommand, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { startAccount, type TestAccount } from '../kit/account.ts';
import { contentsIn } from '../kit/contents.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { allow, deny, policy, type Statement, trustService } from '../kit/policy.ts';
import { until } from '../kit/until.ts';
import { testPostgres } from '../store/test-postgres.ts';

const run = promisify(execFile);
const postgres = await testPostgres();
const onSqlite = await startAccount();
const onPostgres = await startAccount({ BELFRY_DATABASE: postgres.url, ...(await contentsIn(onSqlite)) });
after(async () => {
  await onPostgres.server.stop();
  await onSqlite.server.stop();
  await postgres.stop();
});

const BUCKET = 'arn:aws:s3:::trail-logs';
const ANALYZER = 'access-analyzer.amazonaws.com';

/** Creates a trail that logs to a bucket, and the role of the guide. */
async function prepared(account: TestAccount) {
  const cloudtrail = new CloudTrailClient(account.client());
  const s3 = new S3Client({ ...account.client(), forcePathStyle: true });
  const ofTrail = (Action: string, Resource: string): Statement => ({
    ...{ Effect: 'Allow', Principal: { Service: 'cloudtrail.amazonaws.com' }, Action, Resource },
  });
  const bucketPolicy = (...more: readonly Statement[]) =>
    policy(ofTrail('s3:GetBucketAcl', BUCKET), ofTrail('s3:PutObject', `${BUCKET}/AWSLogs/*`), ...more);
  const setBucketPolicy = (...more: readonly Statement[]) =>
    s3.send(new PutBucketPolicyCommand({ Bucket: 'trail-logs', Policy: bucketPolicy(...more) }));
  await s3.send(new CreateBucketCommand({ Bucket: 'trail-logs' }));
  await setBucketPolicy();
  const { TrailARN } = await cloudtrail.send(
    new CreateTrailCommand({ Name: 'audit', S3BucketName: 'trail-logs', IsMultiRegionTrail: true }),
  );
  await cloudtrail.send(new StartLoggingCommand({ Name: 'audit' }));
  const permissions = [
    allow('cloudtrail:GetTrail'),
    allow(['iam:GenerateServiceLastAccessedDetails', 'iam:GetServiceLastAccessedDetails']),
    allow(['s3:GetObject', 's3:ListBucket'], [BUCKET, `${BUCKET}/*`]),
  ] as const;
  const accessRole = await account.role('AccessAnalyzerMonitorServiceRole', trustService(ANALYZER), ...permissions);
  return { trailArn: TrailARN as string, accessRole, permissions, setBucketPolicy };
}

for (const [engine, account] of [
  ['SQLite', onSqlite],
  ['PostgreSQL', onPostgres],
] as const) {
  const { trailArn, accessRole, permissions, setBucketPolicy } = await prepared(account);
  const [getTrail, lastAccessed, ofBucket] = permissions;
  const ada = await account.user('ada', allow('iam:GetUser'));
  await account.iam(ada).send(new GetUserCommand({ UserName: 'ada' }));
  const principalArn = account.userArn('ada');
  const startTime = new Date(Date.now() - 3_600_000);
  const analyzer = (keys?: typeof ada) => new AccessAnalyzerClient(account.client(keys));
  const start = (more: object = {}, keys?: typeof ada) =>
    analyzer(keys).send(
      new StartPolicyGenerationCommand({
        policyGenerationDetails: { principalArn },
        cloudTrailDetails: { trails: [{ cloudTrailArn: trailArn, allRegions: true }], accessRole, startTime, ...more },
      }),
    );
  const result = async (more: object = {}) => {
    const { jobId } = await start(more);
    const get = () => analyzer().send(new GetGeneratedPolicyCommand({ jobId }));
    let found = await get();
    await until(
      async () => (found = await get()).jobDetails?.status !== 'IN_PROGRESS',
      () => JSON.stringify(found),
    );
    return found;
  };
  const may = (...statements: readonly Statement[]) =>
    account.admin.send(
      new PutRolePolicyCommand({ RoleName: 'AccessAnalyzerMonitorServiceRole', PolicyName: 'p', PolicyDocument: policy(...statements) }),
    );
  const trusts = (...statements: readonly Statement[]) =>
    account.admin.send(
      new UpdateAssumeRolePolicyCommand({ RoleName: 'AccessAnalyzerMonitorServiceRole', PolicyDocument: policy(...statements) }),
    );

  test(`policy generation on ${engine}: with the role of the guide, the records of the trail count`, async () => {
    const { generatedPolicyResult, jobDetails } = await result();
    assert.equal(jobDetails?.status, 'SUCCEEDED', JSON.stringify(jobDetails));
    const { cloudTrailProperties } = generatedPolicyResult?.properties ?? {};
    assert.deepEqual(cloudTrailProperties?.trailProperties, [{ cloudTrailArn: trailArn, allRegions: true }]);
    assert.deepEqual(cloudTrailProperties?.startTime, startTime);
    const [generated] = generatedPolicyResult?.generatedPolicies ?? [];
    assert.deepEqual(JSON.parse(generated?.policy as string).Statement, [
      { Sid: 'SupportedServiceSid0', Effect: 'Allow', Action: ['iam:GetUser'], Resource: [principalArn] },
    ]);
    // The service has assumed the role.
    const [assumed] = await account.records('AssumeRole');
    assert.deepEqual([assumed.userIdentity.invokedBy, assumed.requestParameters.roleArn], [ANALYZER, accessRole]);
  });

  test(`policy generation on ${engine}: a role without one of the permissions, or that does not trust the service, is AUTHORIZATION_ERROR`, async () => {
    const files = `${BUCKET}/AWSLogs/${account.accountId}/*`;
    // biome-ignore format: a table
    for (const [statements, needed] of [
      [[lastAccessed, ofBucket],                                                              `cloudtrail:GetTrail on ${trailArn}`],
      [[getTrail, ofBucket],                                                                  `iam:GenerateServiceLastAccessedDetails on ${principalArn}`],
      [[getTrail, allow('iam:GenerateServiceLastAccessedDetails'), ofBucket],                 'iam:GetServiceLastAccessedDetails on *'],
      [[getTrail, lastAccessed, allow('s3:GetObject', `${BUCKET}/*`)],                        `s3:ListBucket on ${BUCKET}`],
      [[getTrail, lastAccessed, allow('s3:ListBucket', BUCKET)],                              `s3:GetObject on ${files}`],
      [[...permissions, deny('s3:GetObject', `${BUCKET}/AWSLogs/${account.accountId}/*`)],    `s3:GetObject on ${files}`],
    ] as const) {
      await may(...statements);
      const { jobDetails } = await result();
      const message = `The role is not authorized to perform ${needed}: ${accessRole}`;
      assert.deepEqual([jobDetails?.status, jobDetails?.jobError], ['FAILED', { code: 'AUTHORIZATION_ERROR', message }], needed);
    }
    await may(...permissions);
    await setBucketPolicy({
      ...deny('s3:ListBucket', BUCKET),
      Principal: '*',
      Condition: { ArnEquals: { 'aws:PrincipalArn': accessRole } },
    });
    assert.equal((await result()).jobDetails?.jobError?.code, 'AUTHORIZATION_ERROR', 'the policy of the bucket denies');
    await setBucketPolicy();
    await trusts(trustService('cloudtrail.amazonaws.com'));
    assert.equal((await result()).jobDetails?.jobError?.message, `Access Analyzer cannot assume the role: ${accessRole}`);
    await trusts(trustService(ANALYZER));
    const cloudTrailArn = `${trailArn}-2`;
    assert.equal((await result({ trails: [{ cloudTrailArn }] })).jobDetails?.jobError?.code, 'RESOURCE_NOT_FOUND_ERROR');
    assert.equal((await result()).jobDetails?.status, 'SUCCEEDED');
  });

  test(`policy generation on ${engine}: the caller needs iam:PassRole for the role`, async () => {
    const eve = await account.user('eve', allow('access-analyzer:*'));
    assert.equal(await outcomeOf(start({}, eve)), 'AccessDenied');
    const PolicyDocument = policy(
      allow('access-analyzer:*'),
      allow('iam:PassRole', accessRole, { Condition: { StringEquals: { 'iam:PassedToService': ANALYZER } } }),
    );
    await account.admin.send(new PutUserPolicyCommand({ UserName: 'eve', PolicyName: 'p', PolicyDocument }));
    assert.equal(await outcomeOf(start({}, eve)), 'allowed');
  });
}

test('policy generation: the AWS CLI starts a job and gets the policy', async () => {
  const { keys, server } = onSqlite;
  const principalArn = onSqlite.userArn('ada');
  const credentials = { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey };
  const env = { ...process.env, ...credentials, AWS_DEFAULT_REGION: 'eu-west-1' };
  const aws = async (...args: readonly string[]) =>
    JSON.parse((await run('aws', ['--endpoint-url', server.endpoint, 'accessanalyzer', ...args], { env })).stdout);
  const { jobId } = await aws('start-policy-generation', '--policy-generation-details', JSON.stringify({ principalArn }));
  const analyzer = new AccessAnalyzerClient({ ...onSqlite.client(), region: 'eu-west-1' });
  const status = async () => (await analyzer.send(new GetGeneratedPolicyCommand({ jobId }))).jobDetails?.status;
  await until(
    async () => (await status()) === 'SUCCEEDED',
    () => 'the job does not succeed',
  );
  const { generatedPolicyResult } = await aws('get-generated-policy', '--job-id', jobId, '--include-resource-placeholders');
  assert.match(JSON.stringify(generatedPolicyResult), /iam:GetUser.*UserNameWithPath/);
  const { policyGenerations } = await aws('list-policy-generations', '--principal-arn', principalArn);
  assert.deepEqual(
    policyGenerations.map((each: { readonly jobId: string; readonly status: string }) => [each.jobId, each.status]),
    [[jobId, 'SUCCEEDED']],
  );
});
