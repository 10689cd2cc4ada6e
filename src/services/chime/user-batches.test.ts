import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import type { ChimeApi } from '#model/generated/chime.ts';
import type { Store } from '#store/store.ts';
import { ACCOUNT, openFixture, START } from './fixture.ts';
import { openRecording, plansOf, type Statement } from './recording-fixture.ts';
import { accounts } from './tables/accounts.ts';
import { type UserRecord, users } from './tables/users.ts';

const UNKNOWN = 'a6b1e9b0-0000-4000-8000-999999999999';
const NO_USER = { UserId: UNKNOWN, ErrorCode: 'NotFound', ErrorMessage: `Could not find User with Id '${UNKNOWN}'` };
const BAD_REQUEST = { code: 'BadRequestException', message: 'Service received a bad request' };

async function openTeam(opened?: Store) {
  const fixture = await openFixture(opened);
  const AccountId = await fixture.account();
  const statuses = async () =>
    ((await fixture.run('ListUsers', { AccountId })).Users ?? []).map(({ UserRegistrationStatus, LicenseType }) => [
      UserRegistrationStatus,
      LicenseType,
    ]);
  return { ...fixture, AccountId, statuses };
}

test('BatchUpdateUser: other items take effect if one fails', async () => {
  const { run, people, AccountId, statuses } = await openTeam();
  const [ada = '', bob = '', eve = ''] = await people(AccountId, 'ada', 'bob', 'eve');
  const update = async (...UpdateUserRequestItems: ChimeApi['BatchUpdateUser']['input']['UpdateUserRequestItems']) =>
    (await run('BatchUpdateUser', { AccountId, UpdateUserRequestItems })).UserErrors;
  await assert.rejects(update(), BAD_REQUEST);
  const errors = await update(
    { UserId: ada, LicenseType: 'Basic' },
    { UserId: UNKNOWN, LicenseType: 'Basic' },
    { UserId: bob, LicenseType: 'Plus' },
    { UserId: UNKNOWN },
    { UserId: eve, LicenseType: 'Basic' },
    { UserId: eve, LicenseType: 'Pro' },
  );
  assert.deepEqual(errors, [NO_USER, { UserId: bob, ErrorCode: 'BadRequest', ErrorMessage: BAD_REQUEST.message }]);
  assert.deepEqual(await statuses(), [
    ['Registered', 'Basic'],
    ['Registered', 'Pro'],
    ['Registered', 'Pro'],
  ]);
  assert.deepEqual(await update({ UserId: ada, LicenseType: 'Pro' }, { UserId: bob }), []);
});

test('BatchSuspendUser: on a Team account, users are removed and lose their license', async () => {
  const { run, people, AccountId, statuses, emitted } = await openTeam();
  const [ada = '', bob = ''] = await people(AccountId, 'ada', 'bob');
  emitted.length = 0;
  const suspend = async (...UserIdList: readonly string[]) => (await run('BatchSuspendUser', { AccountId, UserIdList })).UserErrors;
  assert.deepEqual(await suspend(ada, UNKNOWN, ada), [NO_USER]);
  assert.deepEqual(await suspend(ada), []);
  assert.deepEqual(await statuses(), [
    ['Suspended', 'Basic'],
    ['Registered', 'Pro'],
  ]);
  assert.deepEqual(emitted, [{ type: 'ChimeUserRemoved', accountId: ACCOUNT, chimeAccountId: AccountId, userIds: [ada] }]);
  await assert.rejects(suspend(), BAD_REQUEST);
  await assert.rejects(run('BatchUnsuspendUser', { AccountId, UserIdList: [ada] }), BAD_REQUEST);
  assert.notEqual(ada, bob);
});

test('BatchSuspendUser: a suspended invitation cannot be accepted', async () => {
  const { run, register, AccountId, emitted } = await openTeam();
  await run('InviteUsers', { AccountId, UserEmailList: ['ada@example.com'] });
  const UserId = (await run('ListUsers', { AccountId })).Users?.[0]?.UserId as string;
  await run('BatchSuspendUser', { AccountId, UserIdList: [UserId] });
  await assert.rejects(register(AccountId, 'ada@example.com'), { code: 'ForbiddenException' });
  assert.deepEqual(emitted, []);
});

