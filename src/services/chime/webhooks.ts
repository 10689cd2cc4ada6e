/**
 * Webhooks of bots: a bot receives the URL of a webhook in an event, and writes in the room with it. The server that sends the event creates the
 * webhook, so that only the event has the token.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Tx } from '#store/store.ts';
import { type BotOwner, botsOf, CHIME_BOT } from '../chime-kit/chime-bots.ts';
import type { ChimeBotMessage } from '../chime-kit/room-events.ts';
import type { Work } from '../kit/events.ts';
import { isEnterprise } from './account-types.ts';
import { emitRoom } from './room-channels.ts';
import { accounts } from './tables/accounts.ts';
import { roomMemberships } from './tables/room-memberships.ts';
import { type RoomRecord, rooms } from './tables/rooms.ts';
import { type WebhookRecord, type WebhookType, webhooks } from './tables/webhooks.ts';

/** Validity of a webhook of a mention. Source: Administration Guide, "Chat bot events sent to chat bots": 2 minutes. */
const SHORT_LIVED_MS = 120_000;
/** Most webhooks of a bot in a room. Older ones end. Assumed. An invitation is sent at most three times, with a webhook each. */
const WEBHOOKS_MAX: Readonly<Record<WebhookType, number>> = { Persistent: 3, ShortLived: 100 };
const TOKEN_BYTES = 32;
/** Shortest time between two messages of a webhook. Source: Administration Guide, "Troubleshooting webhook errors": 1 per second. */
const BETWEEN_MS = 1_000;
/** Most bytes of a message. Source: as above, 4 KB. */
const CONTENT_MAX_BYTES = 4_096;
/** Members of a room up to which a message can address all of them. Source: as above. */
const ADDRESSED_MAX = 50;
const ADDRESSES_ALL = /@(?:all|present)(?![\p{L}\p{N}_-])/iu;
/** Expired webhooks that one transaction of the sweep deletes. */
const SWEPT_AT_ONCE = 200;
/** Compared with a token whose webhook does not exist, so that the work is the same. */
const NO_DIGEST = createHash('sha256').digest();

/** Webhook that an event of a bot needs. */
export interface WantedWebhook extends BotOwner {
  readonly botId: string;
  readonly roomId: string;
  readonly type: WebhookType;
}

/** Context that creates a webhook. `random` returns unpredictable bytes. */
export interface WebhookWork extends Pick<Work, 'tx' | 'now' | 'newId'> {
  readonly random: (bytes: number) => Uint8Array;
}

/**
 * Creates a webhook. Returns the path and the query of its URL, or undefined if the bot can no longer write in the room.
 *
 * Source: Administration Guide, "Chat bot events sent to chat bots", `InboundHttpsEndpoint`. Assumed: the 2 minutes begin with the attempt to
 * send the event.
 */
export async function createWebhook(work: WebhookWork, wanted: WantedWebhook): Promise<string | undefined> {
  const { tx, now, newId, random } = work;
  if ((await writableRoom(tx, wanted)) === undefined) return undefined;
  const { accountId, chimeAccountId, botId, roomId, type } = wanted;
  const token = Buffer.from(random(TOKEN_BYTES)).toString('base64url');
  const webhook: WebhookRecord = omitUndefined({
    ...{
      webhookId: newId(),
      digest: digestOf(token).toString('base64url'),
      accountId,
      chimeAccountId,
      roomId,
      botId,
      type,
      createdAt: now,
    },
    expiresAt: type === 'ShortLived' ? instant(now + SHORT_LIVED_MS) : undefined,
  });
  await tx.of(webhooks).add(webhook);
  await tx.of(webhooks).keepNewest(webhook, WEBHOOKS_MAX[type]);
  return `/incomingwebhooks/${webhook.webhookId}?token=${token}`;
}

/** Returns the webhook that a token opens, unless it has ended or the bot can no longer write in the room. */
export async function openWebhook(
  { tx, now }: Pick<Work, 'tx' | 'now'>,
  webhookId: string,
  token: string,
): Promise<{ readonly webhook: WebhookRecord; readonly room: RoomRecord } | undefined> {
  const webhook = await tx.of(webhooks).get(webhookId);
  const kept = webhook === undefined ? NO_DIGEST : Buffer.from(webhook.digest, 'base64url');
  if (!timingSafeEqual(kept, digestOf(token)) || webhook === undefined) return undefined;
  if (webhook.expiresAt !== undefined && webhook.expiresAt <= now) return undefined;
  const room = await writableRoom(tx, webhook);
  return room && { webhook, room };
}

/**
 * Writes a message of a bot in a room.
 *
 * Source: Administration Guide, "Troubleshooting webhook errors": 413 above 4 KB, 429 above 1 message per second, 400 if a message to all
 * addresses more than 50 members. Assumed: the order of the checks; a message without a visible character is a 400.
 * Writes: the message · the time of the use.
 */
export async function writeWithWebhook(
  work: Work,
  { webhook, room }: { readonly webhook: WebhookRecord; readonly room: RoomRecord },
  content: string | undefined,
): Promise<200 | 400 | 413 | 429> {
  const { tx, now } = work;
  if (content === undefined || content.trim() === '') return 400;
  if (Buffer.byteLength(content) > CONTENT_MAX_BYTES) return 413;
  if (webhook.usedAt !== undefined && now - webhook.usedAt < BETWEEN_MS) return 429;
  if (ADDRESSES_ALL.test(content) && (await tx.of(roomMemberships).count(room.roomId, ADDRESSED_MAX + 1)) > ADDRESSED_MAX) return 400;
  await tx.of(webhooks).setUsed(webhook, now);
  if (!room.hasChannel) await emitRoom(work, room);
  const { accountId, roomId } = room;
  await work.emit<ChimeBotMessage>({ type: 'ChimeBotMessageSent', accountId, roomId, botId: webhook.botId, content });
  return 200;
}

/** Deletes webhooks that have expired. */
export async function sweepWebhooks({ tx, now }: Work): Promise<'more' | 'done'> {
  return (await tx.of(webhooks).removeExpired(now, SWEPT_AT_ONCE)) === SWEPT_AT_ONCE ? 'more' : 'done';
}

/** Returns the room of a webhook, if its account is an active Enterprise account and the bot is enabled and in the room. */
async function writableRoom(
  tx: Tx,
  { accountId, chimeAccountId, roomId, botId }: Omit<WantedWebhook, 'type'>,
): Promise<RoomRecord | undefined> {
  const account = await tx.of(accounts).get(accountId, chimeAccountId);
  if (account === undefined || account.disabledAt !== undefined || !isEnterprise(account)) return undefined;
  const bot = await tx.resources.get(CHIME_BOT, { ...botsOf({ accountId, chimeAccountId }), id: botId });
  if (bot === undefined || bot.document.Disabled) return undefined;
  if ((await tx.of(roomMemberships).get(roomId, botId)) === undefined) return undefined;
  return await tx.of(rooms).get(chimeAccountId, roomId);
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
