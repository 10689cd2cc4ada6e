/** Passes messages through the processors of a channel flow. A processor is a Lambda function that calls back with its result. */
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type {
  ChannelMessageCallback,
  ChannelMessageType,
  Processor,
  PushNotificationConfiguration,
} from '#model/generated/chime-sdk-messaging.ts';
import type { Tx } from '#store/store.ts';
import { appInstanceArn, inAppInstance } from '../chime-kit/app-instances.ts';
import { payloadText } from '../chime-kit/event-payload.ts';
import type { ChannelEvent } from '../chime-kit/events.ts';
import { subscription, type Work } from '../kit/events.ts';
import { laneOf, type OutgoingFailed, outgoing } from '../kit/outgoing.ts';
import { expiryOf } from './expiration.ts';
import { CHANNEL_FLOW } from './kinds.ts';
import { type FoundMessage, type MessageDocument, toMessage } from './message-documents.ts';
import { emitMessage } from './message-events.ts';
import { named } from './stored-channels.ts';
import { ALL_MEMBERS, channelMessages } from './tables/channel-messages.ts';
import { type ChannelRecord, channels } from './tables/channels.ts';
import { type FlowMessage, flowMessages } from './tables/flow-messages.ts';

/** Service principal that invokes processors. */
const SERVICE = 'messaging.chime.amazonaws.com';
/**
 * Attempts to invoke a function, and the time in which the processor must call back.
 *
 * Assumed: both. The guide names no time.
 */
const ATTEMPTS = 3;
const WITHIN_MS = 60_000;
/** Most messages that one transaction of the sweep handles. Other requests wait for this transaction. */
const SWEPT_AT_ONCE = 100;

/**
 * Returns the processors through which a message of a channel passes, in their order. Empty: the message passes through none.
 *
 * Source: API reference, CreateChannelFlow: CONTROL messages do not pass through flows.
 */
export async function processorsFor(tx: Tx, channel: ChannelRecord, type: ChannelMessageType): Promise<readonly Processor[]> {
  if (channel.flowId === undefined || type === 'CONTROL') return [];
  const flow = await tx.resources.get(CHANNEL_FLOW, { ...inAppInstance(channel, channel.appInstanceId), id: channel.flowId });
  return flow?.document.Processors.toSorted((a, b) => a.ExecutionOrder - b.ExecutionOrder) ?? [];
}

/** A message that enters a flow, and what it becomes after the flow. */
interface Entering {
  readonly message: FoundMessage;
  readonly isUpdate: boolean;
  readonly onlyFor?: string;
  readonly pushNotification?: PushNotificationConfiguration;
}

/**
 * Lets a message wait for the first processor of its flow.
 *
 * Writes: the waiting message, and the outgoing message that invokes the function.
 * Emits: PENDING_CREATE_CHANNEL_MESSAGE or PENDING_UPDATE_CHANNEL_MESSAGE.
 * Source: Chime SDK Developer Guide, "Sending messages", message status.
 */
export async function enterFlow(work: Work, channel: ChannelRecord, processor: Processor, entering: Entering): Promise<void> {
  const { message, isUpdate, onlyFor, pushNotification } = entering;
  const { record, document } = message;
  const { pending: _, ...after } = document;
  await wait(work, channel, processor, {
    ...omitUndefined({ onlyFor, pushNotification }),
    accountId: channel.accountId,
    region: channel.region,
    appInstanceId: channel.appInstanceId,
    channelId: channel.channelId,
    channelKey: channel.channelKey,
    subChannelId: record.subChannelId,
    messageId: record.messageId,
    isUpdate,
    sender: record.sender,
    sentAt: record.createdAt,
    document: JSON.stringify(after),
  });
  await emitMessage(work, isUpdate ? 'PENDING_UPDATE_CHANNEL_MESSAGE' : 'PENDING_CREATE_CHANNEL_MESSAGE', channel, message);
}

