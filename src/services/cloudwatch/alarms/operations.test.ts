import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CloudwatchApi, MetricDataQuery, PutMetricAlarmInput } from '#model/generated/cloudwatch.ts';
import { workFor } from '../../kit/fixture.ts';
import { ALARM, FUNCTION, openAlarms, TOPIC } from './fixture.ts';
import { forgetHistory } from './history-entries.ts';

const ARN = 'arn:aws:cloudwatch:us-east-1:111122223333:alarm';

test('PutMetricAlarm: the alarm is described with its configuration and initial state', async () => {
  const { run, alarm, now } = await openAlarms();
  await run('PutMetricAlarm', { ...ALARM, Tags: [{ Key: 'team', Value: 'ops' }], TreatMissingData: 'ignore' });
  const { AlarmName: _, ...configuration } = ALARM;
  assert.deepEqual(await alarm(), {
    ...configuration,
    TreatMissingData: 'ignore',
    AlarmName: 'high',
    AlarmArn: `${ARN}:high`,
    AlarmConfigurationUpdatedTimestamp: now(),
    ActionsEnabled: true,
    Dimensions: [],
    OKActions: [],
    AlarmActions: [],
    InsufficientDataActions: [],
    StateValue: 'INSUFFICIENT_DATA',
    StateReason: 'Unchecked: Initial alarm creation',
    StateUpdatedTimestamp: now(),
    StateTransitionedTimestamp: now(),
  });
  assert.deepEqual(await run('ListTagsForResource', { ResourceARN: `${ARN}:high` }), { Tags: [{ Key: 'team', Value: 'ops' }] });
});

test('PutMetricAlarm: a change replaces the configuration and keeps state and tags', async () => {
  const { run, alarm, setSeconds, events } = await openAlarms();
  await run('PutMetricAlarm', { ...ALARM, AlarmDescription: 'old', Tags: [{ Key: 'team', Value: 'ops' }] });
  await run('SetAlarmState', { AlarmName: 'high', StateValue: 'OK', StateReason: 'drill' });
  setSeconds(1);
  await run('PutMetricAlarm', { ...ALARM, Threshold: 5, Tags: [{ Key: 'team', Value: 'dev' }] });
  const changed = await alarm();
  assert.deepEqual([changed?.StateReason, changed?.AlarmDescription], ['drill', undefined]);
  assert.deepEqual(await run('ListTagsForResource', { ResourceARN: `${ARN}:high` }), { Tags: [{ Key: 'team', Value: 'ops' }] });
  const { AlarmHistoryItems = [] } = await run('DescribeAlarmHistory', { HistoryItemType: 'ConfigurationUpdate' });
  assert.deepEqual(
    AlarmHistoryItems.map(({ HistorySummary }) => HistorySummary),
    ['Alarm "high" updated', 'Alarm "high" created'],
  );
  assert.equal(
    AlarmHistoryItems[0]?.HistoryData,
    `{"version":"1.0","type":"Update","updatedAlarm":{"alarmName":"high","alarmArn":"${ARN}:high","alarmConfigurationUpdatedTimestamp":"2026-11-22T00:00:01.000+0000","namespace":"Test","metricName":"Load","statistic":"Average","period":60,"dimensions":[],"threshold":5.0,"comparisonOperator":"GreaterThanThreshold","evaluationPeriods":1,"stateValue":"OK","stateUpdatedTimestamp":"2026-11-22T00:00:00.000+0000","actionsEnabled":true,"alarmActions":[],"insufficientDataActions":[],"okactions":[]}}`,
  );
  const { configuration, previousConfiguration, operation } = (events.at(-1)?.detail ?? {}) as Record<string, { threshold: number }>;
  assert.deepEqual([operation, configuration?.threshold, previousConfiguration?.threshold], ['update', 5, 10]);
});

