import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { instant, json, optional, type Row, table, text, textOf } from '#store/table.ts';
import type { PushNotification } from '../../chime-kit/push-notification.ts';

/** Messages whose push notifications are not yet added for all members of their channel. */
export const PUSH_FAN_OUT = table('push_fan_out', {
  columns: {
    id: text,
    accountId: textOf<AccountId>(),
    region: text,
    appInstanceId: text,
    channelId: text,
    channelKey: text,
    subChannelId: text,
    /** Member key of the only recipient. Absent: all members. */
    onlyFor: optional(text),
    /** Member key of the last member that was handled. */
    afterMember: text,
    notification: json<PushNotification>(),
    /** Values of the message's attributes, for filter rules. */
    attributes: json<Readonly<Record<string, readonly string[]>>>(),
    createdAt: instant,
    /** Time of the next step. */
    dueAt: instant,
  },
  key: ['id'],
  indexes: [['dueAt', 'id']],
});
export type PushFanOut = Row<typeof PUSH_FAN_OUT>;

export interface PushFanOuts {
  add(fanOut: PushFanOut): Promise<void>;
  /** Returns whether the transaction added rows. */
  hasAdded(): boolean;
  /** Returns rows whose next step is due, the longest due first. */
  due(now: Instant, limit: number): Promise<readonly PushFanOut[]>;
  /** Stores the last handled member and the time of the next step. */
  advance(fanOut: Pick<PushFanOut, 'id' | 'afterMember' | 'dueAt'>): Promise<void>;
  remove(id: string): Promise<void>;
}

const SELECT_DUE = `SELECT ${PUSH_FAN_OUT.names} FROM push_fan_out WHERE due_at_ms <= $1 ORDER BY due_at_ms, id LIMIT $2`;
const advance = PUSH_FAN_OUT.update('afterMember', 'dueAt');

/** Creates the repository of one transaction. */
export function pushFanOuts(sql: Sql): PushFanOuts {
  let added = false;
  return {
    async add(fanOut) {
      added = true;
      await PUSH_FAN_OUT.insert(sql, fanOut);
    },
    hasAdded: () => added,
    due: (now, limit) => PUSH_FAN_OUT.rows(sql, SELECT_DUE, [now, limit]),
    async advance(fanOut) {
      await advance(sql, fanOut);
    },
    async remove(id) {
      await PUSH_FAN_OUT.remove(sql, id);
    },
  };
}
