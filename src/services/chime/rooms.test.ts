import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { APP_INSTANCE_USER } from '../chime-kit/app-instances.ts';
import { chimeAppInstance } from '../chime-kit/chime-app-instance.ts';
import { workFor } from '../kit/fixture.ts';
import { ACCOUNT, OTHER_ACCOUNT, openFixture, START } from './fixture.ts';
import { sweepRoomsWithoutChannel } from './room-channels.ts';
import { sweepDisabledAccounts } from './sweep.ts';
import { roomMemberships } from './tables/room-memberships.ts';
import { type RoomRecord, rooms } from './tables/rooms.ts';

const BAD_REQUEST = { code: 'BadRequestException', message: 'Service received a bad request' };
const LIMIT = { code: 'ResourceLimitExceededException', message: 'The request exceeds the resource limit.' };
const CONFLICT = { code: 'ConflictException', message: 'Request could not be completed due to a conflict' };
const UNKNOWN = 'a6b1e9b0-0000-4000-8000-999999999999';
const ROOT = 'arn:aws:iam::111122223333:root';
const notFound = (title: string, id: string) => ({ code: 'NotFoundException', message: `Could not find ${title} with Id '${id}'` });

/** Opens an Enterprise account with the users ada and bob. */
async function openEnterprise() {
  const fixture = await openFixture();
  const AccountId = await fixture.account();
  const [ada = '', bob = ''] = await fixture.people(AccountId, 'ada', 'bob');
  await fixture.become(AccountId, 'EnterpriseLWA');
  const room = async (Name = 'chatRoom', ms = 0) =>
    (await fixture.run('CreateRoom', { AccountId, Name }, { now: instant(START + ms) })).Room?.RoomId as string;
  return { ...fixture, AccountId, ada, bob, room };
}

/** Changes rooms and memberships directly, for states that would take a thousand calls. */
function memberOf({ roomId, accountId, chimeAccountId, createdAt }: RoomRecord, memberId: string) {
  const fixed = { memberType: 'User', role: 'Member', invitedBy: ROOT, updatedAt: START } as const;
  return { roomId, memberId, accountId, chimeAccountId, roomCreatedAt: createdAt, ...fixed };
}

// biome-ignore format: a table
const IN_ACCOUNT = [
  ['CreateRoom',                { Name: 'x' }],
  ['GetRoom',                   { RoomId: UNKNOWN }],
  ['ListRooms',                 {}],
  ['UpdateRoom',                { RoomId: UNKNOWN, Name: 'x' }],
  ['DeleteRoom',                { RoomId: UNKNOWN }],
  ['CreateRoomMembership',      { RoomId: UNKNOWN, MemberId: UNKNOWN }],
  ['BatchCreateRoomMembership', { RoomId: UNKNOWN, MembershipItemList: [{ MemberId: UNKNOWN }] }],
  ['UpdateRoomMembership',      { RoomId: UNKNOWN, MemberId: UNKNOWN }],
  ['DeleteRoomMembership',      { RoomId: UNKNOWN, MemberId: UNKNOWN }],
  ['ListRoomMemberships',       { RoomId: UNKNOWN }],
] as const;

for (const [name, input] of IN_ACCOUNT) {
  test(`${name}: an unknown or foreign account is NotFound, a Team account BadRequest, an unknown room NotFound`, async () => {
    const { run, account, become } = await openFixture();
    const AccountId = await account();
    await assert.rejects(run(name, { AccountId: UNKNOWN, ...input } as never), notFound('Account', UNKNOWN));
    await assert.rejects(run(name, { AccountId, ...input } as never), BAD_REQUEST);
    await become(AccountId, 'EnterpriseLWA');
    await assert.rejects(run(name, { AccountId, ...input } as never, { accountId: OTHER_ACCOUNT }), notFound('Account', AccountId));
    if ('RoomId' in input) await assert.rejects(run(name, { AccountId, ...input } as never), notFound('Room', UNKNOWN));
  });
}