const metric = (Id: string, ReturnData: boolean): MetricDataQuery => ({
  Id,
  MetricStat: { Metric: { Namespace: 'Test', MetricName: Id }, Period: 60, Stat: 'Sum' },
  ReturnData,
});
const { Namespace: _n, MetricName: _m, Statistic: _s, Period: _p, ...RULES } = ALARM;
const math = (...Metrics: MetricDataQuery[]): PutMetricAlarmInput => ({ ...RULES, Metrics });
const nullValue = (member: string) =>
  `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`;
const without = (member: keyof PutMetricAlarmInput): PutMetricAlarmInput => ({ ...ALARM, [member]: undefined });

// biome-ignore format: a table
const INVALID: readonly [title: string, input: PutMetricAlarmInput, message: string | RegExp][] = [
  ['without ComparisonOperator',       without('ComparisonOperator'),                                     nullValue('comparisonOperator')],
  ['without EvaluationPeriods',        without('EvaluationPeriods'),                                      nullValue('evaluationPeriods')],
  ['without Threshold',                without('Threshold'),                                              nullValue('threshold')],
  ['without MetricName',               without('MetricName'),                                             nullValue('metricName')],
  ['without Namespace',                without('Namespace'),                                              nullValue('namespace')],
  ['without Period',                   without('Period'),                                                 nullValue('period')],
  ['without a statistic',              without('Statistic'),                                              'Exactly one of Statistic and ExtendedStatistic must be specified.'],
  ['with two statistics',              { ...ALARM, ExtendedStatistic: 'p90' },                            'Exactly one of Statistic and ExtendedStatistic must be specified.'],
  ['with a wrong ExtendedStatistic',   { ...without('Statistic'), ExtendedStatistic: 'p101' },            'The value p101 is not supported for ExtendedStatistic parameter.'],
  ['with a period of 45 seconds',      { ...ALARM, Period: 45 },                                          'Period must be 10, 30 or a multiple of 60'],
  ['with a range over a day',          { ...ALARM, Period: 60, EvaluationPeriods: 1441 },                 'Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).'],
  ['with a range over a week',         { ...ALARM, Period: 3600, EvaluationPeriods: 169 },                'Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800).'],
  ['with M above N',                   { ...ALARM, DatapointsToAlarm: 2 },                                'DatapointsToAlarm (2) must be at most EvaluationPeriods (1).'],
  ['with a wrong TreatMissingData',    { ...ALARM, TreatMissingData: 'notbreaching' },                    'The value notbreaching is not supported for TreatMissingData parameter. Supported values are [breaching, notBreaching, ignore, missing].'],
  ['with a band',                      { ...ALARM, ComparisonOperator: 'GreaterThanUpperThreshold' },     /does not have anomaly detection/],
  ['with ThresholdMetricId',           { ...ALARM, ThresholdMetricId: 'ad' },                             /does not have anomaly detection/],
  ['with a WallClockWindow',           { ...ALARM, EvaluationWindow: { WallClockWindow: {} } },           /does not support a WallClockWindow/],
  ['with a repeated dimension',        { ...ALARM, Dimensions: [{ Name: 'a', Value: '1' }, { Name: 'a', Value: '2' }] }, 'The names of Dimensions must be unique.'],
  ['with an action that is not an ARN',{ ...ALARM, OKActions: ['mail'] },                                 'Invalid arn syntax: mail'],
  ['with an action of EC2',            { ...ALARM, AlarmActions: ['arn:aws:automate:us-east-1:ec2:stop'] }, /^The action 'arn:aws:automate:us-east-1:ec2:stop' is not supported\./],
  ['with an action elsewhere',         { ...ALARM, AlarmActions: [TOPIC.replace('us-east-1', 'eu-west-1')] }, 'Invalid region eu-west-1 specified. Only us-east-1 is supported.'],
  ['with a control character',         { ...ALARM, AlarmName: 'a\u0007' },                                'AlarmName must not contain ASCII control characters.'],
  ['with Metrics and MetricName',      { ...ALARM, Metrics: [metric('a', true)] },                        'The parameters Metrics and MetricName are mutually exclusive and you have specified both.'],
  ['that watches no query',            math(metric('a', false)),                                          'Exactly one element of the metrics list should return data.'],
  ['that watches two queries',         math(metric('a', true), metric('b', true)),                        'Exactly one element of the metrics list should return data.'],
  ['with 11 metrics',                  math(...Array.from({ length: 11 }, (_, i) => metric(`m${i}`, i === 0))), 'An alarm must have 1 to 10 metrics.'],
  ['with a wrong expression',          math(metric('a', false), { Id: 'e', Expression: 'a + ' }),         /^Error in expression 'e':/],
  ['with a number as expression',      math(metric('a', false), { Id: 'e', Expression: '1 + 1' }),        /must be a time series/],
  ['with two series',                  math(metric('a', false), metric('b', false), { Id: 'e', Expression: 'METRICS()' }), 'The expression of an alarm must return exactly one time series.'],
  ['with SEARCH',                      math(metric('a', false), { Id: 'e', Expression: "SUM(SEARCH('{Test}', 'Sum', 60))" }), 'SEARCH is not supported in alarms.'],
];

