import { parseArn } from '#core/arn.ts';
import type { Processor } from '#model/generated/chime-sdk-messaging.ts';
import type { Call } from '../kit/operation.ts';
import { type Change, resource } from '../kit/resource.ts';
import { arnOf } from '../kit/resource-access.ts';
import { onNewIn } from './access.ts';
import type { MessagingDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { CHANNEL_FLOW, type ChannelFlowDocument } from './kinds.ts';
import { channels } from './tables/channels.ts';

type FlowChange = Change<ChannelFlowDocument, unknown>;

/**
 * Channel flows: lists of processors for the messages of a channel. `flow-processing.ts` passes messages through a
 * flow. Messages that are sent after an update of a flow pass through the new processors.
 *
 * Source: chime-sdk-messaging 2021-05-15, CreateChannelFlow … ListChannelFlows.
 */
export function flowOperations({ limits }: MessagingDeps) {
  return resource(CHANNEL_FLOW, {
    limit: { most: limits.flowsOfAppInstance, per: 'parent', title: 'channel flows' },
    create: {
      operation: 'CreateChannelFlow',
      access: ({ AppInstanceArn, Tags }, caller) => onNewIn(caller, AppInstanceArn, `${AppInstanceArn}/channel-flow/*`, Tags),
      guard: [requireProcessors],
    },
    read: { operation: 'DescribeChannelFlow' },
    update: { operation: 'UpdateChannelFlow', guard: [requireProcessors] },
    delete: { operation: 'DeleteChannelFlow', guard: [refuseWithChannel] },
    list: { operation: 'ListChannelFlows' },
  });
}

/**
 * Checks the processors of a flow.
 *
 * Source: API reference, Processor: names and orders are unique in a flow. Chime SDK Developer Guide, "Setting up a
 * channel processor": the function is in the account and region of the app instance.
 * Assumed: the wording of the error messages.
 */
function requireProcessors({ accountId, region }: Call, { document: { Processors } }: FlowChange): void {
  for (const { Configuration } of Processors) {
    const lambda = parseArn(Configuration.Lambda.ResourceArn);
    if (lambda?.accountId !== accountId || lambda.region !== region) {
      throw new AwsError(
        'BadRequestException',
        'The Lambda function of a processor must be in the account and region of the app instance.',
      );
    }
  }
  for (const member of ['Name', 'ExecutionOrder'] as const) {
    if (new Set(Processors.map((processor: Processor) => processor[member])).size < Processors.length) {
      throw new AwsError('BadRequestException', `Each processor of a channel flow must have a different ${member}.`);
    }
  }
}

/**
 * Checks that no channel is associated with a flow.
 *
 * Source: API reference, DeleteChannelFlow. Assumed: the wording of the error message.
 * @throws ConflictException
 */
async function refuseWithChannel({ tx }: Call, { before }: FlowChange): Promise<void> {
  if (before === undefined || (await tx.of(channels).listOfFlow(before.parent, before.id, 1)).length === 0) return;
  throw new AwsError('ConflictException', `Channel flow '${arnOf(CHANNEL_FLOW, before)}' is associated with a channel.`);
}
