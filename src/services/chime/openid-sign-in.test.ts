import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DomainEvent } from '../kit/events.ts';
import { callOf } from '../kit/fixture.ts';
import { ACCOUNT, openFixture, START } from './fixture.ts';
import { signInClaimed } from './openid-sign-in.ts';
import { licensedGroups } from './tables/licensed-groups.ts';
import { SCIM_AT_ONCE, scimGroups, scimUsers } from './tables/scim.ts';

test('signInClaimed: applies the reports of SCIM to the person that signs in, and leaves other users to the sweep', async () => {
  const { account, become, store } = await openFixture();
  const chimeAccountId = await account();
  await become(chimeAccountId, 'EnterpriseOIDC');
  const emitted: DomainEvent[] = [];
  await store.transaction(async (tx) => {
    const times = { createdAt: START, updatedAt: START };
    const ids = Array.from({ length: SCIM_AT_ONCE + 2 }, (_, i) => `user-${String(i).padStart(3, '0')}`);
    for (const scimId of ids) {
      const email = `${scimId}@example.com`;
      const state = { isActive: true, isDue: true, document: { userName: email } };
      await tx.of(scimUsers).add({ chimeAccountId, scimId, accountId: ACCOUNT, email, ...state, ...times });
    }
    await tx.of(scimGroups).add({ chimeAccountId, scimId: 'everyone', displayName: 'Everyone', ...times });
    await tx.of(scimGroups).addMembers(chimeAccountId, 'everyone', ids);
    await tx.of(licensedGroups).put({ chimeAccountId, groupId: 'g', groupName: 'Everyone', license: 'Pro' });
    const email = `${ids.at(-1)}@example.com`;
    const person = await signInClaimed(callOf(tx, {}, emitted), { accountId: ACCOUNT, chimeAccountId, providerId: 'p' }, { email });
    assert.equal('user' in person && person.user?.registrationStatus, 'Registered');
    assert.equal((await tx.of(scimUsers).withEmail(chimeAccountId, email))?.isDue, false);
    assert.equal((await tx.of(scimUsers).due(chimeAccountId)).length, SCIM_AT_ONCE);
  });
  assert.deepEqual(
    emitted.map(({ type }) => type),
    ['ChimeUserRegistered'],
  );
});