for (const [title, input, message] of INVALID) {
  test(`PutMetricAlarm: an alarm ${title} is ValidationException, and nothing is stored`, async () => {
    const { run, alarm } = await openAlarms();
    await assert.rejects(run('PutMetricAlarm', input), { code: 'ValidationException', message });
    assert.equal(await alarm(input.AlarmName), undefined);
  });
}

test('PutMetricAlarm: the longest ranges and all kinds of actions are accepted', async () => {
  const { run } = await openAlarms();
  await run('PutMetricAlarm', { ...ALARM, EvaluationPeriods: 1440, DatapointsToAlarm: 1440 });
  await run('PutMetricAlarm', { ...ALARM, Period: 10, EvaluationPeriods: 8640 });
  await run('PutMetricAlarm', {
    ...ALARM,
    Period: 3600,
    EvaluationPeriods: 168,
    AlarmActions: [TOPIC, `${TOPIC}.fifo`, FUNCTION, `${FUNCTION}:live`],
  });
});

type CompositeInput = CloudwatchApi['PutCompositeAlarm']['input'];

// biome-ignore format: a table
const INVALID_COMPOSITE: readonly [title: string, input: Partial<CompositeInput>, message: string | RegExp][] = [
  ['with unknown alarms',     { AlarmRule: 'ALARM(gone) OR ALARM(high) OR OK(arn:aws:cloudwatch:eu-west-1:111122223333:alarm:high)' }, 'Could not save the composite alarm as alarms [gone, arn:aws:cloudwatch:eu-west-1:111122223333:alarm:high] in the alarm rule do not exist'],
  ['that names itself',       { AlarmRule: 'ALARM(new)' },                               "The rule of the composite alarm 'new' names this alarm."],
  ['with a space in front',   { AlarmRule: ' TRUE' },                                    'AlarmRule must not contain leading or trailing whitespace or be null'],
  ['with a wrong rule',       { AlarmRule: 'ALARM(high) AND' },                          'Invalid AlarmRule: unexpected end of the rule.'],
  ['with a suppressor',       { ActionsSuppressor: 'high', ActionsSuppressorWaitPeriod: 1 }, 'Belfry does not support ActionsSuppressor.'],
  ['with the name of a metric alarm', { AlarmName: 'high' },                             "An alarm of another type has the name 'high'."],
  ['that closes a cycle',     { AlarmName: 'bottom', AlarmRule: 'ALARM(top)' },          "The rule of the composite alarm 'bottom' names 'middle', which depends on this alarm."],
];

for (const [title, input, message] of INVALID_COMPOSITE) {
  test(`PutCompositeAlarm: an alarm ${title} is ValidationException`, async () => {
    const { run } = await openAlarms();
    await run('PutMetricAlarm', ALARM);
    await run('PutCompositeAlarm', { AlarmName: 'bottom', AlarmRule: 'ALARM(high)' });
    await run('PutCompositeAlarm', { AlarmName: 'middle', AlarmRule: 'OK(bottom)' });
    await run('PutCompositeAlarm', { AlarmName: 'top', AlarmRule: 'ALARM(high) OR NOT ALARM(middle)' });
    await assert.rejects(run('PutCompositeAlarm', { AlarmName: 'new', AlarmRule: 'TRUE', ...input }), {
      code: 'ValidationException',
      message,
    });
  });
}

