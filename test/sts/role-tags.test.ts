/** Tags of a role in its trust policy, for every kind of caller. Requirements STS-4, EVAL-1. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IAMClient } from '@aws-sdk/client-iam';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { messageOf, outcomeOf, startFederation } from './federation-rig.ts';

const rig = await startFederation();
const { accountId, oidcArn, samlArn } = rig;
const other = await rig.otherAccount('Partner');
const ALL_STS = { Effect: 'Allow', Action: 'sts:*', Resource: '*' };
const ada = await rig.user('ada', [ALL_STS]);
const visitor = await rig.user('visitor', [ALL_STS], new IAMClient(rig.server.client(other.keys)));

const ASSUME = ['sts:AssumeRole', 'sts:AssumeRoleWithWebIdentity', 'sts:AssumeRoleWithSAML'];
const EVERYONE = { AWS: [accountId, other.accountId], Federated: [oidcArn, samlArn] };
/** Policy variable with the value of the role's tag. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable
const TEAM_OF_ROLE = '${aws:ResourceTag/Team}';
const TAGS = [
  { Key: 'Locked', Value: 'yes' },
  { Key: 'Team', Value: 'blue' },
];

// biome-ignore format: a table
const CALLERS: readonly [caller: string, assume: (roleArn: string) => Promise<unknown>][] = [
  ['a user of the account',       (roleArn) => rig.assume(ada, roleArn, { RoleSessionName: 'blue' })],
  ['a user of another account',   (roleArn) => rig.assume(visitor, roleArn, { RoleSessionName: 'blue' })],
  ['a token of OpenID Connect',   (roleArn) => rig.withToken(roleArn, {}, 'blue')],
  ['a SAML assertion',            (roleArn) => rig.withAssertion(roleArn, { attributes: { RoleSessionName: ['blue'] } })],
];

// biome-ignore format: a table
const DENIALS: readonly [title: string, condition: object, outcome: 'AccessDenied' | 'allowed'][] = [
  // the trust policy denies if                       condition                                                              outcome
  ['aws:ResourceTag has the value',                   { StringEquals: { 'aws:ResourceTag/Locked': 'yes' } },                 'AccessDenied'],
  ['iam:ResourceTag has the value',                   { StringEquals: { 'iam:ResourceTag/locked': 'yes' } },                 'AccessDenied'],
  ['aws:ResourceTag is there',                        { Null: { 'aws:ResourceTag/Locked': 'false' } },                       'AccessDenied'],
  ['a variable is the tag',        { StringEquals: { 'sts:RoleSessionName': TEAM_OF_ROLE } },               'AccessDenied'],
  ['aws:ResourceTag is absent',                       { Null: { 'aws:ResourceTag/Locked': 'true' } },                        'allowed'],
  ['aws:ResourceTag has another value',               { StringEquals: { 'aws:ResourceTag/Locked': 'no' } },                  'allowed'],
];

for (const [i, [title, condition, outcome]] of DENIALS.entries()) {
  test(`Trust policies: a Deny if ${title} is ${outcome} for every caller`, async () => {
    const roleArn = await rig.role(
      `denies-${i}`,
      [
        { Effect: 'Allow', Principal: EVERYONE, Action: ASSUME },
        { Effect: 'Deny', Principal: { AWS: '*', Federated: [oidcArn, samlArn] }, Action: ASSUME, Condition: condition },
      ],
      [],
      { Tags: TAGS },
    );
    for (const [caller, assume] of CALLERS) assert.equal(await outcomeOf(assume(roleArn)), outcome, caller);
  });
}

test("Trust policies: a request tag can be compared with the role's tag of the same key", async () => {
  const same = { Condition: { StringEquals: { 'aws:RequestTag/Team': TEAM_OF_ROLE } } };
  const roleArn = await rig.role(
    'same-team',
    [{ Effect: 'Allow', Principal: EVERYONE, Action: [...ASSUME, 'sts:TagSession'], ...same }],
    [],
    { Tags: TAGS },
  );
  const assume = (keys: typeof ada, Value: string) => outcomeOf(rig.assume(keys, roleArn, { Tags: [{ Key: 'team', Value }] }));
  assert.deepEqual([await assume(ada, 'blue'), await assume(ada, 'red')], ['allowed', 'AccessDenied']);
  assert.deepEqual([await assume(visitor, 'blue'), await assume(visitor, 'red')], ['allowed', 'AccessDenied']);
  const token = (team: string) =>
    outcomeOf(rig.withToken(roleArn, { 'https://aws.amazon.com/tags': { principal_tags: { Team: [team] } } }));
  assert.deepEqual([await token('blue'), await token('red')], ['allowed', 'AccessDenied']);
});

test('AssumeRole: aws:TagKeys has the passed spelling of a session tag, not that of the role tag', async () => {
  const only = {
    'ForAllValues:StringEquals': { 'aws:TagKeys': ['team'] },
    Null: { 'aws:ResourceTag/Team': 'false' },
  };
  const roleArn = await rig.role(
    'only-team',
    [{ Effect: 'Allow', Principal: EVERYONE, Action: [...ASSUME, 'sts:TagSession'], Condition: only }],
    [],
    { Tags: TAGS },
  );
  const assume = (Key: string) => outcomeOf(rig.assume(ada, roleArn, { Tags: [{ Key, Value: 'blue' }] }));
  assert.deepEqual([await assume('team'), await assume('desk')], ['allowed', 'AccessDenied']);
});

test("AssumeRole: the caller's policies read tags of another account's role only if it trusts the caller", async () => {
  const iam = new IAMClient(rig.server.client(other.keys));
  const prober = await rig.user(
    'prober',
    [ALL_STS, { Effect: 'Deny', Action: 'sts:*', Resource: '*', Condition: { StringEquals: { 'aws:ResourceTag/Locked': 'yes' } } }],
    iam,
  );
  const trusting = await rig.role('trusting', [{ Effect: 'Allow', Principal: { AWS: other.accountId }, Action: 'sts:AssumeRole' }], [], {
    Tags: TAGS,
  });
  const closed = await rig.role('closed', [{ Effect: 'Allow', Principal: { AWS: accountId }, Action: 'sts:AssumeRole' }], [], {
    Tags: TAGS,
  });
  const denying = await rig.role(
    'denying',
    [
      { Effect: 'Allow', Principal: { AWS: other.accountId }, Action: 'sts:AssumeRole' },
      { Effect: 'Deny', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' },
    ],
    [],
    { Tags: TAGS },
  );
  const absent = `arn:aws:iam::${accountId}:role/absent`;
  const assume = (RoleArn: string) => messageOf(rig.sts(prober).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me' })));
  assert.match(await assume(trusting), /with an explicit deny in an identity-based policy$/);
  for (const roleArn of [closed, denying, absent]) {
    assert.equal(
      await assume(roleArn),
      `AccessDenied: User: arn:aws:iam::${other.accountId}:user/prober is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
    );
  }
});
