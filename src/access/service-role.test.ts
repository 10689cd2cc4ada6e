import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AccountId, arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { changeTo } from '#store/identity/record-examples.ts';
import type { Tx } from '#store/store.ts';
import { authorizing } from './authorize.ts';
import { type RoleDecision, type RoleRequest, roleDeciding } from './service-role.ts';
import { newSnapshot } from './snapshot.ts';
import { newStacks } from './stacks.ts';

const OWNER = '111122223333' as AccountId;
const OTHER = '444455556666' as AccountId;
const NOW = instant(Date.UTC(2026, 10, 22));
const ROLE = arn('iam', '', OWNER, 'role/team/writer');
const TRAIL = `arn:aws:cloudtrail:us-east-1:${OWNER}:trail/audit`;
const STREAM = `arn:aws:logs:us-east-1:${OWNER}:log-group:trails:log-stream:one`;
const NO_TX = {} as Tx;

const document = (...Statement: readonly object[]): string => JSON.stringify({ Version: '2012-10-17', Statement });
const trust = (more: object = {}): object => ({
  ...{ Effect: 'Allow', Principal: { Service: 'cloudtrail.amazonaws.com' }, Action: 'sts:AssumeRole' },
  ...more,
});
const allow = (more: object = {}): object => ({ Effect: 'Allow', Action: 'logs:PutLogEvents', Resource: STREAM, ...more });
const when = (key: string, value: string) => ({ Condition: { StringEquals: { [key]: value } } });

/** Policy of a resource that allows every action to a principal. */
const ofResource = (statement: object) => ({ text: document({ Effect: 'Allow', Action: '*', Resource: '*', ...statement }) });
const ALL = [allow({ Action: '*', Resource: '*' })];
const OF_OTHER = { resources: [STREAM.replace(OWNER, OTHER)] };

interface World {
  readonly trusts?: readonly object[];
  readonly allows?: readonly object[];
  readonly boundary?: object;
  readonly request?: Partial<RoleRequest>;
}

function decisionOf({ trusts = [trust()], allows = [allow()], boundary, request }: World, holds = true): Promise<RoleDecision> {
  const snapshot = newSnapshot();
  const boundaryArn = arn('iam', '', OWNER, 'policy/boundary');
  const role = {
    ...{ accountId: OWNER, arn: ROLE, path: '/team/', createdAt: NOW, attachedPolicyArns: [], tags: [{ key: 'team', value: 'ops' }] },
    ...{ roleName: 'writer', roleId: 'AROAWRITER', trustPolicy: document(...trusts), maxSessionSeconds: 3600 },
    inlinePolicies: { p: document(...allows) },
    ...(boundary !== undefined && { permissionsBoundaryArn: boundaryArn }),
  };
  const policy = {
    ...{
      accountId: OWNER,
      arn: boundaryArn,
      path: '/',
      createdAt: NOW,
      updatedAt: NOW,
      policyName: 'boundary',
      policyId: 'ANPA',
      tags: [],
    },
    ...{ defaultVersionId: 'v1', nextVersion: 2, versions: [{ versionId: 'v1', document: document(boundary ?? {}), createdAt: NOW }] },
  };
  snapshot.apply(1, [
    changeTo({ accountId: OWNER, kind: 'role', key: 'writer', version: 1, record: role }),
    ...(boundary === undefined ? [] : [changeTo({ accountId: OWNER, kind: 'policy', key: 'boundary', version: 1, record: policy })]),
  ]);
  const stacks = newStacks(snapshot);
  const decide = roleDeciding({ snapshot, stacks, authorize: authorizing({ snapshot, stacks, holds: () => holds }), holds: () => holds });
  return decide(NO_TX, {
    ...{ service: 'cloudtrail.amazonaws.com', roleArn: ROLE, sessionName: 's', actions: ['logs:PutLogEvents'], resources: [STREAM] },
    ...{ sourceArn: TRAIL, sourceAccount: OWNER, region: 'us-east-1', now: NOW },
    ...request,
  });
}

