import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import type { PutEventsRequestEntry } from '#model/generated/events.ts';
import { ACCOUNT, OTHER_ACCOUNT, START, workFor } from '../kit/fixture.ts';
import { busEventSubscription } from './accept.ts';
import { DEFAULT_ARN, openEvents, PATTERN } from './fixture.ts';
import { busEvents } from './tables/bus-events.ts';

const ENTRY: PutEventsRequestEntry = { Source: 'app', DetailType: 'Order', Detail: '{"id":1}' };

/** Opens the operations with a rule on the default bus. */
async function openWithRule() {
  const opened = await openEvents();
  await opened.run('PutRule', { Name: 'r', EventPattern: PATTERN });
  return opened;
}

test('PutEvents: the event has the members of AWS in their order, and the detail as it was sent', async () => {
  const { run, store } = await openWithRule();
  const Detail = ' {"big": 12345678901234567890, "a": 1, "a": 2} ';
  const Time = instant(START - 1_500);
  const { Entries } = await run('PutEvents', { Entries: [{ ...ENTRY, Detail, Resources: ['x"y'], Time }] });
  const row = await store.transaction((tx) => tx.sql.row<object>('SELECT event, bus_name, at_ms FROM bus_event', []));
  assert.deepEqual(
    { ...row },
    {
      event:
        `{"version":"0","id":"${Entries?.[0]?.EventId}","detail-type":"Order","source":"app","account":"${ACCOUNT}",` +
        `"time":"2026-11-21T23:59:58Z","region":"us-east-1","resources":["x\\"y"],"detail":${Detail.trim()}}`,
      bus_name: 'default',
      at_ms: START,
    },
  );
});

const required = (name: string) => `Parameter ${name} is not valid. Reason: ${name} is a required argument.`;
// biome-ignore format: a table
const REFUSED: readonly [title: string, entry: PutEventsRequestEntry, code: string, message: string][] = [
  ['no member',                 {},                                       'InvalidArgument', required('Source')],
  ['an empty source',           { ...ENTRY, Source: '' },                 'InvalidArgument', required('Source')],
  ['no detail-type',            { Source: 'a', Detail: 'x' },             'InvalidArgument', required('DetailType')],
  ['no detail',                 { Source: 'aws.x', DetailType: 'd' },     'InvalidArgument', required('Detail')],
  ['a source of AWS',           { ...ENTRY, Source: 'aws.x', Detail: 'x' }, 'NotAuthorizedForSourceException', 'Not authorized for the source.'],
  ['a detail that is not JSON',  { ...ENTRY, Detail: '{"a":}' },           'MalformedDetail', 'Detail is malformed.'],
  ['a list as detail',          { ...ENTRY, Detail: '[1]' },              'MalformedDetail', 'Detail is malformed.'],
  ['null as detail',            { ...ENTRY, Detail: 'null' },             'MalformedDetail', 'Detail is malformed.'],
  ['a detail 501 levels deep',  { ...ENTRY, Detail: `{"a":${'['.repeat(500)}${']'.repeat(500)}}` }, 'MalformedDetail', 'Detail is malformed.'],
];
for (const [title, entry, ErrorCode, ErrorMessage] of REFUSED) {
  test(`PutEvents: an entry with ${title} is ${ErrorCode}, and its neighbors are accepted in order`, async () => {
    const { run, waiting } = await openWithRule();
    const numbered = (n: number) => ({ ...ENTRY, Detail: `{"n":${n}}` });
    const { FailedEntryCount, Entries = [] } = await run('PutEvents', { Entries: [numbered(1), entry, numbered(2)] });
    assert.equal(FailedEntryCount, 1);
    assert.deepEqual(Entries[1], { ErrorCode, ErrorMessage });
    assert.deepEqual(
      (await waiting()).map(({ id, detail }) => [id, detail.n]),
      [
        [Entries[0]?.EventId, 1],
        [Entries[2]?.EventId, 2],
      ],
    );
  });
}