/**
 * Stores a message that waits for a processor, and invokes the processor.
 *
 * Source: Chime SDK Developer Guide, "Setting up a channel processor", "Invoking processor Lambda functions".
 */
async function wait(
  work: Work,
  channel: ChannelRecord,
  { ExecutionOrder, Configuration }: Processor,
  waiting: Omit<FlowMessage, 'callbackId' | 'executionOrder' | 'expiresAt'>,
): Promise<void> {
  const { tx, now } = work;
  const { accountId, region, appInstanceId } = channel;
  const callbackId = work.newId();
  const expiresAt = instant(now + WITHIN_MS);
  const message = { ...waiting, callbackId, executionOrder: ExecutionOrder, expiresAt };
  await tx.of(flowMessages).add(message);
  const { record, document } = candidateOf(message);
  const ChannelMessage = await toMessage(tx, channel, { record, document: { ...document, pending: true } });
  const target = { kind: 'lambda', arn: Configuration.Lambda.ResourceArn } as const;
  await tx.of(outgoing).add({
    id: callbackId,
    accountId,
    region,
    lane: laneOf(target.arn),
    ordered: false,
    target,
    sender: { service: SERVICE, sourceArn: appInstanceArn(channel, appInstanceId), sourceAccount: accountId },
    body: payloadText({ EventType: 'CHANNEL_MESSAGE_EVENT', CallbackId: callbackId, ChannelMessage }),
    createdAt: now,
    maximumAttempts: ATTEMPTS,
    expiresAt,
  });
}

/** Returns the message as it is while it waits. */
function candidateOf(waiting: FlowMessage): FoundMessage {
  const { channelKey, subChannelId, messageId, sender, sentAt, document } = waiting;
  const audience = waiting.onlyFor ?? ALL_MEMBERS;
  const record = { channelKey, subChannelId, audience, messageId, sender, createdAt: sentAt, document };
  return { record, document: JSON.parse(document) as MessageDocument };
}

/** Answer of a processor. */
export type ProcessorResult =
  | { readonly outcome: 'processed'; readonly changes: ChannelMessageCallback }
  | { readonly outcome: 'denied' }
  | { readonly outcome: 'failed'; readonly reason: string };

/**
 * Continues with a message that no longer waits, after its processor answered or failed: passes it to the next processor, sends it, or ends it.
 *
 * Source: Chime SDK Developer Guide, "Using channel flows to process messages", FallbackAction: CONTINUE runs the next processor. ABORT ends
 * the flow, and the message is not sent. "Sending messages": a denied message is not stored. LOG-24 for a failed processor.
 * Emits: ProcessorInvocationFailure; then, at the end of the flow, CREATE_CHANNEL_MESSAGE, FAILED_CREATE_CHANNEL_MESSAGE,
 *   DENIED_CREATE_CHANNEL_MESSAGE, or the same for an update.
 * @returns 'gone' if the channel or the message no longer exists, or the message was redacted
 */
