import type { ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { banOperations } from './bans.ts';
import { channelListOperations, channelOperations } from './channels.ts';
import { createChannelOperation } from './create-channel.ts';
import type { MessagingDeps } from './deps.ts';
import { expirationOperations } from './expiration.ts';
import { flowAssociationOperations } from './flow-associations.ts';
import { flowOperations } from './flows.ts';
import { membershipOperations, newMembershipOperations } from './memberships.ts';
import { messageReadOperations, messageRemovalOperations } from './messages.ts';
import { moderatorOperations } from './moderators.ts';
import { ownChannelListOperations, ownChannelOperations } from './own-channels.ts';
import { preferenceOperations } from './preferences.ts';
import { messageSendOperations } from './send-messages.ts';
import { sessionEndpointOperations } from './session-endpoint.ts';
import { streamingOperations } from './streaming.ts';
import { subChannelOperations } from './sub-channels.ts';
import { messagingTagOperations } from './tags.ts';

/** Returns the operations of Chime SDK messaging. */
export function messagingOperations(deps: MessagingDeps): OperationTable<'chime-sdk-messaging'> {
  return operationTable('chime-sdk-messaging', {
    ...createChannelOperation(deps),
    ...channelOperations,
    ...channelListOperations,
    ...expirationOperations,
    ...newMembershipOperations(deps),
    ...membershipOperations,
    ...moderatorOperations(deps),
    ...banOperations(deps),
    ...subChannelOperations,
    ...messageSendOperations,
    ...messageReadOperations,
    ...messageRemovalOperations,
    ...ownChannelListOperations,
    ...ownChannelOperations,
    ...preferenceOperations,
    ...flowOperations(deps),
    ...flowAssociationOperations,
    ...streamingOperations,
    ...messagingTagOperations,
    ...sessionEndpointOperations(deps),
  } satisfies ServiceOperations<ChimeSdkMessagingApi>);
}
