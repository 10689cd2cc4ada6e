import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { ALICE, NOON, type Suite } from '#store/conformance-fixtures.ts';
import { type RoomMembershipRecord, roomMemberships } from './room-memberships.ts';
import { type RoomRecord, rooms } from './rooms.ts';
import { type UserRecord, users } from './users.ts';

const room = (chimeAccountId: string, roomId: string, ms = 0): RoomRecord => ({
  chimeAccountId,
  roomId,
  accountId: ALICE,
  name: `room ${roomId}`,
  createdBy: 'arn:aws:iam::111111111111:root',
  createdAt: instant(NOON + ms),
  updatedAt: instant(NOON + ms),
  hasChannel: false,
});
const membership = ({ roomId, chimeAccountId, accountId, createdAt }: RoomRecord, memberId: string): RoomMembershipRecord => ({
  roomId,
  memberId,
  accountId,
  chimeAccountId,
  roomCreatedAt: createdAt,
  memberType: 'User',
  role: 'Member',
  invitedBy: 'arn:aws:iam::111111111111:root',
  updatedAt: NOON,
});
const roomIds = (list: readonly RoomRecord[]) => list.map(({ roomId }) => roomId);
const memberIds = (list: readonly RoomMembershipRecord[]) => list.map(({ memberId }) => memberId);

export function conformance(suite: Suite): void {
  describe('chime rooms', () => {
    keepsRooms(suite);
    keepsMemberships(suite);
  });
}

function keepsRooms({ within, fresh }: Suite): void {
  test('rooms: withoutChannel lists rooms until markChannel', async () => {
    const here = fresh();
    const own = (list: readonly RoomRecord[]) => roomIds(list.filter(({ chimeAccountId }) => chimeAccountId === here));
    const read = await within(async (tx) => {
      const repository = tx.of(rooms);
      for (const each of [room(here, 'a'), { ...room(here, 'b'), hasChannel: true }, room(here, 'c')]) await repository.add(each);
      const before = own(await repository.withoutChannel(999));
      await repository.markChannel(room(here, 'a'));
      return [before, own(await repository.withoutChannel(999)), (await repository.get(here, 'a'))?.hasChannel];
    });
    assert.deepEqual(read, [['a', 'c'], ['c'], true]);
  });

  test('rooms: found in their account only; put changes the name; count stops at a maximum', async () => {
    const here = fresh();
    const one = room(here, 'r');
    const changed = { ...one, name: 'other', updatedAt: instant(NOON + 1) };
    const read = await within(async (tx) => {
      const repository = tx.of(rooms);
      await repository.add(one);
      await repository.add(room(here, 's'));
      return [
        await repository.get(here, 'r'),
        await repository.get('elsewhere', 'r'),
        await repository.put({ ...changed, createdAt: instant(NOON + 9), createdBy: 'x' }),
        await repository.put(room('elsewhere', 'r')),
        await repository.get(here, 'r'),
        [await repository.count(here, 9), await repository.count(here, 1), await repository.count('elsewhere', 9)],
        (await repository.withName(here, 'other', 9)).length,
        (await repository.withName('elsewhere', 'other', 9)).length,
        await repository.remove(here, 'r'),
        await repository.remove(here, 'r'),
      ];
    });
    assert.deepEqual(read, [one, undefined, 'changed', 'absent', changed, [2, 1, 0], 1, 0, 'removed', 'absent']);
  });

  test('rooms: list is by creation and ID; withMember lists only the rooms of a member', async () => {
    const here = fresh();
    const there = `${here} too`;
    const [late, b, a, foreign] = [room(here, `${here}c`, 2), room(here, `${here}b`), room(here, `${here}a`), room(there, `${here}f`)];
    const read = await within(async (tx) => {
      for (const each of [late, b, a, foreign]) await tx.of(rooms).add(each);
      await tx.of(roomMemberships).add([late, a, foreign].map((each) => membership(each, `${here}m`)));
      const { list, withMember } = tx.of(rooms);
      return [
        await list(here, 9),
        await list(here, 1, a),
        await withMember(late, `${here}m`, 9),
        await withMember(late, `${here}m`, 9, a),
        await withMember(foreign, `${here}m`, 9),
        await withMember(late, 'unknown', 9),
      ];
    });
    assert.deepEqual(read.map(roomIds), [roomIds([a, b, late]), roomIds([b]), roomIds([a, late]), roomIds([late]), roomIds([foreign]), []]);
    assert.deepEqual(read[3], [late]);
  });
}

