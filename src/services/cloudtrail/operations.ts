import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import type { LogBuckets } from './log-buckets.ts';
import { loggingOperations } from './logging.ts';
import { type LookupSettings, lookupEvents } from './lookup-events.ts';
import { administratorOperations } from './organization.ts';
import { publicKeyOperations } from './public-keys.ts';
import { settingOperations } from './selectors.ts';
import { tagOperations } from './tags.ts';
import type { TrailTargets } from './trail-targets.ts';
import { trailOperations } from './trails.ts';

/** Parts of the server that the operations of CloudTrail need. */
export interface CloudtrailParts extends LookupSettings, TrailTargets {
  readonly logBuckets: LogBuckets;
}

/** Returns all operations of CloudTrail: the event history and trails. */
export function cloudtrailOperations(parts: CloudtrailParts): OperationTable<'cloudtrail'> {
  return operationTable('cloudtrail', {
    LookupEvents: lookupEvents(parts),
    ...trailOperations(parts),
    ...loggingOperations,
    ...settingOperations,
    ...tagOperations,
    ...publicKeyOperations,
    ...administratorOperations,
  });
}
