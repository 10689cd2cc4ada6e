import { type OperationTable, operationTable } from '../table.ts';
import type { MessagingDeps } from './deps.ts';
import { sessionEndpointOperations } from './session-endpoint.ts';

/** Every operation of Chime SDK Messaging. */
export function messagingOperations(deps: MessagingDeps): OperationTable<'chime-sdk-messaging'> {
  return operationTable('chime-sdk-messaging', { ...sessionEndpointOperations(deps) });
}
