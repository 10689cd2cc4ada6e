import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { PushNotificationConfiguration } from '#model/generated/chime-sdk-messaging.ts';
import type { Sql } from '#store/sql.ts';
import { flag, instant, int, json, optional, type Row, table, text, textOf } from '#store/table.ts';

/** Messages that wait for a processor of their channel flow. */
export const FLOW_MESSAGE = table('channel_flow_message', {
  columns: {
    /** ID with which the processor calls back. It is also the ID of the outgoing message that invokes the function. */
    callbackId: text,
    accountId: textOf<AccountId>(),
    region: text,
    appInstanceId: text,
    channelId: text,
    channelKey: text,
    subChannelId: text,
    messageId: text,
    /** True if the message was sent before, and its new content waits. */
    isUpdate: flag,
    /** `ExecutionOrder` of the processor. */
    executionOrder: int,
    sender: text,
    /** As in `channel_message`, for the time after the flow. */
    onlyFor: optional(text),
    sentAt: instant,
    /** Properties that the message gets after the flow, as a JSON string. */
    document: text,
    pushNotification: optional(json<PushNotificationConfiguration>()),
    /** Time from which the processor counts as failed. */
    expiresAt: instant,
  },
  key: ['callbackId'],
  indexes: [
    ['expiresAt', 'callbackId'],
    ['channelKey', 'messageId'],
  ],
});
export type FlowMessage = Row<typeof FLOW_MESSAGE>;

export interface FlowMessages {
  add(message: FlowMessage): Promise<void>;
  /** Removes and returns a message. Returns undefined if no message has the ID. */
  take(callbackId: string): Promise<FlowMessage | undefined>;
  /** Reports whether a message of a channel waits. */
  isWaiting(channelKey: string, messageId: string): Promise<boolean>;
  /** Returns messages whose processor did not answer in time, the oldest first. */
  expired(now: Instant, limit: number): Promise<readonly FlowMessage[]>;
}

const SELECT = `SELECT ${FLOW_MESSAGE.names} FROM channel_flow_message WHERE callback_id = $1`;
const DELETE = 'DELETE FROM channel_flow_message WHERE callback_id = $1';
const SELECT_WAITING = 'SELECT 1 AS found FROM channel_flow_message WHERE channel_key = $1 AND message_id = $2 LIMIT 1';
const SELECT_EXPIRED = `
  SELECT ${FLOW_MESSAGE.names} FROM channel_flow_message WHERE expires_at_ms <= $1 ORDER BY expires_at_ms, callback_id LIMIT $2`;

/** Creates the repository of one transaction. */
export function flowMessages(sql: Sql): FlowMessages {
  return {
    async add(message) {
      await FLOW_MESSAGE.insert(sql, message);
    },
    async take(callbackId) {
      const message = await FLOW_MESSAGE.row(sql, SELECT, [callbackId]);
      if (message !== undefined) await sql.run(DELETE, [callbackId]);
      return message;
    },
    isWaiting: async (channelKey, messageId) => (await sql.row(SELECT_WAITING, [channelKey, messageId])) !== undefined,
    expired: (now, limit) => FLOW_MESSAGE.rows(sql, SELECT_EXPIRED, [now, limit]),
  };
}
