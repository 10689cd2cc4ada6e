import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ALICE, NOON, type Suite } from '#store/conformance-fixtures.ts';
import { licensedGroups } from './licensed-groups.ts';
import { removeProvisioned, type ScimGroupRecord, type ScimUserRecord, scimGroups, scimUsers } from './scim.ts';

const user = (chimeAccountId: string, scimId: string, more: Partial<ScimUserRecord> = {}): ScimUserRecord => ({
  ...{ chimeAccountId, scimId, accountId: ALICE, email: `${scimId}@example.com`, isActive: true, isDue: false },
  ...{ createdAt: NOON, updatedAt: NOON, document: { userName: `${scimId}@example.com` } },
  ...more,
});
const group = (chimeAccountId: string, scimId: string, displayName: string, more: Partial<ScimGroupRecord> = {}): ScimGroupRecord => ({
  ...{ chimeAccountId, scimId, displayName, createdAt: NOON, updatedAt: NOON },
  ...more,
});

export function conformance({ within, fresh }: Suite): void {
  describe('chime scim', () => {
    test('scim users: a user is read back as added, found by address and external ID, counted, listed, changed and deleted', async () => {
      const [here, there] = [fresh(), fresh()];
      const [a, b] = [user(here, 'a', { externalId: 'x' }), user(here, 'b')];
      const changed = { ...b, externalId: 'x', isActive: false, email: 'new@example.org' };
      const read = await within(async (tx) => {
        const repository = tx.of(scimUsers);
        const added = [await repository.add(b), await repository.add(a), await repository.add({ ...user(here, 'c'), email: a.email })];
        await repository.add(user(there, 'a'));
        const got = [await repository.get(here, 'a'), await repository.withEmail(here, b.email), await repository.get(there, 'b')];
        const known = [await repository.known(here, ['b', 'z']), await repository.known(here, [])];
        const lists = [await repository.list(here, { offset: 1, limit: 9 }), await repository.matching(here, { externalId: 'x' })];
        await repository.put(changed);
        lists.push(await repository.matching(here, { externalId: 'x' }), await repository.matching(here, { email: changed.email }));
        for (const _ of [1, 2]) await repository.remove(here, 'a');
        const counts = [await repository.count(here), await repository.count(there)];
        await repository.removeOfDomain(here, 'example.com');
        counts.push(await repository.count(here));
        await repository.removeOfDomain(here, 'example.org');
        counts.push(await repository.count(here), await repository.count(there));
        return { added, got, known, lists, counts };
      });
      assert.deepEqual(read, {
        added: ['added', 'added', 'exists'],
        got: [a, b, undefined],
        known: [['b'], []],
        lists: [[b], [a], [a, changed], [changed]],
        counts: [1, 1, 1, 0, 1],
      });
    });

    test('scim users: groups give licenses and mark their members as due, and a deleted user or group gives none', async () => {
      const here = fresh();
      const read = await within(async (tx) => {
        const [repository, groups] = [tx.of(scimUsers), tx.of(scimGroups)];
        for (const id of ['a', 'b', 'c']) await repository.add(user(here, id));
        for (const [id, name] of [
          ['g', 'Sales'],
          ['h', 'Staff'],
          ['i', 'Other'],
        ] as const)
          await groups.add(group(here, id, name));
        await groups.addMembers(here, 'g', ['a']);
        await groups.addMembers(here, 'h', ['a', 'b', 'a']);
        await groups.addMembers(here, 'i', ['c']);
        await tx.of(licensedGroups).put({ chimeAccountId: here, groupName: 'Sales', groupId: '1', license: 'Pro' });
        await tx.of(licensedGroups).put({ chimeAccountId: here, groupName: 'Staff', groupId: '2', license: 'Basic' });
        const licenses = async () =>
          Array.from(await repository.licensesOf(here, ['a', 'b', 'c']), ([id, each]) => [id, each.toSorted()].flat()).toSorted();
        const first = await licenses();
        await repository.setDueOfGroup(here, 'Sales');
        await repository.setDue(here, ['c']);
        const due = async () => (await repository.due(here)).map(({ scimId }) => scimId);
        const marked = await due();
        await repository.setDone(here, ['a']);
        const left = await due();
        const isAny = (await repository.firstDue()) !== undefined;
        await repository.setDone(here, ['c']);
        await repository.remove(here, 'b');
        await groups.remove(here, 'g');
        return { first, marked, left, isAny, none: await due(), last: await licenses(), empty: await repository.licensesOf(here, []) };
      });
      assert.deepEqual(read, {
        first: [
          ['a', 'Basic', 'Pro'],
          ['b', 'Basic'],
        ],
        ...{ marked: ['a', 'c'], left: ['c'], isAny: true, none: [], last: [['a', 'Basic']], empty: new Map() },
      });
    });

    test('scim groups: a group is found by name and external ID, listed, changed and deleted with its members', async () => {
      const here = fresh();
      const [a, b] = [group(here, 'a', 'A', { externalId: 'x' }), group(here, 'b', 'B')];
      const read = await within(async (tx) => {
        const repository = tx.of(scimGroups);
        const added = [await repository.add(b), await repository.add(a), await repository.add(group(here, 'c', 'A'))];
        const got = [await repository.get(here, 'a'), await repository.named(here, 'B'), await repository.get(here, 'z')];
        const lists = [
          await repository.list(here, { offset: 0, limit: 1 }),
          await repository.matching(here, { externalId: 'x' }),
          await repository.matching(here, { displayName: 'B' }),
        ];
        await repository.put({ ...b, displayName: 'C' });
        await repository.addMembers(here, 'a', ['3', '1', '2']);
        await repository.addMembers(here, 'b', ['1']);
        const ofUser = (await repository.ofUser(here, '1', 9)).map(({ displayName }) => displayName);
        const members = [await repository.members(here, 'a', 2), await repository.countMembers(here, 'a')];
        await repository.removeMembers(here, 'a', ['1', 'z']);
        await repository.removeMembers(here, 'a', []);
        members.push(await repository.members(here, 'a', 9));
        await repository.clearMembers(here, 'a');
        members.push(await repository.countMembers(here, 'a'));
        await tx.of(scimUsers).add(user(here, 'u'));
        const counts = [await repository.count(here), await tx.of(scimUsers).count(here)];
        await removeProvisioned(tx.sql, here);
        const end = [await repository.count(here), await repository.countMembers(here, 'b'), await tx.of(scimUsers).count(here)];
        return { added, got, lists, ofUser, members, counts, end };
      });
      assert.deepEqual(read, {
        added: ['added', 'added', 'exists'],
        got: [a, b, undefined],
        lists: [[a], [a], [b]],
        ofUser: ['A', 'C'],
        members: [['1', '2'], 3, ['2', '3'], 0],
        counts: [2, 1],
        end: [0, 0, 0],
      });
    });
  });
}
