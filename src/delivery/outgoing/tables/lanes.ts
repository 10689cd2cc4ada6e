/** Queue of outgoing messages, as the server that has the turn reads and changes it. No other code writes these rows. */
import type { AccountId } from '#core/arn.ts';
import { type Instant, instant as toInstant } from '#core/instant.ts';
import { OUTGOING, type OutgoingMessage } from '#services/kit/outgoing.ts';
import type { Sql } from '#store/sql.ts';
import { countOf, flag, instant, int, type Row, table, text, textOf } from '#store/table.ts';

// Here `migrations.test.ts` finds the declaration.
export { OUTGOING } from '#services/kit/outgoing.ts';

/** Lanes that have accepted messages. */
export const OUTGOING_LANE = table('outgoing_lane', {
  columns: {
    accountId: textOf<AccountId>(),
    lane: text,
    ordered: flag,
    /** Number and total size of its accepted messages. */
    messages: int,
    bytes: int,
    /** Time at which the server looks for messages to send. `NEVER`: when an attempt ends, or a message is added. */
    dueAt: instant,
    /** Whether its last attempt failed. */
    failing: flag,
  },
  key: ['accountId', 'lane'],
  indexes: [['failing', 'dueAt']],
});
export type Lane = Row<typeof OUTGOING_LANE>;
export type LaneKey = Pick<Lane, 'accountId' | 'lane'>;

export const NEVER = toInstant(Number.MAX_SAFE_INTEGER);

/** Totals of the messages of an account, or of all accounts. */
export interface Totals {
  readonly messages: number;
  readonly bytes: number;
}

export interface Lanes {
  get(key: LaneKey): Promise<Lane | undefined>;
  put(lane: Lane): Promise<void>;
  remove(key: LaneKey): Promise<void>;
  /** Returns lanes that are due, the longest due first, without those of two accounts. */
  due(now: Instant, failing: boolean, without: readonly [string, string], limit: number): Promise<readonly Lane[]>;
  /** Returns the earliest time at which a lane is due. */
  nextDue(): Promise<Instant | undefined>;
  /** Marks all lanes as due, because the attempts of another server, or of an earlier process, have ended. */
  dueAll(now: Instant): Promise<void>;
  totals(accountId: AccountId): Promise<Totals>;
  /** Returns the oldest messages that are not accepted. */
  added(limit: number): Promise<readonly OutgoingMessage[]>;
  /** Counts the messages that are not accepted, up to `most`. */
  countAdded(most: number): Promise<number>;
  /** Returns accepted messages of a lane that are due. In an ordered lane, returns only its first message. */
  messages(lane: Pick<Lane, 'accountId' | 'lane' | 'ordered'>, now: Instant, limit: number): Promise<readonly OutgoingMessage[]>;
  /** Returns the earliest time after `now` at which a message of the lane is due. */
  nextOf(lane: Pick<Lane, 'accountId' | 'lane' | 'ordered'>, now: Instant): Promise<Instant>;
  accept(number: number): Promise<void>;
  retry(message: Pick<OutgoingMessage, 'number' | 'attempts' | 'dueAt'>): Promise<void>;
  removeMessage(number: number): Promise<void>;
}

const SELECT_DUE = `
  SELECT ${OUTGOING_LANE.names} FROM outgoing_lane
  WHERE failing = $1 AND due_at_ms <= $2 AND account_id <> $3 AND account_id <> $4 ORDER BY due_at_ms LIMIT $5`;
const SELECT_NEXT_DUE = `
  SELECT MIN(due_at_ms) AS due FROM (
    SELECT MIN(due_at_ms) AS due_at_ms FROM outgoing_lane WHERE failing = 0
    UNION ALL SELECT MIN(due_at_ms) AS due_at_ms FROM outgoing_lane WHERE failing = 1) AS earliest`;
const SELECT_TOTALS = `
  SELECT COALESCE(SUM(messages), 0) AS messages, COALESCE(SUM(bytes), 0) AS bytes FROM outgoing_lane WHERE account_id = $1`;
const SELECT_ADDED = `SELECT ${OUTGOING.names} FROM outgoing WHERE accepted = 0 ORDER BY number LIMIT $1`;
const COUNT_ADDED = 'SELECT COUNT(*) AS count FROM (SELECT 1 FROM outgoing WHERE accepted = 0 LIMIT $1) AS counted';
const SELECT_MESSAGES = `
  SELECT ${OUTGOING.names} FROM outgoing
  WHERE account_id = $1 AND lane = $2 AND due_at_ms <= $3 AND accepted = 1 ORDER BY due_at_ms, number LIMIT $4`;
const SELECT_FIRST = `
  SELECT ${OUTGOING.names} FROM outgoing WHERE account_id = $1 AND lane = $2 AND accepted = 1 ORDER BY number LIMIT 1`;
const SELECT_NEXT_OF = `
  SELECT MIN(due_at_ms) AS due FROM outgoing WHERE account_id = $1 AND lane = $2 AND due_at_ms > $3 AND accepted = 1`;

const accept = OUTGOING.update('accepted');
const retry = OUTGOING.update('attempts', 'dueAt');

/** Creates the repository of one transaction. */
export function lanes(sql: Sql): Lanes {
  const first = ({ accountId, lane }: LaneKey) => OUTGOING.row(sql, SELECT_FIRST, [accountId, lane]);
  return {
    get: ({ accountId, lane }) => OUTGOING_LANE.get(sql, accountId, lane),
    put: (lane) => OUTGOING_LANE.put(sql, lane),
    async remove({ accountId, lane }) {
      await OUTGOING_LANE.remove(sql, accountId, lane);
    },
    due: (now, failing, without, limit) => OUTGOING_LANE.rows(sql, SELECT_DUE, [failing ? 1 : 0, now, ...without, limit]),
    async nextDue() {
      const { due } = (await sql.row<{ readonly due: number | null }>(SELECT_NEXT_DUE)) ?? { due: null };
      return due === null ? undefined : toInstant(Number(due));
    },
    async dueAll(now) {
      await sql.run('UPDATE outgoing_lane SET due_at_ms = $1', [now]);
    },
    async totals(accountId) {
      const found = await sql.row<{ readonly messages: number; readonly bytes: number }>(SELECT_TOTALS, [accountId]);
      return { messages: Number(found?.messages ?? 0), bytes: Number(found?.bytes ?? 0) };
    },
    countAdded: (most) => countOf(sql, COUNT_ADDED, [most]),
    added: (limit) => OUTGOING.rows(sql, SELECT_ADDED, [limit]),
    async messages({ accountId, lane, ordered }, now, limit) {
      if (!ordered) return await OUTGOING.rows(sql, SELECT_MESSAGES, [accountId, lane, now, limit]);
      const found = await first({ accountId, lane });
      return found !== undefined && found.dueAt <= now ? [found] : [];
    },
    async nextOf({ accountId, lane, ordered }, now) {
      if (ordered) return (await first({ accountId, lane }))?.dueAt ?? NEVER;
      const found = await sql.row<{ readonly due: number | null }>(SELECT_NEXT_OF, [accountId, lane, now]);
      return found === undefined || found.due === null ? NEVER : toInstant(Number(found.due));
    },
    async accept(number) {
      await accept(sql, { number, accepted: true });
    },
    async retry(message) {
      await retry(sql, message);
    },
    async removeMessage(number) {
      await OUTGOING.remove(sql, number);
    },
  };
}
