/** The event router on a store with a set clock: schedules, replays, and the messages of targets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { MINUTE_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Target } from '#model/generated/events.ts';
import { busEvents, type ReplayOf } from '#services/events/tables/bus-events.ts';
import { eventBuses, type RuleRecord } from '#services/events/tables/event-buses.ts';
import { eventText } from '#services/kit/bus-event.ts';
import { OUTGOING } from '#services/kit/outgoing.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { START } from '../delivery-fixture.ts';
import { eventRouter } from './event-router.ts';

const ACCOUNT = '111122223333' as AccountId;
const OTHER = '444455556666' as AccountId;
const BUS = { accountId: ACCOUNT, region: 'us-east-1', busName: 'default' };
const ruleArn = (name: string) => `arn:aws:events:us-east-1:${ACCOUNT}:rule/${name}`;
const QUEUE = `arn:aws:sqs:us-east-1:${ACCOUNT}:orders`;

const shopEvent = (id: string): string => {
  const members = { id, detailType: 'd', source: 'shop', account: ACCOUNT, time: instant(START), region: 'us-east-1' };
  return eventText({ ...members, resources: [], detail: '{}' });
};

async function setUp() {
  let now = START;
  const store = await openSqlite(':memory:', { now: () => now });
  const reports: string[] = [];
  const counted: string[] = [];
  let id = 0;
  let losses = 0;
  /** Returns the router of another server on the store. */
  const router = () =>
    eventRouter({
      now: () => instant(now),
      newId: () => `id-${++id}`,
      decideRole: async () => 'allowed',
      lost: (count) => void (losses += count),
      metrics: { count: (metric, { ruleName }) => void counted.push(`${metric} ${ruleName}`) },
      report: (line) => reports.push(line),
    });
  await store.transaction((tx) =>
    tx.of(eventBuses).addBus({
      ...BUS,
      tags: [],
      createdAt: instant(START),
      modifiedAt: instant(START),
      version: 1,
      rules: 0,
      archives: 0,
      patternsCost: 0,
    }),
  );
  return {
    store,
    reports,
    losses: () => losses,
    counted,
    router,
    setTime(to: number) {
      now = to;
    },
    rule: (name: string, more: Partial<RuleRecord>, ...targets: readonly Target[]) =>
      store.transaction(async (tx) => {
        const key = { ...BUS, ruleName: name };
        await tx.of(eventBuses).putRule({ ...key, state: 'ENABLED', tags: [], createdAt: instant(START), cost: 0, ...more });
        for (const target of targets) await tx.of(eventBuses).putTarget({ ...key, targetId: target.Id, targetArn: target.Arn, target });
        await tx.of(eventBuses).touch(key, { rules: 1 });
      }),
    event: (detail: string, replay?: ReplayOf) =>
      store.transaction((tx) => {
        const members = { id: 'event', detailType: 'd', source: 'shop', account: ACCOUNT, time: instant(START), region: 'us-east-1' };
        const event = eventText({ ...members, resources: [], detail });
        return tx.of(busEvents).append({ ...BUS, event, at: instant(START), ...(replay !== undefined && { replay }) });
      }),
    /** Adds the bus of another account, with a rule. */
    setUpOther: () =>
      store.transaction(async (tx) => {
        const bus = { ...BUS, accountId: OTHER };
        const at = instant(START);
        await tx
          .of(eventBuses)
          .addBus({ ...bus, tags: [], createdAt: at, modifiedAt: at, version: 1, rules: 1, archives: 0, patternsCost: 0 });
        const key = { ...bus, ruleName: 'r' };
        const eventPattern = '{"source":["shop"]}';
        await tx.of(eventBuses).putRule({ ...key, state: 'ENABLED', eventPattern, tags: [], createdAt: at, cost: 0 });
        await tx.of(eventBuses).putTarget({ ...key, targetId: 'q', targetArn: QUEUE, target: { Id: 'q', Arn: QUEUE } });
      }),
    step: (source: ReturnType<typeof router>) => source.step((work) => store.transaction(work)),
    messages: () => store.transaction((tx) => OUTGOING.page(tx.sql, [], [0], 100)),
  };
}