test('BatchSuspendUser, BatchUnsuspendUser: on an EnterpriseLWA account, users keep their license and stay in the account', async () => {
  const { run, people, become, register, AccountId, statuses, emitted, account } = await openTeam();
  await run('InviteUsers', { AccountId, UserEmailList: ['new@example.com'] });
  const invited = (await run('ListUsers', { AccountId })).Users?.[0]?.UserId as string;
  const [ada = '', bob = ''] = await people(AccountId, 'ada', 'bob');
  await become(AccountId, 'EnterpriseLWA');
  emitted.length = 0;
  const name = { accountId: ACCOUNT, chimeAccountId: AccountId };
  assert.deepEqual((await run('BatchSuspendUser', { AccountId, UserIdList: [ada, invited] })).UserErrors, []);
  assert.deepEqual(await statuses(), [
    ['Suspended', 'Pro'],
    ['Registered', 'Pro'],
    ['Suspended', 'Pro'],
  ]);
  const other = await account('Other');
  await run('InviteUsers', { AccountId: other, UserEmailList: ['ada@example.com'] });
  await assert.rejects(register(other, 'ada@example.com'), { code: 'ConflictException' });
  const { UserErrors } = await run('BatchUnsuspendUser', { AccountId, UserIdList: [ada, bob, invited, UNKNOWN] });
  assert.deepEqual(UserErrors, [NO_USER]);
  assert.deepEqual(
    (await statuses()).map(([status]) => status),
    ['Registered', 'Registered', 'Unregistered'],
  );
  assert.deepEqual(emitted, [
    { type: 'ChimeUserSuspended', ...name, userIds: [ada] },
    { type: 'ChimeUserUnsuspended', ...name, userIds: [ada] },
  ]);
});

for (const type of ['EnterpriseDirectory', 'EnterpriseOIDC'] as const) {
  test(`Batches: users of an ${type} account are managed elsewhere, so each item is Forbidden`, async () => {
    const { run, people, become, AccountId } = await openTeam();
    const [ada = ''] = await people(AccountId, 'ada');
    await become(AccountId, type);
    const codes = (errors: readonly { readonly ErrorCode?: string }[] = []) => errors.map(({ ErrorCode }) => ErrorCode);
    const UserIdList = [ada, UNKNOWN];
    for (const name of ['BatchSuspendUser', 'BatchUnsuspendUser'] as const)
      assert.deepEqual(codes((await run(name, { AccountId, UserIdList })).UserErrors), ['NotFound', 'Forbidden']);
    const items = UserIdList.map((UserId) => ({ UserId, LicenseType: 'Basic' as const }));
    assert.deepEqual(codes((await run('BatchUpdateUser', { AccountId, UpdateUserRequestItems: items })).UserErrors), [
      'Forbidden',
      'NotFound',
    ]);
  });
}

/** Adds registered users to an account, in the order of their names. */
function crowd(store: Store, chimeAccountId: string, count: number): Promise<unknown> {
  const user = (i: number): UserRecord => ({
    chimeAccountId,
    userId: `u${String(i).padStart(6, '0')}`,
    accountId: ACCOUNT,
    email: `u${i}@example.com`,
    isMember: true,
    registrationStatus: 'Registered',
    registeredAt: instant(START + i),
    userType: i % 1000 === 0 ? 'SharedDevice' : 'PrivateUser',
    licenseType: 'Pro',
    document: { PrimaryEmail: `u${i}@example.com` },
  });
  return store.transaction((tx) => tx.of(users).add(Array.from({ length: count }, (_, i) => user(i))));
}

