/** Accounts and users against a simple model in memory: generated calls on both engines. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { instant } from '#core/instant.ts';
import { openFixture, START } from '#services/chime/fixture.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store } from '#store/store.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
after(() => postgres.stop());

type Status = 'Unregistered' | 'Registered' | 'Suspended';
interface ModelUser {
  status: Status;
  license: string;
  invitedAt: number;
  registeredAt?: number;
}
interface ModelAccount {
  readonly id: string;
  readonly createdAt: number;
  name: string;
  license: string;
  deleted: boolean;
  readonly users: Map<string, ModelUser>;
}

const NAMES = ['ada', 'bob', 'eve', 'dan'];
const Who = fc.subarray(NAMES, { minLength: 1 });
const Which = fc.nat({ max: 2 });
const Step = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), name: fc.constantFrom('My one', 'My two', 'Other') }),
  fc.record({
    kind: fc.constant('update' as const),
    which: Which,
    name: fc.constantFrom('My new', 'Else'),
    license: fc.constantFrom('Basic', 'Pro', 'Plus'),
  }),
  fc.record({ kind: fc.constant('delete' as const), which: Which }),
  fc.record({ kind: fc.constant('invite' as const), which: Which, who: Who }),
  fc.record({ kind: fc.constant('register' as const), which: Which, who: Who }),
  fc.record({ kind: fc.constant('suspend' as const), which: Which, who: Who }),
  fc.record({ kind: fc.constant('license' as const), which: Which, who: Who, license: fc.constantFrom('Basic', 'Pro', 'Plus') }),
);
type Step = typeof Step extends fc.Arbitrary<infer Value> ? Value : never;

const emailOf = (name: string) => `${name}@example.com`;
const nameOf = (email = '') => email.split('@')[0] ?? '';
/** Returns the code of an error, or `ok`. */
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: { readonly code: string }) => error.code,
  );

