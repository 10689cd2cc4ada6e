/** Identity of an account in pages: all users and roles are yielded in order, and few of them are in the snapshot at a time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AccountId, arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { fillUsers, LARGE_ACCOUNT, userName } from '../../../test/compliance/large-database.ts';
import { accountIdentity } from './account-identity.ts';

/** Two full pages and a part of one. */
const COUNT = 450;
/** Most users or roles in the snapshot. */
const HELD_MAX = 200;

test('accountIdentity: yields all users and roles in the order of their keys, and holds one page of them', async () => {
  const store = await openSqlite(':memory:');
  const accountId: AccountId = LARGE_ACCOUNT;
  await fillUsers(store, COUNT, Date.now());
  const roleName = (i: number) => userName(i).replace('user', 'role');
  await store.transaction(async ({ identity }) => {
    for (let i = 0; i < COUNT; i++) {
      const names = { roleName: roleName(i), roleId: `AROA${i}`, arn: arn('iam', '', accountId, `role/${roleName(i)}`) };
      const policies = { trustPolicy: '{}', trustPrincipals: {}, attachedPolicyArns: [], inlinePolicies: {} };
      const rest = { accountId, path: '/', createdAt: instant(0), tags: [], maxSessionSeconds: 3_600 };
      await identity.put(accountId, 'role', roleName(i), { ...names, ...policies, ...rest });
    }
  });
  await store.transaction(async ({ sql }) => {
    const { snapshot, users, roles } = await accountIdentity(sql, accountId);
    const all = Array.from({ length: COUNT }, (_, i) => i);
    const held = () =>
      all.filter((i) => snapshot.user(accountId, userName(i)) !== undefined || snapshot.role(accountId, roleName(i)) !== undefined);
    const found: string[] = [];
    let most = 0;
    for await (const user of users()) {
      found.push(user.userName);
      assert.equal(snapshot.user(accountId, user.userName)?.userId, user.userId);
      most = Math.max(most, held().length);
    }
    for await (const role of roles()) {
      found.push(role.roleName);
      assert.equal(snapshot.role(accountId, role.roleName)?.roleId, role.roleId);
      most = Math.max(most, held().length);
    }
    assert.deepEqual(found, [...all.map(userName), ...all.map(roleName)]);
    assert.deepEqual([most, held()], [HELD_MAX, []]);
  });
  await store.close();
});
