import type { ChannelMessageType } from '#model/generated/chime-sdk-messaging.ts';
import { inAppInstance } from '../chime/app-instances.ts';
import type { ChannelEvent } from '../chime/events.ts';
import type { Call } from '../kit/operation.ts';
import { CHANNEL_FLOW } from './kinds.ts';
import { named } from './stored-channels.ts';
import type { ChannelRecord } from './tables/channels.ts';

/**
 * Passes a message through the flow of its channel before it is stored. CONTROL messages do not pass through flows. This server cannot
 * invoke Lambda functions, so every invocation fails. The flow then determines the result.
 *
 * Requirement RBP-4. Source: Chime SDK Developer Guide, "Using channel flows to process messages", FallbackAction: CONTINUE runs the next
 * processor, ABORT ends the flow and the message is not sent; API reference, CreateChannelFlow: CONTROL; LOG-24 for the event.
 * Assumed: the messages.
 * Emits: ProcessorInvocationFailure for each processor until an ABORT.
 * @returns the reason why the message must not be sent; undefined if it may
 */
export async function passThroughFlow(
  call: Call,
  channel: ChannelRecord,
  type: ChannelMessageType,
  messageId: string,
): Promise<string | undefined> {
  const { tx } = call;
  if (channel.flowId === undefined || type === 'CONTROL') return undefined;
  const flow = await tx.resources.get(CHANNEL_FLOW, { ...inAppInstance(channel, channel.appInstanceId), id: channel.flowId });
  const processors = flow?.document.Processors.toSorted((a, b) => a.ExecutionOrder - b.ExecutionOrder) ?? [];
  for (const { Name, Configuration, FallbackAction } of processors) {
    const processorResourceArn = Configuration.Lambda.ResourceArn;
    await call.emit<ChannelEvent>({
      type: 'ProcessorInvocationFailure',
      ...named(channel),
      messageId,
      processorResourceArn,
      failureReason: `messaging.chime.amazonaws.com is not authorized to perform: lambda:InvokeFunction on resource: ${processorResourceArn}`,
    });
    if (FallbackAction === 'ABORT') return `Processor '${Name}' could not be invoked.`;
  }
  return undefined;
}
