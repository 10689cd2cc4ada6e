import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { ACCOUNT, START } from '../kit/fixture.ts';
import { archiveSweep } from './archive-sweep.ts';
import { busArnOf, DEFAULT_ARN, openEvents, PATTERN } from './fixture.ts';
import { replaySteps } from './replay-steps.ts';

const ARCHIVE_ARN = `arn:aws:events:us-east-1:${ACCOUNT}:archive/a`;
const REPLAY_ARN = `arn:aws:events:us-east-1:${ACCOUNT}:replay/p`;
const ARCHIVE = { ArchiveName: 'a', EventSourceArn: DEFAULT_ARN };
const at = (ms: number) => ({ now: instant(START + ms) });
const entry = (Source: string, n = 0) => ({ Source, DetailType: 'd', Detail: `{"n":${n}}` });
const REPLAY = {
  ReplayName: 'p',
  EventSourceArn: ARCHIVE_ARN,
  EventStartTime: START,
  EventEndTime: instant(START + 1_000),
  Destination: { Arn: DEFAULT_ARN },
};

test('CreateArchive: it is enabled at once, and receives the events that its pattern selects', async () => {
  const { run } = await openEvents();
  const created = await run('CreateArchive', { ...ARCHIVE, EventPattern: PATTERN, Description: 'd', RetentionDays: 3 });
  assert.deepEqual(created, { ArchiveArn: ARCHIVE_ARN, State: 'ENABLED', CreationTime: START });
  await run('PutEvents', { Entries: [entry('app'), entry('other'), { ...entry('app'), EventBusName: 'none' }] });
  const { SizeBytes, ...described } = await run('DescribeArchive', { ArchiveName: 'a' });
  const listed = { ArchiveName: 'a', EventSourceArn: DEFAULT_ARN, State: 'ENABLED', RetentionDays: 3, CreationTime: START };
  assert.deepEqual(described, { ArchiveArn: ARCHIVE_ARN, ...listed, EventCount: 1, EventPattern: PATTERN, Description: 'd' });
  assert.ok((SizeBytes ?? 0) > 100);
  assert.deepEqual(await run('ListArchives', {}), { Archives: [listed] });
  assert.deepEqual(await run('ListArchives', { State: 'DISABLED' }), { Archives: [] });
});

// biome-ignore format: a table
const REFUSED: readonly [title: string, input: object, code: string, message: string][] = [
  ['a used name',          {},                                                                            'ResourceAlreadyExistsException', 'Archive a already exists.'],
  ['an unknown bus',       { ArchiveName: 'b', EventSourceArn: busArnOf('none') },                        'ResourceNotFoundException',      'Event bus none does not exist.'],
  ['a bus elsewhere',      { ArchiveName: 'b', EventSourceArn: DEFAULT_ARN.replace('us-east-1', 'eu-west-1') }, 'ValidationError',          'Parameter EventSourceArn is not valid. Reason: Creating cross-region archive is not permitted.'],
  ['an archive as source', { ArchiveName: 'b', EventSourceArn: ARCHIVE_ARN },                             'ValidationError',                `Parameter ${ARCHIVE_ARN} is not valid. Reason: Provided Arn is not in correct format.`],
];
for (const [title, input, code, message] of REFUSED) {
  test(`CreateArchive: ${title} is ${code}`, async () => {
    const { run } = await openEvents();
    await run('CreateArchive', ARCHIVE);
    await assert.rejects(run('CreateArchive', { ...ARCHIVE, ...input }), { code, message });
    assert.equal((await run('ListArchives', {})).Archives?.length, 1);
  });
}

test('UpdateArchive: omitted members stay, and a request without members is refused', async () => {
  const { run } = await openEvents();
  await run('CreateArchive', { ...ARCHIVE, Description: 'd' });
  await run('UpdateArchive', { ArchiveName: 'a', RetentionDays: 5 });
  const { Description, RetentionDays } = await run('DescribeArchive', { ArchiveName: 'a' });
  assert.deepEqual([Description, RetentionDays], ['d', 5]);
  const message = 'At least one of EventPattern, RetentionDays or Description must be provided.';
  await assert.rejects(run('UpdateArchive', { ArchiveName: 'a' }), { code: 'ValidationError', message });
});

for (const operation of ['UpdateArchive', 'DeleteArchive', 'DescribeArchive'] as const) {
  test(`${operation}: an unknown archive is ResourceNotFoundException`, async () => {
    const { run } = await openEvents();
    const message = 'Archive none does not exist.';
    await assert.rejects(run(operation, { ArchiveName: 'none', Description: '' }), { code: 'ResourceNotFoundException', message });
  });
}

test('archives: a sweep deletes events after the retention, and all events of a deleted archive', async () => {
  const { run, swept, store } = await openEvents();
  await run('CreateArchive', { ...ARCHIVE, RetentionDays: 1 });
  await run('CreateArchive', { ...ARCHIVE, ArchiveName: 'forever' });
  await run('PutEvents', { Entries: [entry('app')] });
  await run('PutEvents', { Entries: [entry('app')] }, at(DAY_MS));
  const counts = async () => [
    (await run('DescribeArchive', { ArchiveName: 'a' })).EventCount,
    (await run('DescribeArchive', { ArchiveName: 'forever' })).EventCount,
  ];
  await swept(archiveSweep, instant(START + DAY_MS - 1));
  assert.deepEqual(await counts(), [2, 2]);
  await swept(archiveSweep, instant(START + 1.5 * DAY_MS));
  assert.deepEqual(await counts(), [1, 2]);
  await run('DeleteArchive', { ArchiveName: 'a' });
  await run('CreateArchive', { ...ARCHIVE, RetentionDays: 1 });
  assert.deepEqual(await counts(), [0, 2]);
  await swept(archiveSweep, instant(START + DAY_MS));
  const [left] = await store.transaction((tx) =>
    tx.sql.rows<{ readonly count: number }>('SELECT COUNT(*) AS count FROM archived_event', []),
  );
  assert.equal(Number(left?.count), 2);
});

