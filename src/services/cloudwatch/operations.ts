import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { alarmOperations } from './alarms/operations.ts';
import { dashboardOperations } from './dashboards.ts';
import { getMetricData } from './get-metric-data.ts';
import { getMetricStatistics } from './get-metric-statistics.ts';
import { listMetrics } from './list-metrics.ts';
import { putMetricData } from './put-metric-data.ts';
import { tagOperations } from './tags.ts';

/** Returns all operations of the service. */
export function cloudwatchOperations(): OperationTable<'cloudwatch'> {
  return operationTable('cloudwatch', {
    PutMetricData: putMetricData,
    GetMetricData: getMetricData,
    GetMetricStatistics: getMetricStatistics,
    ListMetrics: listMetrics,
    ...dashboardOperations,
    ...tagOperations,
    ...alarmOperations,
  });
}
