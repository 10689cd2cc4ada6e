import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { appInstanceArn, inAppInstance } from '../chime-kit/app-instances.ts';
import { payloadText } from '../chime-kit/event-payload.ts';
import type { ChannelEvent } from '../chime-kit/events.ts';
import { subscription, type Work } from '../kit/events.ts';
import { laneOf, outgoing } from '../kit/outgoing.ts';
import { inAppInstanceArn, STREAMING } from './kinds.ts';

/** Service principal that writes to streams. */
const SERVICE = 'messaging.chime.amazonaws.com';
/**
 * Attempts and time in which the server tries to write a record.
 *
 * Assumed: the time for which a stream keeps records by default.
 */
const ATTEMPTS = 185;
const WITHIN_MS = DAY_MS;

/** Record of a stream, before its payload is text. */
interface StreamRecord {
  readonly dataType: 'Channel' | 'ChannelMessage';
  readonly EventType: string;
  readonly Payload: object;
}

/**
 * Writes the events of the channels of an app instance to its Kinesis streams. Records of one channel keep their order.
 *
 * Writes: an outgoing message for each record.
 * Source: Chime SDK Developer Guide, "Streaming messaging data", data format and event types.
 * Assumed: (1) The partition key is the ARN of the channel. (2) `Payload` is an object, and its timestamps have the form of messaging
 * sessions. (3) Members that one request adds have a record each, because the guide lists no event for several. (4) The list of event types
 * is complete, so messages that were not sent have no record.
 */
export const streamChannelEvents = subscription<ChannelEvent>()(
  [
    'CREATE_CHANNEL_MESSAGE',
    'UPDATE_CHANNEL_MESSAGE',
    'REDACT_CHANNEL_MESSAGE',
    'DELETE_CHANNEL_MESSAGE',
    'CREATE_CHANNEL',
    'UPDATE_CHANNEL',
    'DELETE_CHANNEL',
    'UPDATE_CHANNEL_EXPIRATION_SETTINGS',
    'CREATE_CHANNEL_MEMBERSHIP',
    'DELETE_CHANNEL_MEMBERSHIP',
    'BATCH_CREATE_CHANNEL_MEMBERSHIP',
    'CREATE_CHANNEL_BAN',
    'DELETE_CHANNEL_BAN',
    'CREATE_CHANNEL_MODERATOR',
    'DELETE_CHANNEL_MODERATOR',
    'CREATE_SUB_CHANNEL',
    'DELETE_SUB_CHANNEL',
  ],
  async (work, event) => {
    const { appInstanceId } = event;
    const streaming = await work.tx.resources.get(STREAMING, { ...inAppInstance(event, ''), id: appInstanceId });
    if (streaming === undefined) return;
    for (const record of recordsOf(event)) {
      const stream = streaming.document.find(({ DataType }) => DataType === record.dataType)?.ResourceArn;
      if (stream !== undefined) await write(work, event, stream, record);
    }
  },
);

function recordsOf(event: ChannelEvent): readonly StreamRecord[] {
  const EventType = event.type;
  const channel = (Payload: object): StreamRecord => ({ dataType: 'Channel', EventType, Payload });
  if ('message' in event) return [{ dataType: 'ChannelMessage', EventType, Payload: event.message }];
  if ('membership' in event) return [channel(event.membership)];
  if ('memberships' in event) {
    const { Members = [], ...shared } = event.memberships;
    return Members.map((Member) => ({ dataType: 'Channel', EventType: 'CREATE_CHANNEL_MEMBERSHIP', Payload: { ...shared, Member } }));
  }
  if ('moderator' in event) return [channel(event.moderator)];
  if ('ban' in event) return [channel(event.ban)];
  if ('subChannelId' in event) return [channel({ ChannelArn: channelArnOf(event), SubChannelId: event.subChannelId })];
  return 'channel' in event ? [channel(event.channel)] : [];
}

function channelArnOf(event: ChannelEvent): string {
  return inAppInstanceArn(event, 'channel', event.channelId);
}

async function write(work: Work, event: ChannelEvent, stream: string, { EventType, Payload }: StreamRecord): Promise<void> {
  const { tx, now } = work;
  const { accountId, region, appInstanceId } = event;
  const channelArn = channelArnOf(event);
  await tx.of(outgoing).add({
    id: work.newId(),
    accountId,
    region,
    lane: laneOf(stream, channelArn),
    ordered: true,
    target: { kind: 'kinesis', arn: stream, PartitionKey: channelArn },
    sender: { service: SERVICE, sourceArn: appInstanceArn(event, appInstanceId), sourceAccount: accountId },
    body: `{"EventType":${JSON.stringify(EventType)},"Payload":${payloadText(Payload)}}`,
    createdAt: now,
    maximumAttempts: ATTEMPTS,
    expiresAt: instant(now + WITHIN_MS),
  });
}
