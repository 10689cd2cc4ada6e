/**
 * Licensed groups against a simple model in memory, on both engines: an OpenID provider reports users and groups by SCIM, and a directory is
 * synchronized. Both must lead to the license of the best group, and to no license without one.
 */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { openVault } from '#access/vault.ts';
import { instant } from '#core/instant.ts';
import type { License } from '#model/generated/chime.ts';
import { CHIME_DIRECTORY, directoriesOf, directoryBinding } from '#services/chime/directory-kind.ts';
import { directorySync } from '#services/chime/directory-sync.ts';
import { ACCOUNT, type Fixture, openFixture, START } from '#services/chime/fixture.ts';
import { signInClaimed } from '#services/chime/openid-sign-in.ts';
import { setProvider } from '#services/chime/providers.ts';
import { answerScim, ScimError } from '#services/chime/scim/answer.ts';
import { accounts } from '#services/chime/tables/accounts.ts';
import { directorySyncs } from '#services/chime/tables/directory-syncs.ts';
import { workFor } from '#services/kit/fixture.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store } from '#store/store.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
after(() => postgres.stop());

const NAMES = ['ada', 'bob', 'eve'];
const GROUPS = ['Staff', 'Guests', 'All'];
const emailOf = (name: string) => `${name}@example.com`;
/** Licenses of the accounts, the best one first. */
const LICENSES = ['Pro', 'Basic'] as const;

const Name = fc.constantFrom(...NAMES);
const Group = fc.constantFrom(...GROUPS);
const Members = fc.subarray(NAMES);
const kind = <Kind extends string>(name: Kind) => ({ kind: fc.constant(name) });
const Licensing = fc.oneof(
  fc.record({ ...kind('license'), groups: fc.subarray(GROUPS, { minLength: 1 }), license: fc.constantFrom(...LICENSES) }),
  fc.record({ ...kind('unlicense'), groups: fc.subarray(GROUPS, { minLength: 1 }) }),
);
const Report = fc.oneof(
  fc.record({ ...kind('user'), name: Name, active: fc.boolean() }),
  fc.record({ ...kind('active'), name: Name, active: fc.boolean() }),
  fc.record({ ...kind('remove user'), name: Name }),
  fc.record({ ...kind('group'), group: Group, members: Members }),
  fc.record({ ...kind('remove group'), group: Group }),
  fc.record({ ...kind('members'), group: Group, op: fc.constantFrom('add', 'remove', 'replace'), members: Members }),
  fc.record({ ...kind('rename'), group: Group, to: Group }),
  fc.record({ ...kind('put'), group: Group, to: Group, members: Members }),
);
const Change = fc.oneof(
  fc.record({ ...kind('entry'), name: Name, groups: fc.option(fc.subarray([...GROUPS, 'Others']), { nil: undefined }) }),
  fc.record({ ...kind('sync'), works: fc.constantFrom(true, true, true, false) }),
  fc.record({ ...kind('join'), name: Name }),
  fc.record({ ...kind('sign in'), name: Name }),
);
const ScimStep = fc.oneof({ weight: 1, arbitrary: Licensing }, { weight: 3, arbitrary: Report });
const DirectoryStep = fc.oneof({ weight: 1, arbitrary: Licensing }, { weight: 2, arbitrary: Change });
type Of<Generator> = Generator extends fc.Arbitrary<infer Value> ? Value : never;
type LicensingStep = Of<typeof Licensing>;
type Step = Of<typeof ScimStep> | Of<typeof DirectoryStep>;

interface ModelUser {
  status: 'Registered' | 'Suspended';
  license: License;
}
/** Licensed groups of an account, and its users by name. */
interface Model {
  readonly licenses: Map<string, { id: string; license: License; isSynced: boolean }>;
  readonly users: Map<string, ModelUser>;
}

const bestOf = (model: Model, groups: Iterable<string>): License | undefined => {
  const licenses = [...groups].flatMap((group) => model.licenses.get(group)?.license ?? []);
  return LICENSES.find((license) => licenses.includes(license));
};

/** Returns a function that licenses groups in the store and in the model. `isReported` says whether the provider has such a group now. */
function licensing({ run }: Fixture, AccountId: string, model: Model, isReported: (group: string) => boolean) {
  return async (each: LicensingStep, now: number): Promise<void> => {
    if (each.kind === 'license') {
      const input = each.groups.map((GroupName) => ({ GroupName, License: each.license }));
      const { Groups = [] } = await run('AddOrUpdateGroups', { AccountId, Groups: input }, { now: instant(now) });
      for (const { GroupId: id = '', GroupName: name = '' } of Groups) {
        const before = model.licenses.get(name);
        if (before !== undefined) assert.equal(id, before.id);
        model.licenses.set(name, { id, license: each.license, isSynced: before?.isSynced === true || isReported(name) });
      }
      return;
    }
    const GroupIds = each.groups.map((group) => model.licenses.get(group)?.id ?? randomUUID());
    await run('DeleteGroups', { AccountId, GroupIds }, { now: instant(now) });
    for (const group of each.groups) model.licenses.delete(group);
  };
}

