import { type Instant, instant } from '#core/instant.ts';
import type { ChannelMessage, ChimeSdkMessagingApi, SendChannelMessageRequest } from '#model/generated/chime-sdk-messaging.ts';
import type { ChannelEvent, MessageEventType } from '../chime/events.ts';
import { pageOf } from '../chime/page.ts';
import { once } from '../kit/once.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { onChannel } from './access.ts';
import { type Admitted, admit, memberOrForbidden, seesHidden } from './admit.ts';
import { expiryOf } from './channels.ts';
import { AwsError } from './errors.ts';
import { passThroughFlow } from './flow-processing.ts';
import { channelArn, named } from './found.ts';
import { inSubChannel, membershipEvent } from './membership-events.ts';
import {
  type FoundMessage,
  found,
  type MessageDocument,
  messageOrMissing,
  toMessage,
  toMessageSummary,
  toStatus,
} from './message-documents.ts';
import type { BearerOperation } from './roles.ts';
import { subChannelOf } from './sub-channels.ts';
import { channelMessages } from './tables/channel-messages.ts';
import { type ChannelRecord, channels } from './tables/channels.ts';
import { memberships } from './tables/memberships.ts';

type Operations = ServiceOperations<ChimeSdkMessagingApi>;
type MessageOperations = Pick<
  Operations,
  | 'SendChannelMessage'
  | 'GetChannelMessage'
  | 'ListChannelMessages'
  | 'UpdateChannelMessage'
  | 'RedactChannelMessage'
  | 'DeleteChannelMessage'
  | 'GetChannelMessageStatus'
  | 'UpdateChannelReadMarker'
>;

/** Source: API reference, SendChannelMessage, Type: up to 4 KB, and 30 bytes without metadata in a CONTROL message. */
const CONTENT_MAX_BYTES = { STANDARD: 4096, CONTROL: 30 } as const;

const BEGINNING = instant(0);
/** The last moment a date can be. */
const END = instant(8.64e15);

