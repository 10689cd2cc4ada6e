/** Exports of the data of accounts of Amazon Chime, in buckets of the server, on SQLite and PostgreSQL. */
import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { writeDataExports } from '#delivery/data-exports.ts';
import type { LogTarget } from '#delivery/targets/log-target.ts';
import { ownBucketTarget } from '#delivery/targets/own-buckets.ts';
import { openObjectFiles } from '#server/object-files.ts';
import { putBody } from '#server/stored-body.ts';
import { ACCOUNT, OTHER_ACCOUNT, openFixture, START } from '#services/chime/fixture.ts';
import { licensedGroups } from '#services/chime/tables/licensed-groups.ts';
import { type RoomMembershipRecord, roomMemberships } from '#services/chime/tables/room-memberships.ts';
import { rooms } from '#services/chime/tables/rooms.ts';
import { chimeAppInstance, chimeUserArn } from '#services/chime-kit/chime-app-instance.ts';
import { type ChannelMessageRecord, channelMessages } from '#services/chime-sdk-messaging/tables/channel-messages.ts';
import { channels } from '#services/chime-sdk-messaging/tables/channels.ts';
import { buckets } from '#services/s3/tables/buckets.ts';
import { objects } from '#services/s3/tables/objects.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store } from '#store/store.ts';
import { newFolder } from '../kit/folder.ts';
import { testPostgres } from '../store/test-postgres.ts';
import { openAging } from './aging.ts';

const BUCKET = 'records';
const STATEMENT = {
  Effect: 'Allow',
  Principal: { Service: 'chime.amazonaws.com' },
  Action: 's3:PutObject',
  Resource: `arn:aws:s3:::${BUCKET}/*`,
  Condition: { StringEquals: { 'aws:SourceAccount': ACCOUNT } },
};

type Line = Readonly<Record<string, unknown>>;
type Stored = { readonly key: string; readonly bodyId: string; readonly size: number };

async function openExports(engine: 'SQLite' | 'PostgreSQL') {
  const database = engine === 'PostgreSQL' ? await testPostgres() : undefined;
  const store = database === undefined ? await openSqlite(':memory:') : await openPostgres(database.url);
  const folder = newFolder('export');
  after(async () => {
    await store.close();
    await database?.stop();
  });
  const bodies = openObjectFiles(folder);
  const stored = (prefix: string): Promise<readonly Stored[]> =>
    store.transaction((tx) => tx.of(objects).list(BUCKET, { from: prefix, before: `${prefix}~` }, 100));
  return {
    store,
    contents: { put: (bytes: Uint8Array) => putBody(bodies, bytes), remove: bodies.remove },
    stored,
    /** Returns the lines of all files of a part. */
    async read(prefix: string, part: string): Promise<readonly Line[]> {
      const found: Line[] = [];
      for (const { key, bodyId, size } of await stored(prefix)) {
        if (!key.startsWith(`${prefix}${part}-`) || size === 0) continue;
        const lines = String(await buffer(await bodies.read(bodyId, 0, size))).split('\n');
        found.push(...lines.slice(0, -1).map((line) => JSON.parse(line) as Line));
      }
      return found;
    },
    /** Returns the number of rows of a table. */
    async count(table: string, where: string, ...values: string[]): Promise<number> {
      const query = `SELECT COUNT(*) AS count FROM ${table} WHERE ${where}`;
      return Number((await store.transaction((tx) => tx.sql.row<{ readonly count: number }>(query, values)))?.count);
    },
  };
}

