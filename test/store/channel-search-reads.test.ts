/** Searches of channels among many: a page reads a bounded number of rows, and a member in few channels makes it short. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type ChannelSearch, channelSearch } from '#services/chime-sdk-messaging/tables/channel-search.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Sql } from '#store/sql.ts';
import type { Store } from '#store/store.ts';
import { plansOnSqlite, rowsReadOnPostgres } from './reads.ts';
import { testPostgres } from './test-postgres.ts';

const CHANNELS = 20_000;
/** Members with the channels that they are in. The channel 7 has 20,000 hidden members, and the channel 9 as many other members. */
const MEMBERS = {
  'user/all': '1 = 1',
  'user/even': 'i % 2 = 0',
  'user/odd': 'i % 2 = 1',
  'user/rare': 'i % 5000 = 1',
  'user/hidden': 'i = 7',
  'user/crowded': 'i = 9',
} as const;
const key = (i: number) => `k${1_000_000 + i}`;

async function fill(store: Store, analyze: boolean): Promise<void> {
  const numbers = `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${CHANNELS - 1})`;
  const membership =
    'INSERT INTO channel_membership (channel_key, sub_channel_id, member, app_instance_id, type, invited_by, created_at_ms, updated_at_ms)';
  await store.transaction(async ({ sql }) => {
    await sql.run(`${numbers} INSERT INTO channel
      (app_instance_id, channel_id, channel_key, account_id, region, privacy, created_at_ms, updated_at_ms, tags, document)
      SELECT 'app', 'c' || (1000000 + i), 'k' || (1000000 + i), '1', 'r', 'PRIVATE', 0, 0, '[]', '{}' FROM n`);
    for (const [member, condition] of Object.entries(MEMBERS))
      await sql.run(
        `${numbers} ${membership} SELECT 'k' || (1000000 + i), '', '${member}', 'app', 'DEFAULT', 'x', 0, 0 FROM n WHERE ${condition}`,
      );
    for (const [i, type] of [
      [7, 'HIDDEN'],
      [9, 'DEFAULT'],
    ] as const)
      await sql.run(`${numbers} ${membership} SELECT '${key(i)}', '', 'bot/' || i, 'app', '${type}', 'x', 0, 0 FROM n`);
    if (analyze) for (const name of ['channel', 'channel_membership']) await sql.run(`ANALYZE ${name}`);
  });
}

const sqlite = await openSqlite(':memory:');
const database = await testPostgres();
const postgres = await openPostgres(database.url);
after(async () => {
  await Promise.all([sqlite.close(), postgres.close()]);
  await database.stop();
});
await fill(sqlite, false);
await fill(postgres, true);

interface Case extends Omit<ChannelSearch, 'appInstanceId'> {
  readonly title: string;
  /** Number of channels on the first page, and the last candidate if others follow. */
  readonly expected: readonly [found: number, readTo: string | undefined];
  /** Most rows that a statement reads on PostgreSQL. */
  readonly rows: number;
}

// biome-ignore format: a table
const CASES: readonly Case[] = [
  { title: 'a member of all channels',            members: ['user/all'],                                   exactly: false, expected: [51, key(50)],      rows: 1_000 },
  { title: 'members without a common channel',    members: ['user/even', 'user/odd'],                      exactly: false, expected: [0, key(1_999)],    rows: 2_000 },
  { title: 'a rare member, named last',           members: ['user/all', 'user/odd', 'user/rare'],          exactly: false, expected: [4, undefined],     rows: 1_000 },
  { title: 'exactly two members of all channels', members: ['user/all', 'user/even'],                      exactly: true,  expected: [51, key(100)],     rows: 2_000 },
  { title: 'a channel with many hidden members',  members: ['user/all', 'user/hidden', 'user/odd'],        exactly: true,  seenBy: 'user/odd', expected: [1, undefined], rows: 1_000 },
  { title: 'a channel with many other members',   members: ['user/all', 'user/crowded', 'user/odd'],       exactly: true,  expected: [0, undefined],     rows: 1_000 },
  { title: '400 members',                         members: [...Array.from({ length: 399 }, (_, i) => `user/${i}`), 'user/all'], exactly: false, expected: [0, undefined], rows: 500 },
];

const read =
  ({ members, exactly, seenBy, expected }: Case) =>
  async (sql: Sql) => {
    const { found, readTo } = await channelSearch(sql).page({ appInstanceId: 'app', members, exactly, seenBy }, 51);
    assert.deepEqual([found.length, readTo], expected);
  };

for (const each of CASES) {
  test(`Channel search on SQLite: ${each.title} is found with ranges of indexes`, async () => {
    const plans = await plansOnSqlite(sqlite, read(each));
    const searches = plans.filter((plan) => !/^(?:CORRELATED SCALAR|LIST) SUBQUERY|^SCALAR SUBQUERY/.test(plan));
    for (const plan of searches)
      assert.match(
        plan,
        /^SEARCH (?:[mots] |c |channel_membership )?.*USING (?:COVERING |PRIMARY )?(?:INDEX|KEY).*(?:channel_key=\?|app_instance_id=\? AND member=\?)/,
      );
    const candidates = plans.filter((plan) => plan.includes('app_instance_id=?'));
    assert.ok(candidates.length >= 2);
    for (const plan of candidates) assert.match(plan, /\(app_instance_id=\? AND member=\? AND channel_key>\?/);
  });

  test(`Channel search on PostgreSQL: ${each.title} reads at most ${each.rows} rows in a step`, async () => {
    const rows = await rowsReadOnPostgres(postgres, read(each));
    assert.ok(
      rows.every((found) => found <= each.rows),
      `rows of each statement: ${rows.join(' ')}`,
    );
  });
}
