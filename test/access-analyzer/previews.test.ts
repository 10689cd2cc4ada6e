/** Access previews and CheckNoPublicAccess with unmodified clients: AWS SDK and AWS CLI. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import * as aa from '@aws-sdk/client-accessanalyzer';
import * as iam from '@aws-sdk/client-iam';
import * as s3 from '@aws-sdk/client-s3';
import { otherAccount, startAccount } from '../kit/account.ts';
import { messageOf, refusalOf } from '../kit/outcome.ts';
import { allow, policy, type Statement, trust, trustService } from '../kit/policy.ts';

const account = await startAccount();
const { accountId, server } = account;
const client = new aa.AccessAnalyzerClient(account.client());
const buckets = new s3.S3Client({ ...account.at('s3'), forcePathStyle: true });
const PARTNER = '999988887777';
const VENDOR = '888877776666';

async function created(analyzerName: string, type: aa.Type): Promise<string> {
  return (await client.send(new aa.CreateAnalyzerCommand({ analyzerName, type }))).arn ?? '';
}
const analyzerArn = await created('own', 'ACCOUNT');

const roleArn = (name: string) => `arn:aws:iam::${accountId}:role/${name}`;
const bucketArn = (name: string) => `arn:aws:s3:::${name}`;
const ofRole = (name: string, ...statements: readonly Statement[]) => ({
  [roleArn(name)]: { iamRole: { trustPolicy: policy(...statements) } },
});
const ofBucket = (name: string, s3Bucket: aa.S3BucketConfiguration) => ({ [bucketArn(name)]: { s3Bucket } });
const shared = (name: string, principal: unknown) => ({
  ...{ Effect: 'Allow', Principal: principal, Action: 's3:GetObject', Resource: `${bucketArn(name)}/*` },
});

async function previewed(configurations: Record<string, aa.Configuration>, more: Partial<aa.CreateAccessPreviewRequest> = {}) {
  const { id = '' } = await client.send(new aa.CreateAccessPreviewCommand({ analyzerArn, configurations, ...more }));
  return id;
}

async function stateOf(accessPreviewId: string) {
  const { accessPreview } = await client.send(new aa.GetAccessPreviewCommand({ analyzerArn, accessPreviewId }));
  return [accessPreview?.status, accessPreview?.statusReason?.code];
}

async function findingsOf(accessPreviewId: string, filter?: aa.ListAccessPreviewFindingsRequest['filter']) {
  const found: aa.AccessPreviewFinding[] = [];
  const input = { analyzerArn, accessPreviewId, ...(filter !== undefined && { filter }) };
  for await (const page of aa.paginateListAccessPreviewFindings({ client, pageSize: 1 }, input)) found.push(...(page.findings ?? []));
  return found;
}

/** Returns findings in short, ordered by principal: change, status, status of the existing finding, principal. */
function inShort(findings: readonly aa.AccessPreviewFinding[]): readonly string[] {
  return findings
    .map(({ changeType, status, existingFindingStatus = '-', principal = {} }) =>
      [changeType, status, existingFindingStatus, ...Object.values(principal)].join(' '),
    )
    .toSorted();
}

const changes = async (configurations: Record<string, aa.Configuration>) => inShort(await findingsOf(await previewed(configurations)));

test('CreateAccessPreview: a new role has new findings, and the preview changes nothing', async () => {
  const configurations = ofRole('planned', trust(PARTNER), trust(accountId), trustService('ec2.amazonaws.com'));
  const id = await previewed(configurations);
  const { accessPreview } = await client.send(new aa.GetAccessPreviewCommand({ analyzerArn, accessPreviewId: id }));
  assert.deepEqual(
    [accessPreview?.id, accessPreview?.analyzerArn, accessPreview?.status, accessPreview?.statusReason, accessPreview?.configurations],
    [id, analyzerArn, 'COMPLETED', undefined, configurations],
  );
  const [finding, ...more] = await findingsOf(id);
  assert.equal(more.length, 0);
  const { id: findingId, createdAt, ...rest } = finding as aa.AccessPreviewFinding;
  assert.match(findingId ?? '', /^[0-9a-f-]{36}$/);
  assert.deepEqual(createdAt, accessPreview?.createdAt);
  assert.deepEqual(rest, {
    ...{ changeType: 'NEW', status: 'ACTIVE', principal: { AWS: PARTNER }, action: ['sts:AssumeRole'], condition: {}, isPublic: false },
    ...{ resource: roleArn('planned'), resourceType: 'AWS::IAM::Role', resourceOwnerAccount: accountId },
    resourceControlPolicyRestriction: 'NOT_APPLICABLE',
  });
  const { findings } = await client.send(new aa.ListFindingsCommand({ analyzerArn, filter: { resource: { eq: [roleArn('planned')] } } }));
  assert.deepEqual(findings, []);
});

