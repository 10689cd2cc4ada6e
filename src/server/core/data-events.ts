/** Decides which calls on data the server records. */
import { selectedDataEvent } from '#delivery/data-events.ts';
import { loadModel } from '#model/load.ts';
import type { SelectsDataEvents } from './request-records.ts';

/** Returns the facts for the record of a data event that a trail selects. */
export const selectsDataEvents: SelectsDataEvents = (tx, { service, operation, region, input, principal }) =>
  selectedDataEvent(tx, {
    service,
    operation,
    region,
    input,
    readOnly: loadModel(service).operations[operation]?.readOnly ?? false,
    userArn: principal !== undefined && 'arn' in principal ? principal.arn : '',
    fromConsole: principal?.session?.fromConsole ?? false,
  });
