/** Costs of rooms, in statements and in rows that are read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { ACCOUNT, openFixture, START } from './fixture.ts';
import { openRecording, plansOf, type Statement } from './recording-fixture.ts';
import { roomMemberships } from './tables/room-memberships.ts';
import { rooms } from './tables/rooms.ts';
import { type UserRecord, users } from './tables/users.ts';

const nameOf = (prefix: string, i: number) => `${prefix}${String(i).padStart(6, '0')}`;

/** Opens an Enterprise account with 200 users. The user `m000000` is in each of 1,000 rooms, and the first room has 150 members. */
async function openCrowded() {
  const { store, statements } = await openRecording();
  const fixture = await openFixture(store);
  const AccountId = await fixture.account();
  await fixture.become(AccountId, 'EnterpriseLWA');
  const fixed = { accountId: ACCOUNT, chimeAccountId: AccountId };
  await store.transaction(async (tx) => {
    const user = (i: number): UserRecord => ({
      ...fixed,
      userId: nameOf('m', i),
      email: `m${i}@example.com`,
      isMember: true,
      registrationStatus: 'Registered',
      registeredAt: instant(START + i),
      userType: 'PrivateUser',
      licenseType: 'Pro',
      document: { PrimaryEmail: `m${i}@example.com` },
    });
    await tx.of(users).add(Array.from({ length: 200 }, (_, i) => user(i)));
    const member = (room: number, i: number) => ({
      ...{ ...fixed, roomId: nameOf('r', room), memberId: nameOf('m', i), roomCreatedAt: instant(START + room) },
      ...({ memberType: 'User', role: 'Member', invitedBy: 'x', updatedAt: START } as const),
    });
    for (let i = 0; i < 1_000; i++) {
      const at = instant(START + i);
      await tx
        .of(rooms)
        .add({ ...fixed, roomId: nameOf('r', i), name: 'room', createdBy: 'x', createdAt: at, updatedAt: at, hasChannel: true });
    }
    await tx.of(roomMemberships).add(Array.from({ length: 1_000 }, (_, i) => member(i, 0)));
    await tx.of(roomMemberships).add(Array.from({ length: 149 }, (_, i) => member(0, i + 1)));
  });
  return { ...fixture, AccountId, statements };
}

test('Rooms: a page reads as many rows as it returns and one more, through an index, at any position', async () => {
  const { run, store, AccountId, statements } = await openCrowded();
  const selects = new Map<string, Statement>();
  const page = async (name: 'ListRooms' | 'ListRoomMemberships', input: object, table: RegExp) => {
    statements.length = 0;
    const { NextToken } = await run(name, { AccountId, MaxResults: 10, ...input } as never);
    for (const each of statements) selects.set(each.text, each);
    return { NextToken, rows: statements.filter(({ text }) => table.test(text)).reduce((sum, each) => sum + each.rows, 0) };
  };
  const walk = async (name: 'ListRooms' | 'ListRoomMemberships', input: object, table: RegExp) => {
    const rows: number[] = [];
    for (let NextToken: string | undefined, i = 0; i === 0 || NextToken !== undefined; i++) {
      const read = await page(name, { ...input, ...(NextToken !== undefined && { NextToken }) }, table);
      rows.push(read.rows);
      NextToken = read.NextToken;
    }
    return rows;
  };
  const expected = (pages: number) => [...Array.from({ length: pages - 1 }, () => 11), 10];
  assert.deepEqual(await walk('ListRooms', {}, /ORDER BY/), expected(100));
  assert.deepEqual(await walk('ListRooms', { MemberId: 'm000000' }, /ORDER BY/), expected(100));
  assert.deepEqual(await walk('ListRoomMemberships', { RoomId: 'r000000' }, /ORDER BY/), expected(15));
  assert.deepEqual(
    (await plansOf(store, selects.values())).filter((detail) => /SCAN|TEMP B-TREE/.test(detail)),
    [],
  );
});

test('BatchCreateRoomMembership: 50 members cost at most as many statements as ten single ones', async () => {
  const { run, AccountId, statements } = await openCrowded();
  const cost = async (work: () => Promise<unknown>) => {
    statements.length = 0;
    await work();
    return statements.length;
  };
  const key = { AccountId, RoomId: 'r000001' };
  const MembershipItemList = Array.from({ length: 50 }, (_, i) => ({ MemberId: nameOf('m', i + 1) }));
  const single = await cost(() => run('CreateRoomMembership', { ...key, MemberId: 'm000100' }));
  let errors: unknown;
  const bulk = await cost(async () => {
    errors = (await run('BatchCreateRoomMembership', { ...key, MembershipItemList })).Errors;
  });
  assert.deepEqual(errors, []);
  assert.ok(bulk <= 2 * single, `${bulk} statements, and ${single} for one member`);
});