/** Compares the licensed groups and the users of an account with the model. */
async function compare({ run }: Fixture, AccountId: string, { licenses, users }: Model): Promise<void> {
  const { Groups = [] } = await run('ListGroups', { AccountId });
  assert.deepEqual(
    Groups.map(({ GroupId, GroupName, License, SyncStatus }) => [GroupName, GroupId, License, SyncStatus]),
    [...licenses]
      .map(([name, { id, license, isSynced }]) => [name, id, license, isSynced ? 'Synced' : 'Pending'])
      .toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1)),
  );
  const { Users = [] } = await run('ListUsers', { AccountId });
  assert.deepEqual(
    new Set(Users.map((user) => `${user.PrimaryEmail} ${user.UserRegistrationStatus} ${user.LicenseType}`)),
    new Set([...users].map(([name, { status, license }]) => `${emailOf(name)} ${status} ${license}`)),
  );
}

/** Opens an account with the domain `example.com`. */
async function openAccount(store: Store): Promise<{ readonly fixture: Fixture; readonly AccountId: string }> {
  const fixture = await openFixture(store);
  const AccountId = await fixture.account();
  await fixture.become(AccountId, 'EnterpriseLWA');
  return { fixture, AccountId };
}

/** Returns a function that sends requests of a provider. Resolves to the ID of a created resource, or to the status of an error. */
function scimClient(store: Store, chimeAccountId: string) {
  return async (method: string, path: readonly string[], body?: object, now = START): Promise<string | number> => {
    try {
      return await store.transaction(async (tx) => {
        const account = (await tx.of(accounts).get(ACCOUNT, chimeAccountId)) ?? assert.fail('no account');
        const work = { ...workFor(tx, now), random: randomBytes, account, url: 'https://scim.example.org', usersMax: 100 };
        const answer = await answerScim(work, { method, path, query: new Map(), body, url: work.url });
        return answer.status === 201 ? String(answer.body?.['id']) : answer.status;
      });
    } catch (error) {
      if (error instanceof ScimError) return error.status;
      throw error;
    }
  };
}

const patch = (...Operations: readonly object[]) => ({ Operations });