async function openFamily() {
  const opened = await openAlarms();
  const { run } = opened;
  for (const name of ['a', 'ab', 'abc', 'b'])
    await run('PutMetricAlarm', { ...ALARM, AlarmName: name, OKActions: name === 'b' ? [TOPIC] : [] });
  await run('PutCompositeAlarm', { AlarmName: 'both', AlarmRule: 'ALARM(a) AND ALARM(b)' });
  await run('SetAlarmState', { AlarmName: 'ab', StateValue: 'OK', StateReason: 'drill' });
  return opened;
}

// biome-ignore format: a table
const FILTERS: readonly [title: string, input: CloudwatchApi['DescribeAlarms']['input'], names: readonly string[]][] = [
  ['no filter',             {},                                                          ['a', 'ab', 'abc', 'b']],
  ['names',                 { AlarmNames: ['b', 'gone', 'a', 'a', 'n\0'] },              ['a', 'b']],
  ['a prefix',              { AlarmNamePrefix: 'ab' },                                   ['ab', 'abc']],
  ['an unknown prefix',     { AlarmNamePrefix: 'abcd' },                                 []],
  ['both types',            { AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] },           ['both', 'a', 'ab', 'abc', 'b']],
  ['composite alarms',      { AlarmTypes: ['CompositeAlarm'], AlarmNamePrefix: 'b' },    ['both']],
  ['log alarms',            { AlarmTypes: ['LogAlarm'] },                                []],
  ['a state',               { StateValue: 'OK' },                                        ['ab']],
  ['actions',               { ActionPrefix: 'arn:aws:sns:' },                            ['b']],
  ['children',              { ChildrenOfAlarmName: 'both' },                             ['a', 'b']],
  ['parents',               { ParentsOfAlarmName: 'a' },                                 ['both']],
];

test('DescribeAlarms: filters select alarms, on one page or one by one', async (t) => {
  const { run } = await openFamily();
  for (const [title, input, names] of FILTERS) {
    await t.test(title, async () => {
      const found = await run('DescribeAlarms', input);
      assert.deepEqual(
        [...(found.CompositeAlarms ?? []), ...(found.MetricAlarms ?? [])].map(({ AlarmName }) => AlarmName),
        names,
      );
      assert.deepEqual([found.LogAlarms, found.NextToken], [[], undefined]);
      const single: (string | undefined)[] = [];
      for (let NextToken: string | undefined, more = true; more; ) {
        const page: CloudwatchApi['DescribeAlarms']['output'] = await run('DescribeAlarms', {
          ...input,
          MaxRecords: 1,
          ...(NextToken && { NextToken }),
        });
        single.push(...[...(page.CompositeAlarms ?? []), ...(page.MetricAlarms ?? [])].map(({ AlarmName }) => AlarmName));
        NextToken = page.NextToken;
        more = NextToken !== undefined;
      }
      assert.deepEqual(single.sort(), [...names].sort());
    });
  }
});

test('DescribeAlarms: children and parents have few members', async () => {
  const { run, now } = await openFamily();
  const { MetricAlarms } = await run('DescribeAlarms', { ChildrenOfAlarmName: 'both', MaxRecords: 1 });
  assert.deepEqual(MetricAlarms, [{ AlarmName: 'a', AlarmArn: `${ARN}:a`, StateValue: 'INSUFFICIENT_DATA', StateUpdatedTimestamp: now() }]);
  assert.deepEqual((await run('DescribeAlarms', { ParentsOfAlarmName: 'a' })).CompositeAlarms, [
    { AlarmName: 'both', AlarmArn: `${ARN}:both` },
  ]);
});

