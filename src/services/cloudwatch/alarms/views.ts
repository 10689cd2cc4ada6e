/** Alarms as responses contain them. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { CompositeAlarm, DescribeAlarmsOutput, MetricAlarm } from '#model/generated/cloudwatch.ts';
import { typedAlarm } from './alarm-kinds.ts';
import { alarmArn } from './alarm-names.ts';
import type { AlarmRecord } from './tables/alarms.ts';

/** Returns the response of DescribeAlarms. Recorded: empty lists are in the response. */
export function toDescribed(records: readonly AlarmRecord[], view: (alarm: AlarmRecord) => object = toAlarm): DescribeAlarmsOutput {
  const ofType = (type: AlarmRecord['type']): object[] => records.filter((alarm) => alarm.type === type).map(view);
  return { CompositeAlarms: ofType('CompositeAlarm'), MetricAlarms: ofType('MetricAlarm'), LogAlarms: [] };
}

/**
 * Returns an alarm with all members.
 *
 * Assumed: lists of actions are present if empty, and so are the dimensions of an alarm on one metric.
 */
export function toAlarm(alarm: AlarmRecord): MetricAlarm | CompositeAlarm {
  const typed = typedAlarm(alarm);
  const { OKActions = [], AlarmActions = [], InsufficientDataActions = [] } = typed.configuration;
  const isSingle = typed.type === 'MetricAlarm' && typed.configuration.Metrics === undefined;
  return {
    ...(isSingle && { Dimensions: [] }),
    ...typed.configuration,
    ...omitUndefined({ StateReasonData: alarm.stateReasonData }),
    AlarmName: alarm.name,
    AlarmArn: alarmArn(alarm),
    AlarmConfigurationUpdatedTimestamp: alarm.configuredAt,
    ActionsEnabled: alarm.actionsEnabled,
    OKActions,
    AlarmActions,
    InsufficientDataActions,
    StateValue: alarm.state,
    StateReason: alarm.stateReason,
    StateUpdatedTimestamp: alarm.stateUpdatedAt,
    StateTransitionedTimestamp: alarm.stateChangedAt,
  };
}

/** Returns the members of a child. Source: cloudwatch 2010-08-01, DescribeAlarms, ChildrenOfAlarmName. */
export function toChild(alarm: AlarmRecord): MetricAlarm | CompositeAlarm {
  return { ...toParent(alarm), StateValue: alarm.state, StateUpdatedTimestamp: alarm.stateUpdatedAt };
}

/** Returns the members of a parent. Source: cloudwatch 2010-08-01, DescribeAlarms, ParentsOfAlarmName. */
export function toParent(alarm: AlarmRecord): MetricAlarm | CompositeAlarm {
  return { AlarmName: alarm.name, AlarmArn: alarmArn(alarm) };
}
