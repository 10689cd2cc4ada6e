import type { CloudwatchApi } from '#model/generated/cloudwatch.ts';
import type { ServiceOperations } from '../../kit/operation.ts';
import { describeAlarmHistory } from './alarm-history.ts';
import { alarmStateOperations } from './alarm-state.ts';
import { deleteAlarms } from './delete-alarms.ts';
import { describeAlarmOperations } from './describe-alarms.ts';
import { putCompositeAlarm } from './put-composite-alarm.ts';
import { putMetricAlarm } from './put-metric-alarm.ts';

/** Operations on alarms. */
export const alarmOperations = {
  PutMetricAlarm: putMetricAlarm,
  PutCompositeAlarm: putCompositeAlarm,
  ...describeAlarmOperations,
  DescribeAlarmHistory: describeAlarmHistory,
  ...alarmStateOperations,
  DeleteAlarms: deleteAlarms,
} satisfies Partial<ServiceOperations<CloudwatchApi>>;
