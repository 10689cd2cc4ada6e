/** Events that the endpoints of bots receive. The server sends them after the commit (`delivery/outgoing/targets/bot-endpoints.ts`). */
import { arn } from '#core/arn.ts';
import { HOUR_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { CHIME_REGION } from '../chime-kit/chime-app-instance.ts';
import { botsOf, CHIME_BOT, type ChimeBotRecord, receivesEvents } from '../chime-kit/chime-bots.ts';
import type { Work } from '../kit/events.ts';
import { laneOf, type NewMessage, outgoing, type Sender } from '../kit/outgoing.ts';
import type { RoomWork } from './room-work.ts';
import type { RoomRecord } from './tables/rooms.ts';

/** Types of events. Source: Administration Guide, "Chat bot events sent to chat bots". */
export type BotEventType = 'Invite' | 'Mention' | 'Remove';

/** Webhooks by type of event. Source: as above. An event of the type `Remove` has none. */
const WEBHOOKS = { Invite: 'Persistent', Mention: 'ShortLived', Remove: undefined } as const;

/** An event, without its room. */
export interface BotEvent {
  readonly type: BotEventType;
  /** Person who wrote the message, or caller who changed the room. */
  readonly sender: { readonly SenderId: string; readonly SenderIdType: 'EmailId' | 'Arn' };
  /** Message that mentions the bots. */
  readonly message?: string;
}

/** Service principal that sends the events. */
const SERVICE = 'chime.amazonaws.com';
/** Source: Administration Guide, "Chat bot events sent to chat bots": two retries. */
const ATTEMPTS = 3;
/** Time after which an event is dropped, so that a server that was stopped sends no old events. Assumed. */
const WITHIN_MS = HOUR_MS;

/**
 * Sends an event of a room to bots of its account. A bot without an endpoint, or a disabled one, receives none. The events of a bot in one
 * room keep their order. The sending server adds `InboundHttpsEndpoint`, so that its token is not stored (`webhooks.ts`).
 *
 * Source: Administration Guide, "Chat bot events sent to chat bots": the members of an event. Assumed: the sender of a change by the API is the
 * ARN of the caller, because a caller has no email address.
 * Writes: an outgoing message for each bot.
 */
export async function sendBotEvents(
  { tx, now, newId }: Pick<Work, 'tx' | 'now' | 'newId'>,
  { accountId, chimeAccountId, roomId }: Pick<RoomRecord, 'accountId' | 'chimeAccountId' | 'roomId'>,
  botIds: readonly string[],
  { type, sender, message }: BotEvent,
): Promise<void> {
  const body = JSON.stringify(
    omitUndefined({
      Sender: sender,
      Discussion: { DiscussionId: roomId, DiscussionType: 'Room' },
      EventType: type,
      EventTimestamp: new Date(now).toISOString(),
      Message: message,
    }),
  );
  const webhookType = WEBHOOKS[type];
  for (const botId of botIds) {
    const bot = await tx.resources.get(CHIME_BOT, { ...botsOf({ accountId, chimeAccountId }), id: botId });
    if (bot === undefined || !receivesEvents(bot.document)) continue;
    await tx.of(outgoing).add({
      id: newId(),
      accountId,
      region: CHIME_REGION,
      lane: laneOf('bot', chimeAccountId, botId, roomId),
      ordered: true,
      target: { kind: 'bot', chimeAccountId, botId, ...(webhookType !== undefined && { webhook: { roomId, type: webhookType } }) },
      sender: senderOf(bot),
      body,
      createdAt: now,
      maximumAttempts: ATTEMPTS,
      expiresAt: instant(now + WITHIN_MS),
    });
  }
}

/**
 * Returns the dry run of a function of Lambda for a bot.
 *
 * Source: Lambda, Invoke: DryRun validates the parameters and the permission, and does not run the function.
 */
export function dryRunOf({ now, newId }: Pick<Work, 'now' | 'newId'>, bot: ChimeBotRecord, functionArn: string): NewMessage {
  const { accountId, parent, id } = bot;
  return {
    id: newId(),
    ...{ accountId, region: CHIME_REGION, lane: laneOf('bot', parent, id), ordered: false },
    target: { kind: 'lambda', arn: functionArn, dryRun: true },
    sender: senderOf(bot),
    body: '{}',
    ...{ createdAt: now, maximumAttempts: 1, expiresAt: instant(now + WITHIN_MS) },
  };
}

function senderOf({ accountId, id }: ChimeBotRecord): Sender {
  return { service: SERVICE, sourceArn: arn('chime', '', accountId, `bot/${id}`), sourceAccount: accountId };
}

/** Returns the sender of an event about a change by the API. */
export function callerOf({ principal }: Pick<RoomWork, 'principal'>): BotEvent['sender'] {
  return { SenderId: principal.arn, SenderIdType: 'Arn' };
}