test('CreateAccessPreview: findings of an existing role are unchanged, changed or new', async () => {
  await account.role('present', JSON.parse(policy(trust(PARTNER))).Statement[0]);
  assert.deepEqual(await changes(ofRole('present', trust(PARTNER), trust(VENDOR))), [
    `NEW ACTIVE - ${VENDOR}`,
    `UNCHANGED ACTIVE ACTIVE ${PARTNER}`,
  ]);
  assert.deepEqual(await changes(ofRole('present', trust(VENDOR))), [`CHANGED RESOLVED ACTIVE ${PARTNER}`, `NEW ACTIVE - ${VENDOR}`]);
  assert.deepEqual(await changes({ [roleArn('present')]: { iamRole: {} } }), [`UNCHANGED ACTIVE ACTIVE ${PARTNER}`]);

  const PolicyDocument = policy(trustService('ec2.amazonaws.com'));
  await account.admin.send(new iam.UpdateAssumeRolePolicyCommand({ RoleName: 'present', PolicyDocument }));
  const [again, ...more] = await findingsOf(await previewed(ofRole('present', trust(PARTNER))));
  assert.deepEqual([inShort([again ?? ({} as never)]), more], [[`CHANGED ACTIVE RESOLVED ${PARTNER}`], []]);
  const { finding } = await client.send(new aa.GetFindingCommand({ analyzerArn, id: again?.existingFindingId }));
  assert.deepEqual([finding?.resource, finding?.status], [roleArn('present'), 'RESOLVED']);
});

test('CreateAccessPreview: archive rules and archived findings count', async () => {
  await account.role('archived', JSON.parse(policy(trust(PARTNER))).Statement[0]);
  const { findings: [existing] = [] } = await client.send(
    new aa.ListFindingsCommand({ analyzerArn, filter: { resource: { eq: [roleArn('archived')] } } }),
  );
  await client.send(new aa.UpdateFindingsCommand({ analyzerArn, ids: [existing?.id ?? ''], status: 'ARCHIVED' }));
  const rule = { analyzerName: 'own', ruleName: 'vendor', filter: { 'principal.AWS': { eq: [VENDOR] } } };
  await client.send(new aa.CreateArchiveRuleCommand(rule));
  assert.deepEqual(await changes(ofRole('archived', trust(PARTNER), trust(VENDOR))), [
    `NEW ARCHIVED - ${VENDOR}`,
    `UNCHANGED ARCHIVED ARCHIVED ${PARTNER}`,
  ]);
  await client.send(new aa.DeleteArchiveRuleCommand({ analyzerName: 'own', ruleName: 'vendor' }));
});