/** Sending, reading, changing and removing messages. Source: chime-sdk-messaging 2021-05-15. */
export function messageOperations(): MessageOperations {
  return {
    /**
     * Sends a message, or answers with the one this token sent. One that is NON_PERSISTENT is told to who is there and not kept.
     *
     * @throws ForbiddenException  no such channel; his role does not permit it; the target is not a member
     * @throws BadRequestException content that is too long, metadata of a CONTROL message, a sub-channel that cannot be
     * @throws ConflictException   the token sent another message
     *
     * Emits: CREATE_CHANNEL_MESSAGE; where a flow keeps it from being sent, FAILED_CREATE_CHANNEL_MESSAGE.
     */
    SendChannelMessage: {
      access: onChannel('SendChannelMessage'),
      async handle(call, input) {
        const admitted = await admit(call, 'SendChannelMessage', input);
        const { bearer, channel } = admitted;
        const subChannelId = await subChannelOf(call, channel, input.SubChannelId);
        requireContent(input.Type, input.Content, input.Metadata);
        const sent = await once(
          call,
          'chime:SendChannelMessage',
          { ...input, ClientRequestToken: `${bearer.arn} ${input.ClientRequestToken}` },
          async () => true,
          async () => JSON.stringify(await sendMessage(call, admitted, subChannelId, input)),
        );
        const { MessageId, Status } = JSON.parse(sent) as Pick<ChannelMessage, 'MessageId' | 'Status'>;
        return { ...answerOf(channel, subChannelId, MessageId as string), Status: Status as NonNullable<typeof Status> };
      },
    },

    /** @throws NotFoundException no such channel, no such message, one that is for somebody else · ForbiddenException */
    GetChannelMessage: {
      access: onChannel('GetChannelMessage'),
      async handle(call, input) {
        const { bearer, channel } = await admit(call, 'GetChannelMessage', input);
        const subChannelId = await subChannelOf(call, channel, input.SubChannelId);
        const message = await messageOrMissing(call, 'GetChannelMessage', channel, subChannelId, input.MessageId, bearer.key);
        return { ChannelMessage: await toMessage(call.tx, channel, message) };
      },
    },

    /**
     * A page of messages in the order of time, the newest first where not asked otherwise. What is for somebody else is left out.
     *
     * Source: API reference, ListChannelMessages: redacted messages are listed, without content.
     * @throws ForbiddenException · BadRequestException a sub-channel that cannot be, a token of another question
     */
    ListChannelMessages: {
      access: onChannel('ListChannelMessages'),
      async handle(call, input) {
        const { bearer, channel } = await admit(call, 'ListChannelMessages', input);
        const subChannelId = await subChannelOf(call, channel, input.SubChannelId);
        const { SortOrder: order = 'DESCENDING', NotBefore: notBefore = BEGINNING, NotAfter: notAfter = END } = input;
        const range = { channelKey: channel.channelKey, subChannelId, reader: bearer.key, notBefore, notAfter, order };
        const { things, rest } = await pageOf(
          JSON.stringify(['messages', ...Object.values(range)]),
          input,
          (limit, after) => call.tx.of(channelMessages).list(range, limit, placeOf(after)),
          ({ createdAt, messageId }) => `${createdAt} ${messageId}`,
        );
        const ChannelMessages = [];
        for (const record of things) ChannelMessages.push(await toMessageSummary(call.tx, channel, found(record)));
        return { ChannelArn: channelArn(channel), ChannelMessages, ...inSubChannel(subChannelId), ...rest };
      },
    },

    /**
     * Changes what a bearer sent himself.
     *
     * Assumed: a message that was redacted or not sent cannot be changed; metadata that is not given stays.
     * @throws ForbiddenException no such channel or message; it is somebody else's · BadRequestException as SendChannelMessage
     * @throws ConflictException  it was redacted, or not sent
     *
     * Emits: UPDATE_CHANNEL_MESSAGE; where a flow keeps it from being changed, FAILED_UPDATE_CHANNEL_MESSAGE.
     */
    UpdateChannelMessage: {
      access: onChannel('UpdateChannelMessage'),
      async handle(call, input) {
        const { tx, now } = call;
        const { channel, subChannelId, message } = await admitToMessage(call, 'UpdateChannelMessage', input);
        const { record, document } = message;
        requireContent(document.type, input.Content, input.Metadata);
        if (document.redacted === true || document.failure !== undefined) {
          throw new AwsError('ConflictException', `Message ${record.messageId} cannot be changed.`);
        }
        const changed: MessageDocument = {
          ...document,
          content: input.Content,
          ...(input.Metadata !== undefined && { metadata: input.Metadata }),
          ...(input.ContentType !== undefined && { contentType: input.ContentType }),
          updatedAt: now,
          editedAt: now,
        };
        const failure = await passThroughFlow(call, channel, record.messageId);
        const answer = answerOf(channel, subChannelId, record.messageId);
        if (failure !== undefined) {
          const failed = { ...changed, failure };
          await emitMessage(call, 'FAILED_UPDATE_CHANNEL_MESSAGE', channel, { record, document: failed });
          return { ...answer, Status: toStatus(failed) };
        }
        await tx.of(channelMessages).put({ ...record, document: JSON.stringify(changed) });
        await emitMessage(call, 'UPDATE_CHANNEL_MESSAGE', channel, { record, document: changed });
        return { ...answer, Status: toStatus(changed) };
      },
    },

    /**
     * Takes content and metadata from a message, which stays.
     *
     * Source: API reference, RedactChannelMessage. Assumed: again, it is no error and no change.
     * @throws ForbiddenException no such channel or message; his role does not permit it
     *
     * Emits: REDACT_CHANNEL_MESSAGE.
     */
    RedactChannelMessage: {
      access: onChannel('RedactChannelMessage'),
      async handle(call, input) {
        const { channel, subChannelId, message } = await admitToMessage(call, 'RedactChannelMessage', input);
        const { record, document } = message;
        if (document.redacted !== true) {
          const { metadata: _, attributes: __, ...kept } = document;
          const redacted: MessageDocument = { ...kept, content: '', updatedAt: call.now, redacted: true };
          await call.tx.of(channelMessages).put({ ...record, document: JSON.stringify(redacted) });
          await emitMessage(call, 'REDACT_CHANNEL_MESSAGE', channel, { record, document: redacted });
        }
        return answerOf(channel, subChannelId, record.messageId);
      },
    },

    /**
     * Removes a message, also one that the administrator does not see.
     *
     * Source: API reference, DeleteChannelMessage, and SendChannelMessage, Target.
     * @throws ForbiddenException no such channel or message; he is no administrator
     *
     * Emits: DELETE_CHANNEL_MESSAGE.
     */
    DeleteChannelMessage: {
      access: onChannel('DeleteChannelMessage'),
      async handle(call, input) {
        const { channel } = await admit(call, 'DeleteChannelMessage', withoutSubChannel(input));
        const subChannelId = await subChannelOf(call, channel, input.SubChannelId);
        const message = await messageOrMissing(call, 'DeleteChannelMessage', channel, subChannelId, input.MessageId);
        await call.tx.of(channelMessages).remove(message.record);
        await emitMessage(call, 'DELETE_CHANNEL_MESSAGE', channel, message);
        return {};
      },
    },

    /** What became of a message its bearer sent. @throws ForbiddenException no such channel or message; it is somebody else's */
    GetChannelMessageStatus: {
      access: onChannel('GetChannelMessageStatus'),
      async handle(call, input) {
        const { message } = await admitToMessage(call, 'GetChannelMessageStatus', input);
        return { Status: toStatus(message.document) };
      },
    },

    /**
     * Notes up to when a member has read: now.
     *
     * @throws ForbiddenException no such channel; he is no member
     *
     * Emits: UPDATE_CHANNEL_MEMBERSHIP, to him alone.
     */
    UpdateChannelReadMarker: {
      access: onChannel('UpdateChannelReadMarker'),
      async handle(call, input) {
        const { tx, now } = call;
        const { bearer, channel } = await admit(call, 'UpdateChannelReadMarker', input);
        for (const membership of await tx.of(memberships).ofMember(channel, bearer.key)) {
          const read = { ...membership, readMarkerAt: now };
          await tx.of(memberships).put(read);
          await call.emit<ChannelEvent>(await membershipEvent(tx, 'UPDATE_CHANNEL_MEMBERSHIP', channel, read));
        }
        return { ChannelArn: channelArn(channel) };
      },
    },
  };
}

