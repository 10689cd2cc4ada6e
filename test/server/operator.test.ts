import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import {
  DeleteAccessKeyCommand,
  DetachUserPolicyCommand,
  GetAccountSummaryCommand,
  IAMClient,
  ListUsersCommand,
} from '@aws-sdk/client-iam';
import { CreateBucketCommand, DeleteBucketCommand, DeleteBucketPolicyCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type Keys, profileKeys } from '../kit/keys.ts';
import { listed } from '../kit/listed.ts';
import { belfry } from '../kit/process.ts';
import { startTestServer } from '../kit/server.ts';
import { readUnproven, recordsOf } from '../kit/trail.ts';

const server = await startTestServer();

/** Runs a command on the data folder of the server. Returns its exit status and its output. */
async function run(...args: string[]): Promise<{ readonly status: number; readonly output: string }> {
  const { status, stdout, stderr } = await belfry(args, { BELFRY_DATA: server.dataFolder });
  return { status, output: stdout + stderr };
}

/** Returns the access key that a command wrote into the profile. */
const keyOf = (profile: string) => profileKeys(server.dataFolder, profile);

const events = (credentials: Keys, name: string) => recordsOf(new CloudTrailClient(server.client(credentials)), name);

test('belfry account create: the new account has an administrator, a row in the list and a trail record', async () => {
  const { status, output } = await run('account', 'create', '--name', 'Partner', '--profile', 'partner');
  assert.equal(status, 0, output);
  const key = keyOf('partner');
  assert.ok(!output.includes(key.secretAccessKey), 'the secret is in the file and not in the output');
  const who = await new STSClient(server.client(key)).send(new GetCallerIdentityCommand({}));
  assert.notEqual(who.Account, server.accountId);
  const { SummaryMap } = await new IAMClient(server.client(key)).send(new GetAccountSummaryCommand({}));
  assert.deepEqual([SummaryMap?.Users, SummaryMap?.AccountAccessKeysPresent], [1, 0]);
  const accounts = listed((await run('account', 'list')).output);
  assert.deepEqual(accounts, [
    { 'ACCOUNT ID': server.accountId, NAME: 'Belfry' },
    { 'ACCOUNT ID': who.Account, NAME: 'Partner' },
  ]);
  const [created] = await events(key, 'CreateAccount');
  assert.equal(created.userIdentity.invokedBy, 'operator');
  assert.equal(created.recipientAccountId, who.Account);
  assert.equal((await events(server.credentials, 'CreateAccount')).length, 0);
});

