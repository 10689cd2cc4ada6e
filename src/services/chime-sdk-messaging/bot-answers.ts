/** Messages that app instance bots send with the answers of Lex. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { MessageAttributeValue } from '#model/generated/chime-sdk-messaging.ts';
import { emitChimeEvent } from '../chime-kit/bus-events.ts';
import type { LexAnswer, LexMessage } from '../chime-kit/lex-answer.ts';
import { subscription } from '../kit/events.ts';
import type { OutgoingAnswered } from '../kit/outgoing.ts';
import type { BotContext } from './bots.ts';
import { CONTENT_MAX_BYTES } from './message-content.ts';
import { postMessage } from './post-message.ts';
import { channels } from './tables/channels.ts';
import { memberships } from './tables/memberships.ts';

/** Content type of the answer of a bot. Source: API reference, ChannelMessage, ContentType. */
const ANSWER = 'application/amz-chime-lex-msgs';

/**
 * Sends the answer of a bot to its channel, if the bot is still a member. The answer to a targeted message is targeted at its sender.
 *
 * Source: Chime SDK Developer Guide, "Processing responses from an AppInstanceBot": content, content type and message attributes. API
 * reference, InvokedBy, TargetedMessages.
 * Assumed: (1) An answer without messages is not sent. (2) Messages of Lex that do not fit into one channel message together are in several
 * ones. A single message that does not fit is not sent, and counts as a failure. (3) Bots send no CONTROL messages with
 * `application/amz-chime-lex-error`, because the guide does not list their codes. (4) Answers pass through the channel's flow.
 * Emits: as `postMessage`. BusEvent if the answer does not fit.
 */
export const sendAnswer = subscription<OutgoingAnswered>()(['OutgoingAnswered'], async (work, { message, answer }) => {
  const { target, accountId, region } = message;
  if (target.kind !== 'lex') return;
  const { tx } = work;
  const context = target.context as Readonly<Record<keyof BotContext, string>>;
  const { appInstanceId, channelId, channelKey, subChannelId, botId, messageId, onlyFor } = context;
  const channel = await tx.of(channels).get(accountId, region, appInstanceId, channelId);
  const sender = `bot/${botId}`;
  for (const member of [sender, ...(onlyFor === '' ? [] : [onlyFor])])
    if ((await tx.of(memberships).get(channelKey, subChannelId, member)) === undefined) return;
  if (channel?.channelKey !== channelKey) return;

  const { messages, intentName, intentState } = JSON.parse(answer) as LexAnswer;
  const contents = contentsOf(messages);
  if (contents === undefined) {
    const failureReason = `A message of the bot has more than ${CONTENT_MAX_BYTES.STANDARD} bytes.`;
    await emitChimeEvent(work, message, 'botFailure', { resourceArn: message.sender.sourceArn, failureReason });
    return;
  }
  const attributes = attributesOf({
    'CHIME.LEX.sessionState.intent.name': intentName,
    'CHIME.LEX.sessionState.intent.state': intentState,
    'CHIME.LEX.sessionState.originatingRequestId': messageId,
    'CHIME.LEX.sessionState.sessionId': target.sessionId,
  });
  for (const content of contents) {
    const document = { content, type: 'STANDARD', persistence: 'PERSISTENT', contentType: ANSWER, attributes } as const;
    await postMessage(work, channel, { sender, subChannelId, document, ...(onlyFor !== '' && { onlyFor }) });
  }
});

/** Returns the contents of channel messages with some messages of Lex, in their order; undefined if a message does not fit. */
function contentsOf(messages: readonly LexMessage[]): readonly string[] | undefined {
  const contents: string[] = [];
  let together: LexMessage[] = [];
  for (const message of messages) {
    if (!fits(toContent([message]))) return undefined;
    if (together.length > 0 && !fits(toContent([...together, message]))) {
      contents.push(toContent(together));
      together = [];
    }
    together.push(message);
  }
  return together.length === 0 ? contents : [...contents, toContent(together)];
}

const toContent = (Messages: readonly LexMessage[]): string => JSON.stringify({ Messages });
const fits = (content: string): boolean => Buffer.byteLength(content) <= CONTENT_MAX_BYTES.STANDARD;

function attributesOf(values: Readonly<Record<string, string | undefined>>): Readonly<Record<string, MessageAttributeValue>> {
  const present = Object.entries(omitUndefined(values)).filter(([, value]) => value !== '');
  return Object.fromEntries(present.map(([name, value]) => [name, { StringValues: [value as string] }]));
}
