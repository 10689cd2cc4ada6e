/** Lists in which most rows do not belong to the result: each statement reads the rows of its page only. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { messageCounts } from '#services/chime/tables/message-counts.ts';
import { roomMemberships } from '#services/chime/tables/room-memberships.ts';
import { scimUsers } from '#services/chime/tables/scim.ts';
import { users } from '#services/chime/tables/users.ts';
import { ALL_TIMES, channelMessages } from '#services/chime-sdk-messaging/tables/channel-messages.ts';
import { channels } from '#services/chime-sdk-messaging/tables/channels.ts';
import { memberships } from '#services/chime-sdk-messaging/tables/memberships.ts';
import { alarms } from '#services/cloudwatch/alarms/tables/alarms.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Sql } from '#store/sql.ts';
import type { Store } from '#store/store.ts';
import { plansOnSqlite, rowsReadOnPostgres } from './reads.ts';
import { testPostgres } from './test-postgres.ts';

const COUNT = 4_000;
const LAST = COUNT - 1;
/** Rows of the tables in `LARGE`. With fewer, PostgreSQL would read the whole table, which then has only some pages. */
const MEMBERS = 20_000;
const LARGE: ReadonlySet<string> = new Set(['channel_membership', 'chime_user', 'chime_message_count']);
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
    INSERT INTO chime_scim_user
      (chime_account_id, scim_id, account_id, email, external_id, is_active, is_due, created_at_ms, updated_at_ms, document)
    SELECT 'a', 'u' || (1000000 + i), '1', 'u' || i, 'x' || i, 1, CASE WHEN i = 7 THEN 1 ELSE 0 END, 0, 0, '{}'`,
  chime_user: `
    INSERT INTO chime_user (chime_account_id, user_id, account_id, email, is_member, registration_status, is_new, listed_at_ms, user_type,
      license_type, document)
    SELECT 'a', 'u' || (1000000 + i), '1', 'u' || i, 1, CASE WHEN i < ${MEMBERS - 1} THEN 'Unregistered' ELSE 'Registered' END, 1, i, 'PrivateUser',
      'Pro', '{}'`,
  chime_message_count: `
    INSERT INTO chime_message_count (chime_account_id, day, user_id, messages, last_at_ms) SELECT 'a', i / 1000, 'u' || (i % 1000), 1, i`,
  channel: `
    INSERT INTO channel
      (app_instance_id, channel_id, channel_key, account_id, region, privacy, created_at_ms, updated_at_ms, flow_id, tags, document)
    SELECT 'app', 'c' || (1000000 + i), 'k' || i, '1', 'r', CASE WHEN i = 9 THEN 'PUBLIC' ELSE 'PRIVATE' END, 0, 0,
      CASE WHEN i % 1000 = 0 THEN 'flow' ELSE 'other' END, '[]', '{}'`,
  cloudwatch_alarm: `
    INSERT INTO cloudwatch_alarm (account_id, region, name, type, configuration, actions_enabled, tags, state, state_reason,
      configured_at_ms, state_updated_at_ms, state_changed_at_ms, metric)
    SELECT '1', 'r', 'alarm ' || i, 'MetricAlarm', '{}', 1, '[]', 'OK', '', 0, 0, 0, CASE WHEN i = 5 THEN 'rare' ELSE 'frequent' END`,
} as const;

async function fill(store: Store, after = ''): Promise<void> {
  await store.transaction(async ({ sql }) => {
    for (const [name, statement] of Object.entries(FILL)) {
      const last = LARGE.has(name) ? MEMBERS - 1 : LAST;
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
const provisioned = (offset: number) => async (sql: Sql) => idsOf(await scimUsers(sql).list('a', { limit: 50, offset }));

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
const USERS = ['chime_scim_user USING PRIMARY KEY (chime_account_id=? AND scim_id>?)'];

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
  'provisioned users':                                 { read: provisioned(0),                                  ends: [0, 49],              plans: USERS,    rows: 50 },
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

const SCIM_USER = 'chime_scim_user USING PRIMARY KEY (chime_account_id=? AND scim_id=?)';
const COUNTED = 'chime_message_count USING PRIMARY KEY (chime_account_id=? AND day=? AND user_id=?)';
const CHANNEL = 'channel USING PRIMARY KEY (app_instance_id=? AND channel_id=?)';

// biome-ignore format: a table
const SMALL: Readonly<Record<string, { readonly read: (sql: Sql) => Promise<unknown>; readonly result: unknown; readonly plans: readonly string[]; readonly rows: number | undefined }>> = {
  'the bots of a room':                { read: async (sql) => (await roomMemberships(sql).bots('room', 100)).map(({ memberId }) => memberId), result: [`m${LAST}`], rows: 1,
    plans: ['room_membership USING PRIMARY KEY (room_id=? AND member_id=?)', 'room_membership USING COVERING INDEX room_membership_bot (room_id=?)'] },
  'the number of provisioned users':   { read: (sql) => scimUsers(sql).count('a'), result: COUNT, rows: 1,
    plans: ['chime_scim_total USING PRIMARY KEY (chime_account_id=?)'] },
  'provisioned users that are due':    { read: async (sql) => idsOf(await scimUsers(sql).due('a')), result: [7], rows: 1,
    plans: [SCIM_USER, 'chime_scim_user USING COVERING INDEX chime_scim_user_due (chime_account_id=?)'] },
  'a provisioned user':                { read: async (sql) => idsOf(await scimUsers(sql).matching('a', { externalId: 'x8' })), result: [8], rows: 1,
    plans: [SCIM_USER, 'chime_scim_user USING COVERING INDEX chime_scim_user_external (chime_account_id=? AND external_id=?)'] },
  'a user with an address':            { read: async (sql) => (await users(sql).withEmails('a', ['u3', 'none'])).map(({ userId }) => userId), result: ['u1000003'], rows: 50,
    plans: ['u USING INDEX chime_user_email (chime_account_id=? AND email=?)'] },
  'a registered user':                 { read: async (sql) => (await users(sql).registered('a', 50)).map(({ email }) => email), result: [`u${MEMBERS - 1}`], rows: 1,
    plans: ['chime_user USING PRIMARY KEY (chime_account_id=? AND user_id=?)', 'chime_user USING COVERING INDEX chime_user_status (chime_account_id=? AND registration_status=? AND user_id>?)'] },
  'the messages of a user':            { read: async (sql) => [...(await messageCounts(sql).ofUsers('a', ['u3'], { first: 0, last: 19 }))], result: [['u3', 20]], rows: undefined,
    plans: ['k USING COVERING INDEX chime_message_count_user (chime_account_id=? AND user_id=? AND day>? AND day<?)', 'c USING PRIMARY KEY (chime_account_id=? AND day=? AND user_id=?)'] },
  'the last message of a user':        { read: (sql) => messageCounts(sql).lastOf('a', 'u3'), result: 19_003, rows: 1,
    plans: [COUNTED, 'chime_message_count USING COVERING INDEX chime_message_count_user (chime_account_id=? AND user_id=?)'] },
  'the only public channel':           { read: async (sql) => (await channels(sql).list('app', 'PUBLIC', 50)).map(({ channelKey }) => channelKey), result: ['k9'], rows: 1,
    plans: [CHANNEL, 'channel USING COVERING INDEX channel_privacy (app_instance_id=? AND privacy=? AND channel_id>?)'] },
  'the few channels of a flow':        { read: async (sql) => (await channels(sql).listOfFlow('app', 'flow', 50)).length, result: 4, rows: 4,
    plans: [CHANNEL, 'channel USING COVERING INDEX channel_of_flow (app_instance_id=? AND flow_id=? AND channel_id>?)'] },
  'an alarm of a metric':              { read: async (sql) => (await alarms(sql).ofMetric({ accountId: '1' as AccountId, region: 'r' }, 'rare', '', 50)).map(({ name }) => name), result: ['alarm 5'], rows: 1,
    plans: ['cloudwatch_alarm USING PRIMARY KEY (account_id=? AND region=? AND name=?)', 'cloudwatch_alarm USING COVERING INDEX cloudwatch_alarm_metric (account_id=? AND region=? AND metric=? AND name>?)'] },
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
  test(`Long lists: ${title} can be found without reading other rows`, async () => {
    const check = async (sql: Sql) => assert.deepEqual(await read(sql), result);
    assert.deepEqual(searchesIn(await plansOnSqlite(sqlite, check)), plans);
    const found = await rowsReadOnPostgres(postgres, check);
    assert.equal(found.length, 1);
    // PostgreSQL joins the whole table if it is as small as here.
    if (rows !== undefined) assert.ok((found[0] as number) <= rows, `${found[0]} rows`);
  });
}

function idsOf(found: readonly { readonly scimId: string }[]): readonly number[] {
  return found.map(({ scimId }) => Number(scimId.slice(1)) - 1_000_000);
}

/** Returns what the plans search in tables. Fails if they read a whole table. */
function searchesIn(plans: readonly string[]): readonly string[] {
  for (const plan of plans) assert.doesNotMatch(plan, /^SCAN (?:channel|chime|room|cloudwatch)/);
  return plans.flatMap((plan) => /^SEARCH (\w+ USING .*)/.exec(plan)?.[1] ?? []);
}

function endsOf(found: readonly number[]): readonly unknown[] {
  return [found[0], found.at(-1)];
}
