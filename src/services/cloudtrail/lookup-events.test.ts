import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '#core/duration.ts';
import { type Instant, instant, isoSeconds } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { LookupEventsRequest } from '#model/generated/cloudtrail.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store } from '#store/store.ts';
import { trailRetention } from '#store/trail/trail-retention.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { ACCOUNT, CALLER, callOf, OTHER_ACCOUNT } from '../kit/fixture.ts';
import type { Caller } from '../kit/operation.ts';
import { NO_LOG_BUCKETS } from './log-buckets.ts';
import { lookupEvents } from './lookup-events.ts';
import { cloudtrailOperations } from './operations.ts';

const NOW = instant(Math.floor(Date.now() / 1000) * 1000 + 500);

const ROW: TrailRow = {
  eventId: 'e1',
  accountId: ACCOUNT,
  region: 'us-east-1',
  at: instant(NOW - 60_000),
  eventName: 'CreateMeeting',
  eventSource: 'chime.amazonaws.com',
  readOnly: false,
  userName: 'ada',
  accessKeyId: 'AKIA1',
  resources: [{ type: 'AWS::Chime::Meeting', name: 'arn:m' }],
  document: '{"eventVersion":"1.08"}',
};

interface History {
  readonly store: Store;
  lookUp(input?: LookupEventsRequest, as?: Partial<Caller>): ReturnType<ReturnType<typeof lookupEvents>['handle']>;
}

/**
 * Creates a store with an event history. Each row is an event, and the function stores it at the time `at` of the row.
 * The function `lookUp` of the result calls LookupEvents at the time `NOW`.
 */
async function history(rows: readonly Partial<TrailRow>[], lookupEventsPerSecond = 0, eventHistoryDays = 90): Promise<History> {
  let clock: Instant = NOW;
  const store = await openSqlite(':memory:', { now: () => clock });
  for (const row of rows) {
    clock = row.at ?? ROW.at;
    await store.transaction((tx) => tx.trail.append({ ...ROW, ...row }));
  }
  const { handle } = lookupEvents({ lookupEventsPerSecond, eventHistoryDays });
  return {
    store,
    lookUp: (input = {}, as = {}) => store.transaction((tx) => handle(callOf(tx, { now: NOW, ...as }), input)),
  };
}

test('LookupEvents: an event has all members, and contains its record as a string (LOG-7)', async () => {
  const { lookUp } = await history([{}]);
  assert.deepEqual(await lookUp(), {
    Events: [
      {
        EventId: 'e1',
        EventName: 'CreateMeeting',
        ReadOnly: 'false',
        AccessKeyId: 'AKIA1',
        EventTime: instant(ROW.at - 500),
        EventSource: 'chime.amazonaws.com',
        Username: 'ada',
        Resources: [{ ResourceType: 'AWS::Chime::Meeting', ResourceName: 'arn:m' }],
        CloudTrailEvent: '{"eventVersion":"1.08"}',
      },
    ],
  });
});

test("LookupEvents: it returns 90 days of events of the caller's account and region, newest first", async () => {
  const { lookUp } = await history([
    { eventId: 'old', at: instant(NOW - 91 * DAY_MS) },
    { eventId: 'first', at: instant(NOW - 89 * DAY_MS) },
    { eventId: 'second', at: instant(NOW - 2 * DAY_MS) },
    { eventId: 'elsewhere', region: 'eu-west-1' },
    { eventId: 'of another', accountId: OTHER_ACCOUNT },
    { eventId: 'third' },
  ]);
  const ids = async (input: LookupEventsRequest) => (await lookUp(input)).Events?.map((each) => each.EventId);
  assert.deepEqual(await ids({}), ['third', 'second', 'first']);
  assert.deepEqual(await ids({ StartTime: instant(NOW - 3 * DAY_MS), EndTime: instant(NOW - DAY_MS) }), ['second']);
});

test('LookupEvents: the time range includes events at StartTime and events at EndTime', async () => {
  const { lookUp } = await history([{}]);
  const EventTime = (await lookUp()).Events?.[0]?.EventTime as Instant;
  assert.equal((await lookUp({ StartTime: EventTime, EndTime: EventTime })).Events?.length, 1);
  assert.equal((await lookUp({ EndTime: instant(EventTime - 1) })).Events?.length, 0);
});