test('CreateRoom: the caller is the creator, and the room has no members', async () => {
  const { run, AccountId } = await openEnterprise();
  const { Room } = await run('CreateRoom', { AccountId, Name: 'chatRoom' });
  const { RoomId = '', CreatedBy, ...rest } = Room ?? {};
  assert.deepEqual(rest, { Name: 'chatRoom', AccountId, CreatedTimestamp: START, UpdatedTimestamp: START });
  assert.equal(CreatedBy, ROOT);
  assert.deepEqual((await run('GetRoom', { AccountId, RoomId })).Room, Room);
  assert.deepEqual((await run('ListRoomMemberships', { AccountId, RoomId })).RoomMemberships, []);
  for (const Name of ['', ' ', 'x'.repeat(257), 'two\nlines']) await assert.rejects(run('CreateRoom', { AccountId, Name }), BAD_REQUEST);
});

test('CreateRoom: a token creates one room until it is deleted; another request with the token is a BadRequest', async () => {
  const { run, AccountId } = await openEnterprise();
  const create = async (Name: string, as = {}) =>
    (await run('CreateRoom', { AccountId, Name, ClientRequestToken: 'token' }, as)).Room?.RoomId as string;
  const RoomId = await create('one');
  assert.equal(await create('one'), RoomId);
  assert.equal(await create('one', { region: 'eu-west-1' }), RoomId);
  await assert.rejects(create('two'), BAD_REQUEST);
  await run('DeleteRoom', { AccountId, RoomId });
  assert.notEqual(await create('one'), RoomId);
  assert.equal((await run('ListRooms', { AccountId })).Rooms?.length, 1);
});

test('CreateRoom: an account has at most 1,500 rooms', async () => {
  const { run, store, AccountId, room } = await openEnterprise();
  const RoomId = await room();
  await store.transaction(async (tx) => {
    const { add, get } = tx.of(rooms);
    const one = (await get(AccountId, RoomId)) as RoomRecord;
    for (let i = 1; i < 1_499; i++) await add({ ...one, roomId: `r${i}` });
  });
  await room();
  await assert.rejects(room(), LIMIT);
  await run('DeleteRoom', { AccountId, RoomId });
  await room();
});

test('ListRooms: oldest first, in pages, of the account or of one member', async () => {
  const { run, AccountId, ada, bob, room } = await openEnterprise();
  const [late, first, second] = [await room('late', 9), await room('first', 1), await room('second', 2)];
  for (const RoomId of [late, first]) await run('CreateRoomMembership', { AccountId, RoomId, MemberId: ada });
  const list = async (input: object) => {
    const { Rooms = [], NextToken } = await run('ListRooms', { AccountId, ...input });
    return { ids: Rooms.map(({ RoomId }) => RoomId), NextToken };
  };
  assert.deepEqual(await list({}), { ids: [first, second, late], NextToken: undefined });
  assert.deepEqual((await list({ MemberId: ada })).ids, [first, late]);
  assert.deepEqual((await list({ MemberId: bob })).ids, []);
  const page = await list({ MaxResults: 2 });
  assert.deepEqual((await list({ MaxResults: 2, NextToken: page.NextToken })).ids, [late]);
  await assert.rejects(list({ MemberId: ada, NextToken: page.NextToken }), { code: 'BadRequestException' });
});

test('UpdateRoom: changes the name and the time; without a name it changes nothing', async () => {
  const { run, AccountId, room } = await openEnterprise();
  const RoomId = await room();
  const { Room: before } = await run('GetRoom', { AccountId, RoomId });
  const later = { now: instant(START + 5) };
  assert.deepEqual((await run('UpdateRoom', { AccountId, RoomId }, later)).Room, before);
  const { Room } = await run('UpdateRoom', { AccountId, RoomId, Name: 'new' }, later);
  assert.deepEqual(Room, { ...before, Name: 'new', UpdatedTimestamp: START + 5 });
  assert.deepEqual((await run('GetRoom', { AccountId, RoomId })).Room, Room);
  await assert.rejects(run('UpdateRoom', { AccountId, RoomId, Name: ' ' }), BAD_REQUEST);
});