/** Runs steps on a store and on the model, and compares each outcome and the lists after each step. */
async function agree(store: Store, steps: readonly Step[]): Promise<void> {
  const fixture = await openFixture(store);
  const { run } = fixture;
  const model: ModelAccount[] = [];
  let time = START as number;

  const idsOf = async (AccountId: string, names: readonly string[]) => {
    const { Users = [] } = await run('ListUsers', { AccountId });
    return names.map((name) => Users.find(({ PrimaryEmail }) => nameOf(PrimaryEmail) === name)?.UserId ?? `unknown ${name}`);
  };
  const memberships = (name: string) => model.filter(({ users }) => users.get(name)?.status === 'Registered');

  async function step(each: Step): Promise<void> {
    const as = { now: instant(++time) };
    if (each.kind === 'create') {
      const id = await fixture.account(each.name, as);
      model.push({ id, createdAt: time, name: each.name, license: 'Pro', deleted: false, users: new Map() });
      return;
    }
    const account = model[each.which];
    if (account === undefined) return;
    const AccountId = account.id;
    switch (each.kind) {
      case 'update': {
        const code = await codeOf(run('UpdateAccount', { AccountId, Name: each.name, DefaultLicense: each.license as 'Pro' }, as));
        assert.equal(code, account.deleted ? 'NotFoundException' : each.license === 'Plus' ? 'BadRequestException' : 'ok');
        if (code === 'ok') Object.assign(account, { name: each.name, license: each.license });
        return;
      }
      case 'delete': {
        const hasUsers = [...account.users.values()].some(({ status }) => status === 'Registered');
        const code = await codeOf(run('DeleteAccount', { AccountId }, as));
        assert.equal(code, account.deleted ? 'NotFoundException' : hasUsers ? 'UnprocessableEntityException' : 'ok');
        if (code === 'ok') account.deleted = true;
        return;
      }
      case 'invite': {
        const code = await codeOf(run('InviteUsers', { AccountId, UserEmailList: each.who.map(emailOf) }, as));
        assert.equal(code, account.deleted ? 'NotFoundException' : 'ok');
        if (code !== 'ok') return;
        for (const name of each.who) {
          const user = account.users.get(name);
          if (user === undefined) account.users.set(name, { status: 'Unregistered', license: account.license, invitedAt: time });
          else if (user.status === 'Suspended') Object.assign(user, { status: 'Unregistered', license: account.license, invitedAt: time });
        }
        return;
      }
      case 'register':
        for (const name of each.who) {
          const at = ++time;
          const user: ModelUser | undefined = account.users.get(name);
          const code = await codeOf(fixture.register(AccountId, emailOf(name), { now: instant(at) }));
          const allowed = memberships(name).length > 0 ? 'ConflictException' : 'ok';
          const expected: string = user === undefined || user.status === 'Suspended' ? 'ForbiddenException' : allowed;
          assert.equal(code, account.deleted ? 'NotFoundException' : expected);
          if (code === 'ok' && user !== undefined) Object.assign(user, { status: 'Registered', registeredAt: user.registeredAt ?? at });
        }
        return;
      case 'suspend': {
        const UserIdList = account.deleted ? ['x'] : await idsOf(AccountId, each.who);
        const errors = run('BatchSuspendUser', { AccountId, UserIdList }, as).then(({ UserErrors = [] }) => UserErrors.length);
        if (account.deleted) return void (await assert.rejects(errors, { code: 'NotFoundException' }));
        assert.equal(await errors, each.who.filter((name) => !account.users.has(name)).length);
        for (const name of each.who) {
          const user = account.users.get(name);
          if (user !== undefined && user.status !== 'Suspended') Object.assign(user, { status: 'Suspended', license: 'Basic' });
        }
        return;
      }
      case 'license': {
        if (account.deleted) return;
        const ids = await idsOf(AccountId, each.who);
        const items = ids.map((UserId) => ({ UserId, LicenseType: each.license as 'Pro' }));
        const { UserErrors = [] } = await run('BatchUpdateUser', { AccountId, UpdateUserRequestItems: items }, as);
        const fails = (name: string) => each.license === 'Plus' || (account.users.get(name)?.status ?? 'Suspended') === 'Suspended';
        assert.equal(UserErrors.length, each.who.filter(fails).length);
        for (const name of each.who) if (!fails(name)) Object.assign(account.users.get(name) as ModelUser, { license: each.license });
      }
    }
  }

  async function compare(): Promise<void> {
    const { Accounts = [] } = await run('ListAccounts', { MaxResults: 200 });
    const expected = model.filter(({ deleted }) => !deleted).toReversed();
    assert.deepEqual(
      Accounts.map((each) => [each.AccountId, each.Name, each.DefaultLicense]),
      expected.map(({ id, name, license }) => [id, name, license]),
    );
    for (const { id, users } of expected) {
      const { Users = [] } = await run('ListUsers', { AccountId: id });
      const place = ({ registeredAt, invitedAt }: ModelUser) => (registeredAt === undefined ? 2 ** 50 + invitedAt : registeredAt);
      const order = [...users].toSorted(([, a], [, b]) => place(a) - place(b));
      assert.deepEqual(
        new Set(Users.map((each) => `${nameOf(each.PrimaryEmail)} ${each.UserRegistrationStatus} ${each.LicenseType}`)),
        new Set(order.map(([name, { status, license }]) => `${name} ${status} ${license}`)),
      );
      const places = Users.map(({ PrimaryEmail }) => place(users.get(nameOf(PrimaryEmail)) as ModelUser));
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
      );
    }
  }

  for (const each of steps) {
    await step(each);
    await compare();
  }
}

const ENGINES: readonly (readonly [engine: string, runs: number, open: () => Promise<Store>])[] = [
  ['SQLite', 60, () => openSqlite(':memory:')],
  ['PostgreSQL', 8, () => openPostgres(postgres.url)],
];

for (const [engine, numRuns, open] of ENGINES) {
  test(`Accounts and users on ${engine}: generated calls have the outcomes of the model`, async () => {
    const store = await open();
    after(() => store.close());
    await fc.assert(
      fc.asyncProperty(fc.array(Step, { minLength: 5, maxLength: 25 }), async (steps) => {
        await store.transaction(async ({ sql }) => {
          await sql.run('DELETE FROM chime_user');
          await sql.run('DELETE FROM chime_account');
        });
        await agree(store, [{ kind: 'create', name: 'My one' }, { kind: 'create', name: 'Other' }, ...steps]);
      }),
      { numRuns },
    );
  });
}
