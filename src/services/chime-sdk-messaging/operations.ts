import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { banOperations } from './bans.ts';
import { channelOperations } from './channels.ts';
import type { MessagingDeps } from './deps.ts';
import { flowOperations } from './flows.ts';
import { membershipOperations } from './memberships.ts';
import { messageOperations } from './messages.ts';
import { moderatorOperations } from './moderators.ts';
import { ownChannelOperations } from './own-channels.ts';
import { preferenceOperations } from './preferences.ts';
import { sessionEndpointOperations } from './session-endpoint.ts';
import { streamingOperations } from './streaming.ts';
import { subChannelOperations } from './sub-channels.ts';
import { messagingTagOperations } from './tags.ts';

/** Every operation of Chime SDK Messaging. */
export function messagingOperations(deps: MessagingDeps): OperationTable<'chime-sdk-messaging'> {
  return operationTable('chime-sdk-messaging', {
    ...channelOperations(deps),
    ...membershipOperations(deps),
    ...moderatorOperations(deps),
    ...banOperations(deps),
    ...subChannelOperations,
    ...messageOperations(),
    ...ownChannelOperations,
    ...preferenceOperations(),
    ...flowOperations(deps),
    ...streamingOperations(),
    ...messagingTagOperations,
    ...sessionEndpointOperations(deps),
  });
}