/** Stores the channels and messages of rooms, because the fixture has no messaging. 401 messages are in the first room. */
async function storeMessages(
  store: Store,
  AccountId: string,
  [one, two]: readonly [string, string],
  [ada, bob]: readonly [string, string],
) {
  const { region, appInstanceId } = chimeAppInstance(ACCOUNT);
  await store.transaction(async (tx) => {
    for (const roomId of [one, two]) {
      const document = { name: 'r', mode: 'RESTRICTED', createdBy: 'user/amazon-chime', room: { chimeAccountId: AccountId } } as const;
      const times = { createdAt: START, updatedAt: START, tags: [] };
      const ids = { accountId: ACCOUNT, region, appInstanceId, channelId: roomId, channelKey: roomId };
      await tx.of(channels).add({ ...ids, privacy: 'PRIVATE', ...times, document });
    }
    const message = (channelKey: string, sender: string, content: string, messageId: string): ChannelMessageRecord => ({
      ...{ channelKey, subChannelId: '', audience: '*', createdAt: START, messageId, sender: `user/${sender}` },
      document: JSON.stringify({ content, type: 'STANDARD', persistence: 'PERSISTENT', updatedAt: START }),
    });
    const repository = tx.of(channelMessages);
    for (let i = 0; i < 401; i++) await repository.add(message(one, i % 2 === 0 ? ada : bob, `text ${i}`, `m${i}`));
    await repository.add(message(two, bob, 'Grüße', 'm'));
    await repository.add({ ...message(one, ada, 'whispered', 'w'), audience: `user/${bob}` });
    // Waits for a processor of a channel flow, or was not sent.
    await repository.add({ ...message(one, ada, 'waiting', 'p'), audience: '' });
  });
}

/** Stores messages in a channel, more than one page of an export has. */
async function storeBulk(store: Store, channelId: string, sender: string, count: number): Promise<void> {
  const { region, appInstanceId } = chimeAppInstance(ACCOUNT);
  await store.transaction(async (tx) => {
    const channel = await tx.of(channels).get(ACCOUNT, region, appInstanceId, channelId);
    assert.ok(channel !== undefined);
    for (let i = 0; i < count; i++)
      await tx.of(channelMessages).add({
        ...{
          channelKey: channel.channelKey,
          subChannelId: '',
          audience: '*',
          createdAt: START,
          messageId: `bulk${i}`,
          sender: `user/${sender}`,
        },
        document: JSON.stringify({ content: `bulk ${i}`, type: 'STANDARD', persistence: 'PERSISTENT', updatedAt: START }),
      });
  });
}

/** Returns a target that fails with its second file, in every other attempt after it has written the file. */
function crashing(target: LogTarget, attempt: number): LogTarget {
  let left = 1;
  return {
    async put(object) {
      if (left === 0 && attempt % 2 === 1) throw new Error('crash');
      await target.put(object);
      if (left === 0) throw new Error('crash');
      left -= 1;
    },
  };
}

const LIMIT = { code: 'ResourceLimitExceededException', message: 'In 7 days, an account can have 1 export of itself and 50 of its users.' };

