/** INF-8: rotation of the operator key, which encrypts secrets in the database, with the command `belfry operator-key`. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ListUsersCommand } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts';
import { accountOn, startAccount, type TestAccount } from '../kit/account.ts';
import { type Keys, keysOf } from '../kit/keys.ts';
import { newMfaDevice } from '../kit/mfa.ts';
import { refusalOf } from '../kit/outcome.ts';
import { allow, managed, trust } from '../kit/policy.ts';
import { belfry, startThatEnds } from '../kit/process.ts';
import { startTestServer } from '../kit/server.ts';

/** Runs `belfry operator-key …`. Returns its exit status and output. */
async function operatorKey(dataFolder: string, ...args: readonly string[]): Promise<{ readonly status: number; readonly written: string }> {
  const { status, stdout, stderr } = await belfry(['operator-key', ...args, '--data', dataFolder]);
  return { status, written: stdout + stderr };
}

const keyLines = (dataFolder: string) =>
  readFileSync(join(dataFolder, 'operator.key'), 'utf8')
    .split('\n')
    .filter((line) => /^[0-9a-f]{64}$/.test(line));

/** Restarts a server. `startTestServer` reads the administrator's access key from the folder. */
async function restarted({ server, accountId }: TestAccount): Promise<TestAccount> {
  await server.stop();
  return accountOn({ ...(await startTestServer({}, server.dataFolder)), accountId });
}

const worksAs = async (account: TestAccount, keys: Keys, arn: RegExp) =>
  assert.match((await account.sts(keys).send(new GetCallerIdentityCommand({}))).Arn ?? '', arn);

test('INF-8: keys, MFA devices and sessions work before, during and after a rotation and a restart', async () => {
  let account = await startAccount();
  const { dataFolder } = account.server;
  const user = await account.user('ada', managed('AdministratorAccess'));
  const role = await account.role('Host', trust(account.userArn('ada')), allow('iam:ListUsers'));
  const session = await account.assume(user, role);
  const { SerialNumber, TokenCode } = await newMfaDevice(account.admin, 'ada');
  const [before] = keyLines(dataFolder);

  // Sends requests until the rotation has ended.
  let rotating = true;
  const rotation = operatorKey(dataFolder, 'rotate').finally(() => {
    rotating = false;
  });
  let answered = 0;
  while (rotating) {
    await Promise.all([
      account.admin.send(new ListUsersCommand({})),
      account.iam(session).send(new ListUsersCommand({})),
      worksAs(account, user, /user\/ada$/),
    ]);
    answered++;
  }
  const { status, written } = await rotation;
  assert.equal(status, 0, written);
  assert.ok(answered > 0);
  // The server creates the signing key of the trail's log within seconds after its start, so it can be the fourth secret.
  assert.match(written, /^belfry operator-key: the new key has the ID [0-9a-f]{8}; re-encrypted [34] secrets$/m);

  const lines = keyLines(dataFolder);
  assert.deepEqual([lines.length, lines[1]], [2, before]);
  assert.ok(!written.includes(lines[0] as string) && !written.includes(before as string));
  assert.equal(statSync(join(dataFolder, 'operator.key')).mode & 0o777, 0o600);
  assert.deepEqual(
    readdirSync(dataFolder).filter((name) => name.startsWith('operator.key')),
    ['operator.key'],
  );

  for (const again of [false, true]) {
    if (again) account = await restarted(account);
    await worksAs(account, account.server.credentials, /user\/admin$/);
    await worksAs(account, user, /user\/ada$/);
    await account.iam(session).send(new ListUsersCommand({}));
  }
  const proven = keysOf((await account.sts(user).send(new GetSessionTokenCommand({ SerialNumber, TokenCode }))).Credentials);
  await account.iam(proven).send(new ListUsersCommand({}));

  const [event] = await account.records('RotateOperatorKey');
  assert.deepEqual(
    [event.eventSource, event.userIdentity.invokedBy, `re-encrypted ${event.serviceEventDetails.resealed} secrets`],
    ['belfry.operator', 'operator', written.match(/re-encrypted . secrets/)?.[0]],
  );
});

