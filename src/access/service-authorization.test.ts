import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { authorizeService, type ServiceRequest } from './service-authorization.ts';

const OWNER = '111122223333' as AccountId;
const OTHER = '444455556666' as AccountId;
const TRAIL = `arn:aws:cloudtrail:us-east-1:${OWNER}:trail/all`;
const KEY = `arn:aws:s3:::logs/AWSLogs/${OWNER}/CloudTrail/us-east-1/2026/11/22/x.json.gz`;
const CLOUDTRAIL = { Service: 'cloudtrail.amazonaws.com' };

const statement = (more: object = {}): object => ({
  ...{ Effect: 'Allow', Principal: CLOUDTRAIL, Action: 's3:PutObject', Resource: `arn:aws:s3:::logs/AWSLogs/${OWNER}/*` },
  ...more,
});
const policy = (...Statement: readonly object[]): string => JSON.stringify({ Version: '2012-10-17', Statement });
const when = (operator: string, key: string, value: string) => ({ Condition: { [operator]: { [key]: value } } });

const put = (text: string | undefined, more: Partial<ServiceRequest> = {}): ServiceRequest => ({
  ...{ service: 'cloudtrail.amazonaws.com', action: 's3:PutObject', resource: KEY, policy: text, owner: OWNER },
  ...{ sourceArn: TRAIL, sourceAccount: OWNER, region: 'us-east-1', now: instant(Date.UTC(2026, 10, 22)) },
  context: new Map([['s3:x-amz-acl', 'bucket-owner-full-control']]),
  ...more,
});

/** Bucket policy for a trail, as AWS documents it. Source: CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail". */
const OF_TRAIL = policy(
  statement({ Action: 's3:GetBucketAcl', Resource: 'arn:aws:s3:::logs', ...when('StringEquals', 'aws:SourceArn', TRAIL) }),
  statement({ Condition: { StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control', 'aws:SourceArn': TRAIL } } }),
);
const OF_OTHER = { sourceAccount: OTHER, sourceArn: TRAIL.replace(OWNER, OTHER) };

// biome-ignore format: a table
const ROWS: readonly (readonly [title: string, request: ServiceRequest, outcome: string])[] = [
  ['the documented policy of a trail allows its trail to write',            put(OF_TRAIL),                                                                              'allow'],
  ['the documented policy of a trail allows GetBucketAcl',                  put(OF_TRAIL, { action: 's3:GetBucketAcl', resource: 'arn:aws:s3:::logs' }),                'allow'],
  ['the documented policy allows no other action',                          put(OF_TRAIL, { action: 's3:GetObject' }),                                                  'implicit'],
  ['another prefix is not allowed',                                         put(OF_TRAIL, { resource: `arn:aws:s3:::logs/AWSLogs/${OTHER}/CloudTrail/x` }),             'implicit'],
  ['without the ACL, the documented policy does not allow',                 put(OF_TRAIL, { context: new Map() }),                                                      'implicit'],
  ['a bucket without a policy',                                             put(undefined),                                                                             'no-policy'],
  ['a policy that names the account of the trail does not name the service', put(policy(statement({ Principal: { AWS: OWNER } }))),                                     'implicit'],
  ['a policy that names everyone does not name the service',                put(policy(statement({ Principal: '*' }))),                                                 'implicit'],
  ['a policy that names another service',                                   put(policy(statement({ Principal: { Service: 'config.amazonaws.com' } }))),                 'implicit'],
  ['a Deny for everyone denies the service',                                put(policy(statement(), statement({ Effect: 'Deny', Principal: '*' }))),                    'explicit'],
  ['a Deny for other transports than TLS does not apply',                   put(policy(statement(), statement({ Effect: 'Deny', Principal: '*', ...when('Bool', 'aws:SecureTransport', 'false') }))), 'allow'],
  ['a Deny for all but services does not apply',                            put(policy(statement(), statement({ Effect: 'Deny', Principal: '*', ...when('Bool', 'aws:PrincipalIsAWSService', 'false') }))), 'allow'],
  ['aws:PrincipalServiceName is the service',                               put(policy(statement(when('StringEquals', 'aws:PrincipalServiceName', 'cloudtrail.amazonaws.com')))), 'allow'],
  ['aws:ResourceAccount is the owner of the bucket',                        put(policy(statement(when('StringEquals', 'aws:ResourceAccount', OWNER)))),                 'allow'],
  ['a time after the end of the permission',                                put(policy(statement(when('DateLessThan', 'aws:CurrentTime', '2026-01-01T00:00:00Z')))),    'implicit'],
  ['aws:SourceIp is absent',                                                put(policy(statement(when('IpAddress', 'aws:SourceIp', '0.0.0.0/0')))),                     'implicit'],
  ['a policy that the engine cannot evaluate',                              put('{"Statement":[{"Effect":"Allow"}]}'),                                                  'malformed'],

  ['a policy that requires the trail refuses a trail of another account',              put(OF_TRAIL, OF_OTHER),                                                         'implicit'],
  ['a policy that requires the account refuses a trail of another account',            put(policy(statement(when('StringEquals', 'aws:SourceAccount', OWNER))), OF_OTHER), 'implicit'],
  ['a policy that requires the account allows its own trail',                          put(policy(statement(when('StringEquals', 'aws:SourceAccount', OWNER)))),         'allow'],
  ['a Deny for other accounts refuses a trail of another account',                     put(policy(statement(), statement({ Effect: 'Deny', ...when('StringNotEquals', 'aws:SourceAccount', OWNER) })), OF_OTHER), 'explicit'],
  ['a pattern of trails allows a trail of the account',                                put(policy(statement(when('ArnLike', 'aws:SourceArn', `arn:aws:cloudtrail:*:${OWNER}:trail/*`)))), 'allow'],
  ['the context cannot replace the source of the request',                             put(OF_TRAIL, { ...OF_OTHER, context: new Map([['aws:sourcearn', TRAIL], ['s3:x-amz-acl', 'bucket-owner-full-control']]) }), 'implicit'],
  ['a policy that requires the ACL refuses another ACL',                               put(OF_TRAIL, { context: new Map([['s3:x-amz-acl', 'private']]) }),               'implicit'],
];
for (const [title, request, outcome] of ROWS) {
  test(`authorizeService: ${title}: ${outcome}`, () => {
    const decision = authorizeService(request);
    assert.equal(decision.allowed ? 'allow' : decision.reason, outcome);
  });
}

test('authorizeService: a decision names the deciding statement', () => {
  const text = policy(statement(), statement({ Sid: 'No', Effect: 'Deny' }));
  assert.deepEqual(authorizeService(put(text)), {
    allowed: false,
    reason: 'explicit',
    by: { policyType: 'resource', policyId: 'bucket/logs', statement: 1, sid: 'No' },
  });
});
