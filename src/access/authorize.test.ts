import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AccountId, type Arn, arn } from '#core/arn.ts';
import type { Received } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import type { Principal, SessionFacts } from '#core/principal.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { changeTo } from '#store/identity/record-examples.ts';
import { type Asked, authorizing } from './authorize.ts';
import { Denied } from './denied.ts';
import { newSnapshot } from './snapshot.ts';
import { newStacks } from './stacks.ts';

const ACCOUNT = '111122223333' as AccountId;
const NOW = instant(Date.UTC(2026, 10, 22));
const USER_ARN = arn('iam', '', ACCOUNT, 'user/ada');
const ROLE = arn('iam', '', ACCOUNT, 'role/passed');

const SESSION: SessionFacts = {
  issuedAt: NOW,
  expiresAt: instant(NOW + 3_600_000),
  mfaAuthenticated: false,
  tags: {},
  transitiveTagKeys: [],
  chained: false,
};
const OF_USER: Principal = {
  type: 'IAMUser',
  accountId: ACCOUNT,
  arn: USER_ARN,
  principalId: 'AIDAADA',
  userName: 'ada',
  session: SESSION,
};
const { session: _, ...WITH_KEY } = OF_USER;
const FEDERATED: Principal = {
  type: 'FederatedUser',
  accountId: ACCOUNT,
  arn: arn('sts', '', ACCOUNT, 'federated-user/visitor'),
  principalId: `${ACCOUNT}:visitor`,
  userName: 'visitor',
  issuerArn: USER_ARN,
  issuerId: 'AIDAADA',
  session: { ...SESSION, sessionPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess' as Arn] },
};

/** Returns a snapshot with the user ada, who has AdministratorAccess and these inline policies. */
function adasSnapshot(inlinePolicies: Readonly<Record<string, string>> = {}) {
  const snapshot = newSnapshot();
  const user = {
    accountId: ACCOUNT,
    arn: USER_ARN,
    path: '/',
    createdAt: NOW,
    userName: 'ada',
    userId: 'AIDAADA',
    tags: [],
    groupIds: [],
    accessKeyIds: [],
    attachedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess' as Arn],
    inlinePolicies,
  };
  snapshot.apply(1, [changeTo({ accountId: ACCOUNT, kind: 'user', key: 'ada', version: 1, record: user })]);
  return snapshot;
}

const RECEIVED: Received = {
  requestId: 'r',
  receivedAt: NOW,
  method: 'POST',
  target: '/',
  rawHeaders: [],
  body: new Uint8Array(),
  sourceIp: '127.0.0.1',
};

function authorize(principal: Principal, ...actions: readonly Asked['action'][]): Promise<void> {
  return authorizeOn(ROLE, principal, ...actions);
}

async function authorizeOn(resource: string, principal: Principal, ...actions: readonly Asked['action'][]): Promise<void> {
  const snapshot = adasSnapshot();
  const stage = authorizing({ snapshot, stacks: newStacks(snapshot), holds: () => true });
  const store = await openSqlite(':memory:');
  const asked = actions.map((action) => ({ action, resources: [resource] }));
  const authenticated = { principal, region: 'us-east-1', identityVersion: 1 };
  await store.transaction((tx) => stage({ received: RECEIVED, authenticated, profile: 'sdk', asked, now: NOW }, tx));
}

for (const [who, principal] of [
  ['a federated user', FEDERATED],
  ['a session of GetSessionToken without MFA', OF_USER],
] as const) {
  test(`authorize: ${who} cannot call IAM`, async () => {
    await assert.rejects(authorize(principal, 'iam:GetRole'), { code: 'InvalidClientTokenId' });
  });

  test(`ROLE-1: ${who} may pass a role in a call to another service`, async () => {
    await authorize(principal, 'chime:CreateMediaCapturePipeline', 'iam:PassRole');
    await authorize(principal, 'chime:PutVoiceConnectorStreamingConfiguration', 'iam:CreateServiceLinkedRole');
  });
}

test('authorize: an operation that requires no permission is an internal error', async () => {
  await assert.rejects(authorize(OF_USER), /does not declare a required permission/);
});

// biome-ignore format: a table
const OWNERS: readonly (readonly [resource: string, allowed: boolean])[] = [
  ['arn:aws:iam::111122223333:policy/Own',                                        true ],
  ['*',                                                                           true ],
  ['arn:aws:iam::aws:policy/AdministratorAccess',                                 true ],
  ['arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess',    true ],
  ['arn:aws:iam::444455556666:policy/Own',                                        false],
  ['arn:aws:iam::aws:role/Own',                                                   false],
  ['arn:aws:iam:::policy/Own',                                                    false],
  ['arn:aws:iam::*:policy/Own',                                                   false],
  ['arn:aws:chime:us-east-1:aws:meeting/a1b2',                                    false],
  ['arn:aws:chime:us-east-1::meeting/a1b2',                                       false],
  ['arn:aws-cn:iam::aws:policy/AdministratorAccess',                              false],
  ['not an ARN',                                                                  false],
];
for (const [resource, allowed] of OWNERS) {
  test(`authorize: an administrator is ${allowed ? 'allowed' : 'denied'} an action on ${resource}`, async () => {
    const decided = authorizeOn(resource, { ...OF_USER, session: { ...SESSION, mfaAuthenticated: true } }, 'chime:TagResource');
    if (allowed) await decided;
    else await assert.rejects(decided, { code: 'AccessDenied' });
  });
}

test('authorize: a decision that exceeds the step limit is a denial, and its message states the limit', async () => {
  const { snapshot, principal } = withPolicy({ StringNotLike: { 'aws:UserAgent': `*${'a?'.repeat(200)}b*` } });
  const received = { ...RECEIVED, rawHeaders: ['User-Agent', `${'a'.repeat(1000)}b`] };
  const authorizeWith = async (decisionSteps: number): Promise<void> => {
    const stage = authorizing({ snapshot, stacks: newStacks(snapshot), holds: () => true, decisionSteps });
    const store = await openSqlite(':memory:');
    const asked: readonly Asked[] = [{ action: 'iam:GetRole', resources: [ROLE] }];
    const authenticated = { principal, region: 'us-east-1', identityVersion: 1 };
    await store.transaction((tx) => stage({ received, authenticated, profile: 'sdk', asked, now: NOW }, tx));
  };
  await assert.rejects(authorizeWith(3000), {
    code: 'AccessDenied',
    message: `User: ${USER_ARN} is not authorized to perform: iam:GetRole on resource: ${ROLE} because the policy evaluation exceeds its step limit`,
    decision: { effect: 'Deny', kind: 'limit', resource: ROLE },
    reasons: undefined,
  });
  // Allows enough steps for the evaluation to complete. The Deny policy does not apply, so the request is allowed.
  await authorizeWith(100_000);
});

test('newStacks: the policies of a session are collected once, not for each request', () => {
  const stacks = newStacks(adasSnapshot());
  const sessionPolicy = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"*"}}';
  const principal = (): Principal => ({ ...FEDERATED, session: { ...FEDERATED.session, ...SESSION, sessionPolicy } });
  const managed = (): Principal => {
    const session = { ...SESSION, sessionPolicy, sessionPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess' as Arn] };
    return { ...FEDERATED, session };
  };
  assert.equal(stacks.stackOf(principal()), stacks.stackOf(principal()));
  assert.equal(stacks.stackOf(managed()), stacks.stackOf(managed()));
});

