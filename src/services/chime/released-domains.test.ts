import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_ACCOUNT } from '#core/arn.ts';
import { chimeRetentionTimes } from '../chime-kit/chime-retention.ts';
import { workFor } from '../kit/fixture.ts';
import { ACCOUNT, openFixture, START } from './fixture.ts';
import { RELEASED_DOMAIN, sweepReleasedDomains } from './released-domains.ts';
import { domains } from './tables/domains.ts';

test('DeleteDomain: managed users leave their rooms and are forgotten, and users that were invited again stay', async () => {
  const { account, become, people, run, store, emitted } = await openFixture();
  const AccountId = await account();
  const [ada = '', bob = ''] = await people(AccountId, 'ada', 'bob');
  await become(AccountId, 'EnterpriseOIDC');
  const claim = { chimeAccountId: AccountId, domain: 'example.com', accountId: ACCOUNT, recordValue: 'x', createdAt: START, failures: 0 };
  await store.transaction((tx) => tx.of(domains).add({ ...claim, isVerified: true }));
  const RoomId = (await run('CreateRoom', { AccountId, Name: 'room' })).Room?.RoomId as string;
  await run('BatchCreateRoomMembership', { AccountId, RoomId, MembershipItemList: [{ MemberId: ada }, { MemberId: bob }] });

  await run('DeleteDomain', { AccountId, DomainName: 'example.com' });
  const statusOf = async (UserId: string) => (await run('GetUser', { AccountId, UserId })).User?.UserRegistrationStatus;
  assert.deepEqual([await statusOf(ada), await statusOf(bob)], ['Suspended', 'Suspended']);
  await run('InviteUsers', { AccountId, UserEmailList: ['bob@example.com'] });
  emitted.length = 0;
  while ((await store.transaction((tx) => sweepReleasedDomains(workFor(tx, START, emitted)))) === 'more');
  await assert.rejects(statusOf(ada), { code: 'NotFoundException' });
  assert.equal(await statusOf(bob), 'Unregistered');
  assert.deepEqual(emitted, [{ type: 'ChimeUsersForgotten', accountId: ACCOUNT, chimeAccountId: AccountId, userIds: [ada] }]);
  await become(AccountId, 'EnterpriseLWA');
  const { RoomMemberships = [] } = await run('ListRoomMemberships', { AccountId, RoomId });
  assert.deepEqual(
    RoomMemberships.map(({ Member }) => Member?.MemberId),
    [bob],
  );
  const left = await store.transaction((tx) => tx.resources.list(RELEASED_DOMAIN, { accountId: NO_ACCOUNT, region: '', parent: '' }, 9));
  assert.deepEqual(left, []);
});

test('DeleteDomain: the last one ends the retention, which a Team account cannot change', async () => {
  const { account, become, run, store } = await openFixture();
  const AccountId = await account();
  await become(AccountId, 'EnterpriseLWA');
  const claim = { chimeAccountId: AccountId, accountId: ACCOUNT, recordValue: 'x', createdAt: START, failures: 0, isVerified: true };
  await store.transaction((tx) => tx.of(domains).add({ ...claim, domain: 'example.com' }));
  await run('PutRetentionSettings', { AccountId, RetentionSettings: { RoomRetentionSettings: { RetentionDays: 1 } } });
  const times = () => store.transaction((tx) => chimeRetentionTimes(tx, ACCOUNT, AccountId, 'RoomRetentionSettings', START));
  assert.notEqual(await times(), undefined);
  await run('DeleteDomain', { AccountId, DomainName: 'example.com' });
  assert.equal(await times(), undefined);
  const off = { RetentionSettings: { RoomRetentionSettings: {}, ConversationRetentionSettings: {} } };
  assert.deepEqual(await run('GetRetentionSettings', { AccountId }), off);
});

test('DeleteDomain: an invitation to an address in the domain ends, until the person is invited or the domain is verified again', async () => {
  const { account, become, register, run, store } = await openFixture();
  const AccountId = await account();
  const names = ['ada', 'bob', 'eve'];
  await run('InviteUsers', { AccountId, UserEmailList: [...names.map((name) => `${name}@example.com`), 'dan@example.org'] });
  const { Users = [] } = await run('ListUsers', { AccountId });
  const idOf = (name: string) => Users.find(({ PrimaryEmail }) => PrimaryEmail?.startsWith(name))?.UserId as string;
  await run('BatchSuspendUser', { AccountId, UserIdList: [idOf('eve')] });
  const claim = { chimeAccountId: AccountId, accountId: ACCOUNT, recordValue: 'x', createdAt: START, failures: 0, isVerified: true };
  const verify = async () => {
    await store.transaction((tx) => tx.of(domains).add({ ...claim, domain: 'example.com' }));
    await become(AccountId, 'EnterpriseLWA');
  };
  const stateOf = async (name: string) => {
    const { UserRegistrationStatus, UserInvitationStatus } = (await run('GetUser', { AccountId, UserId: idOf(name) })).User ?? {};
    return `${UserRegistrationStatus} ${UserInvitationStatus}`;
  };
  await verify();
  await run('DeleteDomain', { AccountId, DomainName: 'example.com' });
  assert.deepEqual(await Promise.all([...names, 'dan'].map(stateOf)), [
    'Suspended undefined',
    'Suspended undefined',
    'Suspended Pending',
    'Unregistered Pending',
  ]);
  const refused = { code: 'ForbiddenException' };
  await assert.rejects(register(AccountId, 'ada@example.com'), refused);
  await run('InviteUsers', { AccountId, UserEmailList: ['ada@example.com'] });
  assert.equal((await register(AccountId, 'ada@example.com')).userId, idOf('ada'));

  // An invitation that an administrator has suspended remains suspended.
  await verify();
  assert.equal((await register(AccountId, 'bob@example.com')).userId, idOf('bob'));
  await assert.rejects(register(AccountId, 'eve@example.com'), refused);
});