/** Runs steps of a provider on a store and on the model, and compares each outcome, and the state after each step. */
async function agreeWithScim(store: Store, steps: readonly Step[]): Promise<void> {
  const { fixture, AccountId } = await openAccount(store);
  await fixture.run('UpdateAccountOpenIdConfig', { AccountId, Issuer: 'https://idp.example.com', ClientId: 'belfry' });
  const send = scimClient(store, AccountId);
  const model: Model = { licenses: new Map(), users: new Map() };
  const people = new Map<string, { readonly id: string; active: boolean }>();
  const groups = new Map<string, { readonly id: string; members: Set<string> }>();
  const setLicense = licensing(fixture, AccountId, model, (group) => groups.has(group));
  const idsOf = (members: readonly string[]) => members.map((value) => ({ value: people.get(value)?.id ?? randomUUID() }));
  const areKnown = (members: readonly string[]) => members.every((member) => people.has(member));
  /** Notes that the provider has reported a group: a later licensed group of this name is reported only while the group exists. */
  const report = (group: string) => {
    const licensed = model.licenses.get(group);
    if (licensed !== undefined) licensed.isSynced = true;
  };

  /** Applies the rule to all users: one that is active and in a licensed group is registered, and others are suspended. */
  function apply(): void {
    for (const [name, { active }] of people) {
      const names = [...groups].filter(([, { members }]) => members.has(name)).map(([group]) => group);
      const license = active ? bestOf(model, names) : undefined;
      const user = model.users.get(name);
      if (license !== undefined) model.users.set(name, { status: 'Registered', license });
      else if (user !== undefined) user.status = 'Suspended';
    }
  }

  async function ofUser(each: Extract<Step, { readonly name: string }>): Promise<void> {
    const person = people.get(each.name);
    const path = ['Users', person?.id ?? randomUUID()];
    const expected = person === undefined ? 404 : each.kind === 'remove user' ? 204 : 200;
    if (each.kind === 'user') {
      const created = await send('POST', ['Users'], { userName: emailOf(each.name), active: each.active });
      if (person !== undefined) return assert.equal(created, 409);
      people.set(each.name, { id: created as string, active: each.active });
    } else if (each.kind === 'active') {
      assert.equal(await send('PATCH', path, patch({ op: 'replace', path: 'active', value: each.active })), expected);
      if (person !== undefined) person.active = each.active;
    } else if (each.kind === 'remove user') {
      assert.equal(await send('DELETE', path), expected);
      if (person === undefined) return;
      people.delete(each.name);
      model.users.delete(each.name);
      for (const { members } of groups.values()) members.delete(each.name);
    }
  }

  async function ofGroup(each: Extract<Step, { readonly group: string }>): Promise<void> {
    const group = groups.get(each.group);
    const path = ['Groups', group?.id ?? randomUUID()];
    switch (each.kind) {
      case 'group': {
        const created = await send('POST', ['Groups'], { displayName: each.group, members: idsOf(each.members) });
        const expected = group !== undefined ? 409 : areKnown(each.members) ? undefined : 400;
        if (expected !== undefined) return assert.equal(created, expected);
        groups.set(each.group, { id: created as string, members: new Set(each.members) });
        return report(each.group);
      }
      case 'remove group':
        assert.equal(await send('DELETE', path), group === undefined ? 404 : 204);
        return void groups.delete(each.group);
      case 'members': {
        const request = patch({ op: each.op, path: 'members', value: idsOf(each.members) });
        const expected = group === undefined ? 404 : each.op === 'remove' || areKnown(each.members) ? 204 : 400;
        assert.equal(await send('PATCH', path, request), expected);
        if (group === undefined || expected !== 204) return;
        if (each.op === 'replace') group.members.clear();
        for (const member of each.members) each.op === 'remove' ? group.members.delete(member) : group.members.add(member);
        return;
      }
      case 'rename':
      case 'put': {
        const isPut = each.kind === 'put';
        const request = isPut
          ? { displayName: each.to, members: idsOf(each.members) }
          : patch({ op: 'replace', path: 'displayName', value: each.to });
        const isTaken = each.to !== each.group && groups.has(each.to);
        const isWrong = isPut && !areKnown(each.members);
        const expected = group === undefined ? 404 : isTaken ? 409 : isWrong ? 400 : isPut ? 200 : 204;
        assert.equal(await send(isPut ? 'PUT' : 'PATCH', path, request), expected);
        if (group === undefined || expected >= 400) return;
        groups.delete(each.group);
        groups.set(each.to, { id: group.id, members: isPut ? new Set(each.members) : group.members });
        report(each.to);
      }
    }
  }

  let time = START as number;
  for (const each of steps) {
    time += 1;
    if (each.kind === 'license' || each.kind === 'unlicense') await setLicense(each, time);
    else if ('group' in each) await ofGroup(each);
    else if ('name' in each) await ofUser(each);
    apply();
    await compare(fixture, AccountId, model);
  }
}

const vault = openVault([new Uint8Array(32).fill(7)]);

/** Gives an account a directory. */
async function connectDirectory(store: Store, AccountId: string): Promise<void> {
  const key = { ...directoriesOf(ACCOUNT), id: 'd-0000000001' };
  const document = {
    ...{ Name: 'Office', Url: 'ldaps://dc.example.com', BaseDn: 'dc=example', BindDn: 'cn=reader' },
    ...{ EmailAttribute: 'mail', ProxyAddressAttribute: 'proxyAddresses', DisplayNameAttribute: 'displayName' },
    sealedPassword: vault.seal('secret', directoryBinding(key)),
  };
  await store.transaction(async (tx) => {
    await tx.resources.add(CHIME_DIRECTORY, { ...key, createdAt: START, updatedAt: START, tags: [], document });
    const account = (await tx.of(accounts).get(ACCOUNT, AccountId)) ?? assert.fail('no account');
    const connected = { ...account, document: { ...account.document, directoryId: key.id } };
    await setProvider({ tx, newId: randomUUID }, connected, 'EnterpriseDirectory');
    await tx.of(directorySyncs).put({ accountId: ACCOUNT, chimeAccountId: AccountId, dueAt: START });
  });
}