export async function continueFlow(work: Work, waiting: FlowMessage, result: ProcessorResult): Promise<'continued' | 'gone'> {
  const { tx } = work;
  const { accountId, region, appInstanceId, channelId, channelKey, subChannelId, messageId } = waiting;
  const channel = await tx.of(channels).get(accountId, region, appInstanceId, channelId);
  if (channel?.channelKey !== channelKey) return 'gone';
  const candidate = candidateOf(waiting);
  const stored = await tx.of(channelMessages).get(channelKey, subChannelId, messageId);
  const isPersistent = candidate.document.persistence === 'PERSISTENT';
  if (isPersistent && (stored === undefined || (JSON.parse(stored.document) as MessageDocument).redacted === true)) return 'gone';

  if (result.outcome === 'denied') {
    await end(work, channel, waiting, { ...candidate.document, denied: true });
    return 'continued';
  }
  const processors = await processorsFor(tx, channel, candidate.document.type);
  if (result.outcome === 'failed') {
    const processor = processors.find(({ ExecutionOrder }) => ExecutionOrder === waiting.executionOrder);
    const processorResourceArn = processor?.Configuration.Lambda.ResourceArn ?? '';
    const failure = { messageId, processorResourceArn, failureReason: result.reason };
    await work.emit<ChannelEvent>({ type: 'ProcessorInvocationFailure', ...named(channel), ...failure });
    if (processor?.FallbackAction !== 'CONTINUE') {
      await end(work, channel, waiting, { ...candidate.document, failure: `Processor '${processor?.Name ?? ''}' could not be invoked.` });
      return 'continued';
    }
  }
  const document = result.outcome === 'processed' ? processed(candidate.document, result.changes) : candidate.document;
  const next = processors.find(({ ExecutionOrder }) => ExecutionOrder > waiting.executionOrder);
  const { PushNotification = waiting.pushNotification } = result.outcome === 'processed' ? result.changes : {};
  const rest = omitUndefined({ ...waiting, document: JSON.stringify(document), pushNotification: PushNotification });
  if (next === undefined) await end(work, channel, rest, document);
  else await wait(work, channel, next, rest);
  return 'continued';
}

function processed(
  document: MessageDocument,
  { Content, Metadata, ContentType, MessageAttributes }: ChannelMessageCallback,
): MessageDocument {
  const changes = { content: Content, metadata: Metadata, contentType: ContentType, attributes: MessageAttributes };
  return { ...document, ...omitUndefined(changes) };
}

/** Ends the flow of a message, whose document says whether it is sent, failed or denied. */
async function end(work: Work, channel: ChannelRecord, waiting: FlowMessage, document: MessageDocument): Promise<void> {
  const { tx } = work;
  const { isUpdate } = waiting;
  const { record } = candidateOf(waiting);
  const isSent = document.failure === undefined && document.denied !== true;
  const message = { record: { ...record, document: JSON.stringify(document) }, document };
  if (document.persistence === 'PERSISTENT') {
    if (isSent && !isUpdate) await tx.of(channelMessages).reveal(message.record);
    else if (isSent) await tx.of(channelMessages).put(message.record);
    else if (!isUpdate && document.denied === true) await tx.of(channelMessages).remove(message.record);
    else if (!isUpdate) await tx.of(channelMessages).put(message.record);
  }
  if (isSent && !isUpdate) {
    await tx.of(channels).touch(channel.channelKey, record.createdAt, expiryOf({ ...channel, lastMessageAt: record.createdAt }));
  }
  const prefix = isSent ? '' : document.denied === true ? 'DENIED_' : 'FAILED_';
  const type = `${prefix}${isUpdate ? 'UPDATE' : 'CREATE'}_CHANNEL_MESSAGE` as const;
  await emitMessage(work, type, channel, message, isSent ? waiting.pushNotification : undefined);
}

/** Ends the wait for a processor whose function could not be invoked. */
export const endUninvoked = subscription<OutgoingFailed>()(['OutgoingFailed'], async (work, { message, reason }) => {
  if (message.target.kind !== 'lambda' || message.sender.service !== SERVICE) return;
  const waiting = await work.tx.of(flowMessages).take(message.id);
  if (waiting !== undefined) await continueFlow(work, waiting, { outcome: 'failed', reason });
});

/** Ends the wait for processors that did not call back in time. */
export async function sweepUnanswered(work: Work): Promise<'more' | 'done'> {
  const { tx, now } = work;
  const expired = await tx.of(flowMessages).expired(now, SWEPT_AT_ONCE);
  for (const { callbackId } of expired) {
    const waiting = await tx.of(flowMessages).take(callbackId);
    if (waiting !== undefined) await continueFlow(work, waiting, { outcome: 'failed', reason: 'The processor did not call back in time.' });
  }
  return expired.length === SWEPT_AT_ONCE ? 'more' : 'done';
}
