import { type OperationTable, operationTable } from '../table.ts';
import { type LookupSettings, lookupEvents } from './lookup-events.ts';

/** Every operation of CloudTrail; of them, only the event history is built. */
export function cloudtrailOperations(settings: LookupSettings): OperationTable<'cloudtrail'> {
  return operationTable('cloudtrail', { LookupEvents: lookupEvents(settings) });
}