test('StartReplay: a sweep passes the events of the interval to the bus in order, with the name of the replay', async () => {
  const { run, swept, waiting } = await openEvents();
  await run('CreateArchive', ARCHIVE);
  for (let n = 0; n < 250; n++) await run('PutEvents', { Entries: [entry('app', n)] }, at(n * 5));
  await run('PutRule', { Name: 'r', EventPattern: PATTERN });
  assert.deepEqual(await run('StartReplay', REPLAY), { ReplayArn: REPLAY_ARN, State: 'STARTING', ReplayStartTime: START });
  const members = {
    ReplayName: 'p',
    EventSourceArn: ARCHIVE_ARN,
    EventStartTime: START,
    EventEndTime: START + 1_000,
    ReplayStartTime: START,
  };
  assert.deepEqual(await run('ListReplays', { State: 'STARTING' }), { Replays: [{ ...members, State: 'STARTING' }] });
  assert.equal(await swept(replaySteps, instant(START + 2_000)), 4);
  const replayed = await waiting();
  assert.deepEqual(
    replayed.map(({ detail }) => detail.n),
    Array.from({ length: 200 }, (_, n) => n),
  );
  assert.deepEqual(Object.keys(replayed[0]).slice(7, 9), ['region', 'replay-name']);
  assert.equal(replayed[0]['replay-name'], 'p');
  const ended = { ...members, State: 'COMPLETED', EventLastReplayedTime: START + 995, ReplayEndTime: START + 2_000 };
  assert.deepEqual(await run('DescribeReplay', { ReplayName: 'p' }), { ...ended, ReplayArn: REPLAY_ARN, Destination: REPLAY.Destination });
  assert.equal((await run('DescribeArchive', { ArchiveName: 'a' })).EventCount, 250);
  await swept(replaySteps, instant(START + 91 * DAY_MS));
  assert.deepEqual(await run('ListReplays', {}), { Replays: [] });
});

// biome-ignore format: a table
const REPLAY_REFUSED: readonly [title: string, input: object, code: string, message: string][] = [
  ['a used name',        { ReplayName: 'used' },                                             'ResourceAlreadyExistsException', 'Replay used already exists.'],
  ['an empty interval',  { EventEndTime: START },                                            'ValidationError', 'Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.'],
  ['an unknown archive', { EventSourceArn: `${ARCHIVE_ARN}b` },                              'ValidationError', 'Parameter EventSourceArn is not valid. Reason: Archive ab does not exist.'],
  ['another bus',        { Destination: { Arn: busArnOf('orders') } },                       'ValidationError', 'Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.'],
  ['an unknown bus',     { Destination: { Arn: busArnOf('none') } },                         'ResourceNotFoundException', 'Event bus none does not exist.'],
];
for (const [title, input, code, message] of REPLAY_REFUSED) {
  test(`StartReplay: ${title} is ${code}`, async () => {
    const { run } = await openEvents();
    await run('CreateEventBus', { Name: 'orders' });
    await run('CreateArchive', ARCHIVE);
    await run('StartReplay', { ...REPLAY, ReplayName: 'used' });
    await assert.rejects(run('StartReplay', { ...REPLAY, ...input }), { code, message });
    assert.equal((await run('ListReplays', {})).Replays?.length, 1);
  });
}

test('StartReplay: 10 replays are active at the same time', async () => {
  const { run, swept } = await openEvents();
  await run('CreateArchive', ARCHIVE);
  for (let i = 0; i < 10; i++) await run('StartReplay', { ...REPLAY, ReplayName: `p${i}` });
  const message = 'The requested resource exceeds the maximum number allowed.';
  await assert.rejects(run('StartReplay', REPLAY), { code: 'LimitExceededException', message });
  await swept(replaySteps);
  await run('StartReplay', REPLAY);
});

test('CancelReplay: the replay is cancelled by the sweep, and an ended replay is refused', async () => {
  const { run, swept, waiting } = await openEvents();
  await run('CreateArchive', ARCHIVE);
  await run('PutRule', { Name: 'r', EventPattern: PATTERN });
  await run('PutEvents', { Entries: [entry('app')] });
  await run('StartReplay', REPLAY);
  assert.deepEqual(await run('CancelReplay', { ReplayName: 'p' }), { ReplayArn: REPLAY_ARN, State: 'CANCELLING' });
  const refused = { code: 'IllegalStatusException', message: 'Replay p is not in a valid state for this operation.' };
  await assert.rejects(run('CancelReplay', { ReplayName: 'p' }), refused);
  await swept(replaySteps);
  assert.equal((await run('DescribeReplay', { ReplayName: 'p' })).State, 'CANCELLED');
  assert.equal((await waiting()).length, 1);
  await assert.rejects(run('CancelReplay', { ReplayName: 'p' }), refused);
  for (const operation of ['CancelReplay', 'DescribeReplay'] as const) {
    await assert.rejects(run(operation, { ReplayName: 'none' }), {
      code: 'ResourceNotFoundException',
      message: 'Replay none does not exist.',
    });
  }
});
