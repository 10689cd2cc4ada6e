/** Lists in which most rows do not belong to the result: each statement reads the rows of its page only. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { roomMemberships } from '#services/chime/tables/room-memberships.ts';
import { scimUsers } from '#services/chime/tables/scim.ts';
import { ALL_TIMES, channelMessages } from '#services/chime-sdk-messaging/tables/channel-messages.ts';
import { memberships } from '#services/chime-sdk-messaging/tables/memberships.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Sql } from '#store/sql.ts';
import type { Store } from '#store/store.ts';
import { plansOnSqlite, rowsReadOnPostgres } from './reads.ts';
import { testPostgres } from './test-postgres.ts';

const COUNT = 4_000;
const LAST = COUNT - 1;
/** Members of two channels. With fewer, PostgreSQL would read the whole table, which then has only some pages. */
const MEMBERS = 20_000;
/** Row `i` of each table. Ada sent the messages except the first and last ones to one of 200 members each, in turns. */
const FILL = {
  channel_message: `
    INSERT INTO channel_message (channel_key, sub_channel_id, audience, created_at_ms, message_id, sender, document)
    SELECT 'key', '', CASE WHEN i < 100 OR i >= ${COUNT - 20} THEN '*' ELSE 'user/' || (i % 200) END, i, 'm' || i, 'user/ada', '{}'`,
  channel_membership: `
    INSERT INTO channel_membership (channel_key, sub_channel_id, member, app_instance_id, type, invited_by, created_at_ms, updated_at_ms)
    SELECT CASE WHEN i % 2 = 0 THEN 'seen' ELSE 'unseen' END, '', 'user/' || (1000000 + i), 'app',
      CASE WHEN (i % 2 = 0) = (i < ${MEMBERS - 10}) THEN 'DEFAULT' ELSE 'HIDDEN' END, 'user/ada', 0, 0`,
  room_membership: `
    INSERT INTO room_membership
      (room_id, member_id, account_id, chime_account_id, room_created_at_ms, member_type, role, invited_by, updated_at_ms)
    SELECT 'room', 'm' || i, '1', 'a', 0, CASE WHEN i < ${LAST} THEN 'User' ELSE 'Bot' END, 'Member', 'ada', 0`,
  chime_scim_user: `
    INSERT INTO chime_scim_user (chime_account_id, scim_id, account_id, email, is_active, is_due, created_at_ms, updated_at_ms, document)
    SELECT 'a', 'u' || (1000000 + i), '1', 'u' || i, 1, 0, 0, 0, '{}'`,
} as const;