/** Runs steps of a directory on a store and on the model, and compares the state after each step. */
async function agreeWithDirectory(store: Store, steps: readonly Step[]): Promise<void> {
  const { fixture, AccountId } = await openAccount(store);
  await connectDirectory(store, AccountId);
  const model: Model = { licenses: new Map(), users: new Map() };
  /** Groups of the people in the directory. */
  const entries = new Map<string, readonly string[]>();
  const setLicense = licensing(fixture, AccountId, model, () => false);
  let time = START as number;
  let works = true;
  const synchronize = directorySync({
    ...{ vault, directorySyncSeconds: 900, lookUpTxt: async () => [] },
    readPeople: async (_settings, people) => {
      if (!works) return 'The directory cannot be reached.';
      const emails = new Set(people.map(({ email }) => email));
      const known = [...entries].filter(([name]) => emails.has(emailOf(name)));
      return new Map(known.map(([name, groups]) => [emailOf(name), { email: emailOf(name), displayName: name, groups }]));
    },
  })();

  /** Notes that the directory has these groups. Returns the license of their members. */
  function reported(groups: readonly string[]): License | undefined {
    for (const group of groups) {
      const licensed = model.licenses.get(group);
      if (licensed !== undefined) licensed.isSynced = true;
    }
    return bestOf(model, groups);
  }

  /** Signs in a person of the directory, who must be in a licensed group. */
  async function signIn(name: string): Promise<void> {
    const groups = entries.get(name);
    if (groups === undefined) return;
    const outcome = await store.transaction((tx) => {
      const work = { ...workFor(tx, instant(time)), random: randomBytes };
      return signInClaimed(work, { accountId: ACCOUNT, chimeAccountId: AccountId, providerId: 'p' }, { email: emailOf(name), groups });
    });
    const license = reported(groups);
    assert.equal('email' in outcome, license !== undefined);
    const user = model.users.get(name);
    if (license !== undefined) model.users.set(name, { status: 'Registered', license });
    else if (user !== undefined) user.status = 'Suspended';
  }

  async function sync(isReachable: boolean): Promise<void> {
    works = isReachable;
    time += 900_000;
    while ((await synchronize((work) => store.transaction((tx) => work(workFor(tx, instant(time)))))) === 'more');
    if (!works) return;
    for (const [name, user] of model.users) {
      if (user.status === 'Suspended') continue;
      const license = reported(entries.get(name) ?? []);
      Object.assign(user, license === undefined ? { status: 'Suspended' } : { license });
    }
  }

  async function step(each: Step): Promise<void> {
    time += 1;
    switch (each.kind) {
      case 'license':
      case 'unlicense':
        return await setLicense(each, time);
      case 'entry':
        if (each.groups === undefined) entries.delete(each.name);
        else entries.set(each.name, each.groups);
        return;
      case 'sync':
        return await sync(each.works);
      case 'sign in':
        return await signIn(each.name);
      case 'join': {
        const user = { AccountId, Email: emailOf(each.name) };
        if (model.users.has(each.name)) return await assert.rejects(fixture.run('CreateUser', user), { code: 'ConflictException' });
        await fixture.run('CreateUser', user, { now: instant(time) });
        model.users.set(each.name, { status: 'Registered', license: 'Pro' });
      }
    }
  }

  for (const each of steps) {
    await step(each);
    await compare(fixture, AccountId, model);
  }
}

/** Steps that make the state interesting: licensed groups, and people in them. */
const SCIM_BEFORE: readonly Step[] = [
  ...NAMES.map((name) => ({ kind: 'user', name, active: true }) as const),
  { kind: 'license', groups: ['Staff'], license: 'Pro' },
  { kind: 'group', group: 'All', members: NAMES },
  { kind: 'license', groups: ['All'], license: 'Basic' },
  { kind: 'group', group: 'Staff', members: ['ada'] },
];
const DIRECTORY_BEFORE: readonly Step[] = [
  ...NAMES.map((name): Step => ({ kind: 'entry', name, groups: ['All'] })),
  ...NAMES.map((name): Step => ({ kind: 'join', name })),
  { kind: 'license', groups: ['All'], license: 'Basic' },
];

const ENGINES: readonly (readonly [engine: string, runs: number, open: () => Promise<Store>])[] = [
  ['SQLite', 40, () => openSqlite(':memory:')],
  ['PostgreSQL', 5, () => openPostgres(postgres.url)],
];
const TABLES = ['user', 'account', 'licensed_group', 'scim_user', 'scim_group', 'scim_member', 'directory_sync'].map(
  (name) => `chime_${name}`,
);

for (const [engine, numRuns, open] of ENGINES) {
  const store = await open();
  after(() => store.close());
  for (const [title, generated, before, agree] of [
    ['SCIM', ScimStep, SCIM_BEFORE, agreeWithScim],
    ['a directory', DirectoryStep, DIRECTORY_BEFORE, agreeWithDirectory],
  ] as const) {
    test(`Groups of ${title} on ${engine}: generated steps give the licenses of the model`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array<Step>(generated, { minLength: 5, maxLength: 20 }), async (steps) => {
          await store.transaction(async ({ sql }) => {
            for (const name of [...TABLES, 'resource']) await sql.run(`DELETE FROM ${name}`);
          });
          await agree(store, [...before, ...steps]);
        }),
        { numRuns, seed: 20_261_201 },
      );
    });
  }
}
