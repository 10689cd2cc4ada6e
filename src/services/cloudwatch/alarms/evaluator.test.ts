import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { ACCOUNT, OTHER_ACCOUNT, START } from '../../kit/fixture.ts';
import { accountTurns } from './account-turns.ts';
import { evaluateAlarms } from './evaluator.ts';
import { ALARM, FUNCTION, openAlarms, TOPIC } from './fixture.ts';
import { alarms } from './tables/alarms.ts';

test('Evaluator: an alarm goes from INSUFFICIENT_DATA to ALARM and OK, with messages, history and events', async () => {
  const { run, put, evaluate, setSeconds, alarm, messages, events } = await openAlarms();
  await run('PutMetricAlarm', { ...ALARM, AlarmActions: [TOPIC, FUNCTION], OKActions: [TOPIC], AlarmDescription: 'load' });
  await put(21.5);
  setSeconds(60);
  await evaluate();
  const reason = 'Threshold Crossed: 1 datapoint [21.5 (22/11/26 00:00:00)] was greater than the threshold (10.0).';
  const raised = await alarm();
  assert.deepEqual([raised?.StateValue, raised?.StateReason], ['ALARM', reason]);
  const [sns, lambda, ...others] = (await messages()).toSorted((a, b) => (a.target.kind > b.target.kind ? -1 : 1));
  assert.equal(others.length, 0);
  assert.deepEqual(sns?.target, { kind: 'sns', arn: TOPIC, Subject: 'ALARM: "high" in US East (N. Virginia)' });
  assert.deepEqual(sns?.sender, {
    service: 'cloudwatch.amazonaws.com',
    sourceArn: 'arn:aws:cloudwatch:us-east-1:111122223333:alarm:high',
    sourceAccount: '111122223333',
  });
  assert.equal(
    sns?.body,
    `{"AlarmName":"high","AlarmDescription":"load","AWSAccountId":"111122223333","AlarmConfigurationUpdatedTimestamp":"2026-11-22T00:00:00.000+0000","NewStateValue":"ALARM","NewStateReason":"${reason}","StateChangeTime":"2026-11-22T00:01:00.000+0000","Region":"US East (N. Virginia)","AlarmArn":"arn:aws:cloudwatch:us-east-1:111122223333:alarm:high","OldStateValue":"INSUFFICIENT_DATA","OKActions":["${TOPIC}"],"AlarmActions":["${TOPIC}","${FUNCTION}"],"InsufficientDataActions":[],"Trigger":{"MetricName":"Load","Namespace":"Test","StatisticType":"Statistic","Statistic":"AVERAGE","Unit":null,"Dimensions":[],"Period":60,"EvaluationPeriods":1,"ComparisonOperator":"GreaterThanThreshold","Threshold":10.0,"TreatMissingData":"missing","EvaluateLowSampleCountPercentile":""}}`,
  );
  assert.deepEqual([lambda?.target, lambda?.sender.service], [{ kind: 'lambda', arn: FUNCTION }, 'lambda.alarms.cloudwatch.amazonaws.com']);
  const { alarmData, ...payload } = JSON.parse(lambda?.body ?? '');
  assert.deepEqual(payload, {
    source: 'aws.cloudwatch',
    alarmArn: 'arn:aws:cloudwatch:us-east-1:111122223333:alarm:high',
    accountId: '111122223333',
    time: '2026-11-22T00:01:00.000+0000',
    region: 'us-east-1',
  });
  const [metric] = alarmData.configuration.metrics;
  assert.match(metric.id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  const reasonData =
    '{"version":"1.0","queryDate":"2026-11-22T00:01:00.000+0000","startDate":"2026-11-22T00:00:00.000+0000","statistic":"Average","period":60,"recentDatapoints":[21.5],"threshold":10.0,"evaluatedDatapoints":[{"timestamp":"2026-11-22T00:00:00.000+0000","sampleCount":1.0,"value":21.5}]}';
  assert.deepEqual(alarmData, {
    alarmName: 'high',
    state: { value: 'ALARM', reason, reasonData, timestamp: '2026-11-22T00:01:00.000+0000' },
    previousState: { value: 'INSUFFICIENT_DATA', reason: 'Unchecked: Initial alarm creation', timestamp: '2026-11-22T00:00:00.000+0000' },
    configuration: {
      description: 'load',
      metrics: [
        {
          id: metric.id,
          metricStat: { metric: { namespace: 'Test', name: 'Load', dimensions: {} }, period: 60, stat: 'Average' },
          returnData: true,
        },
      ],
    },
  });
  assert.deepEqual(
    events.map(({ detailType, detail }) => [detailType, detail['operation']]),
    [
      ['CloudWatch Alarm Configuration Change', 'create'],
      ['CloudWatch Alarm State Change', undefined],
    ],
  );
  assert.deepEqual(events[1]?.detail, alarmData);

  await put(3);
  setSeconds(120);
  await evaluate();
  assert.equal((await alarm())?.StateValue, 'OK');
  const { AlarmHistoryItems = [] } = await run('DescribeAlarmHistory', { AlarmName: 'high' });
  assert.deepEqual(
    AlarmHistoryItems.map(({ HistorySummary }) => HistorySummary),
    ['Alarm updated from ALARM to OK', 'Alarm updated from INSUFFICIENT_DATA to ALARM', 'Alarm "high" created'],
  );
  assert.equal(
    AlarmHistoryItems[1]?.HistoryData,
    `{"version":"1.0","oldState":{"stateValue":"INSUFFICIENT_DATA","stateReason":"Unchecked: Initial alarm creation"},"newState":{"stateValue":"ALARM","stateReason":"${reason}","stateReasonData":${reasonData}}}`,
  );
  assert.equal((await messages()).length, 3);
});

test('Evaluator: an alarm without enough points stays in its state, and sends nothing', async () => {
  const { run, evaluate, setSeconds, alarm, messages } = await openAlarms();
  await run('PutMetricAlarm', { ...ALARM, InsufficientDataActions: [TOPIC] });
  for (const seconds of [60, 120, 180]) {
    setSeconds(seconds);
    await evaluate();
  }
  assert.deepEqual([(await alarm())?.StateReason, await messages()], ['Unchecked: Initial alarm creation', []]);
});

test('Evaluator: disabled actions are not run, but the state changes', async () => {
  const { run, put, evaluate, setSeconds, alarm, messages } = await openAlarms();
  await run('PutMetricAlarm', { ...ALARM, AlarmActions: [TOPIC], ActionsEnabled: false });
  await put(20);
  setSeconds(60);
  await evaluate();
  assert.deepEqual([(await alarm())?.StateValue, await messages()], ['ALARM', []]);
});

test('Evaluator: an alarm is evaluated each minute, and each 10 seconds with a shorter period', async () => {
  const { run, store, evaluate, setSeconds, put, alarm } = await openAlarms();
  await run('PutMetricAlarm', ALARM);
  await run('PutMetricAlarm', { ...ALARM, AlarmName: 'fast', Period: 10 });
  setSeconds(5);
  await evaluate();
  await run('PutMetricData', { Namespace: 'Test', MetricData: [{ MetricName: 'Load', Value: 20, StorageResolution: 1 }] });
  await put(20);
  setSeconds(10);
  await evaluate();
  assert.deepEqual([(await alarm('fast'))?.StateValue, (await alarm())?.StateValue], ['ALARM', 'INSUFFICIENT_DATA']);
  const due = await store.transaction((tx) => tx.of(alarms).due(ACCOUNT, instant(START + 60_000), 10));
  assert.deepEqual(
    due.map(({ name, dueAt = 0 }) => [name, dueAt - START]),
    [
      ['fast', 20_000],
      ['high', 60_000],
    ],
  );
});

test('Evaluator: a window of several minutes slides each minute', async () => {
  const { run, put, evaluate, setSeconds, alarm } = await openAlarms();
  await run('PutMetricAlarm', { ...ALARM, Statistic: 'Sum', Period: 300, Threshold: 25 });
  setSeconds(230);
  await put(10);
  setSeconds(420);
  await put(20);
  setSeconds(480);
  await evaluate();
  // From 00:03 to 00:08.
  assert.equal(
    (await alarm())?.StateReason,
    'Threshold Crossed: 1 datapoint [30.0 (22/11/26 00:03:00)] was greater than the threshold (25.0).',
  );
});

test('Evaluator: an alarm on an expression has its series as points', async () => {
  const { run, put, evaluate, setSeconds, alarm } = await openAlarms();
  const metric = (MetricName: string) => ({ Metric: { Namespace: 'Test', MetricName }, Period: 60, Stat: 'Sum' });
  const { Namespace: _, MetricName: __, Statistic: ___, Period: ____, ...rules } = ALARM;
  const Metrics = [
    { Id: 'a', MetricStat: metric('Errors'), ReturnData: false },
    { Id: 'b', MetricStat: metric('Calls'), ReturnData: false },
    { Id: 'rate', Expression: '100 * a / b', Label: 'rate' },
  ];
  await run('PutMetricAlarm', { ...rules, Metrics });
  await put(3, 'Errors');
  await put(20, 'Calls');
  setSeconds(60);
  await evaluate();
  assert.equal(
    (await alarm())?.StateReason,
    'Threshold Crossed: 1 datapoint [15.0 (22/11/26 00:00:00)] was greater than the threshold (10.0).',
  );
});

test('Evaluator: one step evaluates at most 20 alarms', async () => {
  const { run, evaluate, setSeconds, alarm } = await openAlarms();
  for (let i = 0; i < 45; i++) await run('PutMetricAlarm', { ...ALARM, AlarmName: `a${i}`, TreatMissingData: 'breaching' });
  setSeconds(60);
  assert.equal(await evaluate(), 4);
  assert.deepEqual([(await alarm('a0'))?.StateValue, (await alarm('a44'))?.StateValue, await evaluate()], ['ALARM', 'ALARM', 1]);
});

test('Evaluator: accounts take turns, so an alarm does not wait for many of another account', async () => {
  const { run, evaluate, setSeconds, store } = await openAlarms();
  for (let i = 0; i < 60; i++) await run('PutMetricAlarm', { ...ALARM, AlarmName: `a${i}`, TreatMissingData: 'breaching' });
  setSeconds(1);
  await run('PutMetricAlarm', { ...ALARM, TreatMissingData: 'breaching' }, { accountId: OTHER_ACCOUNT });
  setSeconds(60);
  const key = { accountId: OTHER_ACCOUNT, region: 'us-east-1', name: 'high' };
  const states: (string | undefined)[] = [];
  const step = evaluateAlarms();
  await evaluate(async (transact) => {
    const outcome = await step(transact);
    states.push((await store.transaction((tx) => tx.of(alarms).get(key)))?.state);
    return outcome;
  });
  assert.equal(states.indexOf('ALARM'), 1, 'the second step evaluates the alarm of the other account');
  await store.close();
});

test('Evaluator: an account whose alarms read many points misses turns while others have due alarms', async () => {
  const { run, store, now } = await openAlarms();
  await run('PutMetricAlarm', ALARM);
  const turns = accountTurns(100);
  const next = async (count: number) => {
    const accounts: (string | undefined)[] = [];
    for (let i = 0; i < count; i++) accounts.push(await store.transaction((tx) => turns.next(tx, now())));
    return accounts;
  };
  turns.used(ACCOUNT, 100_000);
  assert.deepEqual(await next(2), [ACCOUNT, ACCOUNT], 'the only account misses no turn');
  await run('PutMetricAlarm', ALARM, { accountId: OTHER_ACCOUNT });
  turns.used(ACCOUNT, 400);
  assert.deepEqual(await next(6), [OTHER_ACCOUNT, OTHER_ACCOUNT, OTHER_ACCOUNT, OTHER_ACCOUNT, ACCOUNT, OTHER_ACCOUNT]);
  turns.used(ACCOUNT, 1_100);
  turns.used(OTHER_ACCOUNT, 300);
  assert.deepEqual((await next(4)).slice(0, 3), [OTHER_ACCOUNT, OTHER_ACCOUNT, OTHER_ACCOUNT], 'the smaller debt first');
  await store.close();
});

test('Evaluator: one server at a time evaluates, until it stops for 30 seconds', async () => {
  const { run, evaluate, setSeconds, alarm } = await openAlarms();
  const other = evaluateAlarms();
  await run('PutMetricAlarm', { ...ALARM, AlarmName: 'first' });
  await evaluate();
  setSeconds(5);
  await run('PutMetricAlarm', { ...ALARM, TreatMissingData: 'breaching' });
  assert.equal(await evaluate(other), 1);
  assert.equal((await alarm())?.StateValue, 'INSUFFICIENT_DATA');
  setSeconds(31);
  await evaluate(other);
  assert.equal((await alarm())?.StateValue, 'ALARM');
});

test('Evaluator: an alarm that changes during its evaluation keeps the change, and is evaluated again', async () => {
  const { run, put, evaluate, setSeconds, alarm, store } = await openAlarms();
  await run('PutMetricAlarm', ALARM);
  await put(21.5);
  setSeconds(60);
  let transactions = 0;
  const step = evaluateAlarms();
  await evaluate(async (transact) => {
    const outcome = await step(async (work) => {
      // The first transaction reads the due alarms, and the second one their points.
      if (++transactions === 2) await run('PutMetricAlarm', { ...ALARM, Threshold: 50 });
      return transact(work);
    });
    return outcome;
  });
  const { StateValue, Threshold } = (await alarm()) as { StateValue?: string; Threshold?: number };
  assert.deepEqual([StateValue, Threshold], ['OK', 50]);
  await store.close();
});

test('Evaluator: SetAlarmState runs actions, and the next evaluation returns to the actual state', async () => {
  const { run, put, evaluate, setSeconds, alarm, messages } = await openAlarms();
  await run('PutMetricAlarm', { ...ALARM, AlarmActions: [TOPIC] });
  await put(1);
  setSeconds(60);
  await evaluate();
  await run('SetAlarmState', { AlarmName: 'high', StateValue: 'ALARM', StateReason: 'drill', StateReasonData: '{"a":1}' });
  assert.deepEqual([(await alarm())?.StateReason, (await alarm())?.StateReasonData, (await messages()).length], ['drill', '{"a":1}', 1]);
  setSeconds(90);
  await run('SetAlarmState', { AlarmName: 'high', StateValue: 'ALARM', StateReason: 'drill 2' });
  assert.deepEqual([(await alarm())?.StateReason, (await alarm())?.StateReasonData, (await messages()).length], ['drill 2', undefined, 1]);
  setSeconds(130);
  await evaluate();
  assert.equal((await alarm())?.StateValue, 'OK');
});

test('Evaluator: a composite alarm follows its children, also through another composite alarm', async () => {
  const { run, put, evaluate, setSeconds, alarm, messages } = await openAlarms();
  await run('PutMetricAlarm', ALARM);
  await run('PutMetricAlarm', { ...ALARM, AlarmName: 'other', MetricName: 'Other' });
  await run('PutCompositeAlarm', { AlarmName: 'either', AlarmRule: 'ALARM(high) OR ALARM("other")', AlarmActions: [TOPIC] });
  await run('PutCompositeAlarm', { AlarmName: 'top', AlarmRule: 'ALARM(arn:aws:cloudwatch:us-east-1:111122223333:alarm:either)' });
  await evaluate();
  const arn = 'arn:aws:cloudwatch:us-east-1:111122223333:alarm';
  assert.deepEqual(
    [(await alarm('either'))?.StateValue, (await alarm('either'))?.StateReason],
    ['OK', `${arn}:either was created and its alarm rule evaluates to OK`],
  );
  await put(20);
  setSeconds(60);
  await evaluate();
  const either = await alarm('either');
  assert.deepEqual(
    [either?.StateValue, either?.StateReason],
    ['ALARM', `${arn}:high transitioned to ALARM at Sunday 22 November, 2026 00:01:00 UTC`],
  );
  assert.equal(
    either?.StateReasonData,
    `{"triggeringAlarms":[{"arn":"${arn}:high","state":{"value":"ALARM","timestamp":"2026-11-22T00:01:00.000+0000"}}]}`,
  );
  assert.equal((await alarm('top'))?.StateReason, `${arn}:either transitioned to ALARM at Sunday 22 November, 2026 00:01:00 UTC`);
  const [message, ...others] = await messages();
  assert.equal(others.length, 0);
  const { AlarmRule, TriggeringChildren, Trigger } = JSON.parse(message?.body ?? '');
  assert.deepEqual(
    [AlarmRule, TriggeringChildren, Trigger],
    [
      'ALARM(high) OR ALARM("other")',
      [{ Arn: `${arn}:high`, State: { Value: 'ALARM', Timestamp: '2026-11-22T00:01:00.000+0000' } }],
      undefined,
    ],
  );
});

test('Evaluator: a percentile alarm that ignores few samples keeps its state', async () => {
  const { run, evaluate, setSeconds, alarm } = await openAlarms();
  const { Statistic: _, ...rules } = ALARM;
  const percentile = { ...rules, ExtendedStatistic: 'p90' };
  await run('PutMetricAlarm', { ...percentile, EvaluateLowSampleCountPercentile: 'ignore' });
  await run('PutMetricAlarm', { ...percentile, AlarmName: 'any' });
  await run('PutMetricData', { Namespace: 'Test', MetricData: [{ MetricName: 'Load', Values: [20], Counts: [99] }] });
  setSeconds(60);
  await evaluate();
  assert.deepEqual([(await alarm())?.StateValue, (await alarm('any'))?.StateValue], ['INSUFFICIENT_DATA', 'ALARM']);
  await run('PutMetricData', { Namespace: 'Test', MetricData: [{ MetricName: 'Load', Values: [20], Counts: [101] }] });
  setSeconds(120);
  await evaluate();
  assert.equal((await alarm())?.StateValue, 'ALARM');
});
