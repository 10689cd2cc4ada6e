/** Turns of two servers that synchronize an account with its directory. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { openVault } from '#access/vault.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { FoundPerson } from '../kit/directories.ts';
import type { Transact } from '../kit/service.ts';
import { CHIME_DIRECTORY, directoriesOf, directoryBinding } from './directory-kind.ts';
import { bindEntry, userOfEntry } from './directory-people.ts';
import { directorySync } from './directory-sync.ts';
import { ACCOUNT, openFixture, START } from './fixture.ts';
import { setProvider } from './providers.ts';
import { accounts } from './tables/accounts.ts';
import { directorySyncs } from './tables/directory-syncs.ts';
import { licensedGroups } from './tables/licensed-groups.ts';
import { users } from './tables/users.ts';

const vault = openVault([new Uint8Array(32).fill(7)]);
const EVERY_S = 900;

/** Opens an account with a directory and registered users. */
async function openSync(names: readonly string[], sealedBy = vault) {
  const fixture = await openFixture();
  const { store } = fixture;
  const chimeAccountId = await fixture.account();
  await fixture.become(chimeAccountId, 'EnterpriseLWA');
  for (const name of names) await fixture.register(chimeAccountId, `${name}@example.com`);
  const key = { ...directoriesOf(ACCOUNT), id: 'd-0000000001' };
  const document = {
    ...{ Name: 'Office', Url: 'ldaps://dc.example.com', BaseDn: 'dc=example', BindDn: 'cn=reader' },
    ...{ EmailAttribute: 'mail', ProxyAddressAttribute: 'proxyAddresses', DisplayNameAttribute: 'displayName' },
    sealedPassword: sealedBy.seal('secret', directoryBinding(key)),
  };
  await store.transaction(async (tx) => {
    await tx.resources.add(CHIME_DIRECTORY, { ...key, createdAt: START, updatedAt: START, tags: [], document });
    const account = await tx.of(accounts).get(ACCOUNT, chimeAccountId);
    if (account === undefined) throw new Error('unknown account');
    const withDirectory = { ...account, document: { ...account.document, directoryId: key.id } };
    await setProvider({ tx, newId: randomUUID }, withDirectory, 'EnterpriseDirectory');
    await tx.of(directorySyncs).put({ accountId: ACCOUNT, chimeAccountId, dueAt: START });
    await tx.of(licensedGroups).put({ chimeAccountId, groupName: 'Staff', groupId: randomUUID(), license: 'Basic' });
  });
  let now: Instant = START;
  const transact: Transact = (run) => store.transaction((tx) => run({ tx, now, newId: randomUUID, emit: async () => undefined }));
  return {
    ...fixture,
    /** Creates the step of a server whose directory answers with `read`. */
    server(read: (emails: readonly string[]) => Promise<ReadonlyMap<string, FoundPerson> | string>) {
      const step = directorySync({
        ...{ vault, directorySyncSeconds: EVERY_S, lookUpTxt: async () => [] },
        readPeople: (_settings, people) => read(people.map(({ email }) => email)),
      })();
      return () => step(transact);
    },
    pass(milliseconds: number): void {
      now = instant(now + milliseconds);
    },
    sync: () => store.transaction((tx) => tx.of(directorySyncs).get(chimeAccountId)),
    /** Returns the names of registered users. */
    async registered(): Promise<readonly string[]> {
      const found = await store.transaction((tx) => tx.of(users).registered(chimeAccountId, 1_000));
      return found.map(({ email }) => email.replace('@example.com', '')).sort();
    },
  };
}

const inStaff = (email: string): readonly [string, FoundPerson] => [email, { email, displayName: undefined, groups: ['Staff'] }];

test('Synchronization: one server at a time reads an account, and the result of a late one is dropped', async () => {
  const { server, pass, sync, registered } = await openSync(['ada', 'bob']);
  let answerLate = (_people: ReadonlyMap<string, FoundPerson>): void => {};
  let isReading = (): void => {};
  const reading = new Promise<void>((resolve) => (isReading = resolve));
  const late = server(() => {
    isReading();
    return new Promise((resolve) => (answerLate = resolve));
  });
  const other = server(async (emails) => new Map(emails.map(inStaff)));
  const lateStep = late();
  await reading;
  assert.equal(await other(), 'done', 'the turn is taken');
  pass(60_000);
  assert.equal(await other(), 'more');
  const after = await sync();
  assert.equal(after?.dueAt, START + 60_000 + EVERY_S * 1000);
  answerLate(new Map());
  await lateStep;
  assert.deepEqual([await registered(), await sync()], [['ada', 'bob'], after]);
});

