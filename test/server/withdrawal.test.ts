import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  AddUserToGroupCommand,
  AttachUserPolicyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  DeleteAccessKeyCommand,
  DeleteUserPermissionsBoundaryCommand,
  DeleteUserPolicyCommand,
  DetachUserPolicyCommand,
  PutGroupPolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  RemoveUserFromGroupCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import { startAccount } from '../kit/account.ts';
import type { Keys } from '../kit/keys.ts';
import { allow, deny, managed, policy } from '../kit/policy.ts';
import { bytesOf, connect, signedHeaders } from '../kit/raw.ts';

/**
 * EVAL-10 under load: while forty connections ask without a pause, something is withdrawn. Requests sent before it answered may go either way;
 * none sent after is honoured.
 */

const account = await startAccount();
const { server, admin: iam } = account;
const UserName = 'worker';
const READ = managed('AmazonChimeReadOnly');
const MAY = policy(allow('chime:*'));
const MAY_NOT = policy(deny('chime:*'));
let own: Keys;
let PolicyArn = '';

before(async () => {
  own = await account.user(UserName);
  await iam.send(new CreateGroupCommand({ GroupName: 'workers' }));
  await iam.send(new PutGroupPolicyCommand({ GroupName: 'workers', PolicyName: 'may', PolicyDocument: MAY }));
  const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: 'changing', PolicyDocument: MAY }));
  PolicyArn = Policy?.Arn as string;
});

type Step = () => Promise<unknown>;
const attach: Step = () => iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn: READ }));
const detach: Step = () => iam.send(new DetachUserPolicyCommand({ UserName, PolicyArn: READ }));

const forgiven: Step = () => iam.send(new DeleteUserPolicyCommand({ UserName, PolicyName: 'not' }));

// biome-ignore format: a table
const WITHDRAWALS: readonly [what: string, given: Step, withdrawn: Step][] = [
  ['a managed policy is detached',                 attach,                                                                                                  detach],
  ['a user is taken out of a group',               () => iam.send(new AddUserToGroupCommand({ UserName, GroupName: 'workers' })),                          () => iam.send(new RemoveUserFromGroupCommand({ UserName, GroupName: 'workers' }))],
  ['a Deny is put beside the Allow',               attach,                                                                                                  () => iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'not', PolicyDocument: MAY_NOT }))],
  ['another version becomes the default',          async () => { await detach(); await forgiven(); await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn })); }, () => iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: MAY_NOT, SetAsDefault: true }))],
  ['a boundary is drawn',                          async () => { await iam.send(new DetachUserPolicyCommand({ UserName, PolicyArn })); await attach(); },     () => iam.send(new PutUserPermissionsBoundaryCommand({ UserName, PermissionsBoundary: managed('IAMReadOnlyAccess') }))],
  ['the access key is made inactive',              () => iam.send(new DeleteUserPermissionsBoundaryCommand({ UserName })),                                  () => iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId: own.accessKeyId, Status: 'Inactive' }))],
  ['the access key is deleted',                    () => iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId: own.accessKeyId, Status: 'Active' })), () => iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: own.accessKeyId }))],
];

for (const [what, given, withdrawn] of WITHDRAWALS) {
  test(`EVAL-10: once ${what}, no request sent after is honoured`, async () => {
    await given();
    const plain = { method: 'GET', target: '/meetings/00000000-0000-4000-8000-000000000000' };
    const bytes = bytesOf(plain, signedHeaders(server.endpoint, plain, { credentials: own, signingName: 'chime' }));
    let isWithdrawn = false;
    let late = 0;
    const counts = { honoured: 0, refused: 0, honouredTooLate: 0 };
    const ask = async () => {
      const connection = await connect(server.endpoint);
      while (late < 400) {
        const sentAfter = isWithdrawn;
        connection.write(bytes);
        const { status } = await connection.reply();
        if (sentAfter) late++;
        // Not found: it was let through to look.
        if (status === 404) counts[sentAfter ? 'honouredTooLate' : 'honoured']++;
        else if (status === 403) counts.refused++;
        else assert.fail(`status ${status}`);
      }
      connection.close();
    };
    const asking = Promise.all(Array.from({ length: 40 }, ask));
    // Something was honoured before, or the test would show nothing.
    while (counts.honoured < 100) await Promise.race([asking, new Promise((resolve) => setImmediate(resolve))]);
    await withdrawn();
    isWithdrawn = true;
    await asking;
    assert.equal(counts.honouredTooLate, 0);
    assert.ok(counts.honoured >= 100 && counts.refused >= 400, JSON.stringify(counts));
  });
}