for (const engine of ['SQLite', 'PostgreSQL'] as const) {
  test(`Data export, ${engine}: after crashes at each file, the lines equal a count by SQL and have no secret`, async () => {
    const { store, contents, stored, read, count } = await openExports(engine);
    const { run, account, become, register } = await openFixture(store);
    let now: Instant = START;
    const AccountId = await account('Bank');
    for (let i = 0; i < 4; i++)
      await run('InviteUsers', { AccountId, UserEmailList: Array.from({ length: 50 }, (_, n) => `person${i}-${n}@example.com`) });
    await become(AccountId, 'EnterpriseLWA');
    const { userId: ada } = await register(AccountId, 'ada@example.com');
    const { userId: bob } = await register(AccountId, 'bob@example.com');
    const { User } = await run('ResetPersonalPIN', { AccountId, UserId: ada });
    const newRoom = async (Name: string) => (await run('CreateRoom', { AccountId, Name })).Room?.RoomId as string;
    const [one, two] = [await newRoom('One'), await newRoom('Two')];
    await newRoom('Empty');
    for (const [RoomId, MemberId] of [
      [one, ada],
      [one, bob],
      [two, bob],
    ] as const)
      await run('CreateRoomMembership', { AccountId, RoomId, MemberId });
    await storeMessages(store, AccountId, [one, two], [ada, bob]);

    const start = (more: object = {}) => run('StartDataExport', { AccountId, ...more }, { now });
    await assert.rejects(start(), { code: 'BadRequestException' });
    await store.transaction((tx) => tx.of(buckets).add({ name: BUCKET, accountId: ACCOUNT, region: 'us-east-1', createdAt: now }));
    await run('UpdateGlobalSettings', { BusinessCalling: { CdrBucket: BUCKET } });
    await assert.rejects(start({ UserId: 'unknown' }), { code: 'NotFoundException' });
    await assert.rejects(start({ AccountId: await account('Team') }), { code: 'BadRequestException' });
    await assert.rejects(run('StartDataExport', { AccountId }, { accountId: OTHER_ACCOUNT }), { code: 'NotFoundException' });

    const target = ownBucketTarget(store, contents, () => now);
    const lines: string[] = [];
    const parts = { store, now: () => now, newId: () => crypto.randomUUID(), report: (line: string) => void lines.push(line) };
    const write = (to: LogTarget) => writeDataExports({ ...parts, target: to, fileBytes: 20_000 }, () => false);
    const newest = async () => (await run('RetrieveDataExports', { AccountId })).DataExports?.[0];

    // Without a policy of the bucket, the export fails. A failed one does not count.
    await start();
    await write(target);
    const { DataExportStatus, Failure } = (await newest()) ?? {};
    assert.deepEqual([DataExportStatus, Failure, lines.splice(0).length], ['Failed', 'AccessDenied', 1]);
    const policy = JSON.stringify({ Version: '2012-10-17', Statement: STATEMENT });
    await store.transaction((tx) => tx.of(buckets).setPolicy({ name: BUCKET, policy: { policy, principals: {} } }));

    now = instant(now + 1);
    await start();
    await assert.rejects(start(), { code: 'ConflictException', message: 'An export of the account is in progress.' });
    for (let attempt = 0; attempt < 40 && (await newest())?.DataExportStatus === 'InProgress'; attempt++) {
      await write(crashing(target, attempt));
      now = instant(now + 10_000);
    }
    const done = await newest();
    assert.equal(done?.DataExportStatus, 'Completed');
    assert.ok(lines.length >= 5, `${lines.length} crashes`);

    const prefix = done?.KeyPrefix as string;
    assert.equal(prefix, `Amazon-Chime-Data-Exports/json/${ACCOUNT}/${AccountId}/${done?.DataExportId}/`);
    const counts = {
      account: 1,
      users: await count('chime_user', 'chime_account_id = $1', AccountId),
      ...{ groups: 0, bots: 0 },
      rooms: await count('chime_room', 'chime_account_id = $1', AccountId),
      memberships: await count('room_membership', 'chime_account_id = $1', AccountId),
      messages: await count('channel_message', "audience = '*' AND channel_key IN ($1, $2)", one, two),
      ...{ conversations: 0, 'conversation-memberships': 0, 'conversation-messages': 0 },
    };
    assert.deepEqual(Object.values(counts), [1, 202, 0, 0, 3, 3, 402, 0, 0, 0]);
    assert.deepEqual(Object.fromEntries((done?.Parts ?? []).map(({ Part, LineCount }) => [Part, LineCount])), counts);
    const all: Line[] = [];
    for (const part of Object.keys(counts)) all.push(...(await read(prefix, part)));
    const total = Object.values(counts).reduce((sum, each) => sum + each, 0);
    assert.deepEqual([all.length, new Set(all.map((line) => JSON.stringify(line))).size], [total, total]);
    const files = (done?.Parts ?? []).reduce((sum, { FileCount = 0 }) => sum + FileCount, 0);
    assert.equal((await stored(prefix)).length, files);
    assert.ok(files > 5, `${files} files`);
    const text = JSON.stringify(all);
    assert.deepEqual(
      [User?.PersonalPIN as string, 'whispered', 'waiting', 'Grüße'].map((each) => text.includes(each)),
      [false, false, false, true],
    );

    // One export of the account in 7 days. That of a user has the user's rooms and messages.
    await assert.rejects(start(), LIMIT);
    await start({ UserId: bob });
    await write(target);
    const ofBob = await newest();
    assert.deepEqual([ofBob?.DataExportStatus, ofBob?.UserId], ['Completed', bob]);
    const lengths: number[] = [];
    for (const part of Object.keys(counts)) lengths.push((await read(ofBob?.KeyPrefix as string, part)).length);
    assert.deepEqual(lengths, [1, 1, 0, 0, 2, 2, 201, 0, 0, 0]);
    const messages = await read(ofBob?.KeyPrefix as string, 'messages');
    assert.ok(messages.every(({ SenderId }) => SenderId === bob));

    now = instant(now + 7 * DAY_MS);
    await start();
    await store.transaction((tx) => tx.sql.run('UPDATE chime_account SET disabled_at_ms = 1 WHERE chime_account_id = $1', [AccountId]));
    await write(target);
    const query = { accountId: ACCOUNT, region: 'us-east-1', from: START, to: instant(8.64e15), limit: 10 };
    const { rows } = await store.transaction((tx) => tx.trail.lookup(query));
    assert.deepEqual(
      rows.map(({ eventName, document }) => [eventName, JSON.parse(document).serviceEventDetails.failure ?? 'none']),
      ['AccountDeleted', 'none', 'none', 'AccessDenied'].map((failure) => ['EndDataExport', failure]),
    );
  });
}

