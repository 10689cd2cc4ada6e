/** Messages that an alarm sends when its state changes: the message to a topic, the event to a function, and the event to the event bus. */
import { createHash } from 'node:crypto';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Dimension, MetricDataQuery } from '#model/generated/cloudwatch.ts';
import type { BusEvent } from '../../kit/bus-event.ts';
import { typedAlarm } from './alarm-kinds.ts';
import { alarmArn } from './alarm-names.ts';
import { doubleInJson, formatTime } from './numbers.ts';
import { regionName } from './region-names.ts';
import type { AlarmRecord, MetricAlarmConfiguration } from './tables/alarms.ts';

/** Maximum length of the subject of a message. Source: sns 2010-03-31, Publish, Subject. Assumed: a longer one is cut. */
const SUBJECT_MAX = 100;

/** Returns the subject of a message to a topic. Recorded: `ALARM: "test" in US West (Oregon)`. */
export function subjectOf({ state, name, region }: AlarmRecord): string {
  // Source: sns 2010-03-31, Publish, Subject: ASCII characters only. Assumed: others become question marks.
  return `${state}: "${name}" in ${regionName(region)}`.replace(/[^\u0020-\u007e]/g, '?').slice(0, SUBJECT_MAX);
}

/**
 * Returns the message to a topic about a change of the state of an alarm.
 *
 * Recorded: members and their order, and null for an absent description or unit. Assumed: the trigger of an alarm on an expression.
 */
export function topicMessage(alarm: AlarmRecord, before: AlarmRecord): string {
  const { configuration } = typedAlarm(alarm);
  return JSON.stringify({
    AlarmName: alarm.name,
    AlarmDescription: configuration.AlarmDescription ?? null,
    AWSAccountId: alarm.accountId,
    AlarmConfigurationUpdatedTimestamp: formatTime(alarm.configuredAt),
    NewStateValue: alarm.state,
    NewStateReason: alarm.stateReason,
    StateChangeTime: formatTime(alarm.stateChangedAt),
    Region: regionName(alarm.region),
    AlarmArn: alarmArn(alarm),
    OldStateValue: before.state,
    OKActions: configuration.OKActions ?? [],
    AlarmActions: configuration.AlarmActions ?? [],
    InsufficientDataActions: configuration.InsufficientDataActions ?? [],
    ...triggerOf(alarm),
  });
}

function triggerOf(alarm: AlarmRecord): object {
  const typed = typedAlarm(alarm);
  if (typed.type === 'CompositeAlarm') {
    return { AlarmRule: typed.configuration.AlarmRule, TriggeringChildren: triggeringChildren(alarm) };
  }
  const { Statistic, ExtendedStatistic, ...metric } = typed.configuration;
  const limits = omitUndefined({
    Period: metric.Period,
    EvaluationPeriods: metric.EvaluationPeriods,
    DatapointsToAlarm: metric.DatapointsToAlarm,
    ComparisonOperator: metric.ComparisonOperator,
    Threshold: doubleInJson(metric.Threshold ?? 0),
    TreatMissingData: metric.TreatMissingData ?? 'missing',
    EvaluateLowSampleCountPercentile: metric.EvaluateLowSampleCountPercentile ?? '',
  });
  if (metric.Metrics !== undefined) return { Trigger: { ...limits, Metrics: metric.Metrics } };
  const statistic =
    Statistic === undefined
      ? { StatisticType: 'ExtendedStatistic', ExtendedStatistic }
      : { StatisticType: 'Statistic', Statistic: NOTICE_STATISTICS[Statistic] };
  const Dimensions = (metric.Dimensions ?? []).map(({ Name, Value }) => ({ value: Value, name: Name }));
  const { MetricName, Namespace, Unit = null } = metric;
  return { Trigger: { MetricName, Namespace, ...statistic, Unit, Dimensions, ...limits } };
}

/** Statistics as messages have them. Recorded: `AVERAGE`, `SUM`. Assumed: the others. */
const NOTICE_STATISTICS = { SampleCount: 'SAMPLE_COUNT', Average: 'AVERAGE', Sum: 'SUM', Minimum: 'MINIMUM', Maximum: 'MAXIMUM' } as const;

interface TriggeringAlarm {
  readonly arn?: string;
  readonly state?: { readonly value?: string; readonly timestamp?: string } | null;
}

/** Returns the children that changed the state of a composite alarm. They are in the data of its reason. Recorded: the members. */
function triggeringChildren({ stateReasonData }: AlarmRecord): readonly object[] {
  if (stateReasonData === undefined) return [];
  // SetAlarmState stores any JSON.
  const triggering = (JSON.parse(stateReasonData) as { readonly triggeringAlarms?: unknown } | null)?.triggeringAlarms;
  if (!Array.isArray(triggering)) return [];
  return (triggering as readonly (TriggeringAlarm | null)[]).map((each) => ({
    Arn: each?.arn,
    State: { Value: each?.state?.value, Timestamp: each?.state?.timestamp },
  }));
}

/** Returns the payload for a function. Recorded: members and their order. */
export function functionPayload(alarm: AlarmRecord, before: AlarmRecord): string {
  return JSON.stringify({
    source: 'aws.cloudwatch',
    alarmArn: alarmArn(alarm),
    accountId: alarm.accountId,
    time: formatTime(alarm.stateChangedAt),
    region: alarm.region,
    alarmData: alarmData(alarm, before),
  });
}

