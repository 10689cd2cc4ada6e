/** Entries of the history of alarms. */
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Sweep } from '../../kit/service.ts';
import { typedAlarm } from './alarm-kinds.ts';
import { alarmArn } from './alarm-names.ts';
import { doubleInJson, formatTime } from './numbers.ts';
import { type AlarmHistoryRecord, type AlarmRecord, alarms } from './tables/alarms.ts';

type Entry = Omit<AlarmHistoryRecord, 'number'>;

/** Time for which the history is stored. Source: cloudwatch 2010-08-01, DescribeAlarmHistory: 14 days. */
export const HISTORY_MS = 14 * DAY_MS;
/** Maximum number of entries that one transaction deletes. */
const FORGOTTEN_AT_ONCE = 1_000;

/** Deletes entries that are too old. */
export const forgetHistory: Sweep = () => async (work) => {
  const deleted = await work.tx.of(alarms).forgetHistory(instant(work.now - HISTORY_MS), FORGOTTEN_AT_ONCE);
  return deleted === FORGOTTEN_AT_ONCE ? 'more' : 'done';
};

/** Returns the entry about a change of the state. Recorded: the summary and the data. */
export function stateEntry(alarm: AlarmRecord, before: AlarmRecord): Entry {
  const data = `{"version":"1.0","oldState":${stateJson(before)},"newState":${stateJson(alarm)}}`;
  return entry(alarm, alarm.stateChangedAt, 'StateUpdate', `Alarm updated from ${before.state} to ${alarm.state}`, data);
}

/** Returns a state in JSON. The data of a reason is JSON already. */
function stateJson({ state, stateReason, stateReasonData }: AlarmRecord): string {
  const data = stateReasonData === undefined ? '' : `,"stateReasonData":${stateReasonData}`;
  return `{"stateValue":"${state}","stateReason":${JSON.stringify(stateReason)}${data}}`;
}

const CHANGES = {
  create: { done: 'created', type: 'Create', member: 'createdAlarm' },
  update: { done: 'updated', type: 'Update', member: 'updatedAlarm' },
  delete: { done: 'deleted', type: 'Delete', member: 'deletedAlarm' },
} as const;

/**
 * Returns the entry about a new, changed or deleted alarm.
 *
 * Recorded: the entry about a new metric alarm. Assumed: the others have the same form.
 */
export function configurationEntry(change: keyof typeof CHANGES, alarm: AlarmRecord, now: Instant): Entry {
  const { done, type, member } = CHANGES[change];
  const data = JSON.stringify({ version: '1.0', type, [member]: describedAlarm(alarm) });
  return entry(alarm, now, 'ConfigurationUpdate', `Alarm "${alarm.name}" ${done}`, data);
}

function entry({ accountId, region, name, type }: AlarmRecord, at: Instant, itemType: Entry['itemType'], summary: string, data: string) {
  return { accountId, region, name, type, at, itemType, summary, data };
}

function describedAlarm(alarm: AlarmRecord): object {
  const typed = typedAlarm(alarm);
  const { AlarmDescription, OKActions = [], AlarmActions = [], InsufficientDataActions = [] } = typed.configuration;
  return omitUndefined({
    alarmName: alarm.name,
    alarmDescription: AlarmDescription,
    alarmArn: alarmArn(alarm),
    alarmConfigurationUpdatedTimestamp: formatTime(alarm.configuredAt),
    ...(typed.type === 'CompositeAlarm' ? { alarmRule: typed.configuration.AlarmRule } : metricMembers(typed.configuration)),
    stateValue: alarm.state,
    stateUpdatedTimestamp: formatTime(alarm.stateUpdatedAt),
    actionsEnabled: alarm.actionsEnabled,
    alarmActions: AlarmActions,
    insufficientDataActions: InsufficientDataActions,
    okactions: OKActions,
  });
}

function metricMembers(configuration: Extract<ReturnType<typeof typedAlarm>, { type: 'MetricAlarm' }>['configuration']): object {
  const { Dimensions = [], Metrics, Threshold } = configuration;
  return {
    namespace: configuration.Namespace,
    metricName: configuration.MetricName,
    statistic: configuration.Statistic,
    extendedStatistic: configuration.ExtendedStatistic,
    period: configuration.Period,
    unit: configuration.Unit,
    dimensions: Metrics === undefined ? Dimensions.map(({ Name, Value }) => ({ value: Value, name: Name })) : undefined,
    metrics: Metrics,
    threshold: Threshold === undefined ? undefined : doubleInJson(Threshold),
    comparisonOperator: configuration.ComparisonOperator,
    evaluationPeriods: configuration.EvaluationPeriods,
    datapointsToAlarm: configuration.DatapointsToAlarm,
    treatMissingData: configuration.TreatMissingData,
  };
}