// biome-ignore format: a table
const ROWS: readonly (readonly [title: string, world: World, decision: RoleDecision])[] = [
  ['a role that trusts and allows',              {},                                                                                'allowed'],
  ['an unknown role',                            { request: { roleArn: `${ROLE}-2` } },                                             'no-role'],
  ['the role without its path',                  { request: { roleArn: arn('iam', '', OWNER, 'role/writer') } },                    'no-role'],
  ['a user with the name of the role',           { request: { roleArn: arn('iam', '', OWNER, 'user/team/writer') } },               'no-role'],
  ['a source of another account',                { request: { sourceAccount: OTHER } },                                             'no-role'],
  ['a role that trusts another service',         { trusts: [trust({ Principal: { Service: 'events.amazonaws.com' } })] },           'not-trusted'],
  ['a role that trusts everyone',                { trusts: [trust({ Principal: '*' })] },                                           'not-trusted'],
  ['a role that denies the service',             { trusts: [trust(), trust({ Effect: 'Deny' })] },                                  'not-trusted'],
  ['a trust policy that requires the source',    { trusts: [trust(when('aws:SourceArn', TRAIL))] },                                 'allowed'],
  ['a trust policy that requires another source', { trusts: [trust(when('aws:SourceArn', `${TRAIL}-2`))] },                         'not-trusted'],
  ['a trust policy that requires the account',   { trusts: [trust(when('aws:SourceAccount', OTHER))] },                             'not-trusted'],
  ['a role without permissions',                 { allows: [] },                                                                    'denied'],
  ['a role that allows another stream',          { allows: [allow({ Resource: `${STREAM}-2` })] },                                  'denied'],
  ['a role that allows one of two actions',      { request: { actions: ['logs:PutLogEvents', 'logs:CreateLogStream'] } },           'denied'],
  ['a role that allows one of two resources',    { request: { resources: [STREAM, `${STREAM}-2`] } },                               'denied'],
  ['a Deny',                                     { allows: [allow(), allow({ Effect: 'Deny', Action: '*' })] },                     'denied'],
  ['a boundary that does not allow',             { boundary: allow({ Action: 's3:*', Resource: '*' }) },                            'denied'],
  ['a boundary that allows',                     { boundary: allow({ Action: 'logs:*', Resource: '*' }) },                          'allowed'],
  ['a condition on a tag of the role',           { allows: [allow(when('aws:PrincipalTag/team', 'ops'))] },                         'allowed'],
  ['a condition on another tag',                 { allows: [allow(when('aws:PrincipalTag/team', 'dev'))] },                         'denied'],
  ['a resource of another account',              { allows: [allow({ Action: '*', Resource: '*' })], request: { resources: [STREAM.replace(OWNER, OTHER)] } }, 'allowed'],
  ['a policy of a resource that denies the role', { request: { resourcePolicy: ofResource({ Effect: 'Deny', Principal: { AWS: 'AROAWRITER' } }) } }, 'denied'],
  ['a policy of a resource for the role alone',  { allows: [], request: { resourcePolicy: ofResource({ Principal: { AWS: 'AROAWRITER' } }) } }, 'allowed'],
  ["another account's policy for the role",      { allows: ALL, request: { ...OF_OTHER, resourcePolicy: ofResource({ Principal: { AWS: 'AROAWRITER' } }) } }, 'allowed'],
  ["another account's policy for another role",  { allows: ALL, request: { ...OF_OTHER, resourcePolicy: ofResource({ Principal: { AWS: 'AROAOTHER' } }) } }, 'denied'],
  ["another account's resource without a policy", { allows: ALL, request: { ...OF_OTHER, resourcePolicy: { text: undefined } } },    'denied'],
  ['a condition on a fact of the request',       { allows: [allow(when('events:source', 'shop'))], request: { context: new Map([['events:source', 'shop']]) } }, 'allowed'],
  ['a resource of another account without permission', { request: { resources: [STREAM.replace(OWNER, OTHER)] } },                  'denied'],
];

for (const [title, world, decision] of ROWS) {
  test(`service role: ${title}: ${decision}`, async () => {
    assert.equal(await decisionOf(world), decision);
  });
}

test('service role: without a lease, nothing is decided', async () => {
  await assert.rejects(decisionOf({}, false), { code: 'ServiceUnavailable' });
});
