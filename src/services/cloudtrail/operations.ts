import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { type LookupSettings, lookupEvents } from './lookup-events.ts';

/** Returns all operations of CloudTrail. Only LookupEvents is implemented. */
export function cloudtrailOperations(settings: LookupSettings): OperationTable<'cloudtrail'> {
  return operationTable('cloudtrail', { LookupEvents: lookupEvents(settings) });
}