test('event router: a schedule fires once per time on several servers, and once after several missed times', async () => {
  const { store, router, rule, step, setTime, messages } = await setUp();
  const scheduled = { scheduleExpression: 'rate(1 minute)', scheduleAt: instant(START + MINUTE_MS) };
  await rule('tick', scheduled, { Id: 'q', Arn: QUEUE });
  const [first, second] = [router(), router()];
  for (const [minutes, count] of [
    [0, 0],
    [1, 1],
    [1.5, 1],
    [2, 2],
    [60, 3],
    [60.5, 3],
  ] as const) {
    setTime(START + minutes * MINUTE_MS);
    for (const server of [first, second]) await step(server);
    assert.equal((await messages()).length, count, `after ${minutes} minutes`);
  }
  const { time, source, 'detail-type': type, resources, detail } = JSON.parse((await messages())[0]?.body ?? '');
  assert.deepEqual(
    [time, source, type, resources, detail],
    [new Date(START + MINUTE_MS).toISOString().replace('.000Z', 'Z'), 'aws.events', 'Scheduled Event', [ruleArn('tick')], {}],
  );
  await store.close();
});

test('event router: a replay reaches only the rules that it names', async () => {
  const { store, router, rule, event, step, messages } = await setUp();
  const eventPattern = '{"source":["shop"]}';
  await rule('one', { eventPattern }, { Id: 'q', Arn: `${QUEUE}-one` });
  await rule('two', { eventPattern }, { Id: 'q', Arn: `${QUEUE}-two` });
  await event('{}', { replayName: 'again', ruleArns: [ruleArn('two')] });
  await event('{}');
  await step(router());
  assert.deepEqual(
    (await messages()).map(({ target }) => 'arn' in target && target.arn.replace(/^.*-/, '')),
    ['two', 'one', 'two'],
  );
  assert.equal(await store.transaction((tx) => tx.of(busEvents).nextAccount('')), undefined);
  await store.close();
});

// biome-ignore format: a table
const TARGETS: readonly [title: string, target: Partial<Target>, expected: Readonly<Record<string, unknown>>][] = [
  ['the default retry policy',     {},                                                                               { maximumAttempts: 186, expiresAt: START + 86_400_000 as Instant }],
  ['a retry policy',               { RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 } },       { maximumAttempts: 1, expiresAt: START + 60_000 as Instant }],
  ['a dead-letter queue',          { DeadLetterConfig: { Arn: `${QUEUE}-dead` } },                                   { deadLetter: { arn: `${QUEUE}-dead`, attributes: { RULE_ARN: ruleArn('r'), TARGET_ARN: QUEUE } } }],
  ['a group of messages',          { SqsParameters: { MessageGroupId: 'g' } },                                       { target: { kind: 'sqs', arn: QUEUE, MessageGroupId: 'g' } }],
  ['an input',                     { Input: '{"a":1}' },                                                             { body: '{"a":1}' }],
  ['a stream by a path',           { Arn: 'arn:aws:kinesis:us-east-1:111122223333:stream/s', KinesisParameters: { PartitionKeyPath: '$.detail.user' } }, { target: { kind: 'kinesis', arn: 'arn:aws:kinesis:us-east-1:111122223333:stream/s', PartitionKey: 'ada' } }],
  ['a stream without a path',      { Arn: 'arn:aws:kinesis:us-east-1:111122223333:stream/s' },                       { target: { kind: 'kinesis', arn: 'arn:aws:kinesis:us-east-1:111122223333:stream/s', PartitionKey: 'event' } }],
];

for (const [title, target, expected] of TARGETS) {
  test(`event router: ${title} becomes part of the message`, async () => {
    const { store, router, rule, event, step, messages } = await setUp();
    await rule('r', { eventPattern: '{"source":["shop"]}' }, { Id: 'q', Arn: QUEUE, ...target });
    await event('{"user":"ada"}');
    await step(router());
    const [message] = (await messages()) as readonly Readonly<Record<string, unknown>>[];
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, message?.[name]])), expected);
    await store.close();
  });
}

test('event router: an event that many targets pass to a bus with many targets costs a limited number of messages', async () => {
  const { store, router, rule, event, step, reports } = await setUp();
  const eventPattern = '{"source":["shop"]}';
  const bus = `arn:aws:events:us-east-1:${ACCOUNT}:event-bus/default`;
  const five = (arn: string) => [1, 2, 3, 4, 5].map((n) => ({ Id: `t${n}`, Arn: arn }));
  for (let i = 0; i < 30; i++) await rule(`pass-${i}`, { eventPattern }, ...five(bus));
  await rule('queue', { eventPattern }, { Id: 'q', Arn: QUEUE });
  await event('{}');
  await step(router());
  const { rows } = await store.transaction(async (tx) => ({ rows: await OUTGOING.page(tx.sql, [], [0], 10_000) }));
  assert.equal(rows.length, 100, 'one for each pass; the event ends at the limit of passes');
  assert.match(reports.join(), /the event has too many targets/);
  assert.doesNotMatch(reports.join(), /others/);
  await store.close();
});

