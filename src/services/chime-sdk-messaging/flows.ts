import type { ChannelFlow, ChimeSdkMessagingApi, Processor } from '#model/generated/chime-sdk-messaging.ts';
import type { ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import { findAppInstance, inAppInstance, type Where } from '../chime/app-instances.ts';
import { pageOf } from '../chime/page.ts';
import { requireTags, withTags } from '../chime/tags.ts';
import { once } from '../kit/once.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { inAppInstanceArn, namedBy, onArns, onMaking } from './access.ts';
import { admit } from './admit.ts';
import type { MessagingDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { CHANNEL_FLOW, type ChannelFlowDocument } from './flow-documents.ts';
import { channelArn, missing, toAssociatedChannel } from './found.ts';
import { channels } from './tables/channels.ts';

type Operations = ServiceOperations<ChimeSdkMessagingApi>;
type FlowOperations = Pick<
  Operations,
  | 'CreateChannelFlow'
  | 'DescribeChannelFlow'
  | 'UpdateChannelFlow'
  | 'DeleteChannelFlow'
  | 'ListChannelFlows'
  | 'AssociateChannelFlow'
  | 'DisassociateChannelFlow'
  | 'ListChannelsAssociatedWithChannelFlow'
  | 'ChannelFlowCallback'
>;
type FlowRecord = ResourceRecord<ChannelFlowDocument>;

/**
 * Channel flows: the functions that messages of a channel go through. What becomes of a message is in `flow-processing.ts`.
 *
 * Source: chime-sdk-messaging 2021-05-15.
 */
export function flowOperations({ limits }: MessagingDeps): FlowOperations {
  return {
    /**
     * Makes a channel flow, or answers with the one this token made.
     *
     * @throws ForbiddenException             no such app instance
     * @throws BadRequestException            two processors of one name or one order; a tag that cannot be
     * @throws ConflictException              the token made another
     * @throws ResourceLimitExceededException the app instance has as many as it may
     */
    CreateChannelFlow: {
      access: (input, caller) =>
        onMaking(caller, 'CreateChannelFlow', input.AppInstanceArn, `${input.AppInstanceArn}/channel-flow/*`, input.Tags),
      async handle(call, input) {
        const { tx, now } = call;
        const appInstance = await findAppInstance(tx, call, input.AppInstanceArn);
        if (appInstance === undefined) throw missing('CreateChannelFlow', `App instance ${input.AppInstanceArn} does not exist.`);
        const place = inAppInstance(call, appInstance.id);
        const isThere = async (id: string) => (await tx.resources.get(CHANNEL_FLOW, { ...place, id })) !== undefined;
        const id = await once(call, 'chime:CreateChannelFlow', input, isThere, async () => {
          requireProcessors(input.Processors);
          requireTags(input.Tags ?? []);
          const most = limits.flowsOfAppInstance;
          if ((await tx.resources.count(CHANNEL_FLOW, place, most)) >= most) {
            throw new AwsError('ResourceLimitExceededException', `The app instance has ${most} channel flows, and may not have more.`);
          }
          const flow = {
            ...place,
            id: call.newId(),
            createdAt: now,
            updatedAt: now,
            tags: withTags([], input.Tags ?? []),
            document: { name: input.Name, processors: input.Processors },
          };
          await tx.resources.add(CHANNEL_FLOW, flow);
          return flow.id;
        });
        return { ChannelFlowArn: flowArn({ ...place, id }) };
      },
    },

    /** @throws ForbiddenException no such channel flow */
    DescribeChannelFlow: {
      access: onArns('DescribeChannelFlow', ({ ChannelFlowArn }) => [ChannelFlowArn]),
      handle: async (call, input) => ({ ChannelFlow: toFlow(await flowOrMissing(call, 'DescribeChannelFlow', input.ChannelFlowArn)) }),
    },

    /** Messages sent from now on go through the new processors. @throws ForbiddenException · BadRequestException as CreateChannelFlow */
    UpdateChannelFlow: {
      access: onArns('UpdateChannelFlow', ({ ChannelFlowArn }) => [ChannelFlowArn]),
      async handle(call, input) {
        const flow = await flowOrMissing(call, 'UpdateChannelFlow', input.ChannelFlowArn);
        requireProcessors(input.Processors);
        const document = { name: input.Name, processors: input.Processors };
        await call.tx.resources.put(CHANNEL_FLOW, { ...flow, updatedAt: call.now, document });
        return { ChannelFlowArn: flowArn(flow) };
      },
    },

    /**
     * Source: API reference, DeleteChannelFlow: a flow that is associated with a channel cannot be deleted. Assumed: the text.
     * @throws ForbiddenException no such channel flow · ConflictException a channel's messages go through it
     */
    DeleteChannelFlow: {
      access: onArns('DeleteChannelFlow', ({ ChannelFlowArn }) => [ChannelFlowArn]),
      async handle(call, input) {
        const flow = await flowOrMissing(call, 'DeleteChannelFlow', input.ChannelFlowArn);
        if ((await call.tx.of(channels).listOfFlow(flow.parent, flow.id, 1)).length > 0) {
          throw new AwsError('ConflictException', `Channel flow ${input.ChannelFlowArn} is associated with a channel.`);
        }
        await call.tx.resources.remove(CHANNEL_FLOW, flow);
        return {};
      },
    },

    /** In the order of ids. @throws ForbiddenException no such app instance · BadRequestException a token of another list */
    ListChannelFlows: {
      access: onArns('ListChannelFlows', ({ AppInstanceArn }) => [`${AppInstanceArn}/channel-flow/*`]),
      async handle(call, input) {
        const appInstance = await findAppInstance(call.tx, call, input.AppInstanceArn);
        if (appInstance === undefined) throw missing('ListChannelFlows', `App instance ${input.AppInstanceArn} does not exist.`);
        const place = inAppInstance(call, appInstance.id);
        const { things, rest } = await pageOf(
          `flows of ${appInstance.id}`,
          input,
          (limit, after) => call.tx.resources.list(CHANNEL_FLOW, place, limit, after),
          ({ id }) => id,
        );
        const ChannelFlows = things.map((flow) => ({
          ChannelFlowArn: flowArn(flow),
          Name: flow.document.name,
          Processors: flow.document.processors,
        }));
        return { ChannelFlows, ...rest };
      },
    },

    /**
     * Assumed: the text; again with the same flow it is no error.
     * @throws NotFoundException no such channel, no such flow in its app instance · ForbiddenException his role does not permit it
     * @throws ConflictException the channel has another flow
     */
    AssociateChannelFlow: {
      access: onArns('AssociateChannelFlow', ({ ChimeBearer, ChannelArn, ChannelFlowArn }) => [ChimeBearer, ChannelArn, ChannelFlowArn]),
      async handle(call, input) {
        const { channel } = await admit(call, 'AssociateChannelFlow', input);
        const flow = await flowOrMissing(call, 'AssociateChannelFlow', input.ChannelFlowArn);
        if (flow.parent !== channel.appInstanceId) throw noFlow('AssociateChannelFlow', input.ChannelFlowArn);
        if (channel.flowId !== undefined && channel.flowId !== flow.id) {
          throw new AwsError('ConflictException', `Channel ${channelArn(channel)} is associated with another channel flow.`);
        }
        await call.tx.of(channels).put({ ...channel, flowId: flow.id });
        return {};
      },
    },

    /** @throws NotFoundException no such channel; it has another flow, or none · ForbiddenException his role does not permit it */
    DisassociateChannelFlow: {
      access: onArns('DisassociateChannelFlow', ({ ChimeBearer, ChannelArn, ChannelFlowArn }) => [ChimeBearer, ChannelArn, ChannelFlowArn]),
      async handle(call, input) {
        const { channel } = await admit(call, 'DisassociateChannelFlow', input);
        const flow = await flowOrMissing(call, 'DisassociateChannelFlow', input.ChannelFlowArn);
        const { flowId, ...without } = channel;
        if (flow.parent !== channel.appInstanceId || flowId !== flow.id) throw noFlow('DisassociateChannelFlow', input.ChannelFlowArn);
        await call.tx.of(channels).put(without);
        return {};
      },
    },

    /** In the order of ids. @throws ForbiddenException no such channel flow · BadRequestException a token of another list */
    ListChannelsAssociatedWithChannelFlow: {
      access: onArns('ListChannelsAssociatedWithChannelFlow', ({ ChannelFlowArn }) => [ChannelFlowArn]),
      async handle(call, input) {
        const flow = await flowOrMissing(call, 'ListChannelsAssociatedWithChannelFlow', input.ChannelFlowArn);
        const { things, rest } = await pageOf(
          `channels of ${flow.id}`,
          input,
          (limit, after) => call.tx.of(channels).listOfFlow(flow.parent, flow.id, limit, after),
          ({ channelId }) => channelId,
        );
        return { Channels: things.map(toAssociatedChannel), ...rest };
      },
    },

    /**
     * What a function says of a message it was given. No function is ever given one here, so there is nothing it could be about.
     *
     * Assumed: the code and the text.
     * @throws BadRequestException always
     */
    ChannelFlowCallback: {
      access: onArns('ChannelFlowCallback', ({ ChannelArn }) => [ChannelArn]),
      async handle(_, { CallbackId }) {
        throw new AwsError('BadRequestException', `No message waits for the callback ${CallbackId}.`);
      },
    },
  };
}

/** The channel flow of an ARN, in the caller's account and region; undefined for every other ARN. */
export async function findFlow(tx: Tx, caller: Where, text: string): Promise<FlowRecord | undefined> {
  const named = namedBy(caller, 'channel-flow', text);
  return named && (await tx.resources.get(CHANNEL_FLOW, { ...inAppInstance(caller, named.appInstanceId), id: named.id }));
}

async function flowOrMissing(call: Call, operation: keyof ChimeSdkMessagingApi, channelFlowArn: string): Promise<FlowRecord> {
  const flow = await findFlow(call.tx, call, channelFlowArn);
  if (flow === undefined) throw noFlow(operation, channelFlowArn);
  return flow;
}

function noFlow(operation: keyof ChimeSdkMessagingApi, channelFlowArn: string): AwsError {
  return missing(operation, `Channel flow ${channelFlowArn} does not exist.`);
}

function flowArn(flow: Pick<FlowRecord, 'accountId' | 'region' | 'parent' | 'id'>): string {
  return inAppInstanceArn({ ...flow, appInstanceId: flow.parent }, 'channel-flow', flow.id);
}

function toFlow(flow: FlowRecord): ChannelFlow {
  const { name, processors } = flow.document;
  return {
    ChannelFlowArn: flowArn(flow),
    Name: name,
    Processors: processors,
    CreatedTimestamp: flow.createdAt,
    LastUpdatedTimestamp: flow.updatedAt,
  };
}

/** Source: API reference, Processor: names and orders are unique in a flow. Assumed: the texts. */
function requireProcessors(processors: readonly Processor[]): void {
  for (const member of ['Name', 'ExecutionOrder'] as const) {
    if (new Set(processors.map((each) => each[member])).size < processors.length) {
      throw new AwsError('BadRequestException', `Processors of a channel flow differ in ${member}.`);
    }
  }
}