test('Batches: 50 items (20 for an update) cost at most as many statements as ten single ones', async () => {
  const { store, statements } = await openRecording();
  const { run, become, AccountId } = await openTeam(store);
  await crowd(store, AccountId, 100);
  const cost = async (work: () => Promise<unknown>) => {
    statements.length = 0;
    await work();
    return statements.length;
  };
  const ids = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `u${String(from + i).padStart(6, '0')}`);
  const invite = (count: number, prefix: string) =>
    cost(() => run('InviteUsers', { AccountId, UserEmailList: Array.from({ length: count }, (_, i) => `${prefix}${i}@example.com`) }));
  const update = (userIds: readonly string[]) =>
    cost(() => run('BatchUpdateUser', { AccountId, UpdateUserRequestItems: userIds.map((UserId) => ({ UserId, LicenseType: 'Basic' })) }));
  const suspend = (UserIdList: readonly string[]) => cost(() => run('BatchSuspendUser', { AccountId, UserIdList }));
  const unsuspend = (UserIdList: readonly string[]) => cost(() => run('BatchUnsuspendUser', { AccountId, UserIdList }));

  const bulk = { invite: await invite(50, 'a'), update: await update(ids(20)), suspend: await suspend(ids(50)), again: 0, unsuspend: 0 };
  const single = {
    invite: await invite(1, 'b'),
    update: await update(ids(1, 60)),
    suspend: await suspend(ids(1, 60)),
    again: 0,
    unsuspend: 0,
  };
  bulk.again = await cost(() =>
    run('InviteUsers', { AccountId, UserEmailList: Array.from({ length: 50 }, (_, i) => `u${i}@example.com`) }),
  );
  single.again = await cost(() => run('InviteUsers', { AccountId, UserEmailList: ['u60@example.com'] }));
  await become(AccountId, 'EnterpriseLWA');
  await suspend(ids(30, 50));
  bulk.unsuspend = await unsuspend(ids(50, 50));
  single.unsuspend = await unsuspend(ids(1, 50));
  for (const name of Object.keys(bulk) as (keyof typeof bulk)[]) assert.ok(bulk[name] <= 10 * single[name], `${name}: ${bulk[name]}`);
});

test('Lists: a page reads as many rows as it returns and one more, through an index, at any position', async () => {
  const { store, statements } = await openRecording();
  const { run, AccountId, account } = await openTeam(store);
  await crowd(store, AccountId, 3_000);
  for (let i = 0; i < 300; i++) await account(i % 2 === 0 ? 'even' : 'odd', { now: instant(START + i) });

  const rows: number[] = [];
  const selects = new Map<string, Statement>();
  const page = async (name: 'ListUsers' | 'ListAccounts', input: object): Promise<string | undefined> => {
    statements.length = 0;
    const { NextToken } = await run(name, { AccountId, MaxResults: 10, ...input } as never);
    rows.push(
      statements.filter(({ text }) => /chime_user|account_id = \$1 AND disabled/.test(text)).reduce((sum, each) => sum + each.rows, 0),
    );
    for (const each of statements) if (each.text.trimStart().startsWith('SELECT')) selects.set(each.text, each);
    return NextToken;
  };
  let NextToken: string | undefined;
  for (let i = 0; i < 200; i++) NextToken = await page('ListUsers', NextToken === undefined ? {} : { NextToken });
  await page('ListUsers', { UserType: 'SharedDevice', MaxResults: 2 });
  await page('ListUsers', { UserEmail: 'u2999@example.com' });
  await page('ListAccounts', { NextToken: await page('ListAccounts', {}) });
  assert.deepEqual(new Set(rows.slice(0, 200)), new Set([11]));
  assert.deepEqual(rows.slice(200), [3, 1, 11, 11]);
  await page('ListAccounts', { Name: 'even' });
  assert.ok((rows.at(-1) ?? 0) <= 250);

  assert.ok(selects.size >= 5);
  assert.deepEqual(
    (await plansOf(store, selects.values())).filter((detail) => /SCAN|TEMP B-TREE/.test(detail)),
    [],
  );
  assert.equal((await store.transaction((tx) => tx.of(accounts).list(ACCOUNT, 400))).length, 301);
});
