/** Pages of a channel with many messages that the reader does not see: each statement reads the rows of its page only. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { ALL_TIMES, type ChannelMessages, channelMessages } from '#services/chime-sdk-messaging/tables/channel-messages.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { plansOnSqlite, rowsReadOnPostgres } from '../store/reads.ts';
import { testPostgres } from '../store/test-postgres.ts';

const CHANNEL = { channelKey: 'key', subChannelId: '' };
/** The first and the last messages are for all members. Ada sends the others, in turns to `COUNT / 20` members. */
const COUNT = 4_000;
const FILL = `
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${COUNT - 1})
  INSERT INTO channel_message (channel_key, sub_channel_id, audience, created_at_ms, message_id, sender, document)
  SELECT 'key', '', CASE WHEN i < 100 OR i >= ${COUNT - 20} THEN '*' ELSE 'user/' || (i % ${COUNT / 20}) END, i, 'm' || i, 'user/ada', '{}'
  FROM n`;

const sqlite = await openSqlite(':memory:');
const database = await testPostgres();
const postgres = await openPostgres(database.url);
after(async () => {
  await Promise.all([sqlite.close(), postgres.close()]);
  await database.stop();
});
await sqlite.transaction(({ sql }) => sql.run(FILL));
await postgres.transaction(({ sql }) => sql.run(FILL));
await postgres.transaction(({ sql }) => sql.run('ANALYZE channel_message'));

const page = (reader: string, order: 'ASCENDING' | 'DESCENDING', at?: number) => (messages: ChannelMessages) =>
  messages.list(
    { ...CHANNEL, ...ALL_TIMES, reader, order },
    51,
    at === undefined ? undefined : { createdAt: instant(at), messageId: `m${at}` },
  );

// biome-ignore format: a table
const PAGES = [
  // title                                                   page                                      first and last message
  ['newest messages, for a member that sees few',            page('user/bob', 'DESCENDING'),           [COUNT - 1, 69]  ],
  ['oldest messages, for a member that sees few',            page('user/bob', 'ASCENDING', 80),        [81, COUNT - 1]  ],
  ['newest messages, for a receiver',                        page('user/7', 'DESCENDING'),             [COUNT - 1, 88]  ],
  ['messages in the middle, for a receiver',                 page('user/7', 'ASCENDING', COUNT / 2),   [COUNT / 2 + 7, COUNT - 1]],
  ['messages in the middle, for the sender',                 page('user/ada', 'DESCENDING', COUNT / 2), [COUNT / 2 - 1, COUNT / 2 - 51]],
] as const;

for (const [title, read, ends] of PAGES) {
  test(`Pages of messages on SQLite: ${title}: each search has bounds of time in the order of an index`, async () => {
    const plans = await plansOnSqlite(sqlite, async (sql) => {
      const found = await read(channelMessages(sql));
      assert.deepEqual([found[0]?.createdAt, found.at(-1)?.createdAt], ends);
    });
    const ofTable = plans.filter((plan) => plan.includes('channel_message'));
    assert.equal(ofTable.length, 3);
    for (const plan of ofTable) assert.match(plan, /^SEARCH .*\((.*=\? AND ){3}created_at_ms>\? AND created_at_ms<\?\)$/);
  });

  test(`Pages of messages on PostgreSQL: ${title}: of ${COUNT} messages, the statement reads those of three pages`, async () => {
    const rows = await rowsReadOnPostgres(postgres, async (sql) => {
      const found = await read(channelMessages(sql));
      assert.deepEqual([found[0]?.createdAt, found.at(-1)?.createdAt], ends);
    });
    assert.equal(rows.length, 1);
    assert.ok((rows[0] as number) <= 3 * 51, `${rows[0]} rows`);
  });
}

test('New messages: the time of the last message is found without reading other messages', async () => {
  const message = { ...CHANNEL, audience: '*', createdAt: instant(0), messageId: 'new', sender: 'user/ada', document: '{}' };
  const add = async (messages: ChannelMessages) => assert.equal((await messages.add(message)).createdAt, COUNT);
  const plans = await plansOnSqlite(sqlite, (sql) => add(channelMessages(sql)));
  assert.ok(plans.some((plan) => plan.includes('channel_message_private (')));
  const rows = await rowsReadOnPostgres(postgres, (sql) => add(channelMessages(sql)));
  assert.deepEqual(rows, [2]);
});