interface MessageInput {
  readonly ChannelArn: string;
  readonly ChimeBearer: string;
  readonly MessageId: string;
  readonly SubChannelId?: string;
}

/** Admits to what is done with one message: a role may permit it where the bearer sent it. Who does not see it is told that it is not there. */
async function admitToMessage(
  call: Call,
  operation: BearerOperation,
  input: MessageInput,
): Promise<Admitted & { readonly subChannelId: string; readonly message: FoundMessage }> {
  const { tx } = call;
  const { MessageId } = input;
  const admitted = await admit(call, operation, input, async ({ channelKey }, bearer) => {
    const message = await tx.of(channelMessages).get(channelKey, input.SubChannelId ?? '', MessageId);
    return { own: message?.sender === bearer.key };
  });
  const { bearer, channel } = admitted;
  const subChannelId = await subChannelOf(call, channel, input.SubChannelId);
  const message = await messageOrMissing(call, operation, channel, subChannelId, MessageId, bearer.key);
  return { ...admitted, subChannelId, message };
}

function withoutSubChannel({ ChannelArn, ChimeBearer }: MessageInput) {
  return { ChannelArn, ChimeBearer };
}

async function sendMessage(
  call: Call,
  admitted: Admitted,
  subChannelId: string,
  input: SendChannelMessageRequest,
): Promise<Pick<ChannelMessage, 'MessageId' | 'Status'>> {
  const { tx, now } = call;
  const { bearer, channel } = admitted;
  const target = await targetOf(call, admitted, subChannelId, input);
  const messageId = call.newId();
  const failure = await passThroughFlow(call, channel, messageId);
  const document: MessageDocument = {
    content: input.Content,
    ...(input.Metadata !== undefined && { metadata: input.Metadata }),
    type: input.Type,
    persistence: input.Persistence,
    ...(input.ContentType !== undefined && { contentType: input.ContentType }),
    ...(input.MessageAttributes !== undefined && { attributes: input.MessageAttributes }),
    updatedAt: now,
    ...(failure !== undefined && { failure }),
  };
  const onlyFor = failure === undefined ? target : '';
  const made = {
    channelKey: channel.channelKey,
    subChannelId,
    messageId,
    createdAt: now,
    sender: bearer.key,
    ...(onlyFor !== undefined && { onlyFor }),
    document: JSON.stringify(document),
  };
  const record = input.Persistence === 'PERSISTENT' ? await tx.of(channelMessages).add(made) : made;
  const message = { record, document };
  if (failure === undefined) {
    await tx.of(channels).touch(channel.channelKey, record.createdAt, expiryOf({ ...channel, lastMessageAt: record.createdAt }));
    await emitMessage(call, 'CREATE_CHANNEL_MESSAGE', channel, message, input.PushNotification);
  } else await emitMessage(call, 'FAILED_CREATE_CHANNEL_MESSAGE', channel, message);
  return { MessageId: messageId, Status: toStatus(document) };
}