test('ListAccessPreviewFindings: filters', async () => {
  const id = await previewed(ofRole('present', trust(PARTNER), trust(VENDOR), trust('*')));
  const filtered = async (filter: Record<string, aa.Criterion>) => inShort(await findingsOf(id, filter));
  assert.deepEqual(await filtered({ isPublic: { eq: ['true'] } }), ['NEW ACTIVE - *']);
  assert.deepEqual(await filtered({ changeType: { eq: ['CHANGED'] } }), [`CHANGED ACTIVE RESOLVED ${PARTNER}`]);
  assert.deepEqual(await filtered({ existingFindingStatus: { eq: ['RESOLVED'] } }), [`CHANGED ACTIVE RESOLVED ${PARTNER}`]);
  assert.deepEqual(await filtered({ existingFindingId: { exists: false }, 'principal.AWS': { neq: ['*'] } }), [`NEW ACTIVE - ${VENDOR}`]);
  const wrong = client.send(
    new aa.ListAccessPreviewFindingsCommand({ analyzerArn, accessPreviewId: id, filter: { color: { eq: ['red'] } } }),
  );
  assert.equal(await messageOf(wrong), 'ValidationException: Invalid filter key: color');
  const inRules = client.send(new aa.ListFindingsCommand({ analyzerArn, filter: { changeType: { eq: ['NEW'] } } }));
  assert.equal(await messageOf(inRules), 'ValidationException: Invalid filter key: changeType');
});

test('CreateAccessPreview: a bucket, with its present policy, a new one, and none', async () => {
  const Bucket = 'previewed-bucket';
  await buckets.send(new s3.CreateBucketCommand({ Bucket }));
  await buckets.send(new s3.PutBucketPolicyCommand({ Bucket, Policy: policy(shared(Bucket, { AWS: PARTNER })) }));
  assert.deepEqual(await changes(ofBucket(Bucket, {})), [`UNCHANGED ACTIVE ACTIVE ${PARTNER}`]);
  assert.deepEqual(await changes(ofBucket(Bucket, { bucketPolicy: '' })), [`CHANGED RESOLVED ACTIVE ${PARTNER}`]);
  const [anyone] = await findingsOf(await previewed(ofBucket('planned-bucket', { bucketPolicy: policy(shared('planned-bucket', '*')) })));
  assert.deepEqual([anyone?.isPublic, anyone?.changeType, anyone?.sources], [true, 'NEW', [{ type: 'POLICY' }]]);
  assert.deepEqual(await changes(ofBucket('planned-bucket', {})), []);

  const both = policy(shared('planned-bucket', '*'), shared('planned-bucket', { AWS: PARTNER }));
  const bucketPublicAccessBlock = { ignorePublicAcls: true, restrictPublicBuckets: true };
  assert.deepEqual(await changes(ofBucket('planned-bucket', { bucketPolicy: both, bucketPublicAccessBlock })), []);
});

test('CreateAccessPreview: the bucket of another account counts as a new one', async () => {
  const other = await otherAccount(server, 'bucket-owner');
  const Bucket = 'bucket-of-others';
  const theirs = new s3.S3Client({ ...other.at('s3'), forcePathStyle: true });
  await theirs.send(new s3.CreateBucketCommand({ Bucket }));
  await theirs.send(new s3.PutBucketPolicyCommand({ Bucket, Policy: policy(shared(Bucket, { AWS: PARTNER })) }));
  assert.deepEqual(await changes(ofBucket(Bucket, {})), []);
});

const BUCKET_OF_WEST = 'western-preview';
await new s3.S3Client({ ...account.at('s3'), region: 'us-west-2', forcePathStyle: true }).send(
  new s3.CreateBucketCommand({ Bucket: BUCKET_OF_WEST, CreateBucketConfiguration: { LocationConstraint: 'us-west-2' } }),
);

// biome-ignore format: a table
const FAILED: readonly (readonly [title: string, configurations: Record<string, aa.Configuration>])[] = [
  ['a new role without a policy',        { [roleArn('none')]: { iamRole: {} } }],
  ['an empty trust policy',              { [roleArn('none')]: { iamRole: { trustPolicy: '' } } }],
  ['a trust policy that is not JSON',    { [roleArn('none')]: { iamRole: { trustPolicy: '{' } } }],
  ['a trust policy that IAM rejects',    ofRole('none', { ...trust(PARTNER), Action: 's3:GetObject' })],
  ['a trust policy beyond the quota',    ofRole('none', ...Array.from({ length: 40 }, () => trust(PARTNER)))],
  ['a bucket policy of another bucket',  ofBucket('planned-bucket', { bucketPolicy: policy(shared('other-bucket', '*')) })],
  ['a bucket in another region',         ofBucket(BUCKET_OF_WEST, {})],
];