test('LookupEvents: pages are consecutive, and a token is valid only for the same parameters', async () => {
  const { lookUp } = await history(Array.from({ length: 5 }, (_, i) => ({ eventId: `e${i}`, at: instant(NOW - 10_000 + i) })));
  const LookupAttributes = [{ AttributeKey: 'Username', AttributeValue: 'ada' }] as const;
  const seen: (string | undefined)[] = [];
  let NextToken: string | undefined;
  do {
    const page = await lookUp({ LookupAttributes, MaxResults: 2, ...omitUndefined({ NextToken }) });
    seen.push(...(page.Events ?? []).map((each) => each.EventId));
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  assert.deepEqual(seen, ['e4', 'e3', 'e2', 'e1', 'e0']);

  const first = await lookUp({ LookupAttributes, MaxResults: 2 });
  for (const input of [{ NextToken: first.NextToken as string }, { NextToken: 'none' }, { NextToken: '' }]) {
    await assert.rejects(lookUp(input), { code: 'InvalidNextTokenException' });
  }
});

// biome-ignore format: a table
const REJECTED: readonly [title: string, input: LookupEventsRequest, code: string][] = [
  // The cases are in the order in which LookupEvents checks the input.
  ['two attributes',              { LookupAttributes: [{ AttributeKey: 'EventId', AttributeValue: 'a' }, { AttributeKey: 'EventId', AttributeValue: 'b' }] }, 'InvalidLookupAttributesException'],
  ['a username of Insights',      { EventCategory: 'insight', LookupAttributes: [{ AttributeKey: 'Username', AttributeValue: 'a' }] }, 'InvalidLookupAttributesException'],
  ['a value with 1,001 underscores', { LookupAttributes: [{ AttributeKey: 'ResourceName', AttributeValue: '_'.repeat(1_001) }] }, 'InvalidLookupAttributesException'],
  ['a start after the end',       { StartTime: instant(2), EndTime: instant(1) }, 'InvalidTimeRangeException' ],
  ['zero MaxResults',             { MaxResults: 0 },                              'InvalidMaxResultsException'],
  ['MaxResults over 50',          { MaxResults: 51 },                             'InvalidMaxResultsException'],
];

for (const [title, input, code] of REJECTED) {
  test(`LookupEvents: ${title} is ${code}`, async () => {
    const { lookUp } = await history([{}]);
    await assert.rejects(lookUp(input), { code });
  });
}

test('LookupEvents: a value of 2,000 characters is valid, and so are 1,000 characters that count twice', async () => {
  const { lookUp } = await history([{}]);
  for (const AttributeValue of ['a'.repeat(2_000), '_ ,\n'.repeat(250)])
    assert.deepEqual(await lookUp({ LookupAttributes: [{ AttributeKey: 'ResourceName', AttributeValue }] }), { Events: [] });
});

// biome-ignore format: a table
const RETENTIONS: readonly [title: string, defaultDays: number, own: number | undefined, oldest: number][] = [
  // title                                     settings  account    oldest day
  ['the retention of AWS',                     90,       undefined, 89],
  ['a longer one in the settings',             400,      undefined, 399],
  ['a longer one of the account',              90,       365,       364],
  ['a shorter one of the account',             90,       7,         6],
];

for (const [title, defaultDays, own, oldest] of RETENTIONS) {
  test(`LookupEvents: with ${title}, the oldest event is ${oldest} days old`, async () => {
    const days = [6, 8, 89, 91, 364, 366, 399, 401].toReversed();
    const { store, lookUp } = await history(
      days.map((day) => ({ eventId: `e${day}`, at: instant(NOW - day * DAY_MS) })),
      0,
      defaultDays,
    );
    if (own !== undefined) await store.transaction((tx) => tx.of(trailRetention).set(ACCOUNT, own));
    for (const input of [{}, { StartTime: instant(0) }]) assert.equal((await lookUp(input)).Events?.at(-1)?.EventId, `e${oldest}`);
  });
}

test('LookupEvents: the category insight has no events', async () => {
  const { lookUp } = await history([{}]);
  assert.deepEqual(await lookUp({ EventCategory: 'insight' }), { Events: [] });
});

const LOOKUP = { eventName: 'LookupEvents', at: instant(NOW - 999) };
const THROTTLED = { ...LOOKUP, document: '{"errorCode":"ThrottlingException"}' };

// biome-ignore format: a table
const RATES: readonly [title: string, before: readonly Partial<TrailRow>[], perSecond: number, throttled: boolean][] = [
  ['two in this second',                  [LOOKUP, LOOKUP],                               2, true ],
  ['one in this second',                  [LOOKUP],                                       2, false],
  ['two, one of them throttled',          [LOOKUP, THROTTLED],                              2, false],
  ['two, one of them a second ago',       [{ ...LOOKUP, at: instant(NOW - 1000) }, LOOKUP], 2, false],
  ['two, one in another region',          [LOOKUP, { ...LOOKUP, region: 'eu-west-1' }],   2, false],
  ['two without a limit',                 [LOOKUP, LOOKUP],                               0, false],
];

for (const [title, before, perSecond, throttled] of RATES) {
  test(`LookupEvents: after other calls (${title}), the next call ${throttled ? 'is throttled' : 'succeeds'}`, async () => {
    const { lookUp } = await history(before, perSecond);
    if (throttled) await assert.rejects(lookUp(), { code: 'Throttling', message: 'Rate exceeded' });
    else await lookUp();
  });
}

test('LookupEvents: it requires cloudtrail:LookupEvents on * (LOG-8)', () => {
  const targets = { logBuckets: NO_LOG_BUCKETS, logTopics: { has: async () => false }, logGroups: { check: async () => 'ok' as const } };
  const { LookupEvents } = cloudtrailOperations({ lookupEventsPerSecond: 2, eventHistoryDays: 90, ...targets });
  assert.deepEqual(LookupEvents.access({}, CALLER), { action: 'cloudtrail:LookupEvents', resources: ['*'] });
});

// biome-ignore format: a table
const ALTERED: readonly (readonly [title: string, column: string, value: string, path?: string])[] = [
  // what someone altered            column       value                                        path
  ['the heads to text',              'heads',     "'x,1'"],
  ['the heads to the value null',    'heads',     "'null'"],
  ['the heads to a list of numbers', 'heads',     "'[1,2]'"],
  ['the time to null',               'heads',     'json_set(heads, $1, null)',     '$[0][3]'],
  ['the resources to a number',      'heads',     'json_set(heads, $1, 7)',        '$[0][9]'],
  ['a resource to null',             'heads',     'json_set(heads, $1, null)',     '$[0][9][0]'],
  ['the length of the document',     'heads',     'json_set(heads, $1, 5)',        '$[0][10]'],
  ['the document to text',           'documents', "replace(documents, '{', 'x')"],
  ['the document to a shorter one',  'documents', "'{}'"],
];

for (const [title, column, value, path] of ALTERED) {
  test(`LookupEvents: a pack of which someone altered ${title} is an error that says what can be read`, async () => {
    const times = [-3 * HOUR_MS, -2 * HOUR_MS, -HOUR_MS].map((ms) => instant(NOW + ms - 500));
    const { store, lookUp } = await history(times.map((at, i) => ({ eventId: `e${i + 1}`, at })));
    const ids = async (input: LookupEventsRequest) => (await lookUp(input)).Events?.map(({ EventId }) => EventId);
    assert.deepEqual(await ids({}), ['e3', 'e2', 'e1']);
    const statement = `UPDATE trail_pack SET ${column} = ${value} WHERE event_id = 'e2'`;
    await store.transaction(({ sql }) => sql.run(statement, path === undefined ? [] : [path]));
    const first = await lookUp({ MaxResults: 1 });
    assert.deepEqual(
      first.Events?.map(({ EventId }) => EventId),
      ['e3'],
    );
    const [at, until, from] = [times[1], NOW - 2 * HOUR_MS - 15 * MINUTE_MS - 1_500, NOW - 2 * HOUR_MS + 500].map((ms) =>
      instant(ms as number),
    );
    const message = `Records of ${isoSeconds(at as Instant)} are not in the format of the server: someone altered them in the database, or a newer version wrote them. Look up events until ${isoSeconds(until as Instant)} or from ${isoSeconds(from as Instant)}. The operator can verify the trail.`;
    const error = { code: 'OperationNotPermittedException', message };
    await assert.rejects(lookUp({ MaxResults: 1, NextToken: first.NextToken as string }), error);
    await assert.rejects(lookUp({ EndTime: at as Instant }), error);
    assert.deepEqual(await ids({ EndTime: until as Instant }), ['e1']);
    assert.deepEqual(await ids({ StartTime: from as Instant }), ['e3']);
  });
}

test('LookupEvents: a page ends before a pack that someone altered', async () => {
  const { store, lookUp } = await history(['e1', 'e2', 'e3', 'e4'].map((eventId, i) => ({ eventId, at: instant(NOW - HOUR_MS + i) })));
  await store.transaction(({ sql }) => sql.run("UPDATE trail_pack SET heads = '[]]' WHERE event_id = 'e2'"));
  const { Events, NextToken } = await lookUp();
  assert.deepEqual(
    Events?.map(({ EventId }) => EventId),
    ['e4', 'e3'],
  );
  await assert.rejects(lookUp({ NextToken: NextToken as string }), { code: 'OperationNotPermittedException' });
});
