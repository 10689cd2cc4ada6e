/** The two kinds of alarms, as types of their configuration. */
import type { AlarmRecord, CompositeAlarmConfiguration, MetricAlarmConfiguration } from './tables/alarms.ts';

/** Alarm of one of the two kinds, with the type of its configuration. */
export type TypedAlarm =
  | { readonly type: 'MetricAlarm'; readonly configuration: MetricAlarmConfiguration }
  | { readonly type: 'CompositeAlarm'; readonly configuration: CompositeAlarmConfiguration };

/** Returns the configuration of an alarm with its type. */
export function typedAlarm({ type, configuration }: AlarmRecord): TypedAlarm {
  return type === 'MetricAlarm'
    ? { type, configuration: configuration as MetricAlarmConfiguration }
    : { type, configuration: configuration as CompositeAlarmConfiguration };
}