test('belfry account restore-administrator: a locked account gets an administrator and a trail record', async () => {
  const partner = keyOf('partner');
  const iam = new IAMClient(server.client(partner));
  const { Account } = await new STSClient(server.client(partner)).send(new GetCallerIdentityCommand({}));
  await iam.send(new DetachUserPolicyCommand({ UserName: 'admin', PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' }));
  await assert.rejects(iam.send(new ListUsersCommand({})), { name: 'AccessDenied' });
  await assert.rejects(iam.send(new DeleteAccessKeyCommand({ UserName: 'admin', AccessKeyId: partner.accessKeyId })), {
    name: 'AccessDenied',
  });

  const { status, output } = await run('account', 'restore-administrator', '--account-id', Account as string, '--profile', 'rescue');
  assert.equal(status, 0, output);
  const rescue = keyOf('rescue');
  const { Users } = await new IAMClient(server.client(rescue)).send(new ListUsersCommand({}));
  assert.equal(Users?.length, 2);
  const [restored] = await events(rescue, 'RestoreAdministrator');
  assert.equal(restored.serviceEventDetails.breakGlass, true);
  assert.equal(restored.userIdentity.invokedBy, 'operator');
  assert.ok(!JSON.stringify(restored).includes(rescue.secretAccessKey));
});

// biome-ignore format: a table
const REFUSED: readonly [name: string, args: string[], status: number, says: RegExp][] = [
  ['an unknown account',               ['account', 'restore-administrator', '--account-id', '000000000000'],                    1, /account '000000000000' does not exist/],
  ['an unknown account to make standalone', ['account', 'make-standalone', '--account-id', '000000000000'],                     1, /account '000000000000' does not exist/],
  ['a long name',                      ['account', 'create', '--name', 'x'.repeat(51)],                                         1, /1 to 50 characters/],
  ['no name',                          ['account', 'create'],                                                                   2, /missing --name: a name of 1 to 50 characters/],
  ['an unknown flag',                  ['account', 'create', '--name', 'x', '--role', 'y'],                                      2, /--role/],
  ['a profile that is a path',         ['account', 'create', '--name', 'x', '--profile', '../x'],                                2, /--profile/],
  ['a folder without a server',        ['account', 'list', '--data', '/nonexistent'],                                            1, /no server is running/],
  ['an unknown command',               ['account', 'delete'],                                                                   2, /'belfry account --help' describes the command/],
];
for (const [name, args, status, says] of REFUSED) {
  test(`belfry account: ${name} is an error`, async () => {
    const answer = await run(...args);
    assert.equal(answer.status, status, answer.output);
    assert.match(answer.output, says);
  });
}

test('belfry bucket remove-policy: a policy that denies everyone is removed, and the trail has the policy', async () => {
  const s3 = new S3Client({ ...server.client(), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'locked' }));
  const remove = () => run('bucket', 'remove-policy', 'locked');
  assert.deepEqual(await remove(), { status: 1, output: "belfry bucket: bucket 'locked' has no policy\n" });
  const Statement = [{ Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: ['arn:aws:s3:::locked', 'arn:aws:s3:::locked/*'] }];
  const document = { Version: '2012-10-17', Statement };
  await s3.send(new PutBucketPolicyCommand({ Bucket: 'locked', Policy: JSON.stringify(document) }));
  await assert.rejects(s3.send(new DeleteBucketPolicyCommand({ Bucket: 'locked' })), { name: 'AccessDenied' });
  assert.deepEqual(await remove(), { status: 0, output: "belfry bucket: removed the policy of the bucket 'locked'\n" });
  await s3.send(new DeleteBucketCommand({ Bucket: 'locked' }));
  const [removed] = await events(server.credentials, 'RemoveBucketPolicy');
  assert.deepEqual(removed.serviceEventDetails, { bucketName: 'locked', bucketPolicy: document });
  assert.equal(removed.userIdentity.invokedBy, 'operator');
  assert.deepEqual(await remove(), { status: 1, output: "belfry bucket: bucket 'locked' does not exist\n" });
});

test('belfry trail unproven: the output has the newest records without an account, one per line', async () => {
  for (const path of ['/meetings/first', '/meetings/second', '/meetings/third']) await fetch(`${server.endpoint}${path}`);
  const { status, output } = await run('trail', 'unproven', '--max-items', '2');
  assert.equal(status, 0, output);
  const records = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    records.map(({ eventName, errorCode, recipientAccountId }) => [eventName, errorCode, recipientAccountId]),
    Array(2).fill(['GetMeeting', 'MissingAuthenticationTokenException', '000000000000']),
  );
  assert.equal((await run('trail', 'unproven')).output.trim().split('\n').length, 3);
  assert.equal((await readUnproven(server.dataFolder, 1)).length, 3);
  for (const args of [['trail'], ['trail', 'unproven', '--max-items', '0'], ['trail', 'unproven', '--from', 'x']]) {
    assert.equal((await run(...args)).status, 2, args.join(' '));
  }
});

test('Operator socket: only its owner can open the socket, and no command is available on the network', async () => {
  assert.equal(statSync(join(server.dataFolder, 'control')).mode & 0o777, 0o700);
  assert.equal(statSync(join(server.dataFolder, 'control', 'belfry.sock')).mode & 0o777, 0o600);
  const answer = await fetch(`${server.endpoint}/_belfry/control`, { method: 'POST', body: '{"command":"account list"}' });
  assert.ok(answer.status >= 400, String(answer.status));
});