test('CreateRoomMembership: the default role is Member; unknown, unregistered and repeated members are refused', async () => {
  const { run, AccountId, ada, bob, room } = await openEnterprise();
  const RoomId = await room();
  const add = (MemberId: string, as = {}) => run('CreateRoomMembership', { AccountId, RoomId, MemberId }, as);
  const { RoomMembership } = await add(ada);
  const { InvitedBy, ...rest } = RoomMembership ?? {};
  const Member = { MemberId: ada, MemberType: 'User', Email: 'ada@example.com', FullName: 'ada', AccountId };
  assert.deepEqual(rest, { RoomId, Member, Role: 'Member', UpdatedTimestamp: START });
  assert.equal(InvitedBy, ROOT);
  await assert.rejects(add(UNKNOWN), notFound('User', UNKNOWN));
  await assert.rejects(add(ada), CONFLICT);
  await run('BatchSuspendUser', { AccountId, UserIdList: [ada, bob] });
  await assert.rejects(add(ada), BAD_REQUEST);
  await assert.rejects(add(bob), BAD_REQUEST);
  assert.deepEqual((await run('ListRoomMemberships', { AccountId, RoomId })).RoomMemberships, [RoomMembership]);
});

test('CreateRoomMembership: users of another Chime account join only in the same AWS account', async () => {
  const { run, AccountId, room, account, people, register } = await openEnterprise();
  const RoomId = await room();
  const second = await account('Second');
  const [eve = ''] = await people(second, 'eve');
  const { RoomMembership } = await run('CreateRoomMembership', { AccountId, RoomId, MemberId: eve, Role: 'Administrator' });
  assert.deepEqual([RoomMembership?.Member?.AccountId, RoomMembership?.Role], [second, 'Administrator']);
  const other = { accountId: OTHER_ACCOUNT };
  const foreign = await account('Foreign', other);
  await run('InviteUsers', { AccountId: foreign, UserEmailList: ['dan@example.com'] }, other);
  const { userId } = await register(foreign, 'dan@example.com', other);
  await assert.rejects(run('CreateRoomMembership', { AccountId, RoomId, MemberId: userId }), notFound('User', userId));
});

test('BatchCreateRoomMembership: items that fail are listed, and the others are added', async () => {
  const { run, AccountId, ada, bob, room } = await openEnterprise();
  const RoomId = await room();
  const batch = (...MembershipItemList: readonly { MemberId?: string; Role?: 'Administrator' }[]) =>
    run('BatchCreateRoomMembership', { AccountId, RoomId, MembershipItemList });
  assert.deepEqual(await batch({ MemberId: ada }), { Errors: [] });
  const { Errors } = await batch({ MemberId: ada }, { MemberId: UNKNOWN }, { MemberId: bob, Role: 'Administrator' }, { MemberId: bob });
  assert.deepEqual(Errors, [
    { MemberId: ada, ErrorCode: 'Conflict', ErrorMessage: CONFLICT.message },
    { MemberId: UNKNOWN, ErrorCode: 'NotFound', ErrorMessage: notFound('User', UNKNOWN).message },
    { MemberId: bob, ErrorCode: 'Conflict', ErrorMessage: CONFLICT.message },
  ]);
  const { RoomMemberships = [] } = await run('ListRoomMemberships', { AccountId, RoomId });
  const expected = [`${ada} Member`, `${bob} Administrator`].toSorted();
  assert.deepEqual(
    RoomMemberships.map(({ Member, Role }) => `${Member?.MemberId} ${Role}`),
    expected,
  );
  await assert.rejects(batch(), BAD_REQUEST);
  await assert.rejects(batch({ MemberId: ada }, {}), BAD_REQUEST);
});