test('event router: metrics count the rules that match, and what becomes of an event that is passed on', async () => {
  const { store, router, rule, event, step, counted } = await setUp();
  const eventPattern = '{"source":["shop"]}';
  const bus = (name: string) => `arn:aws:events:us-east-1:${ACCOUNT}:event-bus/${name}`;
  await rule('loop', { eventPattern }, { Id: 'b', Arn: bus('default') });
  await rule('none', { eventPattern }, { Id: 'b', Arn: bus('none') });
  await rule('other', { eventPattern: '{"source":["other"]}' }, { Id: 'q', Arn: QUEUE });
  await event('{}');
  await step(router());
  const matched = (name: string) => [`MatchedEvents ${name}`, `TriggeredRules ${name}`];
  const ofPass = [...matched('loop'), 'DeadLetterInvocations loop', ...matched('none'), 'DeadLetterInvocations none'];
  assert.deepEqual(counted, [
    ...[...matched('loop'), 'Invocations loop', ...ofPass],
    ...[...matched('none'), 'Invocations none', 'FailedInvocations none'],
  ]);
  await store.close();
});

test('event router: a bus of the same account needs no policy, but a denial of its policy makes a dead letter', async () => {
  const { store, router, rule, event, step, messages } = await setUp();
  const target = { ...BUS, busName: 'orders' };
  const arn = `arn:aws:events:us-east-1:${ACCOUNT}:event-bus/orders`;
  const at = instant(START);
  await store.transaction((tx) =>
    tx.of(eventBuses).addBus({ ...target, tags: [], createdAt: at, modifiedAt: at, version: 1, rules: 0, archives: 0, patternsCost: 0 }),
  );
  const eventPattern = '{"source":["shop"]}';
  await rule('r', { eventPattern }, { Id: 'b', Arn: arn, DeadLetterConfig: { Arn: `${QUEUE}-dead` } });
  const setPolicy = (statement: object) =>
    store.transaction(async (tx) => {
      const bus = await tx.of(eventBuses).bus(target);
      assert.ok(bus !== undefined);
      const policy = JSON.stringify({ Version: '2012-10-17', Statement: { Resource: arn, Action: 'events:PutEvents', ...statement } });
      await tx.of(eventBuses).putBus({ ...bus, policy: { policy, principals: {} } });
    });
  const source = router();
  const letters = async () => {
    await event('{}');
    await step(source);
    return (await messages()).length;
  };
  assert.equal(await letters(), 0, 'without a policy');
  await setPolicy({ Effect: 'Allow', Principal: { AWS: '444455556666' } });
  assert.equal(await letters(), 0, 'a policy for others');
  await setPolicy({ Effect: 'Deny', Principal: '*', Condition: { StringEquals: { 'events:source': 'other' } } });
  assert.equal(await letters(), 0, 'a denial of other events');
  await setPolicy({ Effect: 'Deny', Principal: '*', Condition: { StringEquals: { 'events:source': 'shop' } } });
  assert.equal(await letters(), 1, 'a denial');
  await store.close();
});

test('event router: a transformed input that is too large, without a dead-letter queue, is reported as lost', async () => {
  const { store, router, rule, event, step, messages, reports, losses } = await setUp();
  const InputTransformer = { InputPathsMap: { d: '$.detail' }, InputTemplate: `[${Array(9).fill('<d>').join()}]` };
  await rule('r', { eventPattern: '{"source":["shop"]}' }, { Id: 'q', Arn: QUEUE, InputTransformer });
  await event(JSON.stringify({ a: 'x'.repeat(2 ** 17) }));
  await step(router());
  assert.deepEqual(await messages(), []);
  assert.match(reports.join(), /lost an event of the rule .* because the transformed input is too large/);
  assert.equal(losses(), 1);
  await store.close();
});

test('event router: accounts with waiting events take turns, so a few events do not wait for many of another account', async () => {
  const { store, router, rule, step, messages, setUpOther } = await setUp();
  await rule('r', { eventPattern: '{"source":["shop"]}' }, { Id: 'q', Arn: QUEUE });
  await setUpOther();
  await store.transaction(async (tx) => {
    for (let n = 0; n < 300; n++) await tx.of(busEvents).append({ ...BUS, event: shopEvent(`${n}`), at: instant(START) });
    await tx.of(busEvents).append({ ...BUS, accountId: OTHER, event: shopEvent('other'), at: instant(START) });
  });
  const source = router();
  assert.equal(await step(source), 'more');
  const first = await messages();
  assert.ok(first.some(({ accountId }) => accountId === OTHER));
  assert.ok(first.length > 1 && first.length <= 51, `${first.length} messages`);
  await store.close();
});

