/** Bucket policies with users and roles of IAM: what PutBucketPolicy stores, and what GetBucketPolicy shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBucketPolicy, type StoredBucketPolicy, shownBucketPolicy } from '#services/iam/bucket-policy.ts';
import { ACCOUNT, OTHER_ACCOUNT } from '#services/kit/fixture.ts';
import { openIam, TRUST_ROOT } from './fixture.ts';

const ADA = `arn:aws:iam::${ACCOUNT}:user/ada`;
const policyOf = (...AWS: readonly string[]): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS }, Action: 's3:GetObject', Resource: 'arn:aws:s3:::logs/*' }],
  });
const principalsOf = (policy: string): readonly string[] => JSON.parse(policy).Statement[0].Principal.AWS;

async function open() {
  const { run, store } = await openIam();
  const read = (text: string) => store.transaction((tx) => readBucketPolicy(tx, text, 'logs'));
  const shown = (stored: StoredBucketPolicy) => store.transaction((tx) => shownBucketPolicy(tx, stored));
  return { run, read, shown };
}

test('bucket policy: the stored policy has the unique IDs of users and roles, and the shown policy their ARNs', async () => {
  const { run, read, shown } = await open();
  const { User } = await run('CreateUser', { UserName: 'ada' });
  const { Role } = await run('CreateRole', { RoleName: 'reader', Path: '/team/', AssumeRolePolicyDocument: TRUST_ROOT });
  const session = `arn:aws:sts::${ACCOUNT}:assumed-role/reader/s`;
  const stored = await read(policyOf(ADA, Role.Arn, OTHER_ACCOUNT, '*', session));
  assert.deepEqual(principalsOf(stored.policy), [User?.UserId, Role.RoleId, OTHER_ACCOUNT, '*', session]);
  assert.deepEqual(stored.principals, { [User?.UserId ?? '']: ACCOUNT, [Role.RoleId]: ACCOUNT });
  assert.deepEqual(principalsOf(await shown(stored)), [ADA, Role.Arn, `arn:aws:iam::${OTHER_ACCOUNT}:root`, '*', session]);
});

test('bucket policy: a new user with the name of a deleted user is not named', async () => {
  const { run, read, shown } = await open();
  const { User } = await run('CreateUser', { UserName: 'ada' });
  const stored = await read(policyOf(ADA));
  await run('DeleteUser', { UserName: 'ada' });
  await run('CreateUser', { UserName: 'ada' });
  assert.deepEqual(principalsOf(await shown(stored)), [User?.UserId]);
});

test('bucket policy: a renamed user remains named', async () => {
  const { run, read, shown } = await open();
  await run('CreateUser', { UserName: 'ada' });
  const stored = await read(policyOf(ADA));
  await run('UpdateUser', { UserName: 'ada', NewUserName: 'eve' });
  assert.deepEqual(principalsOf(await shown(stored)), [`arn:aws:iam::${ACCOUNT}:user/eve`]);
});

test('bucket policy: a policy without users and roles is stored as written', async () => {
  const { read } = await open();
  const text = policyOf(OTHER_ACCOUNT).replace('{', '{ ');
  assert.deepEqual(await read(text), { policy: text, principals: {} });
});

for (const [title, principal] of [
  ['a user that does not exist', ADA],
  ['a role that does not exist', `arn:aws:iam::${ACCOUNT}:role/reader`],
  ['a user of an account that is not on this server', `arn:aws:iam::${OTHER_ACCOUNT}:user/ada`],
  ['a unique ID', `AIDA${'A'.repeat(17)}`],
] as const) {
  test(`PutBucketPolicy: ${title} is MalformedPolicy`, async () => {
    const { read } = await open();
    await assert.rejects(read(policyOf(principal)), { code: 'MalformedPolicy', message: 'Invalid principal in policy' });
  });
}

test('PutBucketPolicy: an invalid document is MalformedPolicy, before its principals are read', async () => {
  const { read } = await open();
  await assert.rejects(read(policyOf(ADA).replace('GetObject', 'Nothing')), {
    code: 'MalformedPolicy',
    message: 'Policy has invalid action',
  });
});
