import type { Vault } from '#core/vault.ts';
import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { apiDestinationOperations } from './api-destinations.ts';
import { archiveOperations } from './archives.ts';
import { busOperations } from './buses.ts';
import { connectionOperations } from './connections.ts';
import { policyOperations } from './policies.ts';
import { putEventsOperations } from './put-events.ts';
import { replayOperations } from './replays.ts';
import { ruleOperations } from './rules.ts';
import { tagOperations } from './tags.ts';
import { targetOperations } from './targets.ts';
import { testEventPatternOperations } from './test-event-pattern.ts';

/** Parts of the server that the operations of EventBridge need. */
export interface EventsParts {
  readonly vault: Vault;
}

/** Returns all operations of the service. */
export function eventsOperations({ vault }: EventsParts): OperationTable<'events'> {
  return operationTable('events', {
    ...busOperations,
    ...ruleOperations,
    ...targetOperations,
    ...tagOperations,
    ...policyOperations,
    ...putEventsOperations,
    ...archiveOperations,
    ...replayOperations,
    ...connectionOperations(vault),
    ...apiDestinationOperations,
    ...testEventPatternOperations,
  });
}
