import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import { decodeContexts } from '#store/trail/context-reader.ts';
import { CONTEXT_BYTES_MAX, encodeContexts } from '#store/trail/context-writer.ts';
import {
  ANONYMOUS,
  BUCKET,
  bucketSnapshot,
  callersOf,
  decideBucket,
  NOW,
  OBJECT,
  OTHER,
  OWNER,
  onBucket,
  type WorldPolicies,
} from './bucket-fixture.ts';
import { decisionContextOf } from './decision-trace.ts';

const { user, root, roleSession, federated } = callersOf(OWNER);
const stranger = callersOf(OTHER);

const policy = (...Statement: readonly object[]): string => JSON.stringify({ Version: '2012-10-17', Statement });
const allow = (Principal: unknown, more: object = {}): object => ({
  Effect: 'Allow',
  Principal,
  Action: 's3:*',
  Resource: `${BUCKET}/*`,
  ...more,
});
const deny = (Principal: unknown, more: object = {}): object => ({ ...allow(Principal, more), Effect: 'Deny' });
const aws = (...AWS: readonly string[]) => ({ AWS });
const ALL = policy({ Effect: 'Allow', Action: '*', Resource: '*' });
const OTHER_ACTIONS = policy({ Effect: 'Allow', Action: 'iam:*', Resource: '*' });
const DENY_S3 = policy({ Effect: 'Allow', Action: '*', Resource: '*' }, { Effect: 'Deny', Action: 's3:*', Resource: '*' });

/** `implicit X` and `explicit X`: the request is denied by the policy type X. */
type Outcome = 'allow' | `${'implicit' | 'explicit'} ${'identity' | 'resource' | 'boundary' | 'session' | 'service-control'}`;
type Row = readonly [
  title: string,
  caller: Principal,
  bucketPolicy: string | undefined,
  world: WorldPolicies & { readonly session?: string },
  outcome: Outcome,
];

