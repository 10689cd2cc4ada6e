import { service } from '../kit/service.ts';
import { invalidToken } from './errors.ts';
import type { LogsParts } from './subscription-filters.ts';
import { logSweep } from './sweep.ts';

/**
 * Calls that no trail records. They are frequent, and a trail that writes to a log group would record its own writes.
 *
 * Source: CloudWatch Logs User Guide, "CloudWatch Logs information in CloudTrail", editions of 2017 to 2022: PutLogEvents is not in the lists.
 * Assumed: still so. GetLogEvents and FilterLogEvents are not in the lists either. They are recorded here, because they read data of the account.
 */
const DATA_EVENTS: ReadonlySet<string> = new Set(['PutLogEvents']);

/** CloudWatch Logs: log groups, their events, the metrics that filters create from them, and subscriptions. */
export const logs = service<LogsParts>({
  name: 'logs',
  operations: async ({ tryOutgoing }) => (await import('./operations.ts')).logsOperations({ tryOutgoing }),
  dataEvents: DATA_EVENTS,
  sweeps: [logSweep],
  invalidPageToken: invalidToken,
});
