import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { instant, optional, type Row, table, text, textOf } from '#store/table.ts';

/** Types of webhooks. Source: Administration Guide, "Chat bot events sent to chat bots", `EndpointType`. */
export type WebhookType = 'Persistent' | 'ShortLived';

/** Webhooks with which bots write in rooms. */
export const CHIME_WEBHOOK = table('chime_webhook', {
  columns: {
    /** UUID in lower case. */
    webhookId: text,
    /** SHA-256 of the token, in base64url. */
    digest: text,
    /** AWS account that owns the Chime account of the room. */
    accountId: textOf<AccountId>(),
    chimeAccountId: text,
    roomId: text,
    botId: text,
    type: textOf<WebhookType>(),
    createdAt: instant,
    /** Absent: the webhook does not expire. */
    expiresAt: optional(instant),
    /** Time of the last message. */
    usedAt: optional(instant),
  },
  key: ['webhookId'],
  indexes: [
    ['botId', 'roomId', 'type', 'createdAt', 'webhookId'],
    ['roomId'],
    { columns: ['expiresAt'], where: 'expires_at_ms IS NOT NULL' },
  ],
});
export type WebhookRecord = Row<typeof CHIME_WEBHOOK>;

/**
 * Webhooks of bots.
 *
 *     stored: (w1, bot b in room r, created at 1), (w2, bot b in room r, created at 2)
 *     keepNewest(w2, 1) → deletes w1
 */
export interface Webhooks {
  add(webhook: WebhookRecord): Promise<void>;
  get(webhookId: string): Promise<WebhookRecord | undefined>;
  /** Stores the time of the last message. */
  setUsed(webhook: WebhookRecord, usedAt: Instant): Promise<void>;
  /** Deletes webhooks with the bot, the room and the type of a webhook, except the newest `most`. */
  keepNewest(webhook: Pick<WebhookRecord, 'botId' | 'roomId' | 'type'>, most: number): Promise<void>;
  removeRoom(roomId: string): Promise<void>;
  /** Deletes the webhooks of a bot, in one room or in all rooms. */
  removeBot(botId: string, roomId?: string): Promise<void>;
  /** Deletes at most `limit` webhooks that have expired. Returns their number. */
  removeExpired(now: Instant, limit: number): Promise<number>;
}

const KEEP_NEWEST = `
  DELETE FROM chime_webhook WHERE bot_id = $1 AND room_id = $2 AND type = $3 AND webhook_id NOT IN (
    SELECT webhook_id FROM chime_webhook WHERE bot_id = $1 AND room_id = $2 AND type = $3
    ORDER BY created_at_ms DESC, webhook_id DESC LIMIT $4)`;
const DELETE_ROOM = 'DELETE FROM chime_webhook WHERE room_id = $1';
const DELETE_BOT = 'DELETE FROM chime_webhook WHERE bot_id = $1';
const DELETE_BOT_IN_ROOM = 'DELETE FROM chime_webhook WHERE bot_id = $1 AND room_id = $2';
const DELETE_EXPIRED = `
  DELETE FROM chime_webhook WHERE webhook_id IN (
    SELECT webhook_id FROM chime_webhook WHERE expires_at_ms IS NOT NULL AND expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT $2)`;
const putUsed = CHIME_WEBHOOK.update('usedAt');

/** Creates the repository of one transaction. */
export function webhooks(sql: Sql): Webhooks {
  return {
    add: (webhook) => CHIME_WEBHOOK.insert(sql, webhook),
    get: (webhookId) => CHIME_WEBHOOK.get(sql, webhookId),
    async setUsed(webhook, usedAt) {
      await putUsed(sql, { ...webhook, usedAt });
    },
    async keepNewest({ botId, roomId, type }, most) {
      await sql.run(KEEP_NEWEST, [botId, roomId, type, most]);
    },
    async removeRoom(roomId) {
      await sql.run(DELETE_ROOM, [roomId]);
    },
    async removeBot(botId, roomId) {
      await (roomId === undefined ? sql.run(DELETE_BOT, [botId]) : sql.run(DELETE_BOT_IN_ROOM, [botId, roomId]));
    },
    removeExpired: (now, limit) => sql.run(DELETE_EXPIRED, [now, limit]),
  };
}
