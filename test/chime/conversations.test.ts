/** Conversations of people of Amazon Chime on both engines: retention by the accounts of their members, and redaction. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { chimeUserArn } from '#services/chime-kit/chime-app-instance.ts';
import { ACCOUNT } from '#services/kit/fixture.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { testPostgres } from '../store/test-postgres.ts';
import { type Aging, openAging } from './aging.ts';

const postgres = await testPostgres();
/** Records on PostgreSQL can be read in their order when the clock of the store has passed them by some seconds. */
let ahead = 0;
const now = () => instant(Date.now() + ahead);
const STORES = { SQLite: await openSqlite(':memory:', { now }), PostgreSQL: await openPostgres(postgres.url, { now }) };
after(async () => {
  await STORES.PostgreSQL.close();
  await postgres.stop();
});

const NOT_FOUND = { code: 'NotFoundException' };

/** Returns the names of the records of the server's own deletions, with the number of deleted messages. */
async function expirations({ store }: Aging): Promise<readonly unknown[]> {
  ahead += 3_600_000;
  const { rows } = await store.transaction(({ trail }) => trail.since(0, 1_000));
  return rows
    .filter(({ eventName }) => eventName.startsWith('Expire'))
    .map(({ eventName, document }) => [eventName, JSON.parse(document).serviceEventDetails.count]);
}

for (const [engine, store] of Object.entries(STORES)) {
  test(`Conversations on ${engine}: the account of all members, or 90 days for mixed ones, decides how long messages stay`, async () => {
    const aging = openAging(store);
    const { chime, account, person, conversation, send, seen, setDay, sweep, stored } = aging;
    const [one, two, team] = [await account('one.example.com'), await account('two.example.com'), await account()];
    const [ada, bob] = [await person(one, 'ada@one.example.com'), await person(one, 'bob@one.example.com')];
    const [eve, tom, tim] = [
      await person(two, 'eve@two.example.com'),
      await person(team, 'tom@example.org', true),
      await person(team, 'tim@example.org', true),
    ];
    const conversations = {
      own: await conversation(ada, bob),
      alone: await conversation(ada),
      mixed: await conversation(ada, eve),
      outsiders: await conversation(bob, tom),
      free: await conversation(tom, tim),
    };
    const readers = { own: bob, alone: ada, mixed: eve, outsiders: tom, free: tim };
    const writers = { own: ada, alone: ada, mixed: ada, outsiders: bob, free: tom };
    const write = async (content: string) => {
      for (const [name, arn] of Object.entries(conversations)) await send(arn, writers[name as keyof typeof writers], content);
    };
    const expect = async (expected: Record<keyof typeof conversations, readonly string[]>) => {
      for (const [name, arn] of Object.entries(conversations))
        assert.deepEqual(await seen(arn, readers[name as keyof typeof readers]), expected[name as keyof typeof expected], name);
    };
    const [both, late] = [['first', 'second'], ['second']];

    await write('first');
    setDay(20);
    await write('second');
    setDay(25);
    const retain = (ConversationRetentionSettings: { readonly RetentionDays?: number }) =>
      chime('PutRetentionSettings', {
        AccountId: one,
        RetentionSettings: { ConversationRetentionSettings, RoomRetentionSettings: { RetentionDays: 1 } },
      });
    await retain({ RetentionDays: 10 });
    await expect({ own: late, alone: late, mixed: both, outsiders: both, free: both });
    await sweep();
    assert.equal(await stored(), 10);

    // A change within 30 days shows the messages again, and starts the 30 days again.
    setDay(26);
    await retain({});
    await expect({ own: both, alone: both, mixed: both, outsiders: both, free: both });
    await retain({ RetentionDays: 10 });
    setDay(26 + 29);
    await sweep();
    assert.equal(await stored(), 10);
    setDay(26 + 30);
    await sweep();
    assert.equal(await stored(), 6);
    await retain({});
    await expect({ own: [], alone: [], mixed: both, outsiders: both, free: both });
    assert.deepEqual(await expirations(aging), [
      ['ExpireConversationMessages', 2],
      ['ExpireConversationMessages', 2],
    ]);

    // No setting changes the 90 days of a conversation with outsiders. Without an Enterprise account, messages stay.
    setDay(90);
    await expect({ own: [], alone: [], mixed: both, outsiders: both, free: both });
    setDay(91);
    await expect({ own: [], alone: [], mixed: late, outsiders: late, free: both });
    await sweep();
    assert.equal(await stored(), 4);
    setDay(4_000);
    await sweep();
    assert.equal(await stored(), 2);
    await expect({ own: [], alone: [], mixed: [], outsiders: [], free: both });
  });

  test(`Conversations on ${engine}: each account of a member redacts; other accounts and hidden messages are NotFound`, async () => {
    const { chime, messaging, account, person, conversation, send, seen, setDay } = openAging(store);
    const [one, two, other] = [await account('a.example.com'), await account('b.example.com'), await account('c.example.com')];
    const [ada, eve] = [await person(one, 'ada@a.example.com'), await person(two, 'eve@b.example.com')];
    const ChannelArn = await conversation(ada, eve);
    const ConversationId = ChannelArn.split('/').at(-1) as string;
    const MessageId = await send(ChannelArn, ada, 'secret');
    const redact = (AccountId: string) => chime('RedactConversationMessage', { AccountId, ConversationId, MessageId });
    await assert.rejects(redact(other), NOT_FOUND);
    assert.deepEqual(await seen(ChannelArn, eve), ['secret']);
    await redact(two);
    await redact(one);
    const read = { ChannelArn, MessageId, ChimeBearer: chimeUserArn(ACCOUNT, eve) };
    const { Content, Redacted } = (await messaging('GetChannelMessage', read)).ChannelMessage ?? {};
    assert.deepEqual([Content, Redacted], ['', true]);
    setDay(91);
    await assert.rejects(redact(one), NOT_FOUND);
  });

  test(`RedactConversationMessage on ${engine}: redacts messages in each sub-channel of an elastic conversation`, async () => {
    const { chime, messaging, account, person, elasticConversation, send } = openAging(store);
    const AccountId = await account(`elastic-${engine.toLowerCase()}.example.com`);
    const people: string[] = [];
    for (const name of ['ada', 'bob', 'eve', 'tom'])
      people.push(await person(AccountId, `${name}@elastic-${engine.toLowerCase()}.example.com`));
    const { ChannelArn, places } = await elasticConversation(...people);
    const ConversationId = ChannelArn.split('/').at(-1) as string;
    assert.equal(new Set(places.values()).size, 2);
    await assert.rejects(chime('RedactConversationMessage', { AccountId, ConversationId, MessageId: 'unknown' }), NOT_FOUND);
    for (const [userId, SubChannelId] of places) {
      const MessageId = await send(ChannelArn, userId, 'secret', SubChannelId);
      await chime('RedactConversationMessage', { AccountId, ConversationId, MessageId });
      const read = { ChannelArn, MessageId, SubChannelId, ChimeBearer: chimeUserArn(ACCOUNT, userId) };
      const { Content, Redacted } = (await messaging('GetChannelMessage', read)).ChannelMessage ?? {};
      assert.deepEqual([Content, Redacted], ['', true]);
    }
  });
}
