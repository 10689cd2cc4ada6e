/** Tests rooms of Amazon Chime with the real SDK, Debian's AWS CLI and boto3: chime.md, section 9, row 12. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
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
const UserEmailList = ['u1', 'u3', 'u4'].map((name) => `${name}@rooms.example.com`);
await chime.send(new InviteUsersCommand({ AccountId, UserEmailList }));
const [U1 = '', U3 = '', U4 = ''] = await register(account.server, AccountId, ...UserEmailList);
verifyDomain(account.server, AccountId, 'rooms.example.com');
const CALLER = `arn:aws:iam::${account.server.accountId}:user/admin`;
const ENDPOINT = `${account.server.endpoint}/_chime`;
const ENVIRONMENT = {
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: account.server.credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: account.server.credentials.secretAccessKey,
};

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

test('CLI, row 12: a room gets an administrator and two members, is listed, and is deleted', async () => {
  const aws = async (...args: readonly string[]) => {
    const all = ['chime', ...args, '--account-id', AccountId, '--endpoint-url', ENDPOINT, '--output', 'json'];
    const { stdout } = await promisify(execFile)('/usr/bin/aws', all, { env: { ...ENVIRONMENT, PATH: process.env['PATH'] } });
    return stdout === '' ? undefined : JSON.parse(stdout);
  };
  const { Room } = await aws('create-room', '--name', 'chatRoom');
  assert.deepEqual([Room.CreatedBy, Room.Name, Room.AccountId], [CALLER, 'chatRoom', AccountId]);
  const room = ['--room-id', Room.RoomId];
  const { RoomMembership } = await aws('create-room-membership', ...room, '--member-id', U1);
  assert.deepEqual([RoomMembership.Role, RoomMembership.InvitedBy], ['Member', CALLER]);
  const updated = await aws('update-room-membership', ...room, '--member-id', U1, '--role', 'Administrator');
  assert.equal(updated.RoomMembership.Role, 'Administrator');
  assert.deepEqual((await aws('list-rooms', '--member-id', U1)).Rooms, [Room]);
  const items = [`MemberId=${U3}`, `MemberId=${U4},Role=Member`];
  const { Errors } = await aws('batch-create-room-membership', ...room, '--membership-item-list', ...items);
  assert.deepEqual(Errors, []);
  assert.equal((await aws('list-room-memberships', ...room)).RoomMemberships.length, 3);
  assert.equal(await aws('delete-room', ...room), undefined);
});

test('boto3, row 12: rooms of a member are read in pages', async () => {
  const script = fileURLToPath(new URL('rooms.py', import.meta.url));
  const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-W', 'ignore', script, AccountId, U1], {
    env: { ...ENVIRONMENT, ENDPOINT },
  });
  assert.deepEqual(JSON.parse(stdout), { pages: [['one', 'two'], ['three']], statuses: [201, 204], unknown: 'NotFoundException' });
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
