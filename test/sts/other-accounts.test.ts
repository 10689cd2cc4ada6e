/** A denial reveals neither organization nor roles nor tags of another account. Requirements STS-4, EVAL-8. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreatePolicyCommand, GetPolicyCommand } from '@aws-sdk/client-iam';
import { CreateAccountCommand, CreateOrganizationCommand, OrganizationsClient } from '@aws-sdk/client-organizations';
import { accountOn, otherAccount } from '../kit/account.ts';
import type { Keys } from '../kit/keys.ts';
import { messageOf } from '../kit/outcome.ts';
import { allow, deny, policy, trust } from '../kit/policy.ts';
import { startFederation } from './federation.ts';

const federation = await startFederation();
const { accountId } = federation;
const organizations = new OrganizationsClient(federation.server.client());
await organizations.send(new CreateOrganizationCommand({ FeatureSet: 'ALL' }));
const other = await otherAccount(federation.server, 'Stranger');
const ALL = allow('*');

const closed = await federation.role('closed', trust(accountId));
const denying = await federation.role('denying', [trust(other.accountId), { ...trust('*'), Effect: 'Deny' }]);
const { Policy } = await federation.admin.send(new CreatePolicyCommand({ PolicyName: 'mine', PolicyDocument: policy(ALL) }));

const assuming = (RoleArn: string) => (keys: Keys) => federation.assume(keys, RoleArn);
// biome-ignore format: a table
const CALLS: readonly [call: string, send: (keys: Keys) => Promise<unknown>][] = [
  ['AssumeRole of a role that does not trust',   assuming(closed)],
  ['AssumeRole of a role that denies',           assuming(denying)],
  ['AssumeRole of a role that does not exist',   assuming(`arn:aws:iam::${accountId}:role/absent`)],
  ['GetPolicy',                                  (keys) => federation.iam(keys).send(new GetPolicyCommand({ PolicyArn: Policy?.Arn }))],
];

// biome-ignore format: a table
const PROBES: readonly [name: string, condition: object][] = [
  ['org-id',     { StringLike: { 'aws:ResourceOrgID': 'o-*' } }],
  ['no-org-id',  { Null: { 'aws:ResourceOrgID': 'false' } }],
  ['org-paths',  { 'ForAnyValue:StringLike': { 'aws:ResourceOrgPaths': 'o-*' } }],
];
const plain = await other.user('plain', ALL);
const probers: Keys[] = [];
for (const [name, Condition] of PROBES) {
  probers.push(await other.user(name, ALL, deny('*', '*', { Condition })));
}

for (const [call, send] of CALLS) {
  test(`Another account: ${call}: the decoded message has no context keys of that account`, async () => {
    const message = await federation.decoded(send(plain), other.keys);
    assert.equal(message.allowed, false);
    assert.equal(message.explicitDeny, false);
    const keys = message.context.conditions.items.map(({ key }) => key);
    assert.ok(keys.includes('aws:resourceaccount'));
    assert.deepEqual(
      keys.filter((key) => /resourceorg|resourcetag/.test(key)),
      [],
    );
  });

  test(`Another account: ${call}: a condition on that account's organization does not change the response`, async () => {
    const expected = await messageOf(send(plain));
    for (const [i, keys] of probers.entries()) {
      assert.equal((await messageOf(send(keys))).replace(PROBES[i]?.[0] as string, 'plain'), expected);
    }
  });
}

test("Another account: if the role trusts the caller, the caller's Deny on the role's organization applies", async () => {
  const trusting = await federation.role('trusting', trust(other.accountId));
  await federation.assume(plain, trusting);
  for (const keys of probers) {
    const sent = () => federation.assume(keys, trusting);
    assert.match(await messageOf(sent()), /with an explicit deny in an identity-based policy$/);
    const message = await federation.decoded(sent(), other.keys);
    assert.deepEqual([message.allowed, message.explicitDeny, message.matchedStatements.items.length], [false, true, 1]);
    assert.equal(
      message.context.conditions.items.some(({ key }) => /resourceorg/.test(key)),
      false,
    );
  }
});

test("Another account: a denial does not show a member account the tags of the management account's roles", async () => {
  const { CreateAccountStatus } = await organizations.send(
    new CreateAccountCommand({ AccountName: 'member', Email: 'member@example.com' }),
  );
  const memberId = CreateAccountStatus?.AccountId as string;
  const entered = await federation.assume(federation.keys, `arn:aws:iam::${memberId}:role/OrganizationAccountAccessRole`);
  const member = accountOn(federation.server, { accountId: memberId, keys: entered });
  const keys = await member.user('prober', ALL, deny('*', '*', { Condition: { StringEquals: { 'aws:ResourceTag/Locked': 'yes' } } }));
  const tagged = await federation.role({ RoleName: 'tagged', Tags: [{ Key: 'Locked', Value: 'yes' }] }, trust(accountId));
  assert.equal(
    await messageOf(assuming(tagged)(keys)),
    `AccessDenied: User: ${member.userArn('prober')} is not authorized to perform: sts:AssumeRole on resource: ${tagged}`,
  );
  const { context } = await federation.decoded(assuming(tagged)(keys), entered);
  assert.equal(
    context.conditions.items.some(({ key }) => /resourcetag|resourceorg/.test(key)),
    false,
  );
});

test('Decoded message: for a role in the same account, the message names the denying statement', async () => {
  const ada = await federation.user('ada', ALL);
  const silent = await federation.role('silent', trust(other.accountId));
  const named = await federation.role('named', [trust(accountId), { Sid: 'NotAda', ...trust(federation.userArn('ada')), Effect: 'Deny' }]);
  const quiet = await federation.decoded(assuming(silent)(ada), federation.keys);
  assert.deepEqual([quiet.allowed, quiet.explicitDeny], [false, false]);
  const loud = await federation.decoded(assuming(named)(ada), federation.keys);
  assert.deepEqual(
    [loud.allowed, loud.explicitDeny, loud.matchedStatements.items.map(({ statementId }) => statementId)],
    [false, true, ['NotAda']],
  );
});