for (const engine of ['SQLite', 'PostgreSQL'] as const) {
  test(`Data export, ${engine}: has conversations with members of the account, licensed groups and bots, without private messages`, async () => {
    const { store, contents, read } = await openExports(engine);
    const { chime, messaging, account, person, conversation, elasticConversation, send } = openAging(store);
    const [AccountId, foreign] = [await account('one.example.com'), await account('two.example.com')];
    const people: string[] = [];
    for (const name of ['ada', 'bob', 'cat', 'dan']) people.push(await person(AccountId, `${name}@one.example.com`));
    const [ada = '', bob = '', cat = ''] = people;
    const [eve, tom] = [await person(foreign, 'eve@two.example.com'), await person(foreign, 'tom@two.example.com')];
    const [own, mixed, others] = [await conversation(ada, bob), await conversation(eve, ada), await conversation(eve, tom)];
    const { ChannelArn: elastic, places } = await elasticConversation(...people);
    const idOf = (arn: string) => arn.split('/').at(-1) as string;
    await chime('CreateRoom', { AccountId, Name: 'Room' });

    await send(own, ada, 'to bob');
    await send(mixed, eve, 'from outside');
    await send(others, eve, 'not ours');
    const whispered = { Content: 'whispered', Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: 'whispered' } as const;
    const Target = [{ MemberArn: chimeUserArn(ACCOUNT, bob) }];
    await messaging('SendChannelMessage', { ...whispered, ChannelArn: own, ChimeBearer: chimeUserArn(ACCOUNT, ada), Target });
    const MessageId = await send(own, bob, 'a secret');
    await chime('RedactConversationMessage', { AccountId, ConversationId: idOf(own), MessageId });
    for (const [userId, subChannelId] of places) await send(elastic, userId, `by ${userId}`, subChannelId);
    // More than one page.
    for (let i = 0; i < 60; i++) await conversation(cat, bob);
    const [bulk, bulkSize] = [await conversation(bob, cat), 401];
    await storeBulk(store, idOf(bulk), bob, bulkSize);
    const { Bot } = await chime('CreateBot', { AccountId, DisplayName: 'helper' });
    await store.transaction((tx) =>
      tx.of(licensedGroups).put({ chimeAccountId: AccountId, groupName: 'Staff', groupId: crypto.randomUUID(), license: 'Pro' }),
    );

    await store.transaction(async (tx) => {
      const policy = JSON.stringify({ Version: '2012-10-17', Statement: STATEMENT });
      await tx.of(buckets).add({ name: BUCKET, accountId: ACCOUNT, region: 'us-east-1', createdAt: START });
      await tx.of(buckets).setPolicy({ name: BUCKET, policy: { policy, principals: {} } });
    });
    await chime('UpdateGlobalSettings', { BusinessCalling: { CdrBucket: BUCKET } });
    const target = ownBucketTarget(store, contents, () => START);
    const exported = async (UserId?: string) => {
      const { DataExport } = await chime('StartDataExport', { AccountId, ...(UserId !== undefined && { UserId }) });
      const reported: string[] = [];
      const parts = {
        store,
        now: () => START,
        newId: () => crypto.randomUUID(),
        report: (line: string) => void reported.push(line),
        target,
      };
      await writeDataExports(parts, () => false);
      assert.deepEqual(reported, []);
      return (part: string) => read(DataExport?.KeyPrefix as string, part);
    };

    const ofAccount = await exported();
    const conversations = await ofAccount('conversations');
    const named = conversations.filter(({ ConversationId }) => [own, mixed, elastic, others].map(idOf).includes(ConversationId as string));
    assert.deepEqual([conversations.length, named.length], [64, 3]);
    assert.ok(!named.some(({ ConversationId }) => ConversationId === idOf(others)));
    const {
      ConversationId: _id,
      CreatedTimestamp: _at,
      UpdatedTimestamp: _up,
      ...line
    } = named.find(({ ConversationId }) => ConversationId === idOf(mixed)) as Line;
    assert.deepEqual(line, { Name: 'conversation', Privacy: 'PRIVATE', Mode: 'RESTRICTED', CreatedBy: eve });
    const messages = await ofAccount('conversation-messages');
    const contentsOf = (arn: string) => messages.filter(({ ConversationId }) => ConversationId === idOf(arn)).map(({ Content }) => Content);
    assert.deepEqual([contentsOf(own), contentsOf(mixed), contentsOf(others)], [['to bob', ''], ['from outside'], []]);
    assert.equal(new Set(contentsOf(bulk)).size, bulkSize);
    assert.deepEqual(contentsOf(elastic).toSorted(), [...places.keys()].map((userId) => `by ${userId}`).toSorted());
    assert.ok(!JSON.stringify(messages).includes('whispered'));
    assert.deepEqual(messages.filter(({ Redacted }) => Redacted).length, 1);
    const members = await ofAccount('conversation-memberships');
    const membersOf = (arn: string) => members.filter(({ ConversationId }) => ConversationId === idOf(arn)).map(({ MemberId }) => MemberId);
    assert.deepEqual(membersOf(mixed).toSorted(), [ada, eve].toSorted());
    assert.deepEqual(membersOf(elastic).toSorted(), [...places.keys()].toSorted());
    assert.equal(members.length, 2 + 2 + places.size + 61 * 2);
    const [group, ...moreGroups] = await ofAccount('groups');
    assert.deepEqual([group?.['GroupName'], group?.['License'], moreGroups], ['Staff', 'Pro', []]);
    const bots = await ofAccount('bots');
    assert.deepEqual(
      bots.map(({ BotId, Disabled }) => [BotId, Disabled]),
      [[Bot?.BotId, false]],
    );
    assert.ok(!JSON.stringify(bots).includes(Bot?.SecurityToken as string));

    const ofAda = await exported(ada);
    assert.deepEqual(
      (await ofAda('conversations')).map(({ ConversationId }) => ConversationId).toSorted(),
      [own, mixed].map(idOf).toSorted(),
    );
    assert.deepEqual(
      (await ofAda('conversation-messages')).map(({ Content }) => Content),
      ['to bob'],
    );
    assert.deepEqual(
      (await ofAda('conversation-memberships')).map(({ MemberId }) => MemberId),
      [ada, ada],
    );
    assert.deepEqual([await ofAda('groups'), await ofAda('bots')], [[], []]);
  });
}