/** Returns the event about a change of the state. Source: CloudWatch User Guide, "Alarm events and EventBridge". */
export function stateChangeEvent(alarm: AlarmRecord, before: AlarmRecord): BusEvent {
  return busEvent(alarm, 'CloudWatch Alarm State Change', alarmData(alarm, before));
}

/**
 * Returns the event about a new, changed or deleted alarm. `before` is the alarm before a change.
 *
 * Source: CloudWatch User Guide, "Alarm events and EventBridge".
 */
export function configurationChangeEvent(operation: 'create' | 'update' | 'delete', alarm: AlarmRecord, before?: AlarmRecord): BusEvent {
  return busEvent(alarm, 'CloudWatch Alarm Configuration Change', {
    alarmName: alarm.name,
    operation,
    state: { value: alarm.state, timestamp: formatTime(alarm.stateUpdatedAt) },
    configuration: fullConfiguration(alarm),
    ...(before !== undefined && { previousConfiguration: fullConfiguration(before) }),
  });
}

function busEvent(alarm: AlarmRecord, detailType: string, detail: BusEvent['detail']): BusEvent {
  const { accountId, region } = alarm;
  return { type: 'BusEvent', accountId, region, source: 'aws.cloudwatch', detailType, resources: [alarmArn(alarm)], detail };
}

function alarmData(alarm: AlarmRecord, before: AlarmRecord): Readonly<Record<string, unknown>> {
  return { alarmName: alarm.name, state: stateOf(alarm), previousState: stateOf(before), configuration: shortConfiguration(alarm) };
}

function stateOf({ state, stateReason, stateReasonData, stateUpdatedAt }: AlarmRecord): object {
  return omitUndefined({ value: state, reason: stateReason, reasonData: stateReasonData, timestamp: formatTime(stateUpdatedAt) });
}

/** Returns the configuration in events about the state: the metrics or the rule, and the description. */
function shortConfiguration(alarm: AlarmRecord): object {
  const typed = typedAlarm(alarm);
  const { AlarmDescription: description } = typed.configuration;
  if (typed.type === 'CompositeAlarm') return omitUndefined({ description, alarmRule: typed.configuration.AlarmRule });
  return omitUndefined({ description, metrics: metricsOf(alarm, typed.configuration) });
}

function fullConfiguration(alarm: AlarmRecord): object {
  const typed = typedAlarm(alarm);
  const { AlarmDescription, OKActions = [], AlarmActions = [], InsufficientDataActions = [] } = typed.configuration;
  return omitUndefined({
    ...(typed.type === 'CompositeAlarm' ? { alarmRule: typed.configuration.AlarmRule } : metricRules(alarm, typed.configuration)),
    alarmName: alarm.name,
    description: AlarmDescription,
    actionsEnabled: alarm.actionsEnabled,
    timestamp: formatTime(alarm.configuredAt),
    okActions: OKActions,
    alarmActions: AlarmActions,
    insufficientDataActions: InsufficientDataActions,
  });
}

function metricRules(alarm: AlarmRecord, configuration: MetricAlarmConfiguration): object {
  return {
    evaluationPeriods: configuration.EvaluationPeriods,
    datapointsToAlarm: configuration.DatapointsToAlarm,
    threshold: configuration.Threshold,
    comparisonOperator: configuration.ComparisonOperator,
    treatMissingData: configuration.TreatMissingData,
    evaluateLowSampleCountPercentile: configuration.EvaluateLowSampleCountPercentile,
    metrics: metricsOf(alarm, configuration),
  };
}

/** Returns the metrics of an alarm. An alarm on one metric has one with a random ID, which is stable here. Recorded: the members. */
function metricsOf(alarm: AlarmRecord, configuration: MetricAlarmConfiguration): readonly object[] {
  const { Metrics, Namespace, MetricName, Dimensions = [], Period, Statistic, ExtendedStatistic, Unit } = configuration;
  if (Metrics !== undefined) return Metrics.map(queryOf);
  const metric = { namespace: Namespace, name: MetricName, dimensions: dimensionsOf(Dimensions) };
  const metricStat = omitUndefined({ metric, period: Period, stat: Statistic ?? ExtendedStatistic, unit: Unit });
  return [{ id: uuidOf(`${alarmArn(alarm)} ${alarm.configuredAt}`), metricStat, returnData: true }];
}

function queryOf({ Id, MetricStat, Expression, Label, ReturnData = true, Period }: MetricDataQuery): object {
  const { Metric, Period: period, Stat, Unit } = MetricStat ?? {};
  const metricStat = MetricStat && {
    metric: { namespace: Metric?.Namespace, name: Metric?.MetricName, dimensions: dimensionsOf(Metric?.Dimensions ?? []) },
    period,
    stat: Stat,
    ...(Unit !== undefined && { unit: Unit }),
  };
  return omitUndefined({ id: Id, metricStat, expression: Expression, label: Label, period: Period, returnData: ReturnData });
}

const dimensionsOf = (dimensions: readonly Dimension[]): object => Object.fromEntries(dimensions.map(({ Name, Value }) => [Name, Value]));

/** Returns a UUID that depends only on a string. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
