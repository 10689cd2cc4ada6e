/**
 * Quotas of an account and its entities: the last request within a quota succeeds, and the next one fails and changes
 * nothing (security.md §2.4).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Arn, arn } from '#core/arn.ts';
import type { IamApi } from '#model/generated/iam.ts';
import type { IdentityKind, IdentityRecords } from '#store/identity/identity.ts';
import { ACCOUNT, ALLOW_CHIME, type Iam, openIam, START, TRUST_ROOT } from './fixture.ts';

const READ_ONLY = 'arn:aws:iam::aws:policy/AmazonChimeReadOnly' as Arn;

/** Adds `count` records of a kind, which are identical except for their keys. */
async function fill({ store }: Iam, kind: IdentityKind, count: number, more: object = {}): Promise<void> {
  const record = {
    accountId: ACCOUNT,
    versions: [],
    arn: arn('iam', '', ACCOUNT, `${kind}/filler`),
    path: '/',
    createdAt: START,
    tags: [],
    ...more,
  };
  await store.transaction(async ({ identity }) => {
    for (let i = 0; i < count; i++) await identity.put(ACCOUNT, kind, `filler-${i}`, record as unknown as IdentityRecords[typeof kind]);
  });
}

interface Limit {
  readonly quota: string;
  readonly limit: number;
  readonly name: keyof IamApi;
  /** Creates entities until the quota allows only one more. */
  readonly before: (iam: Iam) => Promise<unknown>;
  readonly input: (which: 'last' | 'over') => object;
}

const attached = (kind: 'Group' | 'Role') => async (iam: Iam) => {
  if (kind === 'Group') await iam.run('CreateGroup', { GroupName: 'holder' });
  else await iam.run('CreateRole', { RoleName: 'holder', AssumeRolePolicyDocument: TRUST_ROOT });
  for (let i = 0; i < 10; i++) await iam.run('CreatePolicy', { PolicyName: `p${i}`, PolicyDocument: ALLOW_CHIME });
  for (let i = 0; i < 9; i++)
    await iam.run(`Attach${kind}Policy`, { [`${kind}Name`]: 'holder', PolicyArn: arn('iam', '', ACCOUNT, `policy/p${i}`) } as never);
};
const attach = (kind: 'Group' | 'Role') => (which: 'last' | 'over') => ({
  [`${kind}Name`]: 'holder',
  PolicyArn: which === 'last' ? arn('iam', '', ACCOUNT, 'policy/p9') : READ_ONLY,
});

// biome-ignore format: a table
const LIMITS: readonly Limit[] = [
  { quota: 'UsersPerAccount',    limit: 5000, name: 'CreateUser',   before: (iam) => fill(iam, 'user', 4999),                    input: (UserName) => ({ UserName }) },
  { quota: 'GroupsPerAccount',   limit: 300,  name: 'CreateGroup',  before: (iam) => fill(iam, 'group', 299),                    input: (GroupName) => ({ GroupName }) },
  { quota: 'RolesPerAccount',    limit: 1000, name: 'CreateRole',   before: (iam) => fill(iam, 'role', 999),                     input: (RoleName) => ({ RoleName, AssumeRolePolicyDocument: TRUST_ROOT }) },
  { quota: 'PoliciesPerAccount', limit: 1500, name: 'CreatePolicy', before: (iam) => fill(iam, 'policy', 1499),                  input: (PolicyName) => ({ PolicyName, PolicyDocument: ALLOW_CHIME }) },
  { quota: 'MFADevicesPerAccount', limit: 5000, name: 'CreateVirtualMFADevice', before: (iam) => fill(iam, 'mfa-device', 4999), input: (VirtualMFADeviceName) => ({ VirtualMFADeviceName }) },
  { quota: 'PoliciesPerGroup',   limit: 10,   name: 'AttachGroupPolicy', before: attached('Group'),                              input: attach('Group') },
  { quota: 'PoliciesPerRole',    limit: 10,   name: 'AttachRolePolicy',  before: attached('Role'),                               input: attach('Role') },
];

for (const { quota, limit, name, before, input } of LIMITS) {
  test(`${name}: the call for entity number ${limit} is accepted, and the next call is LimitExceeded`, async () => {
    const iam = await openIam();
    await before(iam);
    await iam.run(name, input('last') as never);
    const state = await iam.identityState();
    await assert.rejects(iam.run(name, input('over') as never), {
      code: 'LimitExceededException',
      message: `Cannot exceed quota for ${quota}: ${limit}`,
    });
    assert.equal(await iam.identityState(), state);
  });
}

test('CreateServiceLinkedRole: service-linked roles do not count towards the quota of roles (SLR-16)', async () => {
  const iam = await openIam();
  await fill(iam, 'role', 1000);
  await iam.run('CreateServiceLinkedRole', { AWSServiceName: 'messaging.chime.amazonaws.com' });
  await assert.rejects(iam.run('CreateRole', { RoleName: 'over', AssumeRolePolicyDocument: TRUST_ROOT }), {
    code: 'LimitExceededException',
  });
});

/** Returns a policy of `characters` characters. The policy has no white space. */
function sized(characters: number): string {
  const document = (Sid: string) =>
    `{"Version":"2012-10-17","Statement":[{"Sid":"${Sid}","Effect":"Allow","Action":"chime:*","Resource":"*"}]}`;
  return document('a'.repeat(characters - document('').length));
}
const spaced = (document: string): string => document.replaceAll(',', `,${' '.repeat(40)}\n`);

// biome-ignore format: a table
const SIZES = [
  // entity              characters in all   message
  ['User',                2048,              'Maximum policy size of 2048 bytes exceeded for user holder'],
  ['Group',               5120,              'Maximum policy size of 5120 bytes exceeded for group holder'],
  ['Role',                10_240,            'Maximum policy size of 10240 bytes exceeded for role holder'],
] as const;

for (const [kind, characters, message] of SIZES) {
  test(`Put${kind}Policy: over ${characters} characters in total, not counting white space, is LimitExceeded`, async () => {
    const iam = await openIam();
    const put = (PolicyName: string, PolicyDocument: string) =>
      iam.run(`Put${kind}Policy`, { [`${kind}Name`]: 'holder', PolicyName, PolicyDocument } as never);
    await iam.run(`Create${kind}`, { [`${kind}Name`]: 'holder', AssumeRolePolicyDocument: TRUST_ROOT } as never);
    await put('first', spaced(sized(200)));
    await put('second', sized(characters - 200));
    const state = await iam.identityState();
    await assert.rejects(put('second', sized(characters - 199)), { code: 'LimitExceededException', message });
    await assert.rejects(put('third', ALLOW_CHIME), { code: 'LimitExceededException', message });
    assert.equal(await iam.identityState(), state);
  });
}

test('CreatePolicy: over 6,144 characters, not counting white space, is LimitExceeded', async () => {
  const iam = await openIam();
  await iam.run('CreatePolicy', { PolicyName: 'last', PolicyDocument: spaced(sized(6144)) });
  await assert.rejects(iam.run('CreatePolicy', { PolicyName: 'over', PolicyDocument: sized(6145) }), {
    code: 'LimitExceededException',
    message: 'Cannot exceed quota for PolicySize: 6144',
  });
});