test('Data export: a file from before a crash is emptied if all its lines were deleted before the retry', async () => {
  const { parts, target, store, run, AccountId, pass, start, newest, read } = await openSlow('Emptied');
  await run('CreateRoom', { AccountId, Name: 'deleted soon' });
  await start();
  const crashing: LogTarget = {
    async put(object) {
      await target.put(object);
      if (object.key.includes('/rooms-')) throw new Error('crash');
    },
  };
  await writeDataExports({ ...parts, target: crashing }, () => false);
  const { KeyPrefix = '' } = (await newest()) ?? {};
  assert.equal((await read(KeyPrefix, 'rooms')).length, 1);
  await store.transaction((tx) => tx.sql.run('DELETE FROM chime_room WHERE chime_account_id = $1', [AccountId]));
  pass(60_000);
  await writeDataExports(parts, () => false);
  const { DataExportStatus, Parts = [] } = (await newest()) ?? {};
  const rooms = Parts.find(({ Part }) => Part === 'rooms');
  assert.deepEqual([DataExportStatus, rooms?.FileCount, rooms?.LineCount], ['Completed', 1, 0]);
  assert.deepEqual(await read(KeyPrefix, 'rooms'), []);
});

// The position inside a room is not one inside the next room.
for (const part of ['memberships', 'messages'] as const) {
  test(`Data export: ${part}: after a room was deleted between two files, the next room is exported from its beginning`, async () => {
    const { parts, target, store, run, AccountId, pass, clock, start, newest, read } = await openSlow('Deleted');
    const newRoom = async (Name: string) => (await run('CreateRoom', { AccountId, Name }, { now: clock() })).Room?.RoomId as string;
    const one = await newRoom('One');
    pass(1);
    const two = await newRoom('Two');
    await store.transaction(async (tx) => {
      const member = (roomId: string, memberId: string): RoomMembershipRecord => ({
        ...{ roomId, memberId, accountId: ACCOUNT, chimeAccountId: AccountId, roomCreatedAt: START, memberType: 'User', role: 'Member' },
        ...{ invitedBy: 'i', updatedAt: START },
      });
      const many = Array.from({ length: 201 }, (_, i) => member(one, `m${String(i).padStart(3, '0')}`));
      for (let at = 0; at < many.length; at += 50) await tx.of(roomMemberships).add(many.slice(at, at + 50));
      await tx.of(roomMemberships).add([member(two, 'a')]);
    });
    await storeMessages(store, AccountId, [one, two], ['ada', 'bob']);
    await start();
    const deleting: LogTarget = {
      async put(object) {
        await target.put(object);
        if (object.key.endsWith(`/${part}-00001.jsonl`)) await store.transaction((tx) => tx.of(rooms).remove(AccountId, one));
      },
    };
    await writeDataExports({ ...parts, target: deleting, fileBytes: 1 }, () => false);
    const { DataExportStatus, KeyPrefix = '' } = (await newest()) ?? {};
    const lines = await read(KeyPrefix, part);
    assert.deepEqual([DataExportStatus, lines.length, lines.at(-1)?.['RoomId']], ['Completed', 201, two]);
  });
}