test('INF-8: forget-old deletes the older key and ends its sessions, and the old key file is rejected', async () => {
  let account = await startAccount();
  const { dataFolder } = account.server;
  const user = await account.user('ada', managed('AdministratorAccess'));
  const role = await account.role('Host', trust(account.userArn('ada')), allow('iam:ListUsers'));
  const older = await account.assume(user, role);
  await account.iam(older).send(new ListUsersCommand({}));
  const oldFile = readFileSync(join(dataFolder, 'operator.key'), 'utf8');

  assert.equal((await operatorKey(dataFolder, 'rotate')).status, 0);
  const newer = await account.assume(user, role);
  const forgotten = await operatorKey(dataFolder, 'forget-old');
  assert.equal(forgotten.status, 0, forgotten.written);
  assert.match(forgotten.written, /^belfry operator-key: deleted the keys [0-9a-f]{8};/);
  assert.equal(keyLines(dataFolder).length, 1);

  for (const again of [false, true]) {
    if (again) account = await restarted(account);
    await worksAs(account, user, /user\/ada$/);
    await account.iam(newer).send(new ListUsersCommand({}));
    assert.equal((await refusalOf(account.iam(older).send(new ListUsersCommand({})))).name, 'InvalidClientTokenId');
  }
  await account.server.stop();
  writeFileSync(join(dataFolder, 'operator.key'), oldFile);
  const ended = await startThatEnds(['--data', dataFolder, '--http', '127.0.0.1:0', '--https', 'off']);
  assert.equal(ended.status, 2);
  assert.match(ended.written, /does not belong to this database; restore the operator\.key of this database/);
});

test('INF-8: rotate --forget-old replaces a leaked key in one command, and can be repeated', async () => {
  const account = await startAccount();
  for (const _ of [1, 2]) {
    const { status, written } = await operatorKey(account.server.dataFolder, 'rotate', '--forget-old');
    assert.equal(status, 0, written);
    assert.equal(keyLines(account.server.dataFolder).length, 1);
    await worksAs(account, account.server.credentials, /user\/admin$/);
  }
  const nothing = await operatorKey(account.server.dataFolder, 'forget-old');
  assert.match(nothing.written, /^belfry operator-key: there are no older keys to delete; the only key is [0-9a-f]{8}$/m);
});

test('INF-8: an interrupted rotation loses no secret, and forget-old requires a complete rotation', async () => {
  const account = await startAccount();
  const { dataFolder } = account.server;
  await account.server.stop();
  // State after a crash in the first step: the file has a new key, but no secret is encrypted with that key.
  const path = join(dataFolder, 'operator.key');
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(/^[0-9a-f]{64}$/m, (line) => `${'5a'.repeat(32)}\n${line}`),
  );
  const again = accountOn({ ...(await startTestServer({}, dataFolder)), accountId: account.accountId });
  await worksAs(again, again.server.credentials, /user\/admin$/);
  const rejected = await operatorKey(dataFolder, 'forget-old');
  assert.deepEqual([rejected.status, keyLines(dataFolder).length], [1, 2]);
  assert.match(rejected.written, /some secrets are still encrypted with an older key, so no key was deleted/);
  assert.equal((await operatorKey(dataFolder, 'rotate', '--forget-old')).status, 0);
  assert.equal(keyLines(dataFolder).length, 1);
  await worksAs(again, again.server.credentials, /user\/admin$/);
});

test('INF-8: a rotation re-encrypts every encrypted column', () => {
  const sealed = readdirSync('src/store', { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8').match(/(?<=readonly )sealed\w+/g) ?? []);
  const resealed = readFileSync('src/server/operator/operator-key.ts', 'utf8').match(/(?<=\.\.\.\w+, )sealed\w+/g) ?? [];
  assert.ok(sealed.length >= 2);
  assert.deepEqual([...resealed].sort(), [...sealed].sort());
});

// biome-ignore format: a table
const FAILURES: readonly [title: string, args: readonly string[], status: number, message: RegExp][] = [
  ['no command',               [],                             2, /missing command \(commands: rotate, forget-old\)/],
  ['another command',          ['burn'],                       2, /unknown command 'burn' \(commands: rotate, forget-old\)/],
  ['an unknown option',        ['rotate', '--all'],            2, /unknown flag '--all'/],
  ['no running server',        ['rotate'],                     1, /no server is running on the data folder/],
];

for (const [title, args, status, message] of FAILURES) {
  test(`belfry operator-key: ${title} is exit status ${status}`, async () => {
    const result = await operatorKey('/nonexistent', ...args);
    assert.equal(result.status, status);
    assert.match(result.written, message);
  });
}