test('DescribeAlarms: exclusive filters, an unknown parent and a wrong token are refused', async () => {
  const { run } = await openFamily();
  await assert.rejects(run('DescribeAlarms', { AlarmNames: ['a'], AlarmNamePrefix: 'a' }), { code: 'ValidationException' });
  await assert.rejects(run('DescribeAlarms', { ChildrenOfAlarmName: 'both', StateValue: 'OK' }), { code: 'ValidationException' });
  await assert.rejects(run('DescribeAlarms', { ChildrenOfAlarmName: 'gone' }), { code: 'ResourceNotFound', message: '' });
  await assert.rejects(run('DescribeAlarms', { NextToken: 'x' }), { code: 'InvalidNextToken' });
});

test('DescribeAlarmsForMetric: finds the alarms on a metric, with all dimensions in any order', async () => {
  const { run } = await openAlarms();
  const Dimensions = [
    { Name: 'a', Value: '1' },
    { Name: 'b', Value: '2' },
  ];
  await run('PutMetricAlarm', ALARM);
  await run('PutMetricAlarm', { ...ALARM, AlarmName: 'dimensions', Dimensions });
  await run('PutMetricAlarm', math({ ...metric('Load', true), Id: 'm' }));
  const find = async (more: object) =>
    (await run('DescribeAlarmsForMetric', { Namespace: 'Test', MetricName: 'Load', ...more })).MetricAlarms?.map(
      ({ AlarmName }) => AlarmName,
    );
  assert.deepEqual(await find({}), [], 'the alarm is on an expression now');
  await run('PutMetricAlarm', ALARM);
  assert.deepEqual(
    [await find({}), await find({ Dimensions: Dimensions.toReversed() }), await find({ Statistic: 'Sum' }), await find({ Period: 60 })],
    [['high'], ['dimensions'], [], ['high']],
  );
});

test('DeleteAlarms: deletes alarms, ignores unknown ones among others, and keeps the history', async () => {
  const { run, alarm, events } = await openFamily();
  await run('DeleteAlarms', { AlarmNames: ['ab', 'gone'] });
  assert.equal(await alarm('ab'), undefined);
  const { AlarmHistoryItems = [] } = await run('DescribeAlarmHistory', { AlarmName: 'ab' });
  assert.equal(AlarmHistoryItems[0]?.HistorySummary, 'Alarm "ab" deleted');
  assert.equal(events.at(-1)?.detail['operation'], 'delete');
  await assert.rejects(run('DeleteAlarms', { AlarmNames: ['gone'] }), { code: 'ResourceNotFound', message: '' });
});

test('DeleteAlarms: an alarm in a rule, and two composite alarms, are refused', async () => {
  const { run, alarm } = await openFamily();
  await run('PutCompositeAlarm', { AlarmName: 'always', AlarmRule: 'TRUE' });
  const code = 'ValidationException';
  await assert.rejects(run('DeleteAlarms', { AlarmNames: ['ab', 'a'] }), {
    code,
    message: 'Cannot delete a as there are composite alarm(s) depending on it.',
  });
  await assert.rejects(run('DeleteAlarms', { AlarmNames: ['a', 'b'] }), {
    code,
    message: 'Cannot delete a,b as there are composite alarm(s) depending on them.',
  });
  await assert.rejects(run('DeleteAlarms', { AlarmNames: ['both', 'always'] }), { code });
  await run('DeleteAlarms', { AlarmNames: ['a', 'both'] });
  assert.deepEqual(
    [(await alarm('a'))?.AlarmName, (await alarm('both'))?.AlarmName, (await alarm('ab'))?.AlarmName],
    [undefined, undefined, 'ab'],
  );
});

test('EnableAlarmActions, DisableAlarmActions: change existing alarms once, and ignore unknown names', async () => {
  const { run, alarm } = await openFamily();
  for (let i = 0; i < 2; i++) await run('DisableAlarmActions', { AlarmNames: ['a', 'gone', 'both'] });
  assert.deepEqual([(await alarm('a'))?.ActionsEnabled, (await alarm('both'))?.ActionsEnabled], [false, false]);
  await run('EnableAlarmActions', { AlarmNames: ['a'] });
  assert.equal((await alarm('a'))?.ActionsEnabled, true);
  assert.equal((await run('DescribeAlarmHistory', { AlarmName: 'a' })).AlarmHistoryItems?.length, 3);
});