/**
 * Returns a snapshot in which the administrator ada has a Deny policy with this condition. Also returns ada's
 * principal.
 */
function withPolicy(condition: object) {
  const snapshot = adasSnapshot();
  const record = snapshot.user(ACCOUNT, 'ada');
  assert.ok(record !== undefined);
  const deny = JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Deny', Action: '*', Resource: '*', Condition: condition } });
  snapshot.apply(2, [
    changeTo({ accountId: ACCOUNT, kind: 'user', key: 'ada', version: 2, record: { ...record, inlinePolicies: { deny } } }),
  ]);
  const { session: _, ...principal } = OF_USER;
  return { snapshot, principal: principal as Principal };
}

/**
 * Returns the denial of iam:GetRole for the administrator ada. One Deny statement names the action. A second Deny
 * statement has a condition with `patterns` patterns, which makes the explanation of the denial expensive.
 */
async function denialBy(patterns: number): Promise<Denied> {
  const Condition = { StringLike: { 'aws:UserAgent': Array.from({ length: patterns }, (_, i) => `*${'a?'.repeat(100)}${i}*`) } };
  const statements = [
    { Effect: 'Deny', Action: 'iam:GetRole', Resource: '*' },
    { Effect: 'Deny', Action: '*', Resource: '*', Condition },
  ];
  const snapshot = adasSnapshot({ p: JSON.stringify({ Version: '2012-10-17', Statement: statements }) });
  const stage = authorizing({ snapshot, stacks: newStacks(snapshot), holds: () => true });
  const store = await openSqlite(':memory:');
  const authenticated = { principal: WITH_KEY, region: 'us-east-1', identityVersion: 1 };
  const received = { ...RECEIVED, rawHeaders: ['User-Agent', 'a'.repeat(1_000)] };
  const asked: readonly Asked[] = [{ action: 'iam:GetRole', resources: [ROLE] }];
  const denial = await store
    .transaction((tx) => stage({ received, authenticated, profile: 'sdk', asked, now: NOW }, tx))
    .catch((error) => error);
  await store.close();
  assert.ok(denial instanceof Denied);
  return denial;
}

test('authorize: a denial has an explanation, unless creating it would exceed the limit of steps', async () => {
  const [short, long] = [await denialBy(10), await denialBy(600)];
  assert.equal(JSON.parse(short.reasons ?? '{}').explicitDeny, true);
  assert.equal(long.reasons, undefined);
  assert.deepEqual([long.code, long.message], [short.code, short.message]);
});