test('Synchronization: a run reads all users in turns, and a failed turn begins the run again', async () => {
  const opened = await openSync(Array.from({ length: 201 }, (_, i) => `person${i}`));
  const turns: number[] = [];
  let problem: string | undefined;
  const step = opened.server(async (emails) => {
    turns.push(emails.length);
    return problem ?? new Map(emails.slice(1).map(inStaff));
  });
  assert.equal(await step(), 'more');
  problem = 'The directory cannot be reached.';
  assert.equal(await step(), 'more');
  assert.equal(await step(), 'done');
  const failed = await opened.sync();
  assert.deepEqual([failed?.problem, failed?.afterUserId, failed?.syncedAt], [problem, undefined, undefined]);
  assert.equal((await opened.registered()).length, 200);
  opened.pass(EVERY_S * 1000);
  problem = undefined;
  while ((await step()) === 'more');
  // The user that the first turn has suspended is not read again.
  assert.deepEqual(turns, [200, 1, 200]);
  const ended = await opened.sync();
  assert.deepEqual([ended?.problem, ended?.afterUserId, ended?.syncedAt], [undefined, undefined, START + EVERY_S * 1000]);
});

test('Synchronization: a password that no operator key opens is a problem of its directory only', async () => {
  const { server, sync, registered } = await openSync(['ada'], openVault([new Uint8Array(32).fill(8)]));
  const step = server(() => assert.fail('the directory was read'));
  assert.equal(await step(), 'more');
  assert.match((await sync())?.problem ?? '', /^No operator key of this server opens the password/);
  assert.deepEqual(await registered(), ['ada']);
});

const [ONE, TWO] = ['entryUUID:00000000-0000-4000-8000-000000000001', 'entryUUID:00000000-0000-4000-8000-000000000002'] as const;

/** Opens an account whose users have the entries `ONE` and `TWO`. */
async function openEntries() {
  const opened = await openSync(['ada', 'bob']);
  const owner = { accountId: ACCOUNT, chimeAccountId: (await opened.sync())?.chimeAccountId ?? '' };
  const read = (name: string) => opened.store.transaction((tx) => tx.of(users).getByEmail(owner.chimeAccountId, `${name}@example.com`));
  for (const [name, entryId] of [
    ['ada', ONE],
    ['bob', TWO],
  ] as const)
    await opened.store.transaction(async (tx) => {
      const user = await tx.of(users).getByEmail(owner.chimeAccountId, `${name}@example.com`);
      if (user !== undefined) await bindEntry({ tx, now: START }, owner, user, entryId);
    });
  const found = (email: string, entryId: string): FoundPerson => ({ email, displayName: undefined, groups: ['Staff'], entryId });
  return { ...opened, owner, read, found };
}

test('Synchronization: a user whose address leaves the domains keeps the new entry', async () => {
  const { server, read, found, registered, store, owner } = await openEntries();
  const THREE = 'entryUUID:00000000-0000-4000-8000-000000000003';
  const people = new Map([
    ['ada@example.com', found('ada@other.example', THREE)],
    ['bob@example.com', found('bob@example.com', TWO)],
  ]);
  await server(async () => people)();
  assert.deepEqual(await registered(), ['bob']);
  const ada = await read('ada');
  assert.equal(ada?.document.directoryEntryId, THREE);
  assert.equal((await store.transaction((tx) => userOfEntry(tx, owner, THREE)))?.userId, ada?.userId);
});

test('Synchronization: a person who gets the address of a deleted entry does not get its user', async () => {
  const { server, read, found, registered } = await openEntries();
  const [ada, bob] = [await read('ada'), await read('bob')];
  const entry = found('ada@example.com', TWO);
  await server(async (emails) => new Map(emails.map((email) => [email, entry])))();
  assert.deepEqual(await registered(), ['bob']);
  const entries = [(await read('ada'))?.document.directoryEntryId, (await read('bob'))?.document.directoryEntryId];
  assert.deepEqual([(await read('ada'))?.userId, (await read('bob'))?.userId, ...entries], [ada?.userId, bob?.userId, ONE, TWO]);
});
