import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import type { Instant } from '#core/instant.ts';
import { instant as toInstant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { instant, int, table, text } from '#store/table.ts';
import { distinctValues, valuesFrom } from './users.ts';

/** Messages that people wrote, for each day in UTC. A person counts in the Chime account in which they are at the time of the message. */
export const CHIME_MESSAGE_COUNT = table('chime_message_count', {
  columns: {
    chimeAccountId: text,
    /** Number of days since 1970. */
    day: int,
    userId: text,
    messages: int,
    /** Time of the last message of the day. */
    lastAt: instant,
  },
  key: ['chimeAccountId', 'day', 'userId'],
  indexes: [['chimeAccountId', 'userId', 'day']],
});

/** Days of a report, both inclusive. */
export interface DayRange {
  readonly first: number;
  readonly last: number;
}

/** Messages of one day, and the number of people who wrote them. */
export interface DayCount {
  readonly day: number;
  readonly messages: number;
  readonly writers: number;
}

/** Numbers of messages. Pass only the ID of a Chime account that was found in the AWS account of the caller. */
export interface MessageCounts {
  /** Counts a message of a person. Does nothing if the person is in no Chime account of the AWS account. */
  count(accountId: AccountId, userId: string, at: Instant): Promise<void>;
  /** Returns the days of a range on which messages were written, in no order. */
  days(chimeAccountId: string, range: DayRange): Promise<readonly DayCount[]>;
  /** Returns the messages of each of the given users in a range, at most `USERS_MAX` of them. A user without messages is absent. */
  ofUsers(chimeAccountId: string, userIds: readonly string[], range: DayRange): Promise<ReadonlyMap<string, number>>;
  /** Returns the time of the last message of a user. */
  lastOf(chimeAccountId: string, userId: string): Promise<Instant | undefined>;
  /** Deletes at most `limit` rows of an account. Returns their number. */
  removeSome(chimeAccountId: string, limit: number): Promise<number>;
}

const COUNT_ONE = `
  INSERT INTO chime_message_count (chime_account_id, day, user_id, messages, last_at_ms)
  SELECT chime_account_id, $3, user_id, 1, $4 FROM chime_user WHERE account_id = $1 AND user_id = $2 AND is_member = 1
  ON CONFLICT (chime_account_id, day, user_id) DO UPDATE SET messages = chime_message_count.messages + 1,
    last_at_ms = CASE WHEN chime_message_count.last_at_ms > $4 THEN chime_message_count.last_at_ms ELSE $4 END`;
const SELECT_DAYS = `
  SELECT day, SUM(messages) AS messages, COUNT(*) AS writers FROM chime_message_count
  WHERE chime_account_id = $1 AND day >= $2 AND day <= $3 GROUP BY day`;
// SQLite reads the left side of a CROSS JOIN first, and of `k` only columns of an index. Otherwise it would use the primary key, and read the
// rows of all users of the account.
const SELECT_OF_USERS = `
  SELECT c.user_id, SUM(c.messages) AS messages
  FROM (VALUES ${valuesFrom(4)}) AS wanted CROSS JOIN chime_message_count AS k CROSS JOIN chime_message_count AS c
  WHERE k.chime_account_id = $1 AND k.user_id = wanted.column1 AND k.day >= $2 AND k.day <= $3
    AND c.chime_account_id = $1 AND c.day = k.day AND c.user_id = k.user_id
  GROUP BY c.user_id`;
const SELECT_LAST = `
  SELECT last_at_ms FROM chime_message_count WHERE chime_account_id = $1 AND user_id = $2 AND day = (
    SELECT MAX(day) FROM chime_message_count WHERE chime_account_id = $1 AND user_id = $2)`;
const DELETE_SOME = `
  DELETE FROM chime_message_count WHERE (chime_account_id, day, user_id) IN (
    SELECT chime_account_id, day, user_id FROM chime_message_count WHERE chime_account_id = $1 LIMIT $2)`;

/** Creates the repository of one transaction. */
export function messageCounts(sql: Sql): MessageCounts {
  return {
    async count(accountId, userId, at) {
      await sql.run(COUNT_ONE, [accountId, userId, Math.floor(at / DAY_MS), at]);
    },
    async days(chimeAccountId, { first, last }) {
      const found = await sql.rows<DayCount>(SELECT_DAYS, [chimeAccountId, first, last]);
      return found.map(({ day, messages, writers }) => ({ day: Number(day), messages: Number(messages), writers: Number(writers) }));
    },
    async ofUsers(chimeAccountId, userIds, { first, last }) {
      type Counted = { readonly user_id: string; readonly messages: number };
      const found = await sql.rows<Counted>(SELECT_OF_USERS, [chimeAccountId, first, last, ...distinctValues(userIds)]);
      return new Map(found.map(({ user_id: userId, messages }) => [userId, Number(messages)]));
    },
    async lastOf(chimeAccountId, userId) {
      const found = await sql.row<{ readonly last_at_ms: number }>(SELECT_LAST, [chimeAccountId, userId]);
      return found && toInstant(Number(found.last_at_ms));
    },
    removeSome: (chimeAccountId, limit) => sql.run(DELETE_SOME, [chimeAccountId, limit]),
  };
}