for (const [title, configurations] of FAILED) {
  test(`CreateAccessPreview: ${title} is INVALID_CONFIGURATION`, async () => {
    const id = await previewed(configurations);
    assert.deepEqual(await stateOf(id), ['FAILED', 'INVALID_CONFIGURATION']);
    assert.deepEqual(await findingsOf(id), []);
  });
}

const RULE_OF_KEY = { iamRole: { trustPolicy: policy(trust(PARTNER)) } };
// biome-ignore format: a table
const REFUSED: readonly (readonly [title: string, input: Partial<aa.CreateAccessPreviewRequest>, message: string])[] = [
  ['an unknown analyzer',         { analyzerArn: `${analyzerArn}2` },                                  `ResourceNotFoundException: Analyzer not found: ${analyzerArn}2`],
  ['no configuration',            { configurations: {} },                                             'ValidationException: The configuration must contain exactly one element.'],
  ['two configurations',          { configurations: { ...ofRole('a', trust(PARTNER)), ...ofRole('b', trust(PARTNER)) } }, 'ValidationException: The configuration must contain exactly one element.'],
  ['a role of another account',   { configurations: { [`arn:aws:iam::${PARTNER}:role/r`]: RULE_OF_KEY } }, 'ValidationException: The key of the configuration must be the ARN of a role in the account of the analyzer.'],
  ['a bucket as a role',          { configurations: { [bucketArn('planned-bucket')]: RULE_OF_KEY } }, 'ValidationException: The key of the configuration must be the ARN of a role in the account of the analyzer.'],
  ['a role as a bucket',          { configurations: { [roleArn('r')]: { s3Bucket: {} } } },           'ValidationException: The key of the configuration must be the ARN of a bucket.'],
  ['an object as a bucket',       { configurations: { [bucketArn('planned-bucket/a')]: { s3Bucket: {} } } }, 'ValidationException: The key of the configuration must be the ARN of a bucket.'],
  ['a long configuration',        { configurations: { [roleArn('r')]: { iamRole: { trustPolicy: ' '.repeat(65_537) } } } }, 'ValidationException: The configuration can have at most 65536 characters.'],
  ['a key of AWS KMS',            { configurations: { 'arn:aws:kms:us-east-1:111122223333:key/k': { kmsKey: {} } } }, 'ValidationException: This server has no resources of this type. Specify iamRole or s3Bucket.'],
  ['an access control list',      { configurations: ofBucket('planned-bucket', { bucketAclGrants: [{ permission: 'READ', grantee: { id: 'abc' } }] }) }, 'ValidationException: Buckets of this server have no access control lists.'],
  ['access points',               { configurations: ofBucket('planned-bucket', { accessPoints: { 'arn:aws:s3:us-east-1:111122223333:accesspoint/p': {} } }) }, 'ValidationException: Buckets of this server have no access points.'],
];

for (const [title, input, message] of REFUSED) {
  test(`CreateAccessPreview: ${title} is an error`, async () => {
    const request = { analyzerArn, configurations: ofRole('r', trust(PARTNER)), ...input };
    assert.equal(await messageOf(client.send(new aa.CreateAccessPreviewCommand(request))), message);
  });
}

test('CreateAccessPreview: an analyzer of unused access is ValidationException', async () => {
  const unused = await created('unused', 'ACCOUNT_UNUSED_ACCESS');
  const sent = client.send(new aa.CreateAccessPreviewCommand({ analyzerArn: unused, configurations: ofRole('r', trust(PARTNER)) }));
  assert.equal(await messageOf(sent), 'ValidationException: Access previews require an analyzer of the type ACCOUNT.');
});

test('CreateAccessPreview: a client token creates one preview, and is valid for one request', async () => {
  const configurations = ofRole('once', trust(PARTNER));
  const first = await previewed(configurations, { clientToken: 'once' });
  assert.equal(await previewed(configurations, { clientToken: 'once' }), first);
  assert.notEqual(await previewed(configurations), first);
  const { name } = await refusalOf(previewed(ofRole('other', trust(PARTNER)), { clientToken: 'once' }));
  assert.equal(name, 'ConflictException');
});

