/** Conditions on the tags of a role in the role's trust policy, for every kind of caller. Requirements STS-4, EVAL-1. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { otherAccount } from '../kit/account.ts';
import { messageOf, outcomeOf } from '../kit/outcome.ts';
import { allow, deny, type Statement, trust } from '../kit/policy.ts';
import { startFederation } from './federation.ts';

const federation = await startFederation();
const { accountId, oidcArn, samlArn } = federation;
const other = await otherAccount(federation.server, 'Partner');
const ALL_STS = allow('sts:*');
const ada = await federation.user('ada', ALL_STS);
const visitor = await other.user('visitor', ALL_STS);

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
  ['a user of the account',       (roleArn) => federation.assume(ada, roleArn, { RoleSessionName: 'blue' })],
  ['a user of another account',   (roleArn) => federation.assume(visitor, roleArn, { RoleSessionName: 'blue' })],
  ['a token of OpenID Connect',   (roleArn) => federation.withToken(roleArn, {}, 'blue')],
  ['a SAML assertion',            (roleArn) => federation.withAssertion(roleArn, { attributes: { RoleSessionName: ['blue'] } })],
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
  test(`Trust policies: with a Deny under condition "${title}", the result for every caller is ${outcome}`, async () => {
    const roleArn = await federation.role({ RoleName: `denies-${i}`, Tags: TAGS }, [
      { Effect: 'Allow', Principal: EVERYONE, Action: ASSUME },
      { Effect: 'Deny', Principal: { AWS: '*', Federated: [oidcArn, samlArn] }, Action: ASSUME, Condition: condition },
    ]);
    for (const [caller, assume] of CALLERS) assert.equal(await outcomeOf(assume(roleArn)), outcome, caller);
  });
}

test("Trust policies: a request tag can be compared with the role's tag of the same key", async () => {
  const same = { Condition: { StringEquals: { 'aws:RequestTag/Team': TEAM_OF_ROLE } } };
  const trusted = { Effect: 'Allow', Principal: EVERYONE, Action: [...ASSUME, 'sts:TagSession'], ...same };
  const roleArn = await federation.role({ RoleName: 'same-team', Tags: TAGS }, trusted);
  const assume = (keys: typeof ada, Value: string) => outcomeOf(federation.assume(keys, roleArn, { Tags: [{ Key: 'team', Value }] }));
  assert.deepEqual([await assume(ada, 'blue'), await assume(ada, 'red')], ['allowed', 'AccessDenied']);
  assert.deepEqual([await assume(visitor, 'blue'), await assume(visitor, 'red')], ['allowed', 'AccessDenied']);
  const token = (team: string) =>
    outcomeOf(federation.withToken(roleArn, { 'https://aws.amazon.com/tags': { principal_tags: { Team: [team] } } }));
  assert.deepEqual([await token('blue'), await token('red')], ['allowed', 'AccessDenied']);
});

test("AssumeRole: aws:TagKeys has the session tag's key as passed, even if a role tag differs in case", async () => {
  const only = {
    'ForAllValues:StringEquals': { 'aws:TagKeys': ['team'] },
    Null: { 'aws:ResourceTag/Team': 'false' },
  };
  const trusted = { Effect: 'Allow', Principal: EVERYONE, Action: [...ASSUME, 'sts:TagSession'], Condition: only };
  const roleArn = await federation.role({ RoleName: 'only-team', Tags: TAGS }, trusted);
  const assume = (Key: string) => outcomeOf(federation.assume(ada, roleArn, { Tags: [{ Key, Value: 'blue' }] }));
  assert.deepEqual([await assume('team'), await assume('desk')], ['allowed', 'AccessDenied']);
});

test("AssumeRole: policies read tags of another account's role only if that role trusts the caller", async () => {
  const locked = { Condition: { StringEquals: { 'aws:ResourceTag/Locked': 'yes' } } };
  const prober = await other.user('prober', ALL_STS, deny('sts:*', '*', locked));
  const roleOf = (RoleName: string, ...trusted: readonly Statement[]) => federation.role({ RoleName, Tags: TAGS }, trusted);
  const trusting = await roleOf('trusting', trust(other.accountId));
  const closed = await roleOf('closed', trust(accountId));
  const denying = await roleOf('denying', trust(other.accountId), { ...trust('*'), Effect: 'Deny' });
  const absent = `arn:aws:iam::${accountId}:role/absent`;
  const assume = (RoleArn: string) => messageOf(federation.assume(prober, RoleArn));
  assert.match(await assume(trusting), /with an explicit deny in an identity-based policy$/);
  for (const roleArn of [closed, denying, absent]) {
    assert.equal(
      await assume(roleArn),
      `AccessDenied: User: arn:aws:iam::${other.accountId}:user/prober is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
    );
  }
});