/**
 * Whom alone a message is for, besides its sender.
 *
 * Source: API reference, SendChannelMessage, Target: a member of the channel. Assumed: the text.
 * @throws ForbiddenException no user or bot of the app instance, or no member that the bearer may see
 */
async function targetOf(
  call: Call,
  { bearer, channel, roles }: Admitted,
  subChannelId: string,
  { Target: [target] = [] }: SendChannelMessageRequest,
): Promise<string | undefined> {
  if (target?.MemberArn === undefined) return undefined;
  const { key } = await memberOrForbidden(call, channel.appInstanceId, target.MemberArn);
  const membership = await call.tx.of(memberships).get(channel.channelKey, subChannelId, key);
  const seen = membership?.type !== 'HIDDEN' || key === bearer.key || seesHidden(roles);
  if (membership === undefined || !seen) {
    throw new AwsError('ForbiddenException', `${target.MemberArn} is not a member of the channel.`);
  }
  return key;
}

/** Assumed: the texts. */
function requireContent(type: 'STANDARD' | 'CONTROL', content: string, metadata: string | undefined): void {
  const most = CONTENT_MAX_BYTES[type];
  if (Buffer.byteLength(content) > most)
    throw new AwsError('BadRequestException', `Content of a ${type} message has at most ${most} bytes.`);
  if (type === 'CONTROL' && metadata !== undefined && metadata !== '') {
    throw new AwsError('BadRequestException', 'A CONTROL message has no metadata.');
  }
}

function answerOf(channel: ChannelRecord, subChannelId: string, MessageId: string) {
  return { ChannelArn: channelArn(channel), MessageId, ...inSubChannel(subChannelId) };
}

async function emitMessage(
  call: Call,
  type: MessageEventType,
  channel: ChannelRecord,
  message: FoundMessage,
  pushNotification?: SendChannelMessageRequest['PushNotification'],
): Promise<void> {
  const event = { type, ...named(channel), message: await toMessage(call.tx, channel, message) };
  await call.emit<ChannelEvent>(pushNotification === undefined ? event : { ...event, pushNotification });
}

function placeOf(after: string | undefined): { readonly createdAt: Instant; readonly messageId: string } | undefined {
  if (after === undefined) return undefined;
  const [at, messageId = ''] = after.split(' ');
  return { createdAt: instant(Number(at)), messageId };
}
