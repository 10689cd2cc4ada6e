/** Entries of directories that sign in: the user of an entry stays the same when the address changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf } from '../kit/fixture.ts';
import { DIRECTORY_PERSON, directoryPeopleOf, removeEntries } from './directory-people.ts';
import { ACCOUNT, openFixture } from './fixture.ts';
import { signInClaimed } from './openid-sign-in.ts';
import { licensedGroups } from './tables/licensed-groups.ts';
import { users } from './tables/users.ts';

const [ONE, TWO] = ['entryUUID:00000000-0000-4000-8000-000000000001', 'entryUUID:00000000-0000-4000-8000-000000000002'] as const;
const TAKEN = 'The address belongs to a user with another entry of the directory';

async function open() {
  const { store, account, become } = await openFixture();
  const chimeAccountId = await account();
  await become(chimeAccountId, 'EnterpriseLWA');
  await store.transaction((tx) =>
    tx.of(licensedGroups).put({ chimeAccountId, groupName: 'Staff', groupId: crypto.randomUUID(), license: 'Basic' }),
  );
  const provider = { accountId: ACCOUNT, chimeAccountId, providerId: 'p' };
  return {
    store,
    chimeAccountId,
    /** Signs in a person. Resolves to the user ID, or to the reason of the refusal. */
    signIn: (name: string, entryId?: string, goneEntryId?: string) =>
      store.transaction(async (tx) => {
        const entry = { entryId, goneEntryId };
        const person = await signInClaimed(callOf(tx, {}), provider, { email: `${name}@example.com`, groups: ['Staff'] }, entry);
        return 'reason' in person ? person.reason : person.user.userId;
      }),
    suspend: (name: string) =>
      store.transaction(async (tx) => {
        const user = await tx.of(users).getByEmail(chimeAccountId, `${name}@example.com`);
        if (user !== undefined) await tx.of(users).put({ ...user, registrationStatus: 'Suspended' });
      }),
  };
}

test('Directory entries: a person with a new address keeps the user, and another person gets the earlier address', async () => {
  const { signIn, store, chimeAccountId } = await open();
  const ada = await signIn('ada', ONE);
  assert.equal(await signIn('countess', ONE), ada);
  assert.equal(await signIn('Countess', ONE), ada);
  const other = await signIn('ada', TWO);
  assert.notEqual(other, ada);
  assert.deepEqual([await signIn('countess', ONE), await signIn('ada', TWO)], [ada, other]);
  const { email, document } = (await store.transaction((tx) => tx.of(users).get(chimeAccountId, ada))) ?? {};
  assert.deepEqual([email, document?.PrimaryEmail], ['countess@example.com', 'countess@example.com']);
});

test('Directory entries: another entry gets the user of an address if the user is suspended and the earlier entry is gone', async () => {
  const { signIn, suspend } = await open();
  const THREE = 'entryUUID:00000000-0000-4000-8000-000000000003';
  const ada = await signIn('ada', ONE);
  assert.equal(await signIn('ada', TWO), TAKEN);
  const bob = await signIn('bob', TWO);
  assert.equal(await signIn('ada', TWO), TAKEN, 'the user of the entry exists too');
  assert.equal(await signIn('ada', THREE, ONE), TAKEN, 'a registered user waits for the synchronization');
  await suspend('ada');
  assert.equal(await signIn('ada', THREE), TAKEN, 'the earlier entry exists');
  assert.equal(await signIn('ada', undefined), TAKEN, 'the directory does not show the ID of the new entry');
  assert.equal(await signIn('ada', THREE, TWO), TAKEN, 'the user had another entry when the directory was read');
  assert.equal(await signIn('ada', TWO, ONE), TAKEN, 'the new entry has a user');
  assert.equal(await signIn('ada', THREE, ONE), ada, 'the entry was created again');
  assert.equal(await signIn('ada', THREE), ada);
  assert.equal(await signIn('bob', TWO), bob);
  await suspend('bob');
  assert.equal(await signIn('bob', undefined, TWO), bob, 'the directory no longer shows IDs');
});

test('Directory entries: a user from before is bound at the next sign-in, and a claim of a provider binds nothing', async () => {
  const { signIn, store, chimeAccountId } = await open();
  const ada = await signIn('ada');
  const owner = { accountId: ACCOUNT, chimeAccountId };
  const count = () => store.transaction(async (tx) => (await tx.resources.list(DIRECTORY_PERSON, directoryPeopleOf(owner), 9)).length);
  assert.equal(await count(), 0);
  assert.equal(await signIn('ada', ONE), ada);
  assert.equal(await signIn('countess', ONE), ada);
  assert.equal(await count(), 1);
  assert.equal(await store.transaction((tx) => removeEntries({ tx }, owner, 9)), 1);
  assert.equal(await count(), 0);
});
