import { type OperationTable, operationTable } from '../table.ts';
import { banOperations } from './bans.ts';
import { channelOperations } from './channels.ts';
import type { MessagingDeps } from './deps.ts';
import { membershipOperations } from './memberships.ts';
import { moderatorOperations } from './moderators.ts';
import { sessionEndpointOperations } from './session-endpoint.ts';

/** Every operation of Chime SDK Messaging. */
export function messagingOperations(deps: MessagingDeps): OperationTable<'chime-sdk-messaging'> {
  return operationTable('chime-sdk-messaging', {
    ...channelOperations(deps),
    ...membershipOperations(deps),
    ...moderatorOperations(deps),
    ...banOperations(deps),
    ...sessionEndpointOperations(deps),
  });
}
