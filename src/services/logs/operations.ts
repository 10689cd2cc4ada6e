import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { groupOperations } from './groups.ts';
import { metricFilterOperations } from './metric-filters.ts';
import { putOperations } from './put-events.ts';
import { readOperations } from './read-events.ts';
import { resourcePolicyOperations } from './resource-policies.ts';
import { streamOperations } from './streams.ts';
import { type LogsParts, subscriptionFilterOperations } from './subscription-filters.ts';
import { tagOperations } from './tags.ts';

/** Returns all operations of the service. */
export function logsOperations(parts: LogsParts): OperationTable<'logs'> {
  return operationTable('logs', {
    ...groupOperations,
    ...streamOperations,
    ...putOperations,
    ...readOperations,
    ...tagOperations,
    ...metricFilterOperations,
    ...subscriptionFilterOperations(parts),
    ...resourcePolicyOperations,
  });
}