test('Memberships: a room has at most 1,000 members, and a member is in at most 1,000 rooms', async () => {
  const { run, store, AccountId, ada, bob, room } = await openEnterprise();
  const [full, free] = [await room('full'), await room('free')];
  await store.transaction(async (tx) => {
    const one = (await tx.of(rooms).get(AccountId, full)) as RoomRecord;
    const { add } = tx.of(roomMemberships);
    await add(Array.from({ length: 999 }, (_, i) => memberOf(one, `m${i}`)));
    await add(Array.from({ length: 1_000 }, (_, i) => memberOf({ ...one, roomId: `r${i}` }, bob)));
  });
  const batch = async (RoomId: string, ...ids: readonly string[]) => {
    const MembershipItemList = ids.map((MemberId) => ({ MemberId }));
    const { Errors = [] } = await run('BatchCreateRoomMembership', { AccountId, RoomId, MembershipItemList });
    return Errors.map(({ MemberId, ErrorCode, ErrorMessage }) => [MemberId, ErrorCode, ErrorMessage]);
  };
  const limit = (id: string) => [[id, 'ResourceLimitExceeded', LIMIT.message]];
  assert.deepEqual(await batch(free, bob), limit(bob));
  assert.deepEqual(await batch(full, ada, bob), limit(bob));
  await run('DeleteRoomMembership', { AccountId, RoomId: full, MemberId: 'm0' });
  await run('DeleteRoomMembership', { AccountId, RoomId: full, MemberId: ada });
  await store.transaction((tx) => tx.of(roomMemberships).removeRoom('r0'));
  assert.deepEqual(await batch(full, ada, bob), []);
  await assert.rejects(run('CreateRoomMembership', { AccountId, RoomId: full, MemberId: ada }), CONFLICT);
  await assert.rejects(run('CreateRoomMembership', { AccountId, RoomId: free, MemberId: bob }), LIMIT);
});

test('UpdateRoomMembership, DeleteRoomMembership: change and end a membership; an unknown member is NotFound', async () => {
  const { run, AccountId, ada, bob, room } = await openEnterprise();
  const RoomId = await room();
  const { RoomMembership: before } = await run('CreateRoomMembership', { AccountId, RoomId, MemberId: ada });
  const member = { AccountId, RoomId, MemberId: ada };
  const later = { now: instant(START + 5) };
  assert.deepEqual((await run('UpdateRoomMembership', member, later)).RoomMembership, before);
  const { RoomMembership } = await run('UpdateRoomMembership', { ...member, Role: 'Administrator' }, later);
  assert.deepEqual(RoomMembership, { ...before, Role: 'Administrator', UpdatedTimestamp: START + 5 });
  await assert.rejects(run('UpdateRoomMembership', { ...member, MemberId: bob }), notFound('RoomMembership', bob));
  await run('DeleteRoomMembership', member);
  await assert.rejects(run('DeleteRoomMembership', member), notFound('RoomMembership', ada));
});

test('DeleteRoom: ends the memberships', async () => {
  const { run, AccountId, ada, room, store } = await openEnterprise();
  const RoomId = await room();
  await run('CreateRoomMembership', { AccountId, RoomId, MemberId: ada });
  await run('DeleteRoom', { AccountId, RoomId });
  assert.deepEqual((await run('ListRooms', { AccountId, MemberId: ada })).Rooms, []);
  assert.equal(await store.transaction((tx) => tx.of(roomMemberships).count(RoomId, 9)), 0);
});

test('A deleted account loses its rooms after 90 days, and its users their places in rooms of other accounts', async () => {
  const { run, AccountId, room, account, people, become, store } = await openEnterprise();
  const RoomId = await room();
  const ending = await account('Ending');
  const [eve = ''] = await people(ending, 'eve');
  await become(ending, 'EnterpriseLWA');
  const { Room } = await run('CreateRoom', { AccountId: ending, Name: 'ending' });
  for (const [accountId, roomId] of [
    [AccountId, RoomId],
    [ending, Room?.RoomId as string],
  ] as const)
    await run('CreateRoomMembership', { AccountId: accountId, RoomId: roomId, MemberId: eve });
  await become(ending, 'Team');
  await run('BatchSuspendUser', { AccountId: ending, UserIdList: [eve] });
  await run('DeleteAccount', { AccountId: ending });
  const now = instant(START + 90 * 24 * 60 * 60_000);
  const sweep = () => store.transaction((tx) => sweepDisabledAccounts(workFor(tx, now, [])));
  assert.deepEqual([await sweep(), await sweep(), await sweep()], ['more', 'more', 'done']);
  const left = await store.transaction(async (tx) => [
    await tx.of(rooms).count(ending, 9),
    await tx.of(roomMemberships).count(Room?.RoomId as string, 9),
    await tx.of(roomMemberships).count(RoomId, 9),
  ]);
  assert.deepEqual(left, [0, 0, 0]);
});