async function fill(store: Store, after = ''): Promise<void> {
  await store.transaction(async ({ sql }) => {
    for (const [name, statement] of Object.entries(FILL)) {
      const last = name === 'channel_membership' ? MEMBERS - 1 : LAST;
      await sql.run(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${last}) ${statement} FROM n`);
      if (after !== '') await sql.run(`${after} ${name}`);
    }
    await sql.run(`INSERT INTO chime_scim_total (chime_account_id, users) VALUES ('a', ${COUNT})`);
  });
}

const sqlite = await openSqlite(':memory:');
const database = await testPostgres();
const postgres = await openPostgres(database.url);
after(async () => {
  await Promise.all([sqlite.close(), postgres.close()]);
  await database.stop();
});
await fill(sqlite);
await fill(postgres, 'ANALYZE');

const messages = (reader: string, order: 'ASCENDING' | 'DESCENDING', at?: number) => async (sql: Sql) => {
  const after = at === undefined ? undefined : { createdAt: instant(at), messageId: `m${at}` };
  const range = { channelKey: 'key', subChannelId: '', ...ALL_TIMES, reader, order };
  return (await channelMessages(sql).list(range, 51, after)).map(({ createdAt }) => createdAt);
};
const members = (channelKey: string, subChannelId: string | undefined, type: string) => async (sql: Sql) =>
  (await memberships(sql).list(channelKey, subChannelId, type, 51)).map(({ member }) => Number(member.slice(5)) - 1_000_000);
const users = (offset: number) => async (sql: Sql) =>
  (await scimUsers(sql).list('a', { limit: 50, offset })).map(({ scimId }) => Number(scimId.slice(1)) - 1_000_000);

const MESSAGES = [
  ...['audience', 'audience'].map(
    (name) => `channel_message USING PRIMARY KEY (channel_key=? AND sub_channel_id=? AND ${name}=? AND TIMES)`,
  ),
  'channel_message USING INDEX channel_message_private_by_sender (channel_key=? AND sub_channel_id=? AND sender=? AND TIMES)',
].map((plan) => plan.replace('TIMES', 'created_at_ms>? AND created_at_ms<?'));
const MEMBER = 'channel_membership USING PRIMARY KEY (channel_key=? AND sub_channel_id=? AND member=?)';
const OF_TYPE = 'channel_membership USING COVERING INDEX channel_membership_of_type (channel_key=? AND type=?';
const OF_ALL = [MEMBER, `${OF_TYPE} AND (sub_channel_id,member)>(?,?))`];
const OF_ONE = [MEMBER, `${OF_TYPE} AND sub_channel_id=? AND member>?)`];
const USERS = ['chime_scim_user USING PRIMARY KEY (chime_account_id=?)'];

/** Plans are those of SQLite. Rows are the most that PostgreSQL reads. */
interface Long {
  readonly read: (sql: Sql) => Promise<readonly number[]>;
  readonly ends: readonly [first: number, last: number];
  readonly plans: readonly string[];
  readonly rows: number;
}

// biome-ignore format: a table
const LISTS: Readonly<Record<string, Long>> = {
  'the newest messages, for a member that sees few':   { read: messages('user/bob', 'DESCENDING'),              ends: [LAST, 69],           plans: MESSAGES, rows: 153 },
  'the oldest messages, for a member that sees few':   { read: messages('user/bob', 'ASCENDING', 80),           ends: [81, LAST],           plans: MESSAGES, rows: 153 },
  'the newest messages, for a receiver':               { read: messages('user/7', 'DESCENDING'),                ends: [LAST, 88],           plans: MESSAGES, rows: 153 },
  'messages in the middle, for a receiver':            { read: messages('user/7', 'ASCENDING', 2_000),          ends: [2_007, LAST],        plans: MESSAGES, rows: 153 },
  'messages in the middle, for their sender':          { read: messages('user/ada', 'DESCENDING', 2_000),       ends: [1_999, 1_949],       plans: MESSAGES, rows: 153 },
  'the few hidden members of a channel':               { read: members('seen', '', 'HIDDEN'),                   ends: [MEMBERS - 10, MEMBERS - 2], plans: OF_ONE, rows: 51 },
  'the few members of a channel that are not hidden':  { read: members('unseen', undefined, 'DEFAULT'),         ends: [MEMBERS - 9, MEMBERS - 1],    plans: OF_ALL,   rows: 51 },
  'the members of a channel':                          { read: members('seen', undefined, 'DEFAULT'),           ends: [0, 100],             plans: OF_ALL,   rows: 51 },
  'provisioned users':                                 { read: users(0),                                        ends: [0, 49],              plans: USERS,    rows: 50 },
};

for (const [title, { read, ends, plans, rows }] of Object.entries(LISTS)) {
  test(`Long lists on SQLite: ${title} are a range of an index`, async () => {
    const found = await plansOnSqlite(sqlite, async (sql) => assert.deepEqual(endsOf(await read(sql)), ends));
    assert.deepEqual(searchesIn(found), plans);
  });

  test(`Long lists on PostgreSQL: ${title} are found by reading at most ${rows} rows`, async () => {
    const [found = Number.NaN, ...more] = await rowsReadOnPostgres(postgres, async (sql) =>
      assert.deepEqual(endsOf(await read(sql)), ends),
    );
    assert.ok(more.length === 0 && found <= rows, `rows of each statement: ${[found, ...more].join(' ')}`);
  });
}

// biome-ignore format: a table
const SMALL: Readonly<Record<string, { readonly read: (sql: Sql) => Promise<unknown>; readonly result: unknown; readonly plans: readonly string[]; readonly rows: number }>> = {
  'the bots of a room':                { read: async (sql) => (await roomMemberships(sql).bots('room', 100)).map(({ memberId }) => memberId), result: [`m${LAST}`], rows: 1,
    plans: ['room_membership USING PRIMARY KEY (room_id=? AND member_id=?)', 'room_membership USING COVERING INDEX room_membership_bot (room_id=?)'] },
  'the number of provisioned users':   { read: (sql) => scimUsers(sql).count('a'), result: COUNT, rows: 1,
    plans: ['chime_scim_total USING PRIMARY KEY (chime_account_id=?)'] },
  'the time of the last message':      { read: async (sql) => (await channelMessages(sql).add(NEW)).createdAt, result: COUNT, rows: 2,
    plans: ['channel_message USING PRIMARY KEY (channel_key=? AND sub_channel_id=? AND audience=?)',
      'channel_message USING COVERING INDEX channel_message_private (channel_key=? AND sub_channel_id=?)'] },
};
const NEW = {
  channelKey: 'key',
  subChannelId: '',
  audience: '*',
  createdAt: instant(0),
  messageId: 'new',
  sender: 'user/ada',
  document: '{}',
};

for (const [title, { read, result, plans, rows }] of Object.entries(SMALL)) {
  test(`Long lists: ${title} is found without reading other rows`, async () => {
    const check = async (sql: Sql) => assert.deepEqual(await read(sql), result);
    assert.deepEqual(searchesIn(await plansOnSqlite(sqlite, check)), plans);
    assert.deepEqual(await rowsReadOnPostgres(postgres, check), [rows]);
  });
}

/** Returns what the plans search in tables. Fails if they read a whole table. */
function searchesIn(plans: readonly string[]): readonly string[] {
  for (const plan of plans) assert.doesNotMatch(plan, /^SCAN \w+_\w+ USING|^SCAN (?:ch\w+|room)_/);
  return plans.flatMap((plan) => /^SEARCH (\w+_\w+ USING .*)/.exec(plan)?.[1] ?? []);
}

function endsOf(found: readonly number[]): readonly unknown[] {
  return [found[0], found.at(-1)];
}
