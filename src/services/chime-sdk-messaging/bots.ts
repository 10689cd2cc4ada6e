/**
 * App instance bots: the messages and memberships that invoke them, and the messages with which they answer. The Lex V2 endpoint of the
 * operator receives the invocations, outside transactions and at least once.
 */
import { createHash } from 'node:crypto';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { LexConfiguration } from '#model/generated/chime-sdk-identity.ts';
import type { ChannelMessage } from '#model/generated/chime-sdk-messaging.ts';
import { APP_INSTANCE_BOT, appInstanceArn, inAppInstance, memberArn } from '../chime-kit/app-instances.ts';
import { emitChimeEvent } from '../chime-kit/bus-events.ts';
import type { ChannelEvent, ChannelNames } from '../chime-kit/events.ts';
import { subscription, type Work } from '../kit/events.ts';
import { laneOf, type OutgoingFailed, outgoing } from '../kit/outgoing.ts';
import { inAppInstanceArn } from './kinds.ts';
import { channels } from './tables/channels.ts';
import { memberships } from './tables/memberships.ts';

/** Service principal that invokes bots. */
const SERVICE = 'messaging.chime.amazonaws.com';
/**
 * Attempts to invoke a bot, and the time in which it must answer.
 *
 * Assumed: both. The guide names no time.
 */
const ATTEMPTS = 3;
const WITHIN_MS = 60_000;
/** Most bots that one message invokes: as many as an app instance may have. */
const BOTS_MAX = 100;
/** Message attribute with the ARNs of the mentioned bots. Source: API reference, InvokedBy, MENTIONS. */
const MENTIONS = 'CHIME.mentions';
const BOT_KEYS = 'bot/';
const USER_KEYS = 'user/';

/** Facts with which a bot answers. */
export interface BotContext {
  readonly appInstanceId: string;
  readonly channelId: string;
  readonly channelKey: string;
  readonly subChannelId: string;
  readonly botId: string;
  /** `''`: the bot became a member. */
  readonly messageId: string;
  /** Member key of the only recipient of the answer. `''`: all members. */
  readonly onlyFor: string;
}

/** Place of a message or membership, and the bot in it. */
interface BotInChannel {
  readonly channel: ChannelNames;
  readonly channelKey: string;
  readonly subChannelId: string;
  readonly botId: string;
}

/**
 * Invokes the bots of a channel that a message addresses. Only messages of users invoke bots, so bots cannot answer each other.
 *
 * Source: API reference, InvokedBy. LexConfiguration, RespondsTo: control messages invoke no bot. Chime SDK Developer Guide, "Processing
 * messages from Amazon Lex": the request attributes.
 * Assumed: (1) Without `InvokedBy`, all standard messages invoke the bot, and no targeted ones, as with `RespondsTo`. (2) Messages that were
 * changed or redacted later do not invoke it again. (3) Hidden bots are invoked too.
 * Writes: an outgoing message for each bot.
 */
export const invokeBots = subscription<ChannelEvent>()(['CREATE_CHANNEL_MESSAGE'], async (work, event) => {
  if (!('message' in event) || event.message.Type !== 'STANDARD') return;
  const { message } = event;
  const { Content = '', MessageId: messageId = '', SubChannelId: subChannelId = '', Sender } = message;
  const senderArn = Sender?.Arn ?? '';
  const sender = senderArn.slice(appInstanceArn(event, event.appInstanceId).length + 1);
  if (!sender.startsWith(USER_KEYS) || Content === '') return;
  const bots = await work.tx.of(memberships).bots({ ...event, subChannelId }, BOTS_MAX);
  for (const { member, channelKey } of bots) {
    const bot: BotInChannel = { channel: event, channelKey, subChannelId, botId: member.slice(BOT_KEYS.length) };
    const lex = await lexOf(work, bot);
    if (lex === undefined || !(await isInvoked(work, lex, bot, message))) continue;
    await invoke(work, lex, bot, {
      text: Content,
      messageId,
      attributes: { 'CHIME.sender.arn': senderArn },
      onlyFor: message.Target === undefined ? '' : sender,
    });
  }
});

/**
 * Starts the welcome intent of each bot that became a member.
 *
 * Source: Chime SDK Developer Guide, "Creating a welcome intent".
 * Writes: an outgoing message for each bot with a welcome intent.
 */
export const welcomeFromBots = subscription<ChannelEvent>()(
  ['CREATE_CHANNEL_MEMBERSHIP', 'BATCH_CREATE_CHANNEL_MEMBERSHIP'],
  async (work, event) => {
    const { accountId, region, appInstanceId, channelId } = event;
    const joined = 'memberships' in event ? event.memberships : 'membership' in event ? event.membership : {};
    const members = 'Members' in joined ? (joined.Members ?? []) : 'Member' in joined ? [joined.Member] : [];
    const prefix = inAppInstanceArn(event, 'bot', '');
    for (const { Arn = '' } of members.flatMap((each) => each ?? [])) {
      if (!Arn.startsWith(prefix)) continue;
      const channel = await work.tx.of(channels).get(accountId, region, appInstanceId, channelId);
      if (channel === undefined) return;
      const { channelKey } = channel;
      const bot: BotInChannel = { channel: event, channelKey, subChannelId: joined.SubChannelId ?? '', botId: Arn.slice(prefix.length) };
      const lex = await lexOf(work, bot);
      if (lex?.WelcomeIntent === undefined) continue;
      await invoke(work, lex, bot, { intent: lex.WelcomeIntent, text: '', messageId: '', attributes: {}, onlyFor: '' });
    }
  },
);