test('ListAccessPreviews: the newest first, in pages', async () => {
  const listed: (string | undefined)[] = [];
  for await (const page of aa.paginateListAccessPreviews({ client, pageSize: 2 }, { analyzerArn }))
    listed.push(...(page.accessPreviews ?? []).map(({ id }) => id));
  assert.equal(new Set(listed).size, listed.length);
  const latest = await previewed(ofRole('latest', trust(PARTNER)));
  const { accessPreviews = [], nextToken } = await client.send(new aa.ListAccessPreviewsCommand({ analyzerArn, maxResults: 2 }));
  assert.deepEqual([accessPreviews[0]?.id, accessPreviews[0]?.status, accessPreviews[1]?.id], [latest, 'COMPLETED', listed[0]]);
  const ofOthers = client.send(new aa.ListAccessPreviewsCommand({ analyzerArn, nextToken: `${nextToken}x` }));
  assert.equal((await refusalOf(ofOthers)).name, 'ValidationException');
});

test('GetAccessPreview and ListAccessPreviewFindings: an unknown preview is ResourceNotFoundException', async () => {
  const accessPreviewId = '00000000-0000-4000-8000-000000000000';
  const message = `ResourceNotFoundException: AccessPreview not found: ${accessPreviewId}`;
  assert.equal(await messageOf(client.send(new aa.GetAccessPreviewCommand({ analyzerArn, accessPreviewId }))), message);
  assert.equal(await messageOf(client.send(new aa.ListAccessPreviewFindingsCommand({ analyzerArn, accessPreviewId }))), message);
});

test('Access previews: a user without permission is denied', async () => {
  const reader = new aa.AccessAnalyzerClient(account.client(await account.user('reader', allow('access-analyzer:List*'))));
  const configurations = ofRole('r', trust(PARTNER));
  const sent = reader.send(new aa.CreateAccessPreviewCommand({ analyzerArn, configurations }));
  assert.equal((await refusalOf(sent)).name, 'AccessDeniedException');
  assert.ok((await reader.send(new aa.ListAccessPreviewsCommand({ analyzerArn }))).accessPreviews);
});