test('Rooms: each change is emitted for the channel; users are in the app instance of the AWS account, and bots are not in channels', async () => {
  const { run, AccountId, ada, bob, store, emitted } = await openEnterprise();
  const appInstance = await store.transaction(({ resources }) => {
    const { accountId, region, appInstanceId } = chimeAppInstance(ACCOUNT);
    return resources.list(APP_INSTANCE_USER, { accountId, region, parent: appInstanceId }, 9);
  });
  assert.deepEqual(
    appInstance.map(({ id, document }) => `${id} ${document.Name}`).toSorted(),
    [`${ada} ada`, `${bob} bob`, 'amazon-chime Amazon Chime'].toSorted(),
  );
  emitted.length = 0;
  const { Room } = await run('CreateRoom', { AccountId, Name: 'room' });
  const RoomId = Room?.RoomId as string;
  const MembershipItemList = [{ MemberId: ada }, { MemberId: bob, Role: 'Administrator' as const }, { MemberId: UNKNOWN }];
  await run('BatchCreateRoomMembership', { AccountId, RoomId, MembershipItemList });
  await run('UpdateRoomMembership', { AccountId, RoomId, MemberId: ada });
  await run('UpdateRoomMembership', { AccountId, RoomId, MemberId: ada, Role: 'Administrator' });
  await run('UpdateRoom', { AccountId, RoomId });
  await run('UpdateRoom', { AccountId, RoomId, Name: 'renamed' });
  await run('DeleteRoomMembership', { AccountId, RoomId, MemberId: ada });
  await run('DeleteRoom', { AccountId, RoomId });
  const room = { accountId: ACCOUNT, chimeAccountId: AccountId, roomId: RoomId, name: 'room' };
  const renamed = { ...room, name: 'renamed' };
  const [asAda, asBob] = [
    { userId: ada, name: 'ada', role: 'Member' },
    { userId: bob, name: 'bob', role: 'Administrator' },
  ];
  assert.deepEqual(emitted, [
    { type: 'ChimeRoomStored', room, members: [] },
    { type: 'ChimeRoomStored', room, members: [asAda, asBob] },
    { type: 'ChimeRoomStored', room, members: [{ ...asAda, role: 'Administrator' }] },
    { type: 'ChimeRoomStored', room: renamed, members: [] },
    { type: 'ChimeRoomStored', room: renamed, members: [] },
    { type: 'ChimeRoomMemberRemoved', room: renamed, userId: ada },
    { type: 'ChimeRoomRemoved', room: renamed },
  ]);
});

test('Rooms: a room without a channel is emitted with all its members, by its next change or by the sweep', async () => {
  const { store, run, AccountId, ada, bob, room, emitted } = await openEnterprise();
  const [changed, swept] = [await room('changed'), await room('swept')];
  const MembershipItemList = [{ MemberId: ada }, { MemberId: bob }];
  for (const RoomId of [changed, swept]) await run('BatchCreateRoomMembership', { AccountId, RoomId, MembershipItemList });
  await store.transaction(async (tx) => {
    for (const RoomId of [changed, swept]) {
      const before = (await tx.of(rooms).get(AccountId, RoomId)) as RoomRecord;
      await tx.of(rooms).remove(AccountId, RoomId);
      await tx.of(rooms).add({ ...before, hasChannel: false });
    }
  });
  emitted.length = 0;
  await run('UpdateRoom', { AccountId, RoomId: changed, Name: 'renamed' });
  const sweep = () => store.transaction((tx) => sweepRoomsWithoutChannel(workFor(tx, instant(START), emitted)));
  assert.deepEqual([await sweep(), await sweep()], ['more', 'done']);
  assert.deepEqual(
    emitted.map((event) => ('room' in event && event.type === 'ChimeRoomStored' ? [event.room.name, event.members.length] : [])),
    [
      ['renamed', 2],
      ['swept', 2],
    ],
  );
});
