import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import type { FilterLogEventsRequest, GetLogEventsRequest } from '#model/generated/logs.ts';
import { START } from '../kit/fixture.ts';
import { type Event, failure, GROUP, type OpenLogs, openLogs, STREAM } from './fixture.ts';

const DAY = 86_400;
const HOUR = 3_600;

/** Reads all pages of FilterLogEvents. */
async function filtered({ run }: OpenLogs, input: Omit<FilterLogEventsRequest, 'logGroupName'> = {}) {
  const messages: string[] = [];
  const ids = new Set<string>();
  let pages = 0;
  let nextToken: string | undefined;
  do {
    const page: Awaited<ReturnType<typeof run<'FilterLogEvents'>>> = await run('FilterLogEvents', {
      ...{ logGroupName: GROUP, ...input },
      ...(nextToken !== undefined && { nextToken }),
    });
    for (const { message = '', eventId = '' } of page.events ?? []) {
      messages.push(message);
      ids.add(eventId);
    }
    nextToken = page.nextToken;
    pages++;
  } while (nextToken !== undefined);
  return { messages, ids, pages };
}

// biome-ignore format: a table
const REJECTED: readonly (readonly [title: string, events: readonly Event[], retention: number | undefined, info: object | undefined, stored: string])[] = [
  // title                             events                                        retention  rejectedLogEventsInfo                                             stored
  ['all in time',                      [[-10, 'a'], [0, 'b']],                       undefined, undefined,                                                        'ab'],
  ['older than 14 days',               [[-14.5 * DAY, 'a'], [-14 * DAY, 'b']],       undefined, { tooOldLogEventEndIndex: 1 },                                    'b' ],
  ['more than 2 hours in the future',  [[0, 'a'], [2 * HOUR, 'b'], [2 * HOUR + 1, 'c']], undefined, { tooNewLogEventStartIndex: 2 },                              'ab'],
  ['older than the retention',         [[-DAY - 1, 'a'], [-DAY + 60, 'b']],          1,         { expiredLogEventEndIndex: 1 },                                   'b' ],
  ['all too old',                      [[-20 * DAY, 'a']],                           undefined, { tooOldLogEventEndIndex: 1 },                                    ''  ],
];

for (const [title, events, retentionInDays, info, stored] of REJECTED) {
  test(`PutLogEvents: ${title}`, async () => {
    const logs = await openLogs();
    if (retentionInDays !== undefined) await logs.run('PutRetentionPolicy', { logGroupName: GROUP, retentionInDays });
    assert.deepEqual((await logs.put(events)).rejectedLogEventsInfo, info);
    assert.equal((await filtered(logs)).messages.join(''), stored);
  });
}

const MIB = 1_048_576;
// biome-ignore format: a table
const INVALID: readonly (readonly [title: string, events: readonly Event[], expected: string])[] = [
  // title                 events                                   expected
  ['the largest event',    [[0, 'a'.repeat(MIB - 26)]],             'ok'],
  ['a larger event',       [[0, 'a'.repeat(MIB - 25)]],             `InvalidParameterException: Log event too large: ${MIB + 1} bytes exceeds limit of ${MIB}`],
  ['bytes, not characters',[[0, 'é'.repeat(MIB / 2)]],              `InvalidParameterException: Log event too large: ${MIB + 26} bytes exceeds limit of ${MIB}`],
  ['a larger batch',       [[0, 'a'.repeat(MIB - 52)], [0, 'b']],   `InvalidParameterException: Upload too large: ${MIB + 1} bytes exceeds limit of ${MIB}`],
  ['not in order',         [[1, 'a'], [0, 'b']],                    'InvalidParameterException: Log events in a single PutLogEvents request must be in chronological order.'],
  ['exactly 24 hours',     [[-DAY, 'a'], [0, 'b']],                 'ok'],
  ['more than 24 hours',   [[-DAY - 1, 'a'], [0, 'b']],             'InvalidParameterException: The batch of log events in a single PutLogEvents request cannot span more than 24 hours.'],
];

for (const [title, events, expected] of INVALID) {
  test(`PutLogEvents: ${title}`, async () => assert.equal(await failure((await openLogs()).put(events)), expected));
}