test('event router: accounts with due schedules take turns, so one schedule does not wait for many of another account', async () => {
  const { store, router, rule, step, messages, setTime, setUpOther } = await setUp();
  await setUpOther();
  for (let n = 0; n < 60; n++) {
    const scheduled = { scheduleExpression: 'rate(1 hour)', scheduleAt: instant(START + 1_000) };
    await rule(`r${n}`, scheduled, { Id: 'q', Arn: QUEUE });
  }
  const scheduleAt = instant(START + 2_000);
  await rule('late', { accountId: OTHER, scheduleExpression: 'rate(1 hour)', scheduleAt });
  await store.transaction((tx) =>
    tx
      .of(eventBuses)
      .putTarget({ ...BUS, accountId: OTHER, ruleName: 'late', targetId: 'q', targetArn: QUEUE, target: { Id: 'q', Arn: QUEUE } }),
  );
  setTime(START + 3_000);
  assert.equal(await step(router()), 'more');
  const first = await messages();
  assert.deepEqual([first.length, first.filter(({ accountId }) => accountId === OTHER).length], [26, 1], 'each has half of the step');
  await store.close();
});

test('event router: more schedules than one read returns all fire once, in short transactions, and others among the first', async () => {
  const { store, router, step, reports, setTime, setUpOther, rule } = await setUp();
  await setUpOther();
  const COUNT = 5_100;
  const at = instant(START + 1_000);
  await store.transaction(async (tx) => {
    for (let n = 0; n < COUNT; n++) {
      const key = { ...BUS, ruleName: `r${n}` };
      const scheduled = { scheduleExpression: 'rate(1 hour)', scheduleAt: at };
      await tx.of(eventBuses).putRule({ ...key, ...scheduled, state: 'ENABLED', tags: [], createdAt: at, cost: 0 });
      await tx.of(eventBuses).putTarget({ ...key, targetId: 'q', targetArn: QUEUE, target: { Id: 'q', Arn: QUEUE } });
    }
  });
  await rule('late', { accountId: OTHER, scheduleExpression: 'rate(1 hour)', scheduleAt: at });
  await store.transaction((tx) =>
    tx
      .of(eventBuses)
      .putTarget({ ...BUS, accountId: OTHER, ruleName: 'late', targetId: 'q', targetArn: QUEUE, target: { Id: 'q', Arn: QUEUE } }),
  );
  setTime(START + 3_000);
  const source = router();
  const fired = new Map<string, number>();
  let most = 0;
  let firstOfOther = 0;
  for (let steps = 1, outcome = 'more'; outcome === 'more'; steps++) {
    outcome = await step(source);
    await store.transaction(async (tx) => {
      const sent = await OUTGOING.page(tx.sql, [], [0], 10_000);
      most = Math.max(most, sent.length);
      for (const { sender, accountId } of sent) {
        fired.set(sender.sourceArn, (fired.get(sender.sourceArn) ?? 0) + 1);
        if (accountId === OTHER) firstOfOther ||= steps;
      }
      await tx.sql.run('DELETE FROM outgoing', []);
    });
  }
  assert.deepEqual([fired.size, Math.max(...fired.values()), most, firstOfOther, reports], [COUNT + 1, 1, 50, 1, []]);
  await store.close();
});

test('event router: an account with too many waiting events is full until most of them are routed', async () => {
  const { store, router, rule, step, reports, setTime } = await setUp();
  await rule('r', { eventPattern: '{"source":["shop"]}' }, { Id: 'q', Arn: QUEUE });
  const uses = () => store.transaction((tx) => tx.of(eventBuses).uses(BUS));
  await store.transaction(async (tx) => {
    for (let n = 0; n < 150; n++) await tx.of(busEvents).append({ ...BUS, event: shopEvent(`${n}`), at: instant(START) });
    await tx.sql.run('UPDATE bus_event SET bytes = 4000000', []);
  });
  const source = router();
  await step(source);
  assert.equal((await uses())?.isFull, true);
  assert.match(reports.join(), /^\d+ events with \d+ bytes wait for the buses of account '111122223333'/);
  for (let n = 1; (await step(source)) === 'more'; n++) setTime(START + n * 1_000);
  setTime(START + 60_000);
  await step(source);
  assert.equal((await uses())?.isFull, false);
  assert.match(reports.join(), /the buses of account '111122223333' accept events again/);
  await store.close();
});