test('SetAlarmState: an unknown alarm, and data that is not JSON, are refused', async () => {
  const { run } = await openFamily();
  const state = { StateValue: 'OK', StateReason: 'drill' } as const;
  await assert.rejects(run('SetAlarmState', { AlarmName: 'gone', ...state }), { code: 'ResourceNotFound', message: '' });
  await assert.rejects(run('SetAlarmState', { AlarmName: 'a', ...state, StateReasonData: '{' }), { code: 'InvalidFormatFault' });
  await assert.rejects(run('SetAlarmState', { AlarmName: 'a', ...state, StateReason: '\0' }), { code: 'ValidationException' });
});

test('SetAlarmState: data of any form is sent with a composite alarm', async () => {
  const { run, messages } = await openAlarms();
  await run('PutCompositeAlarm', { AlarmName: 'always', AlarmRule: 'TRUE', OKActions: [TOPIC] });
  await run('SetAlarmState', { AlarmName: 'always', StateValue: 'OK', StateReason: 'r', StateReasonData: '{"triggeringAlarms":[null,1]}' });
  assert.deepEqual(JSON.parse((await messages())[0]?.body ?? '').TriggeringChildren, [{ State: {} }, { State: {} }]);
});

test('DescribeAlarmHistory: filters, directions and pages', async () => {
  const { run, setSeconds, now } = await openAlarms();
  await run('PutMetricAlarm', ALARM);
  setSeconds(10);
  const start = now();
  for (const StateValue of ['OK', 'ALARM', 'OK'] as const)
    await run('SetAlarmState', { AlarmName: 'high', StateValue, StateReason: 'drill' });
  setSeconds(20);
  await run('PutCompositeAlarm', { AlarmName: 'always', AlarmRule: 'TRUE' });
  const read = async (input: CloudwatchApi['DescribeAlarmHistory']['input']) =>
    (await run('DescribeAlarmHistory', input)).AlarmHistoryItems ?? [];
  assert.equal((await read({ EndDate: start })).length, 4);
  assert.equal((await read({ StartDate: start, HistoryItemType: 'StateUpdate' })).length, 3);
  assert.equal((await read({ AlarmTypes: ['CompositeAlarm'] })).length, 1);
  assert.equal((await read({ HistoryItemType: 'Action' })).length, 0);
  const all = await read({ ScanBy: 'TimestampAscending' });
  assert.deepEqual(all.toReversed(), await read({}));
  const paged = [];
  for (let NextToken: string | undefined, more = true; more; ) {
    const page: CloudwatchApi['DescribeAlarmHistory']['output'] = await run('DescribeAlarmHistory', {
      MaxRecords: 2,
      ...(NextToken && { NextToken }),
    });
    paged.push(...(page.AlarmHistoryItems ?? []));
    NextToken = page.NextToken;
    more = NextToken !== undefined;
  }
  assert.deepEqual(paged, await read({}));
});

test('DescribeAlarmHistory: entries are returned for 14 days, and then deleted', async () => {
  const { run, store, setSeconds, now } = await openAlarms();
  await run('PutMetricAlarm', ALARM);
  const count = async () => (await run('DescribeAlarmHistory', {})).AlarmHistoryItems?.length;
  setSeconds(14 * 86_400);
  assert.equal(await count(), 1);
  setSeconds(14 * 86_400 + 1);
  assert.equal(await count(), 0);
  const left = () => store.transaction((tx) => tx.sql.rows('SELECT number FROM cloudwatch_alarm_history'));
  assert.equal((await left()).length, 1);
  await store.transaction((tx) => forgetHistory()(workFor(tx, now())));
  assert.equal((await left()).length, 0);
});