test('FilterLogEvents: events of several streams and requests are in the order of time, with stable IDs, in pages of any size', async () => {
  const logs = await openLogs();
  await logs.run('CreateLogStream', { logGroupName: GROUP, logStreamName: 'two' });
  // Deterministic times over three windows. Batches overlap each other.
  const expected: Event[] = [];
  for (let batch = 0; batch < 12; batch++) {
    const events = Array.from({ length: 15 }, (_, i): Event => [((batch * 7 + i * i * 3) % 150) - 200, `${batch}-${i}`]).sort(
      (a, b) => a[0] - b[0],
    );
    await logs.put(events, batch % 3 === 0 ? 'two' : STREAM);
    expected.push(...events);
  }
  const order = expected.sort((a, b) => a[0] - b[0]).map(([, message]) => message);
  const all = await filtered(logs);
  assert.deepEqual(all.messages, order);
  assert.equal(all.ids.size, order.length);
  for (const limit of [1, 7, 50]) {
    const { messages, ids } = await filtered(logs, { limit });
    assert.deepEqual([messages, ids], [order, all.ids]);
  }
});

test('FilterLogEvents: a page ends after a limited amount of reading, and the next page continues', async () => {
  const logs = await openLogs();
  for (let i = 0; i < 6; i++) await logs.put([[i, `${i}${'x'.repeat(900_000)}`]]);
  const { messages, pages } = await filtered(logs, { filterPattern: '-y' });
  assert.deepEqual([messages.map((each) => each.charAt(0)).join(''), pages >= 6], ['012345', true]);
  const none = await filtered(logs, { filterPattern: 'y' });
  assert.deepEqual([none.messages, none.pages > 1], [[], true]);
});

test('FilterLogEvents: packs of many overlapping batches lose and repeat no event', async () => {
  const logs = await openLogs();
  for (let i = 0; i < 60; i++)
    await logs.put([
      [0, `${i}a`],
      [1, `${'p'.repeat(60_000)}`],
      [59, `${i}b`],
    ]);
  const { messages } = await filtered(logs, { limit: 7 });
  assert.equal(messages.length, 180);
  assert.equal(new Set(messages.filter((each) => each.length < 10)).size, 120);
});

// biome-ignore format: a table
const FILTERS: readonly (readonly [title: string, input: Omit<FilterLogEventsRequest, 'logGroupName'>, expected: string])[] = [
  // title                       input                                                                  expected
  ['a pattern',                  { filterPattern: '?bb ?cc' },                                          'bb cc'],
  ['a stream',                   { logStreamNames: ['two'] },                                           'cc'],
  ['a prefix',                   { logStreamNamePrefix: 'on' },                                         'aa bb'],
  ['the start is inclusive',     { startTime: START + 1000 },                                           'bb cc'],
  ['the end is inclusive',       { endTime: START + 1000 },                                             'aa bb'],
  ['an empty range',             { startTime: START + 5000 },                                           ''],
  ['interleaved',                { interleaved: true },                                                 'aa bb cc'],
];

for (const [title, input, expected] of FILTERS) {
  test(`FilterLogEvents: ${title}`, async () => {
    const logs = await openLogs();
    await logs.run('CreateLogStream', { logGroupName: GROUP, logStreamName: 'two' });
    await logs.put([
      [0, 'aa'],
      [1, 'bb'],
    ]);
    await logs.put([[2, 'cc']], 'two');
    assert.equal((await filtered(logs, input)).messages.join(' '), expected);
  });
}

test('FilterLogEvents: errors', async () => {
  const logs = await openLogs();
  await logs.put([
    [0, 'a'],
    [1, 'b'],
  ]);
  const { nextToken = '' } = await logs.run('FilterLogEvents', { logGroupName: GROUP, limit: 1 });
  const call = (input: FilterLogEventsRequest) => failure(logs.run('FilterLogEvents', input));
  assert.deepEqual(
    [
      await call({ logGroupName: 'no' }),
      await call({}),
      await call({ logGroupName: GROUP, logStreamNames: ['no'] }),
      await call({ logGroupName: GROUP, logStreamNames: [STREAM], logStreamNamePrefix: 'o' }),
      await call({ logGroupName: GROUP, filterPattern: 'a:' }),
      await call({ logGroupName: GROUP, filterPattern: 'a', nextToken }),
      await call({ logGroupName: GROUP, nextToken: 'k1.YQ' }),
      await call({ logGroupName: GROUP, nextToken }),
    ],
    [
      'ResourceNotFoundException: The specified log group does not exist.',
      'InvalidParameterException: Specify either logGroupName or logGroupIdentifier, but not both.',
      'ResourceNotFoundException: The specified log stream does not exist.',
      'InvalidParameterException: LogStreamNamePrefix and LogStreamNames are mutually exclusive parameters.',
      "InvalidParameterException: Invalid character(s) in term ':'",
      'InvalidParameterException: The specified nextToken is invalid.',
      'InvalidParameterException: The specified nextToken is invalid.',
      'ok',
    ],
  );
});

