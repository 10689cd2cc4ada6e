/** A denial reveals nothing about another account: its organization, its roles, its tags. Requirements STS-4, EVAL-8. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreatePolicyCommand, GetPolicyCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateAccountCommand, CreateOrganizationCommand, OrganizationsClient } from '@aws-sdk/client-organizations';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { document, type Keys, messageOf, startFederation } from './federation-rig.ts';

const rig = await startFederation();
const { accountId } = rig;
const organizations = new OrganizationsClient(rig.server.client());
await organizations.send(new CreateOrganizationCommand({ FeatureSet: 'ALL' }));
const other = await rig.otherAccount('Stranger');
const strangers = new IAMClient(rig.server.client(other.keys));
const ALL = { Effect: 'Allow', Action: '*', Resource: '*' };

const closed = await rig.role('closed', [{ Effect: 'Allow', Principal: { AWS: accountId }, Action: 'sts:AssumeRole' }]);
const denying = await rig.role('denying', [
  { Effect: 'Allow', Principal: { AWS: other.accountId }, Action: 'sts:AssumeRole' },
  { Effect: 'Deny', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' },
]);
const { Policy } = await rig.admin.send(new CreatePolicyCommand({ PolicyName: 'mine', PolicyDocument: document(ALL) }));

const assuming = (RoleArn: string) => (keys: Keys) => rig.sts(keys).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me' }));
// biome-ignore format: a table
const CALLS: readonly [call: string, send: (keys: Keys) => Promise<unknown>][] = [
  ['AssumeRole of a role that does not trust',   assuming(closed)],
  ['AssumeRole of a role that denies',           assuming(denying)],
  ['AssumeRole of a role that does not exist',   assuming(`arn:aws:iam::${accountId}:role/absent`)],
  ['GetPolicy',                                  (keys) => rig.iam(keys).send(new GetPolicyCommand({ PolicyArn: Policy?.Arn }))],
];

// biome-ignore format: a table
const PROBES: readonly [name: string, condition: object][] = [
  ['org-id',     { StringLike: { 'aws:ResourceOrgID': 'o-*' } }],
  ['no-org-id',  { Null: { 'aws:ResourceOrgID': 'false' } }],
  ['org-paths',  { 'ForAnyValue:StringLike': { 'aws:ResourceOrgPaths': 'o-*' } }],
];
const plain = await rig.user('plain', [ALL], strangers);
const probers: Keys[] = [];
for (const [name, Condition] of PROBES) {
  probers.push(await rig.user(name, [ALL, { Effect: 'Deny', Action: '*', Resource: '*', Condition }], strangers));
}

for (const [call, send] of CALLS) {
  test(`Another account: ${call}: the decoded message has none of its context keys`, async () => {
    const message = await rig.decoded(send(plain), other.keys);
    assert.equal(message.allowed, false);
    assert.equal(message.explicitDeny, false);
    const keys = message.context.conditions.items.map(({ key }) => key);
    assert.ok(keys.includes('aws:resourceaccount'));
    assert.deepEqual(
      keys.filter((key) => /resourceorg|resourcetag/.test(key)),
      [],
    );
  });

  test(`Another account: ${call}: a policy on its organization changes no response`, async () => {
    const expected = await messageOf(send(plain));
    for (const [i, keys] of probers.entries()) {
      assert.equal((await messageOf(send(keys))).replace(PROBES[i]?.[0] as string, 'plain'), expected);
    }
  });
}

test('Another account: a Deny of a trusted caller on the organization of the role applies', async () => {
  const trusting = await rig.role('trusting', [{ Effect: 'Allow', Principal: { AWS: other.accountId }, Action: 'sts:AssumeRole' }]);
  await rig.assume(plain, trusting);
  for (const keys of probers) {
    const sent = () => rig.sts(keys).send(new AssumeRoleCommand({ RoleArn: trusting, RoleSessionName: 'me' }));
    assert.match(await messageOf(sent()), /with an explicit deny in an identity-based policy$/);
    const message = await rig.decoded(sent(), other.keys);
    assert.deepEqual([message.allowed, message.explicitDeny, message.matchedStatements.items.length], [false, true, 1]);
    assert.equal(
      message.context.conditions.items.some(({ key }) => /resourceorg/.test(key)),
      false,
    );
  }
});

test("Another account: a denial shows a member account no tag of the management account's roles", async () => {
  const { CreateAccountStatus } = await organizations.send(
    new CreateAccountCommand({ AccountName: 'member', Email: 'member@example.com' }),
  );
  const entered = await rig.assume(
    rig.server.credentials,
    `arn:aws:iam::${CreateAccountStatus?.AccountId}:role/OrganizationAccountAccessRole`,
  );
  const members = rig.iam(entered);
  const Condition = { StringEquals: { 'aws:ResourceTag/Locked': 'yes' } };
  const keys = await rig.user('prober', [ALL, { Effect: 'Deny', Action: '*', Resource: '*', Condition }], members);
  const tagged = await rig.role('tagged', [{ Effect: 'Allow', Principal: { AWS: accountId }, Action: 'sts:AssumeRole' }], [], {
    Tags: [{ Key: 'Locked', Value: 'yes' }],
  });
  const user = `arn:aws:iam::${CreateAccountStatus?.AccountId}:user/prober`;
  assert.equal(
    await messageOf(assuming(tagged)(keys)),
    `AccessDenied: User: ${user} is not authorized to perform: sts:AssumeRole on resource: ${tagged}`,
  );
  const { context } = await rig.decoded(assuming(tagged)(keys), entered);
  assert.equal(
    context.conditions.items.some(({ key }) => /resourcetag|resourceorg/.test(key)),
    false,
  );
});

test('Decoded message: names the statement of a trust policy in the same account that denies', async () => {
  const ada = await rig.user('ada', [ALL]);
  const root = { AWS: accountId };
  const silent = await rig.role('silent', [{ Effect: 'Allow', Principal: { AWS: other.accountId }, Action: 'sts:AssumeRole' }]);
  const named = await rig.role('named', [
    { Effect: 'Allow', Principal: root, Action: 'sts:AssumeRole' },
    { Sid: 'NotAda', Effect: 'Deny', Principal: { AWS: `arn:aws:iam::${accountId}:user/ada` }, Action: 'sts:AssumeRole' },
  ]);
  const quiet = await rig.decoded(assuming(silent)(ada), rig.server.credentials);
  assert.deepEqual([quiet.allowed, quiet.explicitDeny], [false, false]);
  const loud = await rig.decoded(assuming(named)(ada), rig.server.credentials);
  assert.deepEqual(
    [loud.allowed, loud.explicitDeny, loud.matchedStatements.items.map(({ statementId }) => statementId)],
    [false, true, ['NotAda']],
  );
});