/**
 * Tells the event bus of the account that a bot could not be invoked.
 *
 * Source: Chime SDK Developer Guide, "Using rules to send events to Amazon EventBridge". Assumed: the wording of the reasons.
 * Emits: BusEvent.
 */
export const tellOfFailedBot = subscription<OutgoingFailed>()(['OutgoingFailed'], async (work, { message, reason }) => {
  if (message.target.kind !== 'lex') return;
  await emitChimeEvent(work, message, 'botFailure', { resourceArn: message.sender.sourceArn, failureReason: reason });
});

async function lexOf({ tx }: Work, { channel, botId }: BotInChannel): Promise<LexConfiguration | undefined> {
  const bot = await tx.resources.get(APP_INSTANCE_BOT, { ...inAppInstance(channel, channel.appInstanceId), id: botId });
  return bot?.document.Configuration.Lex;
}

async function isInvoked(work: Work, { InvokedBy }: LexConfiguration, bot: BotInChannel, message: ChannelMessage): Promise<boolean> {
  const arn = botArnOf(bot);
  const target = message.Target?.[0]?.MemberArn;
  if (target !== undefined) return target === arn && InvokedBy?.TargetedMessages === 'ALL';
  const isMentioned = message.MessageAttributes?.[MENTIONS]?.StringValues?.includes(arn) ?? false;
  switch (InvokedBy?.StandardMessages ?? 'ALL') {
    case 'ALL':
      return true;
    case 'MENTIONS':
      return isMentioned;
    case 'AUTO':
      return isMentioned || (await hasOneOther(work, bot));
    case 'NONE':
      return false;
  }
}

/** Reports whether the channel has at most one member besides the bot that is not hidden. */
async function hasOneOther({ tx }: Work, { channelKey, botId }: BotInChannel): Promise<boolean> {
  const some = await tx.of(memberships).list(channelKey, undefined, 'DEFAULT', 3);
  return some.filter(({ member }) => member !== `${BOT_KEYS}${botId}`).length <= 1;
}

interface Invocation {
  readonly text: string;
  readonly intent?: string;
  readonly messageId: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly onlyFor: string;
}

/** Adds the invocation of a bot. The invocations of a bot in one channel keep their order. */
async function invoke(work: Work, lex: LexConfiguration, bot: BotInChannel, invocation: Invocation): Promise<void> {
  const { tx, now } = work;
  const { channel, channelKey, subChannelId, botId } = bot;
  const { accountId, region, appInstanceId, channelId } = channel;
  const { text, intent, messageId, attributes, onlyFor } = invocation;
  const botArn = botArnOf(bot);
  const channelArn = inAppInstanceArn(channel, 'channel', channelId);
  const context: BotContext & Record<string, string> = { appInstanceId, channelId, channelKey, subChannelId, botId, messageId, onlyFor };
  await tx.of(outgoing).add({
    id: work.newId(),
    accountId,
    region,
    lane: laneOf('lex', `${appInstanceId}/bot/${botId}`, channelId),
    ordered: true,
    target: omitUndefined({
      kind: 'lex' as const,
      arn: lex.LexBotAliasArn,
      localeId: lex.LocaleId,
      sessionId: lexSessionId(bot, onlyFor),
      requestAttributes: { 'CHIME.channel.arn': channelArn, ...attributes },
      intent,
      context,
    }),
    sender: { service: SERVICE, sourceArn: botArn, sourceAccount: accountId },
    body: text,
    createdAt: now,
    maximumAttempts: ATTEMPTS,
    expiresAt: instant(now + WITHIN_MS),
  });
}

function botArnOf({ channel, botId }: BotInChannel): string {
  return memberArn('bot', { ...inAppInstance(channel, channel.appInstanceId), id: botId });
}

/**
 * Returns the ID of the session of Lex, which is valid for Lex and has no names in it.
 *
 * Source: Chime SDK Developer Guide, "Processing responses", sessionId: a conversation between the user and the bot. "Using AppInstanceBots":
 * several channel members can take part in a dialog.
 * Assumed: the members of a channel or sub-channel share one session with a bot. Targeted messages of a user have another one, so that others
 * do not see what the user said to the bot.
 */
function lexSessionId({ channelKey, subChannelId, botId }: BotInChannel, onlyFor: string): string {
  return createHash('sha256')
    .update(JSON.stringify([channelKey, subChannelId, botId, onlyFor]))
    .digest('hex');
}