/** Opens an Enterprise account with a bucket that Amazon Chime may write, and a clock that moves 1 s with each transaction of `slow`. */
async function openSlow(name: string) {
  const { store, contents, read } = await openExports('SQLite');
  const fixture = await openFixture(store);
  const AccountId = await fixture.account(name);
  await fixture.become(AccountId, 'EnterpriseLWA');
  let now: number = START;
  await store.transaction(async (tx) => {
    await tx.of(buckets).add({ name: BUCKET, accountId: ACCOUNT, region: 'us-east-1', createdAt: START });
    await tx
      .of(buckets)
      .setPolicy({ name: BUCKET, policy: { policy: JSON.stringify({ Version: '2012-10-17', Statement: STATEMENT }), principals: {} } });
  });
  await fixture.run('UpdateGlobalSettings', { BusinessCalling: { CdrBucket: BUCKET } });
  const clock = () => instant(now);
  const target = ownBucketTarget(store, contents, clock);
  const reported: string[] = [];
  return {
    ...{ ...fixture, AccountId, read, reported, target, clock },
    pass: (ms: number) => void (now += ms),
    start: (UserId?: string) => fixture.run('StartDataExport', { AccountId, ...(UserId !== undefined && { UserId }) }, { now: clock() }),
    newest: async (id = AccountId) => (await fixture.run('RetrieveDataExports', { AccountId: id }, { now: clock() })).DataExports?.[0],
    parts: { store, now: clock, newId: () => crypto.randomUUID(), report: (line: string) => void reported.push(line), target },
  };
}

test('Data export: while a slow target writes a file, no other server writes it too', async () => {
  const { parts, target, pass, start, newest, read } = await openSlow('Slow');
  await start();
  let others = 0;
  const other: LogTarget = { put: async () => void (others += 1) };
  const slow: LogTarget = {
    async put(object) {
      pass(25_000);
      await writeDataExports({ ...parts, target: other }, () => false);
      await target.put(object);
    },
  };
  await writeDataExports({ ...parts, target: slow }, () => false);
  const { DataExportStatus, KeyPrefix = '' } = (await newest()) ?? {};
  assert.deepEqual([others, DataExportStatus, (await read(KeyPrefix, 'account')).length], [0, 'Completed', 1]);
});