// biome-ignore format: a table
const ROWS: readonly Row[] = [
  // case                                                              caller            bucket policy                                              other policies                        outcome
  ['neither policy allows',                                             user,             undefined,                                                 {},                                   'implicit identity'],
  ['identity policies suffice in one account',                          user,             undefined,                                                 { identity: ALL },                    'allow'],
  ['the bucket policy suffices in one account',                         user,             policy(allow(aws(user.arn))),                              {},                                   'allow'],
  ['the unique ID of a user names the user',                            user,             policy(allow(aws(user.principalId))),                      {},                                   'allow'],
  ['the unique ID of a deleted user with the same name does not',       user,             policy(allow(aws('AIDAFORMERLYADA'))),                     {},                                   'implicit identity'],
  ['the account delegates to identity policies',                        user,             policy(allow(aws(OWNER))),                                 {},                                   'implicit identity'],
  ['the account and identity policies together allow',                  user,             policy(allow(aws(`arn:aws:iam::${OWNER}:root`))),          { identity: ALL },                    'allow'],
  ['* names a user',                                                    user,             policy(allow('*')),                                        {},                                   'allow'],
  ['a bucket policy about another action does not allow',               user,             policy(allow(aws(user.arn), { Action: 's3:PutObject' })),  {},                                   'implicit identity'],
  ['a bucket policy about another key does not allow',                  user,             policy(allow(aws(user.arn), { Resource: `${BUCKET}/x/*` })), {},                                 'implicit identity'],
  ['NotResource exempts the key',                                       user,             policy(allow(aws(user.arn), { Resource: undefined, NotResource: `${BUCKET}/a/*` })), {},         'implicit identity'],
  ['a policy variable in Resource is replaced',                         user,             policy(allow('*', { Resource: `${BUCKET}/\${aws:PrincipalAccount}/*` })), {},                    'implicit identity'],
  ['a default of a policy variable in Resource is replaced',            user,             policy(allow('*', { Resource: `${BUCKET}/\${aws:PrincipalTag/x, 'a'}/b` })), {},                'allow'],
  ['a condition that fails does not allow',                             user,             policy(allow('*', { Condition: { Bool: { 'aws:SecureTransport': 'false' } } })), {},             'implicit identity'],
  ['an unknown condition key does not allow',                           user,             policy(allow('*', { Condition: { StringEquals: { 's3:unheard': 'x' } } })), {},                  'implicit identity'],
  ['an Allow without Resource allows nothing',                          user,             policy(allow('*', { Resource: undefined })),               {},                                   'implicit identity'],

  ['a Deny of the bucket policy wins over identity policies',           user,             policy(deny('*')),                                         { identity: ALL },                    'explicit resource'],
  ['a Deny of the bucket policy wins over its Allow',                   user,             policy(allow('*'), deny(aws(OWNER))),                      {},                                   'explicit resource'],
  ['a Deny of identity policies wins over the bucket policy',           user,             policy(allow(aws(user.arn))),                              { identity: DENY_S3 },                'explicit identity'],
  ['a Deny of the bucket policy precedes one of identity policies',     user,             policy(deny('*')),                                         { identity: DENY_S3 },                'explicit resource'],
  ['a Deny of a service control policy precedes both',                  user,             policy(deny('*')),                                         { serviceControl: DENY_S3 },          'explicit service-control'],
  ['NotPrincipal exempts the listed user of the listed account',        user,             policy(deny(undefined, { NotPrincipal: aws(user.arn, OWNER) })), { identity: ALL },              'allow'],
  ['NotPrincipal denies all others',                                    roleSession,      policy(deny(undefined, { NotPrincipal: aws(user.arn, OWNER) })), { identity: ALL },              'explicit resource'],
  ['NotPrincipal denies a caller with a boundary',                      user,             policy(deny(undefined, { NotPrincipal: aws(user.arn, OWNER) })), { identity: ALL, boundary: ALL }, 'explicit resource'],

  ['a boundary does not limit a grant to the user',                     user,             policy(allow(aws(user.arn))),                              { boundary: OTHER_ACTIONS },          'allow'],
  ['a boundary limits a grant to the role',                             roleSession,      policy(allow(aws(roleSession.roleArn))),                   { boundary: OTHER_ACTIONS },          'implicit boundary'],
  ['a boundary does not limit a grant to the session',                  roleSession,      policy(allow(aws(roleSession.arn))),                       { boundary: OTHER_ACTIONS },          'allow'],
  ['a boundary does not limit a grant to *',                            roleSession,      policy(allow('*')),                                        { boundary: OTHER_ACTIONS },          'allow'],
  ['a Deny in a boundary limits every grant',                           roleSession,      policy(allow(aws(roleSession.arn))),                       { boundary: DENY_S3 },                'explicit boundary'],
  ['a grant to the role suffices without identity policies',            roleSession,      policy(allow(aws(roleSession.roleArn))),                   {},                                   'allow'],
  ['session policies limit a grant to the role',                        roleSession,      policy(allow(aws(roleSession.roleArn))),                   { session: OTHER_ACTIONS },           'implicit session'],
  ['session policies do not limit a grant to the session',              roleSession,      policy(allow(aws(roleSession.arn))),                       { session: OTHER_ACTIONS },           'allow'],
  ['a grant to the federated user itself is direct',                    federated,        policy(allow(aws(federated.arn))),                         {},                                   'allow'],
  ['a grant to its IAM user is limited by session policies',            federated,        policy(allow(aws(user.arn))),                              { session: OTHER_ACTIONS },           'implicit session'],
  ['a grant to its IAM user needs session policies that allow',         federated,        policy(allow(aws(user.arn))),                              { session: ALL },                     'allow'],
  ['a Deny of its IAM user denies the federated user',                  federated,        policy(deny(aws(user.principalId))),                       { identity: ALL, session: ALL },      'explicit resource'],
  ['service control policies limit a grant to the user',                user,             policy(allow(aws(user.arn))),                              { serviceControl: OTHER_ACTIONS },    'implicit service-control'],
  ['service control policies limit the root user',                      root,             policy(allow('*')),                                        { serviceControl: OTHER_ACTIONS },    'implicit service-control'],
  ['the root user needs no Allow',                                      root,             undefined,                                                 {},                                   'allow'],
  ['a Deny of the bucket policy denies the root user',                  root,             policy(deny(aws(OWNER))),                                  {},                                   'explicit resource'],

  ['another account: identity policies alone do not suffice',           stranger.user,    undefined,                                                 { identity: ALL },                    'implicit resource'],
  ['another account: the bucket policy alone does not suffice',         stranger.user,    policy(allow(aws(stranger.user.arn))),                     {},                                   'implicit identity'],
  ['another account: both suffice',                                     stranger.user,    policy(allow(aws(stranger.user.arn))),                     { identity: ALL },                    'allow'],
  ['another account: the account is named, and delegates',              stranger.user,    policy(allow(aws(OTHER))),                                 { identity: ALL },                    'allow'],
  ['another account: the owner is named',                               stranger.user,    policy(allow(aws(OWNER))),                                 { identity: ALL },                    'implicit resource'],
  ['another account: a boundary limits a grant to the user',            stranger.user,    policy(allow(aws(stranger.user.arn))),                     { identity: ALL, boundary: OTHER_ACTIONS }, 'implicit boundary'],
  ['another account: session policies limit a grant to the session',    stranger.roleSession, policy(allow(aws(stranger.roleSession.arn))),          { identity: ALL, session: OTHER_ACTIONS }, 'implicit session'],
  ['another account: service control policies limit the caller',        stranger.user,    policy(allow('*')),                                        { identity: ALL, serviceControl: OTHER_ACTIONS }, 'implicit service-control'],
  ['another account: its root user',                                    stranger.root,    policy(allow(aws(OTHER))),                                 {},                                   'allow'],
  ['another account: a Deny wins',                                      stranger.root,    policy(allow('*'), deny(aws(OTHER))),                      {},                                   'explicit resource'],

  ['a caller without credentials is not allowed by *',                  ANONYMOUS,        policy(allow('*')),                                        { identity: ALL },                    'implicit identity'],
];