test('PutEvents: the size of a request has 14 bytes for a time, and the bytes of all strings', async () => {
  const { run } = await openWithRule();
  const sized = (bytes: number, more: object = {}) => {
    const fixed = 'é'.length + 1 + 'd'.length + 'res'.length + '{"a":""}'.length + ('Time' in more ? 14 : 0);
    return { Source: 'é', DetailType: 'd', Resources: ['res'], Detail: `{"a":"${'x'.repeat(bytes - fixed)}"}`, ...more };
  };
  const most = 1024 * 1024;
  assert.equal((await run('PutEvents', { Entries: [sized(most - 50), sized(50, { Time: START })] })).FailedEntryCount, 0);
  const message = 'Total size of the entries in the request is over the limit.';
  await assert.rejects(run('PutEvents', { Entries: [sized(most - 50), sized(51)] }), { code: 'ValidationError', message });
});

test('PutEvents: events for unknown buses and buses without rules get an ID and are dropped', async () => {
  const { run, waiting } = await openEvents();
  await run('CreateEventBus', { Name: 'idle' });
  const buses = [undefined, 'idle', 'none', DEFAULT_ARN.replace('us-east-1', 'eu-west-1')];
  const Entries = buses.map((EventBusName) => ({ ...ENTRY, ...(EventBusName !== undefined && { EventBusName }) }));
  const output = await run('PutEvents', { Entries });
  assert.equal(output.FailedEntryCount, 0);
  assert.equal(new Set(output.Entries?.map(({ EventId }) => EventId)).size, buses.length);
  assert.deepEqual(await waiting(), []);
});

test('PutEvents: an event on a bus of another account has the account of the caller', async () => {
  const { run, waiting } = await openWithRule();
  await run('PutEvents', { Entries: [{ ...ENTRY, EventBusName: DEFAULT_ARN }] }, { accountId: OTHER_ACCOUNT });
  assert.deepEqual(
    (await waiting()).map(({ account }) => account),
    [OTHER_ACCOUNT],
  );
});

test('PutEvents: entries are throttled while too many events wait for the account of the bus', async () => {
  const { run, store, waiting } = await openWithRule();
  await store.transaction((tx) => tx.of(busEvents).setFull(OTHER_ACCOUNT, true));
  assert.equal((await run('PutEvents', { Entries: [ENTRY] })).FailedEntryCount, 0);
  await store.transaction((tx) => tx.of(busEvents).setFull(ACCOUNT, true));
  const { Entries } = await run('PutEvents', { Entries: [ENTRY] });
  assert.deepEqual(Entries, [{ ErrorCode: 'ThrottlingException', ErrorMessage: 'Rate exceeded' }]);
  assert.equal((await waiting()).length, 1);
});

test('PutEvents: a global endpoint is refused', async () => {
  const { run } = await openEvents();
  await assert.rejects(run('PutEvents', { Entries: [ENTRY], EndpointId: 'a.b' }), { code: 'ValidationError' });
});

test('BusEvent: a domain event reaches the default bus only if the account has a rule', async () => {
  const { run, store, waiting } = await openEvents();
  const emit = (accountId = ACCOUNT) =>
    store.transaction((tx) =>
      busEventSubscription.handle(workFor(tx, START), {
        type: 'BusEvent',
        accountId,
        region: 'us-east-1',
        source: 'aws.chime',
        detailType: 'Chime Meeting State Change',
        resources: [],
        detail: { version: '0' },
      } as never),
    );
  await emit();
  await run('PutRule', { Name: 'r', EventPattern: '{"source":["aws.chime"]}' });
  await emit();
  await emit(OTHER_ACCOUNT);
  const [event, ...others] = await waiting();
  assert.deepEqual(others, []);
  const { id: _, ...members } = event as { id: string };
  assert.deepEqual(members, {
    busName: 'default',
    version: '0',
    'detail-type': 'Chime Meeting State Change',
    source: 'aws.chime',
    account: ACCOUNT,
    time: '2026-11-22T00:00:00Z',
    region: 'us-east-1',
    resources: [],
    detail: { version: '0' },
  });
});