test('FilterLogEvents: events older than the retention are invisible at once', async () => {
  const logs = await openLogs();
  await logs.put([
    [0, 'old'],
    [2 * HOUR, 'new'],
  ]);
  await logs.run('PutRetentionPolicy', { logGroupName: GROUP, retentionInDays: 1 });
  const { events = [] } = await logs.run('FilterLogEvents', { logGroupName: GROUP }, { now: instant(START + (DAY + HOUR) * 1000) });
  assert.deepEqual(
    events.map(({ message }) => message),
    ['new'],
  );
});

test('GetLogEvents: tokens lead forward and backward, and stay equal at the ends', async () => {
  const logs = await openLogs();
  await logs.put(Array.from({ length: 10 }, (_, i): Event => [i * 20, String(i)]));
  const get = async (input: Partial<GetLogEventsRequest>) => {
    const page = await logs.run('GetLogEvents', { logGroupName: GROUP, logStreamName: STREAM, limit: 4, ...input });
    return { text: page.events?.map(({ message }) => message).join(''), f: page.nextForwardToken ?? '', b: page.nextBackwardToken ?? '' };
  };
  const newest = await get({});
  const older = await get({ nextToken: newest.b });
  const oldest = await get({ nextToken: older.b });
  const before = await get({ nextToken: oldest.b });
  assert.deepEqual([newest.text, older.text, oldest.text, before.text], ['6789', '2345', '01', '']);
  assert.equal(before.b, oldest.b);
  assert.equal((await get({ nextToken: oldest.f })).text, '2345');

  const first = await get({ startFromHead: true });
  const second = await get({ nextToken: first.f, startFromHead: true });
  const third = await get({ nextToken: second.f, startFromHead: true });
  const end = await get({ nextToken: third.f, startFromHead: true });
  assert.deepEqual([first.text, second.text, third.text, end.text], ['0123', '4567', '89', '']);
  assert.equal(end.f, third.f);
  await logs.put([[190, 'late']]);
  assert.equal((await get({ nextToken: end.f, startFromHead: true })).text, 'late');
  assert.equal((await get({ nextToken: second.b })).text, '0123');
  assert.equal((await get({ startTime: START + 20_000, endTime: START + 60_000 })).text, '12');
});

test('GetLogEvents: an empty stream has tokens that stay equal and receive later events', async () => {
  const logs = await openLogs();
  const input = { logGroupName: GROUP, logStreamName: STREAM };
  const { nextForwardToken = '', nextBackwardToken = '' } = await logs.run('GetLogEvents', input);
  const again = await logs.run('GetLogEvents', { ...input, nextToken: nextForwardToken });
  assert.equal(again.nextForwardToken, nextForwardToken);
  await logs.put([[0, 'a']]);
  for (const nextToken of [nextForwardToken, nextBackwardToken])
    assert.equal((await logs.run('GetLogEvents', { ...input, nextToken })).events?.length, 1);
});

test('GetLogEvents: invalid tokens', async () => {
  const { run } = await openLogs();
  for (const nextToken of [
    'x',
    'f/12',
    'f/',
    `g/${'1'.repeat(99)}`,
    `f/${'1'.repeat(98)}x`,
    `f/${'1'.repeat(15)}${'9'.repeat(15)}8${'1'.repeat(68)}`,
  ]) {
    const input = { logGroupName: GROUP, logStreamName: STREAM, nextToken };
    assert.equal(await failure(run('GetLogEvents', input)), 'InvalidParameterException: The specified nextToken is invalid.', nextToken);
  }
});

test('GetLogEvents: backward and forward pages have the same events for any page size', async () => {
  const logs = await openLogs();
  for (let batch = 0; batch < 9; batch++) {
    await logs.put(
      Array.from({ length: 9 }, (_, i): Event => [((batch * 11 + i * i) % 90) - 100, `${batch}.${i}`]).sort((a, b) => a[0] - b[0]),
    );
  }
  const order = (await filtered(logs)).messages;
  for (const limit of [2, 10, 100]) {
    const found: string[] = [];
    let nextToken: string | undefined;
    for (;;) {
      const page = await logs.run('GetLogEvents', {
        logGroupName: GROUP,
        logStreamName: STREAM,
        limit,
        ...(nextToken !== undefined && { nextToken }),
      });
      if (page.events?.length === 0) break;
      found.unshift(...(page.events ?? []).map(({ message = '' }) => message));
      nextToken = page.nextBackwardToken;
    }
    assert.deepEqual(found, order, `limit ${limit}`);
  }
});