test('Data export: a part with little data and much to read is read in steps, which a stop ends', async () => {
  const { run, store, parts, AccountId, pass, start, newest } = await openSlow('Rooms');
  for (let i = 0; i < 60; i++) await run('CreateRoom', { AccountId, Name: `Room ${i}` });
  await start();
  let transactions = 0;
  const slow: Pick<Store, 'transaction'> = {
    transaction(work, options) {
      transactions += 1;
      pass(1_000);
      return store.transaction(work, options);
    },
  };
  let steps = 0;
  while ((await newest())?.DataExportStatus === 'InProgress' && steps < 50) {
    steps += 1;
    const before = transactions;
    await writeDataExports({ ...parts, store: slow }, () => transactions > before + 20);
    assert.ok(transactions - before < 40, `${transactions - before} transactions after the stop`);
  }
  const { DataExportStatus, Parts = [] } = (await newest()) ?? {};
  assert.deepEqual([DataExportStatus, steps > 3], ['Completed', true]);
  assert.deepEqual(
    Parts.map(({ Part, FileCount, LineCount }) => [Part, FileCount, LineCount]),
    [
      ['account', 1, 1],
      ['users', 0, 0],
      ['groups', 0, 0],
      ['bots', 0, 0],
      ['rooms', 1, 60],
      ['memberships', 0, 0],
      ['messages', 0, 0],
      ['conversations', 0, 0],
      ['conversation-memberships', 0, 0],
      ['conversation-messages', 0, 0],
    ],
  );
});

test('Data export: a large one does not delay the others until its end', async () => {
  const { run, store, parts, account, become, AccountId, pass, start, newest, clock } = await openSlow('Large');
  for (let i = 0; i < 60; i++) await run('CreateRoom', { AccountId, Name: `Room ${i}` });
  const small = await account('Small');
  await become(small, 'EnterpriseLWA');
  await start();
  pass(1);
  await run('StartDataExport', { AccountId: small }, { now: clock() });
  const slow: Pick<Store, 'transaction'> = {
    transaction(work, options) {
      pass(1_000);
      return store.transaction(work, options);
    },
  };
  await writeDataExports({ ...parts, store: slow }, () => false);
  assert.deepEqual([(await newest())?.DataExportStatus, (await newest(small))?.DataExportStatus], ['InProgress', 'Completed']);
});

test('Data export: another AWS account that has created the bucket again gets nothing', async () => {
  const { store, parts, start, newest, reported } = await openSlow('Bank');
  await store.transaction(async (tx) => {
    await tx.of(buckets).remove(BUCKET);
    await tx.of(buckets).add({ name: BUCKET, accountId: OTHER_ACCOUNT, region: 'us-east-1', createdAt: START });
    await tx
      .of(buckets)
      .setPolicy({ name: BUCKET, policy: { policy: JSON.stringify({ Version: '2012-10-17', Statement: STATEMENT }), principals: {} } });
  });
  await start();
  await writeDataExports(parts, () => false);
  const { DataExportStatus, Failure } = (await newest()) ?? {};
  assert.deepEqual([DataExportStatus, Failure, reported.length], ['Failed', 'AccessDenied', 1]);
  assert.deepEqual(await store.transaction((tx) => tx.of(objects).list(BUCKET, { from: '', before: '~' }, 1)), []);
});

test('StartDataExport: failed exports do not hide the one that counts', async () => {
  const { store, register, AccountId, parts, pass, start, newest } = await openSlow('Often');
  const { userId } = await register(AccountId, 'ada@example.com');
  await start();
  await writeDataExports(parts, () => false);
  assert.equal((await newest())?.DataExportStatus, 'Completed');
  await store.transaction((tx) => tx.of(buckets).remove(BUCKET));
  for (let i = 0; i < 52; i++) {
    pass(1);
    await start(userId);
    await writeDataExports(parts, () => false);
  }
  assert.equal((await newest())?.DataExportStatus, 'Failed');
  await assert.rejects(start(), LIMIT);
});