for (const [title, caller, bucketPolicy, { session, ...world }, outcome] of ROWS) {
  test(`bucket policy: ${title}: ${outcome}`, async () => {
    const principal = session === undefined ? caller : withSessionPolicy(caller, session);
    const { denied } = await decideBucket(bucketSnapshot(world), principal, onBucket('s3:GetObject', OBJECT, bucketPolicy));
    assert.equal(outcomeOf(denied?.decision), outcome);
  });
}

function withSessionPolicy(principal: Principal, sessionPolicy: string): Principal {
  return { ...principal, session: { ...roleSession.session, sessionPolicy } } as Principal;
}

function outcomeOf(decision: NonNullable<Awaited<ReturnType<typeof decideBucket>>['denied']>['decision'] | undefined): string {
  if (decision === undefined || decision.effect === 'Allow') return 'allow';
  if (decision.kind === 'limit') return 'limit';
  return decision.kind === 'explicit' ? `explicit ${decision.policyType}` : `implicit ${decision.missing}`;
}

const DENY_ALL = policy(deny('*', { Resource: [BUCKET, `${BUCKET}/*`] }));
// biome-ignore format: a table
const ROOT_ROWS: readonly (readonly [action: `s3:${string}`, caller: Principal, world: WorldPolicies, outcome: Outcome])[] = [
  // action                caller         other policies                       outcome
  ['s3:GetBucketPolicy',    root,          {},                                  'allow'],
  ['s3:PutBucketPolicy',    root,          {},                                  'allow'],
  ['s3:DeleteBucketPolicy', root,          {},                                  'allow'],
  ['s3:DeleteBucketPolicy', root,          { serviceControl: OTHER_ACTIONS },   'implicit service-control'],
  ['s3:DeleteBucketPolicy', root,          { serviceControl: DENY_S3 },         'explicit service-control'],
  ['s3:ListBucket',         root,          {},                                  'explicit resource'],
  ['s3:DeleteBucketPolicy', user,          { identity: ALL },                   'explicit resource'],
  ['s3:DeleteBucketPolicy', stranger.root, {},                                  'explicit resource'],
];
for (const [action, caller, world, outcome] of ROOT_ROWS) {
  test(`bucket policy that denies everything: ${action} by ${caller.type} of ${caller.accountId}: ${outcome}`, async () => {
    const { denied } = await decideBucket(bucketSnapshot(world), caller, onBucket(action, BUCKET, DENY_ALL));
    assert.equal(outcomeOf(denied?.decision), outcome);
  });
}

