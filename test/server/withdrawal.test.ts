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
 * EVAL-10 under load: forty connections send requests without a pause, while a permission is withdrawn. A request sent before the response
 * to the withdrawal may be allowed or denied. A request sent after the response is denied.
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

const dropDeny: Step = () => iam.send(new DeleteUserPolicyCommand({ UserName, PolicyName: 'not' }));

// biome-ignore format: a table
const WITHDRAWALS: readonly [what: string, grant: Step, withdraw: Step][] = [
  ['DetachUserPolicy',                             attach,                                                                                                  detach],
  ['RemoveUserFromGroup',                          () => iam.send(new AddUserToGroupCommand({ UserName, GroupName: 'workers' })),                          () => iam.send(new RemoveUserFromGroupCommand({ UserName, GroupName: 'workers' }))],
  ['PutUserPolicy with a Deny',                    attach,                                                                                                  () => iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'not', PolicyDocument: MAY_NOT }))],
  ['CreatePolicyVersion of a default version',     async () => { await detach(); await dropDeny(); await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn })); }, () => iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: MAY_NOT, SetAsDefault: true }))],
  ['PutUserPermissionsBoundary',                   async () => { await iam.send(new DetachUserPolicyCommand({ UserName, PolicyArn })); await attach(); },     () => iam.send(new PutUserPermissionsBoundaryCommand({ UserName, PermissionsBoundary: managed('IAMReadOnlyAccess') }))],
  ['UpdateAccessKey to Inactive',                  () => iam.send(new DeleteUserPermissionsBoundaryCommand({ UserName })),                                  () => iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId: own.accessKeyId, Status: 'Inactive' }))],
  ['DeleteAccessKey',                              () => iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId: own.accessKeyId, Status: 'Active' })), () => iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: own.accessKeyId }))],
];

for (const [what, grant, withdraw] of WITHDRAWALS) {
  test(`EVAL-10: after ${what}, no later request is allowed`, async () => {
    await grant();
    const plain = { method: 'GET', target: '/meetings/00000000-0000-4000-8000-000000000000' };
    const bytes = bytesOf(plain, signedHeaders(server.endpoint, plain, { credentials: own, signingName: 'chime' }));
    let isWithdrawn = false;
    let late = 0;
    const counts = { allowed: 0, denied: 0, allowedTooLate: 0 };
    const ask = async () => {
      const connection = await connect(server.endpoint);
      while (late < 400) {
        const sentAfter = isWithdrawn;
        connection.write(bytes);
        const { status } = await connection.reply();
        if (sentAfter) late++;
        // The meeting does not exist, so 404 means that the policies allowed the request.
        if (status === 404) counts[sentAfter ? 'allowedTooLate' : 'allowed']++;
        else if (status === 403) counts.denied++;
        else assert.fail(`status ${status}`);
      }
      connection.close();
    };
    const requests = Promise.all(Array.from({ length: 40 }, ask));
    // Waits until the server has allowed requests. Without an allowed request, the test would prove nothing.
    while (counts.allowed < 100) await Promise.race([requests, new Promise((resolve) => setImmediate(resolve))]);
    await withdraw();
    isWithdrawn = true;
    await requests;
    assert.equal(counts.allowedTooLate, 0);
    assert.ok(counts.allowed >= 100 && counts.denied >= 400, JSON.stringify(counts));
  });
}
