import type { ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';
import type { ResourceRecord } from '#store/resources.ts';
import { pageOf } from '../chime-kit/page.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { onResource } from '../kit/resource-access.ts';
import { find, findOrThrow } from '../kit/resource-kind.ts';
import { onArns } from './access.ts';
import type { Admitted } from './admit.ts';
import { inChannel } from './bearer-operations.ts';
import { AwsError } from './errors.ts';
import { continueFlow } from './flow-processing.ts';
import { CHANNEL_FLOW, type ChannelFlowDocument, inAppInstanceArn } from './kinds.ts';
import { requireAttributes, requireContent } from './message-content.ts';
import type { MessageDocument } from './message-documents.ts';
import { channelArn, missing, toAssociatedChannel } from './stored-channels.ts';
import { channels } from './tables/channels.ts';
import { type FlowMessage, flowMessages } from './tables/flow-messages.ts';

type AssociationInput = ChimeSdkMessagingApi['AssociateChannelFlow']['input'];

/**
 * Associations of channels with channel flows. The messages of an associated channel pass through the flow. Source:
 * chime-sdk-messaging 2021-05-15.
 */
export const flowAssociationOperations = {
  ...inChannel({
    /**
     * Associates a channel with a flow. Assumed: (1) The wording of the error message. (2) A repeated association with
     * the same flow succeeds.
     * @throws NotFoundException the channel does not exist, or the flow is not in its app instance
     * @throws ConflictException the channel is associated with another flow
     */
    AssociateChannelFlow: {
      access: onAssociation,
      async handle(call, input, admitted) {
        const { channel } = admitted;
        const { id } = await flowOfChannelOrMissing(call, admitted, input);
        if (channel.flowId !== undefined && channel.flowId !== id) {
          throw new AwsError('ConflictException', `Channel '${channelArn(channel)}' is associated with another channel flow.`);
        }
        await call.tx.of(channels).put({ ...channel, flowId: id });
        return {};
      },
    },

    /** @throws NotFoundException the channel does not exist, or is not associated with the flow */
    DisassociateChannelFlow: {
      access: onAssociation,
      async handle(call, input, admitted) {
        const flow = await flowOfChannelOrMissing(call, admitted, input);
        const { flowId, ...channel } = admitted.channel;
        if (flowId !== flow.id) throw noFlow(admitted, input);
        await call.tx.of(channels).put(channel);
        return {};
      },
    },
  }),

  /** Returns channels in the order of IDs. @throws ForbiddenException the flow does not exist · BadRequestException the token belongs to another list */
  ListChannelsAssociatedWithChannelFlow: {
    access: onResource(CHANNEL_FLOW),
    async handle(call, input) {
      const { ChannelFlowArn } = input;
      const flow = await findOrThrow(call, CHANNEL_FLOW, { ChannelFlowArn });
      const { items, rest } = await pageOf(
        `channels of ${flow.id}`,
        input,
        (limit, after) => call.tx.of(channels).listOfFlow(flow.parent, flow.id, limit, after),
        ({ channelId }) => channelId,
      );
      return { Channels: items.map(toAssociatedChannel), ...rest };
    },
  },

  /**
   * Receives the result of a processor for a message.
   *
   * Source: Chime SDK Developer Guide, "Setting up a channel processor": `DeleteResource` denies the message. ForbiddenException for a message
   * that no longer waits.
   * Assumed: (1) The wording of the error messages. (2) The content of a processor has the limits of SendChannelMessage.
   * @throws ForbiddenException  no message with this ID waits in the channel, or the channel no longer exists
   * @throws BadRequestException content or attributes that are too long
   * Emits: as `continueFlow`.
   */
  ChannelFlowCallback: {
    access: ({ ChannelArn }, caller) => onArns(caller, ChannelArn),
    async handle(call, { CallbackId, ChannelArn, ChannelMessage, DeleteResource }) {
      const waiting = await call.tx.of(flowMessages).take(CallbackId);
      const isThis = waiting !== undefined && waiting.messageId === ChannelMessage.MessageId && channelArnOf(waiting) === ChannelArn;
      if (!isThis) throw new AwsError('ForbiddenException', `Callback '${CallbackId}' does not exist.`);
      const { type } = JSON.parse(waiting.document) as MessageDocument;
      requireContent(type, ChannelMessage.Content ?? '', ChannelMessage.Metadata);
      requireAttributes(ChannelMessage.MessageAttributes);
      const result = DeleteResource === true ? { outcome: 'denied' as const } : { outcome: 'processed' as const, changes: ChannelMessage };
      if ((await continueFlow(call, waiting, result)) === 'gone') {
        throw new AwsError('ForbiddenException', `Message '${waiting.messageId}' does not exist.`);
      }
      return { ChannelArn, CallbackId };
    },
  },
} satisfies Partial<ServiceOperations<ChimeSdkMessagingApi>>;

function onAssociation({ ChimeBearer, ChannelArn, ChannelFlowArn }: AssociationInput, caller: Caller): DeclaredAccess {
  return onArns(caller, ChimeBearer, ChannelArn, ChannelFlowArn);
}

async function flowOfChannelOrMissing(
  call: Call,
  admitted: Admitted,
  { ChannelFlowArn }: AssociationInput,
): Promise<ResourceRecord<ChannelFlowDocument>> {
  const flow = await find(call.tx, call, CHANNEL_FLOW, { ChannelFlowArn });
  if (flow?.parent !== admitted.channel.appInstanceId) throw noFlow(admitted, { ChannelFlowArn });
  return flow;
}

function noFlow({ operation }: Admitted, { ChannelFlowArn }: Pick<AssociationInput, 'ChannelFlowArn'>): AwsError {
  return missing(operation, `Channel flow '${ChannelFlowArn}' does not exist.`);
}

function channelArnOf({ channelId, ...where }: FlowMessage): string {
  return inAppInstanceArn(where, 'channel', channelId);
}
