/**
 * Names in another letter case. IAM looks up names case-insensitively, and authorizes the ARN of the found entity, not
 * the requested name.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateGroupCommand, CreateUserCommand, UpdateGroupCommand, UpdateUserCommand } from '@aws-sdk/client-iam';
import { loadModel } from '#model/load.ts';
import { parity } from '../../tools/parity.ts';
import { startAccount } from '../kit/account.ts';
import { refusalOf } from '../kit/outcome.ts';
import { allow, deny, trust } from '../kit/policy.ts';
import { caller, inputFor, operationsOf } from '../sdk/every-operation.ts';

const guide = await startAccount();
const { admin, accountId, at, iam, user } = guide;
const built = new Set(
  (await parity()).find(({ service }) => service === 'iam')?.operations.flatMap((each) => (each.built ? [each.operation] : [])),
);

await admin.send(new CreateUserCommand({ UserName: 'Target' }));
await admin.send(new CreateGroupCommand({ GroupName: 'Target' }));
await guide.role('Target', trust(`arn:aws:iam::${accountId}:root`));

/**
 * Operations, each with an input member that contains the name of an entity. A Deny on an existing entity with this
 * name does not apply to the operation.
 */
const ABOUT_ANOTHER: ReadonlySet<string> = new Set([
  // IAM authorizes the group, not the user.
  'AddUserToGroup UserName',
  'RemoveUserFromGroup UserName',
  // The member is the name of a new entity.
  'CreateUser UserName',
  'CreateRole RoleName',
  'CreateGroup GroupName',
]);

for (const kind of ['User', 'Role', 'Group']) {
  test(`IAM names: a Deny on a ${kind.toLowerCase()} holds for its name in another case, in every operation`, async () => {
    const denied = await user(`without-${kind}`, allow('*'), deny('*', `arn:aws:iam::${accountId}:${kind.toLowerCase()}/Target`));
    const call = caller('iam', at('iam', denied));
    const member = `${kind}Name`;
    const wrong: string[] = [];
    let count = 0;
    for (const operation of operationsOf('iam')) {
      const takes = loadModel('iam').shapes[operation.input ?? '']?.members?.[member] !== undefined;
      if (!takes || !built.has(operation.name) || ABOUT_ANOTHER.has(`${operation.name} ${member}`)) continue;
      count += 1;
      const input = inputFor('iam', operation, accountId, (text, name) => (name === member ? 'tARGET' : text));
      const { code, message } = await call(operation.name, input);
      if (code !== 'AccessDenied') wrong.push(`${operation.name}: ${code} ${message}`);
    }
    assert.deepEqual(wrong, []);
    assert.ok(count >= 8, `${count} operations`);
  });
}

test('UpdateUser and UpdateGroup: a Deny on the new ARN denies the new path, in any case of the name', async () => {
  await admin.send(new CreateUserCommand({ UserName: 'Mover' }));
  await admin.send(new CreateGroupCommand({ GroupName: 'Mover' }));
  const client = iam(
    await user(
      'fenced',
      allow('iam:*'),
      deny('iam:*', [`arn:aws:iam::${accountId}:user/admins/Mover`, `arn:aws:iam::${accountId}:group/admins/Mover`]),
    ),
  );
  const refused = [
    await refusalOf(client.send(new UpdateUserCommand({ UserName: 'mover', NewPath: '/admins/' }))),
    await refusalOf(client.send(new UpdateGroupCommand({ GroupName: 'mover', NewPath: '/admins/' }))),
  ];
  assert.deepEqual(
    refused.map(({ name }) => name),
    ['AccessDenied', 'AccessDenied'],
  );
});