const PREFIX = `User: ${user.arn} is not authorized to perform: s3:GetObject on resource: ${OBJECT}`;
const OF_STRANGER = `User: ${stranger.user.arn} is not authorized to perform: s3:GetObject on resource: ${OBJECT}`;
// biome-ignore format: a table
const MESSAGES: readonly (readonly [title: string, caller: Principal, bucketPolicy: string | undefined, world: WorldPolicies, message: string])[] = [
  ['an explicit Deny in one account',      user,          policy(deny('*')), { identity: ALL },                     `${PREFIX} with an explicit deny in a resource-based policy`],
  ['an implicit denial in one account',    user,          undefined,         {},                                    `${PREFIX} because no identity-based policy allows the s3:GetObject action`],
  ['another account of the organization',  stranger.user, undefined,         { identity: ALL, organization: true }, `${OF_STRANGER} because no resource-based policy allows the s3:GetObject action`],
  ['another account',                      stranger.user, undefined,         { identity: ALL },                     'Access Denied'],
  ['a Deny for another account',           stranger.user, policy(deny('*')), { identity: ALL },                     'Access Denied'],
  ['a caller without credentials',         ANONYMOUS,     policy(allow('*')), {},                                   'Access Denied'],
];
for (const [title, caller, bucketPolicy, world, message] of MESSAGES) {
  test(`message of a denial: ${title}`, async () => {
    const { denied } = await decideBucket(bucketSnapshot(world), caller, onBucket('s3:GetObject', OBJECT, bucketPolicy));
    assert.equal(denied?.message, message);
    if (message === 'Access Denied') assert.equal(denied?.reasons, undefined);
  });
}

test('DecodeAuthorizationMessage: the explanation of a Deny in a bucket policy has the statement that denies', async () => {
  const bucketPolicy = policy(allow('*'), deny('*', { Sid: 'NoReads', Action: 's3:Get*' }));
  const { denied } = await decideBucket(bucketSnapshot({ identity: ALL }), user, onBucket('s3:GetObject', OBJECT, bucketPolicy));
  const { explicitDeny, matchedStatements } = JSON.parse(denied?.reasons ?? '{}');
  assert.equal(explicitDeny, true);
  assert.deepEqual(
    matchedStatements.items.map((each: { statementId: string; actions: unknown }) => [each.statementId, each.actions]),
    [['NoReads', { items: [{ value: 's3:Get*' }] }]],
  );
});

test('a bucket of no account is denied, even to a caller that both policies allow', async () => {
  const asked = { ...onBucket('s3:GetObject', OBJECT, policy(allow('*'))), resourceOwner: async () => undefined };
  const { denied } = await decideBucket(bucketSnapshot({ identity: ALL }), user, asked);
  assert.equal(outcomeOf(denied?.decision), 'implicit resource');
});

test('a permission without a resource-based policy uses the declared owner: CreateBucket', async () => {
  const asked = { action: 's3:CreateBucket', resources: [BUCKET], resourceOwner: async () => OWNER as AccountId } as const;
  const decided = async (caller: Principal) =>
    outcomeOf((await decideBucket(bucketSnapshot({ identity: ALL }), caller, asked)).denied?.decision);
  assert.deepEqual([await decided(user), await decided(stranger.user)], ['allow', 'implicit resource']);
});

test('a bucket policy that cannot be compiled fails closed', async () => {
  const decision = decideBucket(
    bucketSnapshot({ identity: ALL }),
    user,
    onBucket('s3:GetObject', OBJECT, '{"Statement":[{"Effect":"Deny"}]}'),
  );
  await assert.rejects(decision, { name: 'PolicyTextError' });
});

test('a bucket policy of 20 KB is decided within the step budget, and one that exceeds it is a denial', async () => {
  const pattern = (i: number) => `${BUCKET}/*${'a?'.repeat(40)}${i}*`;
  const resources = Array.from({ length: 170 }, (_, i) => pattern(i));
  const text = policy(
    allow('*', { Resource: resources }),
    deny(aws(...Array.from({ length: 60 }, (_, i) => `arn:aws:iam::${OTHER}:user/${i}`))),
  );
  assert.ok(text.length > 19_000 && text.length < 20_480, `${text.length} characters`);
  const asked = onBucket('s3:GetObject', `${BUCKET}/${'a'.repeat(900)}`, text);
  const decided = async (more?: { readonly decisionSteps: number }) =>
    outcomeOf((await decideBucket(bucketSnapshot({}), user, asked, more)).denied?.decision);
  assert.equal(await decided(), 'implicit identity');
  assert.equal(await decided({ decisionSteps: 2_000 }), 'limit');
});