// biome-ignore format: a table
const PUBLIC: readonly (readonly [title: string, resourceType: aa.AccessCheckResourceType, statements: readonly Statement[], expected: readonly unknown[]])[] = [
  // title                              type                                     statements                                                                              result, statements
  // Source: accessanalyzer 2019-11-01, examples of CheckNoPublicAccess.
  ['the example of the model',          'AWS::S3::Bucket',                       [{ Sid: 'Bob', Effect: 'Allow', Principal: '*', Action: ['s3:GetObject'] }],             ['FAIL', 'Bob']],
  ['an account',                        'AWS::S3::Bucket',                       [shared('b', { AWS: PARTNER })],                                                         ['PASS']],
  ['the second of two statements',      'AWS::S3::Bucket',                       [shared('b', { AWS: PARTNER }), shared('b', '*')],                                       ['FAIL', 1]],
  ['an organization',                   'AWS::S3::Bucket',                       [{ ...shared('b', '*'), Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a' } } }], ['PASS']],
  ['a Deny for others',                 'AWS::S3::Bucket',                       [shared('b', '*'), { ...shared('b', '*'), Effect: 'Deny', Condition: { StringNotEquals: { 'aws:SourceVpc': 'vpc-1' } } }], ['PASS']],
  ['a public role',                     'AWS::IAM::AssumeRolePolicyDocument',    [trust('*')],                                                                            ['FAIL', 0]],
  ['a role for an account',             'AWS::IAM::AssumeRolePolicyDocument',    [trust(PARTNER)],                                                                        ['PASS']],
  ['a public queue',                    'AWS::SQS::Queue',                       [allow('sqs:SendMessage', '*', { Principal: '*' })],                                     ['FAIL', 0]],
  ['a queue for a topic',               'AWS::SQS::Queue',                       [allow('sqs:SendMessage', '*', { Principal: '*', Condition: { ArnEquals: { 'aws:SourceArn': `arn:aws:sns:us-east-1:${PARTNER}:t` } } })], ['PASS']],
  ['a queue for any topic',             'AWS::SQS::Queue',                       [allow('sqs:SendMessage', '*', { Principal: '*', Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:sns:*:*:t' } } })], ['FAIL', 0]],
  ['a key for the account of a caller', 'AWS::KMS::Key',                         [allow('kms:*', '*', { Principal: { AWS: '*' }, Condition: { StringEquals: { 'kms:CallerAccount': PARTNER } } })], ['PASS']],
];

for (const [title, resourceType, statements, [result, ...reasons]] of PUBLIC) {
  test(`CheckNoPublicAccess: ${title} is ${result}`, async () => {
    const answer = await client.send(new aa.CheckNoPublicAccessCommand({ policyDocument: policy(...statements), resourceType }));
    const not = result === 'PASS' ? 'does not grant' : 'grants';
    assert.deepEqual([answer.result, answer.message], [result, `The resource policy ${not} public access for the given resource type.`]);
    const named = (reason: unknown) => (typeof reason === 'string' ? `sid: ${reason}` : `index: ${reason}`);
    assert.deepEqual(
      answer.reasons?.map(({ description }) => description),
      reasons.map((reason) => `Public access granted in the following statement with ${named(reason)}.`),
    );
  });
}

test('CheckNoPublicAccess: errors', async () => {
  const check = (resourceType: aa.AccessCheckResourceType, policyDocument = policy(trust('*'))) =>
    messageOf(client.send(new aa.CheckNoPublicAccessCommand({ policyDocument, resourceType })));
  assert.equal(
    await check('AWS::S3::AccessPoint'),
    'ValidationException: This server cannot check policies of the type AWS::S3::AccessPoint.',
  );
  assert.match(await check('AWS::S3::Bucket', '{'), /^InvalidParameterException: policyDocument is not a valid policy\./);
  assert.match(
    await check('AWS::S3::Bucket', ' '.repeat(30_000)),
    /^InvalidParameterException: policyDocument has more than 24576 characters\./,
  );
  assert.match(await check('AWS::EC2::Instance' as never), /^ValidationException: /);
});

const CLI = ['/usr/bin/aws', '/usr/local/bin/aws'].find((file) => existsSync(file)) as string;

async function aws(...command: readonly string[]): Promise<Record<string, unknown>> {
  const env = {
    ...{ AWS_EC2_METADATA_DISABLED: 'true', AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' },
    ...{ PATH: process.env['PATH'], AWS_DEFAULT_REGION: 'us-east-1' },
    ...{ AWS_ACCESS_KEY_ID: server.credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey },
  };
  const options = ['--endpoint-url', server.endpoint, '--output', 'json', '--no-cli-pager', 'accessanalyzer'];
  const { stdout } = await promisify(execFile)(CLI, [...options, ...command], { env });
  return JSON.parse(stdout) as Record<string, unknown>;
}

test('AWS CLI: a preview and its findings', async () => {
  const configurations = JSON.stringify(ofRole('from-cli', trust(PARTNER)));
  const { id } = await aws('create-access-preview', '--analyzer-arn', analyzerArn, '--configurations', configurations);
  const named = ['--analyzer-arn', analyzerArn, '--access-preview-id', String(id)];
  const { accessPreview } = (await aws('get-access-preview', ...named)) as { accessPreview: { status: string } };
  assert.equal(accessPreview.status, 'COMPLETED');
  const { findings } = (await aws('list-access-preview-findings', ...named)) as { findings: { changeType: string; principal: unknown }[] };
  assert.deepEqual(
    findings.map(({ changeType, principal }) => [changeType, principal]),
    [['NEW', { AWS: PARTNER }]],
  );
  const { accessPreviews } = (await aws('list-access-previews', '--analyzer-arn', analyzerArn)) as { accessPreviews: { id: string }[] };
  assert.equal(accessPreviews[0]?.id, id);
});