function keepsMemberships({ within, fresh }: Suite): void {
  test('room memberships: 12 are added, found, listed, counted, changed and removed', async () => {
    const here = fresh();
    const [one, other] = [room(here, `${here}1`), room(here, `${here}2`)];
    const ids = Array.from({ length: 12 }, (_, i) => `${here}m${10 + i}`);
    const [first = '', second = ''] = ids;
    const changed = { ...membership(one, first), role: 'Administrator', updatedAt: instant(NOON + 1) } as const;
    const read = await within(async (tx) => {
      const repository = tx.of(roomMemberships);
      await repository.add([...ids.map((id) => membership(one, id)), membership(other, first)]);
      await repository.add([{ ...membership(other, 'bot'), memberType: 'Bot' }]);
      return {
        got: await repository.get(one.roomId, first),
        some: memberIds(await repository.getSome(one.roomId, [second, 'unknown', first])).toSorted(),
        list: memberIds(await repository.list(one.roomId, 2, first)),
        counts: [await repository.count(one.roomId, 99), await repository.count(one.roomId, 5)],
        rooms: await repository.roomCounts(ALICE, [first, second, 'unknown']),
        bots: [
          memberIds(await repository.bots(one.roomId, 9)),
          memberIds(await repository.bots(other.roomId, 9)),
          memberIds(await repository.bots(other.roomId, 0)),
        ],
        put: [await repository.put({ ...changed, invitedBy: 'x' }), await repository.put({ ...changed, memberId: 'unknown' })],
        changed: await repository.get(one.roomId, first),
        removed: [await repository.remove(one.roomId, second), await repository.remove(one.roomId, second)],
        room: await repository.removeRoom(one.roomId),
        left: [await repository.count(one.roomId, 99), await repository.count(other.roomId, 99)],
      };
    });
    assert.deepEqual(read, {
      got: membership(one, first),
      some: [first, second],
      list: ids.slice(1, 3),
      counts: [12, 5],
      rooms: new Map([
        [first, 2],
        [second, 1],
      ]),
      bots: [[], ['bot'], []],
      put: ['changed', 'absent'],
      changed,
      removed: ['removed', 'absent'],
      room: undefined,
      left: [0, 2],
    });
  });

  test('room memberships: removeUsers keeps the memberships of users that another account of the AWS account lists', async () => {
    const here = fresh();
    const there = `${here} too`;
    const user = (chimeAccountId: string, userId: string): UserRecord => ({
      chimeAccountId,
      userId,
      accountId: ALICE,
      email: `${userId}@${here}.example.com`,
      isMember: false,
      registrationStatus: 'Suspended',
      userType: 'PrivateUser',
      licenseType: 'Pro',
      document: { PrimaryEmail: `${userId}@example.com` },
    });
    const [a, b, c] = ['a', 'b', 'c'].map((id) => `${here}${id}`) as [string, string, string];
    const [one, other] = [room(there, `${here}1`), room(there, `${here}2`)];
    const read = await within(async (tx) => {
      await tx.of(users).add([user(here, a), user(here, b), user(here, c), user(there, b)]);
      const repository = tx.of(roomMemberships);
      await repository.add([one, other].flatMap((each) => [a, b, c].map((id) => membership(each, id))));
      const removed = [
        await repository.removeUsers(here, 2, 1),
        await repository.removeUsers(here, 2, 9),
        await repository.removeUsers(here, 2, 9),
      ];
      return [removed, memberIds(await repository.list(one.roomId, 9)), memberIds(await repository.list(other.roomId, 9))];
    });
    assert.deepEqual(read, [
      [1, 1, 0],
      [b, c],
      [b, c],
    ]);
  });
}
