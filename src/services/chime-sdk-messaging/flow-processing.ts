import { inAppInstance } from '../chime/app-instances.ts';
import type { ChannelEvent } from '../chime/events.ts';
import type { Call } from '../kit/operation.ts';
import { CHANNEL_FLOW } from './flow-documents.ts';
import { named } from './found.ts';
import type { ChannelRecord } from './tables/channels.ts';

/**
 * Takes a message through the flow of its channel, before it is kept. There is nobody here who could run a function, and whether one may be
 * invoked is for its owner to say, never for us: so every invocation fails, each is told of, and what happens then is the flow's own choice.
 *
 * Requirement RBP-4. Source: Chime SDK Developer Guide, "Using channel flows to process messages", FallbackAction: CONTINUE processes further,
 * ABORT stops and the message is not sent; LOG-24 for what is told. Assumed: the texts.
 * Emits: ProcessorInvocationFailure of each processor that was reached.
 * @returns why the message must not be sent; undefined where it may
 */
export async function passThroughFlow(call: Call, channel: ChannelRecord, messageId: string): Promise<string | undefined> {
  const { tx } = call;
  if (channel.flowId === undefined) return undefined;
  const flow = await tx.resources.get(CHANNEL_FLOW, { ...inAppInstance(channel, channel.appInstanceId), id: channel.flowId });
  const processors = flow?.document.processors.toSorted((a, b) => a.ExecutionOrder - b.ExecutionOrder) ?? [];
  for (const { Name, Configuration, FallbackAction } of processors) {
    const processorResourceArn = Configuration.Lambda.ResourceArn;
    await call.emit<ChannelEvent>({
      type: 'ProcessorInvocationFailure',
      ...named(channel),
      messageId,
      processorResourceArn,
      failureReason: `messaging.chime.amazonaws.com is not authorized to perform: lambda:InvokeFunction on resource: ${processorResourceArn}`,
    });
    if (FallbackAction === 'ABORT') return `Processor ${Name} could not be invoked.`;
  }
  return undefined;
}