test('TagResource, UntagResource: change the tags of an alarm', async () => {
  const { run } = await openFamily();
  const ResourceARN = `${ARN}:a`;
  await run('TagResource', {
    ResourceARN,
    Tags: [
      { Key: 'x', Value: '1' },
      { Key: 'y', Value: '2' },
    ],
  });
  await run('UntagResource', { ResourceARN, TagKeys: ['x'] });
  assert.deepEqual(await run('ListTagsForResource', { ResourceARN }), { Tags: [{ Key: 'y', Value: '2' }] });
  await assert.rejects(run('ListTagsForResource', { ResourceARN: `${ARN}:gone` }), { code: 'ResourceNotFoundException' });
});

// biome-ignore format: a table
const ACCESS: readonly [operation: keyof CloudwatchApi, input: object, required: readonly (readonly [action: string, resources: readonly string[]])[]][] = [
  ['PutMetricAlarm',          { ...ALARM },                                     [['PutMetricAlarm', [`${ARN}:high`]]]],
  ['PutMetricAlarm',          { ...ALARM, Tags: [{ Key: 'k', Value: 'v' }] },   [['PutMetricAlarm', [`${ARN}:high`]], ['TagResource', [`${ARN}:high`]]]],
  ['PutCompositeAlarm',       { AlarmName: 'c', AlarmRule: 'TRUE' },            [['PutCompositeAlarm', [`${ARN}:c`]]]],
  ['DescribeAlarms',          {},                                               [['DescribeAlarms', [`${ARN}:*`]]]],
  ['DescribeAlarms',          { AlarmNames: ['a', 'b'] },                       [['DescribeAlarms', [`${ARN}:a`, `${ARN}:b`]]]],
  ['DescribeAlarmsForMetric', { Namespace: 'Test', MetricName: 'Load' },        [['DescribeAlarmsForMetric', ['*']]]],
  ['DescribeAlarmHistory',    {},                                               [['DescribeAlarmHistory', [`${ARN}:*`]]]],
  ['DescribeAlarmHistory',    { AlarmName: 'a' },                               [['DescribeAlarmHistory', [`${ARN}:a`]]]],
  ['SetAlarmState',           { AlarmName: 'a' },                               [['SetAlarmState', [`${ARN}:a`]]]],
  ['EnableAlarmActions',      { AlarmNames: ['a'] },                            [['EnableAlarmActions', [`${ARN}:a`]]]],
  ['DisableAlarmActions',     { AlarmNames: ['a'] },                            [['DisableAlarmActions', [`${ARN}:a`]]]],
  ['DeleteAlarms',            { AlarmNames: ['a', 'b'] },                       [['DeleteAlarms', [`${ARN}:a`, `${ARN}:b`]]]],
];

for (const [operation, input, required] of ACCESS) {
  test(`Access: ${operation} with ${Object.keys(input).join(', ') || 'no input'} requires ${required.map(([action]) => action).join(' and ')}`, async () => {
    const { requiredAccess } = await openAlarms();
    const access = await requiredAccess(operation, input as never);
    assert.deepEqual(
      access.map(({ action, resources }) => [action, resources]),
      required.map(([action, resources]) => [`cloudwatch:${action}`, resources]),
    );
  });
}

test('Access: conditions see the actions, and the tags of the request and of the alarm', async () => {
  const { run, requiredAccess } = await openAlarms();
  await run('PutMetricAlarm', { ...ALARM, Tags: [{ Key: 'team', Value: 'ops' }] });
  const input = { ...ALARM, AlarmActions: [TOPIC], OKActions: [FUNCTION], Tags: [{ Key: 'k', Value: 'v' }] };
  const [put, tag] = await requiredAccess('PutMetricAlarm', input);
  const tags = { 'aws:requesttag/k': 'v', 'aws:tagkeys': ['k'] };
  assert.deepEqual([put?.context, put?.tags], [{ ...tags, 'cloudwatch:alarmactions': [FUNCTION, TOPIC] }, [{ team: 'ops' }]]);
  assert.deepEqual(tag?.context, tags);
});