const KEYS_REQUEST = {
  received: {
    requestId: 'r',
    rawHeaders: ['X-Amz-Content-Sha256', 'UNSIGNED-PAYLOAD'],
    sourceIp: '127.0.0.1',
    secureTransport: true,
    tls: { version: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256' },
  },
} as const;
const signedBy = (presigned: boolean, secondsAgo: number) => ({
  ...KEYS_REQUEST,
  authenticated: {
    principal: user,
    region: 'us-east-1',
    identityVersion: 1,
    signature: { presigned, signedAt: (NOW - secondsAgo * 1000) as typeof NOW },
  },
});
// biome-ignore format: a table
const KEYS: readonly (readonly [key: string, value: string, operator: string, presigned: boolean, outcome: Outcome])[] = [
  ['s3:authType',              'REST-HEADER',       'StringEquals',       false, 'allow'],
  ['s3:authType',              'REST-QUERY-STRING', 'StringEquals',       true,  'allow'],
  ['s3:signatureversion',      'AWS4-HMAC-SHA256',  'StringEquals',       false, 'allow'],
  ['s3:signatureAge',          '600000',            'NumericEquals',      true,  'allow'],
  ['s3:signatureAge',          'true',              'Null',               false, 'allow'],
  ['s3:x-amz-content-sha256',  'UNSIGNED-PAYLOAD',  'StringEquals',       false, 'allow'],
  ['s3:TlsVersion',            '1.2',               'NumericGreaterThan', false, 'allow'],
  ['s3:TlsVersion',            '1.3',               'NumericGreaterThan', false, 'implicit identity'],
  ['s3:ResourceAccount',       OWNER,               'StringEquals',       false, 'allow'],
  ['aws:ResourceAccount',      OWNER,               'StringEquals',       false, 'allow'],
  ['s3:prefix',                'logs/',             'StringEquals',       false, 'allow'],
];
for (const [key, value, operator, presigned, outcome] of KEYS) {
  test(`condition key ${key}: ${operator} ${value}${presigned ? ' in a presigned URL' : ''}: ${outcome}`, async () => {
    const bucketPolicy = policy(allow('*', { Condition: { [operator]: { [key]: value } } }));
    const asked = { ...onBucket('s3:GetObject', OBJECT, bucketPolicy), context: new Map([['s3:prefix', 'logs/']]) };
    const { denied } = await decideBucket(bucketSnapshot({}), user, asked, signedBy(presigned, 600));
    assert.equal(outcomeOf(denied?.decision), outcome);
  });
}

test('condition keys about the request: an identity policy reads them, and an operation can override them', async () => {
  const Condition = { StringEquals: { 's3:authType': 'POST' } };
  const world = bucketSnapshot({ identity: policy({ Effect: 'Allow', Action: 's3:*', Resource: '*', Condition }) });
  const asked = onBucket('s3:GetObject', OBJECT, undefined);
  const decided = async (context: ReadonlyMap<string, string>) =>
    outcomeOf((await decideBucket(world, user, { ...asked, context }, signedBy(false, 0))).denied?.decision);
  assert.deepEqual([await decided(new Map()), await decided(new Map([['s3:authtype', 'POST']]))], ['implicit identity', 'allow']);
});

test('decision context: it has the owner, the hash of the policy, the keys that were read, and the deciding statement', async () => {
  const bucketPolicy = policy(allow('*', { Sid: 'Reads', Condition: { StringEquals: { 's3:authType': 'REST-HEADER' } } }));
  const { trace } = await decideBucket(bucketSnapshot({}), user, onBucket('s3:GetObject', OBJECT, bucketPolicy), signedBy(false, 0));
  const context = decisionContextOf(trace, undefined, { principal: 'p' });
  const [permission] = context?.permissions ?? [];
  assert.equal(permission?.resourceOwner, OWNER);
  assert.match(permission?.resourcePolicy ?? '', /^[0-9a-f]{64}$/);
  assert.deepEqual(permission?.added, new Map([['s3:authtype', 'REST-HEADER']]));
  assert.deepEqual(permission?.allowedBy, { policyType: 'resource', policyId: 'bucket/logs', statement: 0, sid: 'Reads' });
  const encoded = encodeContexts([{ at: NOW, context }]) as string;
  assert.ok(encoded.length < CONTEXT_BYTES_MAX);
  assert.deepEqual(decodeContexts(encoded, [{ at: NOW }]), [context]);
});
