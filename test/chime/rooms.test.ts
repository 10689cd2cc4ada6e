/** Tests rooms of Amazon Chime with the real SDK. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BatchCreateRoomMembershipCommand,
  CreateAccountCommand,
  CreateBotCommand,
  CreateRoomCommand,
  CreateRoomMembershipCommand,
  DeleteRoomCommand,
  DeleteRoomMembershipCommand,
  GetRoomCommand,
  InviteUsersCommand,
  ListRoomMembershipsCommand,
  ListRoomsCommand,
  UpdateRoomCommand,
  UpdateRoomMembershipCommand,
} from '@aws-sdk/client-chime';
import { startAccount } from '../kit/account.ts';
import { refusalOf } from '../kit/outcome.ts';
import { allow } from '../kit/policy.ts';
import { until } from '../kit/until.ts';
import { register, verifyDomain } from './register.ts';

const account = await startAccount();
const chime = account.chime();
const AccountId = (await chime.send(new CreateAccountCommand({ Name: 'Rooms' }))).Account?.AccountId as string;
const UserEmailList = ['u1', 'u3'].map((name) => `${name}@rooms.example.com`);
await chime.send(new InviteUsersCommand({ AccountId, UserEmailList }));
const [U1 = '', U3 = ''] = await register(account.server, AccountId, ...UserEmailList);
verifyDomain(account.server, AccountId, 'rooms.example.com');
const CALLER = `arn:aws:iam::${account.server.accountId}:user/admin`;

test('SDK: a room is created, found, renamed, gets members and is deleted', async () => {
  const created = await chime.send(new CreateRoomCommand({ AccountId, Name: 'chatRoom' }));
  const RoomId = created.Room?.RoomId as string;
  assert.deepEqual([created.$metadata.httpStatusCode, created.Room?.CreatedBy], [201, CALLER]);
  const { Room } = await chime.send(new UpdateRoomCommand({ AccountId, RoomId, Name: 'renamed' }));
  assert.deepEqual({ ...Room, UpdatedTimestamp: created.Room?.UpdatedTimestamp }, { ...created.Room, Name: 'renamed' });
  assert.deepEqual((await chime.send(new GetRoomCommand({ AccountId, RoomId }))).Room, Room);

  const added = await chime.send(new CreateRoomMembershipCommand({ AccountId, RoomId, MemberId: U1 }));
  const { UpdatedTimestamp, ...membership } = added.RoomMembership ?? {};
  assert.equal(added.$metadata.httpStatusCode, 201);
  assert.ok(UpdatedTimestamp instanceof Date);
  const Member = { MemberId: U1, MemberType: 'User', Email: 'u1@rooms.example.com', FullName: 'u1', AccountId };
  assert.deepEqual(membership, { RoomId, Member, Role: 'Member', InvitedBy: CALLER });
  const { RoomMembership } = await chime.send(new UpdateRoomMembershipCommand({ AccountId, RoomId, MemberId: U1, Role: 'Administrator' }));
  assert.equal(RoomMembership?.Role, 'Administrator');
  const again = await refusalOf(chime.send(new CreateRoomMembershipCommand({ AccountId, RoomId, MemberId: U1 })));
  assert.deepEqual([again.name, again.status], ['ConflictException', 409]);

  const MembershipItemList = [{ MemberId: U3 }, { MemberId: 'unknown' }];
  const batch = await chime.send(new BatchCreateRoomMembershipCommand({ AccountId, RoomId, MembershipItemList }));
  assert.deepEqual([batch.$metadata.httpStatusCode, batch.Errors?.map(({ ErrorCode }) => ErrorCode)], [201, ['NotFound']]);
  const removed = await chime.send(new DeleteRoomMembershipCommand({ AccountId, RoomId, MemberId: U3 }));
  assert.equal(removed.$metadata.httpStatusCode, 204);
  const { RoomMemberships = [] } = await chime.send(new ListRoomMembershipsCommand({ AccountId, RoomId }));
  assert.deepEqual(RoomMemberships, [RoomMembership]);
  assert.deepEqual((await chime.send(new ListRoomsCommand({ AccountId, MemberId: U1 }))).Rooms, [Room]);

  assert.equal((await chime.send(new DeleteRoomCommand({ AccountId, RoomId }))).$metadata.httpStatusCode, 204);
  assert.equal((await refusalOf(chime.send(new GetRoomCommand({ AccountId, RoomId })))).status, 404);
});

test('SDK: a permission for rooms on * is required, and the name and the token of a room are hidden in the trail', async () => {
  const ada = await account.user('ada', allow('chime:GetRoom'));
  const create = new CreateRoomCommand({ AccountId, Name: 'secret plans', ClientRequestToken: 'token-of-plans' });
  const denied = await refusalOf(account.chime(ada).send(create));
  assert.deepEqual([denied.name, denied.status], ['ForbiddenException', 403]);
  const { Room } = await chime.send(create);
  const { RoomId } = Room ?? {};
  assert.deepEqual((await account.chime(ada).send(new GetRoomCommand({ AccountId, RoomId }))).Room, Room);
  const records = async () => JSON.stringify(await account.records('CreateRoom'));
  await until(
    async () => (await records()).includes(RoomId as string),
    () => 'no record of CreateRoom',
  );
  assert.doesNotMatch(await records(), /secret plans|token-of-plans/);
  await chime.send(new DeleteRoomCommand({ AccountId, RoomId }));
});

test('quotas: settings of the operator replace those of AWS', async () => {
  const small = await startAccount({ BELFRY_CHIME_ROOMS: '1', BELFRY_CHIME_MEMBERSHIPS: '1', BELFRY_CHIME_BOTS: '1' });
  const client = small.chime();
  const { AccountId: Own } = (await client.send(new CreateAccountCommand({ Name: 'Small' }))).Account ?? {};
  const people = ['v1', 'v2'].map((name) => `${name}@small.example.com`);
  await client.send(new InviteUsersCommand({ AccountId: Own, UserEmailList: people }));
  const members = await register(small.server, Own as string, ...people);
  verifyDomain(small.server, Own as string, 'small.example.com');
  const createRoom = () => client.send(new CreateRoomCommand({ AccountId: Own, Name: 'one' }));
  const createBot = (DisplayName: string) => client.send(new CreateBotCommand({ AccountId: Own, DisplayName }));
  const RoomId = (await createRoom()).Room?.RoomId;
  const MembershipItemList = members.map((MemberId) => ({ MemberId }));
  const { Errors = [] } = await client.send(new BatchCreateRoomMembershipCommand({ AccountId: Own, RoomId, MembershipItemList }));
  assert.deepEqual(
    Errors.map(({ MemberId, ErrorCode }) => [MemberId, ErrorCode]),
    [[members[1], 'ResourceLimitExceeded']],
  );
  await createBot('first');
  for (const over of [createRoom(), createBot('second')]) assert.equal((await refusalOf(over)).name, 'ResourceLimitExceededException');
});
