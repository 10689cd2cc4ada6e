import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { ACCOUNT, OTHER_ACCOUNT, openFixture, START } from './fixture.ts';
import { messageCounts } from './tables/message-counts.ts';

const UNKNOWN = 'a6b1e9b0-0000-4000-8000-999999999999';
const BAD_REQUEST = { code: 'BadRequestException', message: /^The first day must exist / };
const notFound = (title: string, id: string) => ({ code: 'NotFoundException', message: `Could not find ${title} with Id '${id}'` });
const day = (days: number) => new Date(START + days * DAY_MS).toISOString().slice(0, 10);
const at = (days: number) => ({ now: instant(START + days * DAY_MS) });

/** Opens an Enterprise account with users that registered on the days 0, 2 and 5. */
async function openReports() {
  const fixture = await openFixture();
  const AccountId = await fixture.account();
  await fixture.become(AccountId, 'EnterpriseLWA');
  const ids: string[] = [];
  for (const [name, days] of [
    ['ada', 0],
    ['bob', 2],
    ['eve', 2],
    ['joe', 5],
  ] as const)
    ids.push((await fixture.register(AccountId, `${name}@example.com`, at(days))).userId);
  return { ...fixture, AccountId, ids };
}

// biome-ignore format: a table
const IN_ACCOUNT = [
  ['ListAccountUsageReportData', {}],
  ['ListMeetingsReportData',     {}],
  ['GetMeetingDetail',           { ConferenceId: 'x' }],
  ['ListMeetingEvents',          { ConferenceId: 'x' }],
  ['GetUserActivityReportData',  { UserId: UNKNOWN }],
] as const;

for (const [name, input] of IN_ACCOUNT) {
  test(`${name}: an unknown or foreign account is NotFound`, async () => {
    const { run, account } = await openFixture();
    const AccountId = await account();
    await assert.rejects(run(name, { AccountId: UNKNOWN, ...input } as never), notFound('Account', UNKNOWN));
    await assert.rejects(run(name, { AccountId, ...input } as never, { accountId: OTHER_ACCOUNT }), notFound('Account', AccountId));
  });
}

test('ListAccountUsageReportData: each day has registered users as a second count finds them, messages, and nothing about meetings', async () => {
  const { run, store, AccountId, ids } = await openReports();
  await run('BatchSuspendUser', { AccountId, UserIdList: [ids[2] as string] });
  await store.transaction(async (tx) => {
    for (const [user, days] of [
      [0, 1],
      [0, 1.5],
      [1, 1.9],
      [0, 3],
    ] as const)
      await tx.of(messageCounts).count(ACCOUNT, ids[user] as string, at(days).now);
  });
  const written: Readonly<Record<number, readonly [messages: number, writers: number]>> = { 1: [3, 2], 3: [1, 1] };
  const input = { AccountId, StartDate: day(-1), EndDate: day(6) };
  const { UsageReportData = [], NextToken } = await run('ListAccountUsageReportData', input, at(6.5));
  assert.equal(NextToken, undefined);
  const counted = [];
  for (let days = -1; days <= 6; days++) {
    const row = await store.transaction((tx) =>
      tx.sql.row<{ readonly count: number }>(
        `SELECT COUNT(*) AS count FROM chime_user WHERE chime_account_id = $1 AND is_member = 1 AND registration_status = 'Registered'
        AND registered_at_ms < $2`,
        [AccountId, START + (days + 1) * DAY_MS],
      ),
    );
    const [ChatMessagesSent, ActiveUsers] = written[days] ?? [0, 0];
    counted.push({ Date: day(days), RegisteredUsers: Number(row?.count), ActiveUsers, ChatMessagesSent });
  }
  assert.deepEqual(UsageReportData, counted);
  assert.deepEqual(
    counted.map(({ RegisteredUsers }) => RegisteredUsers),
    [0, 1, 1, 2, 2, 2, 3, 3],
  );
});

test('ListAccountUsageReportData: pages have all days once, and the default ends yesterday', async () => {
  const { run, AccountId } = await openReports();
  const list = (input: object) => run('ListAccountUsageReportData', { AccountId, ...input }, at(6.5));
  const dates: (string | undefined)[] = [];
  for (let NextToken: string | undefined, isFirst = true; isFirst || NextToken !== undefined; isFirst = false) {
    const page = await list({ MaxResults: 10, ...(NextToken !== undefined && { NextToken }) });
    dates.push(...(page.UsageReportData ?? []).map((each) => each.Date));
    NextToken = page.NextToken;
  }
  assert.deepEqual(
    dates,
    Array.from({ length: 31 }, (_, i) => day(i - 25)),
  );
  const { NextToken } = await list({ MaxResults: 10 });
  await assert.rejects(list({ EndDate: day(0), NextToken }), { code: 'BadRequestException' });
});

// biome-ignore format: a table
const DAYS: readonly (readonly [title: string, days: object])[] = [
  ['a day that does not exist',         { StartDate: '2026-02-30' }],
  ['a month that does not exist',       { EndDate: '2026-13-01' }],
  ['a first day after the last',        { StartDate: day(-1), EndDate: day(-2) }],
  ['a day in the future',               { EndDate: day(1) }],
  ['367 days',                          { StartDate: day(-366), EndDate: day(0) }],
];

for (const [title, days] of DAYS) {
  test(`Reports: ${title} is a BadRequest`, async () => {
    const { run, account } = await openFixture();
    const AccountId = await account();
    await assert.rejects(run('ListAccountUsageReportData', { AccountId, ...days }), BAD_REQUEST);
    await assert.rejects(run('ListMeetingsReportData', { AccountId, ...days }), BAD_REQUEST);
  });
}

test('Meetings: the list is empty, and no meeting is found', async () => {
  const { run, AccountId } = await openReports();
  assert.deepEqual(await run('ListMeetingsReportData', { AccountId }), { Meetings: [] });
  for (const name of ['GetMeetingDetail', 'ListMeetingEvents'] as const)
    await assert.rejects(run(name, { AccountId, ConferenceId: 'x' }), notFound('Meeting', 'x'));
});

test('GetUserActivityReportData: the user with the PIN, messages in the days, and nothing about meetings', async () => {
  const { run, store, AccountId, ids, user } = await openReports();
  const UserId = ids[0] as string;
  const { UserActivity } = await run('GetUserActivityReportData', { AccountId, UserId });
  assert.deepEqual(UserActivity, { User: await user(AccountId, UserId), ChatMessagesSent: 0 });
  await store.transaction(async (tx) => {
    for (const days of [1, 1.5, 4]) await tx.of(messageCounts).count(ACCOUNT, UserId, at(days).now);
  });
  const written = await run('GetUserActivityReportData', { AccountId, UserId, StartDate: day(0), EndDate: day(2) }, at(6));
  const { ChatMessagesSent, LastActiveTimestamp } = written.UserActivity ?? {};
  assert.deepEqual([ChatMessagesSent, LastActiveTimestamp], [2, at(4).now]);
  assert.match(UserActivity?.User?.PersonalPIN ?? '', /^\d{10}$/);
  await assert.rejects(run('GetUserActivityReportData', { AccountId, UserId: UNKNOWN }), notFound('User', UNKNOWN));
  await assert.rejects(run('GetUserActivityReportData', { AccountId, UserId, StartDate: '2026-02-30' }), BAD_REQUEST);
});
