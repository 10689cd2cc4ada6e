/** Number and age of the outgoing messages that are not sent yet, for metrics. */
import type { Instant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { countOf } from '#store/table.ts';
import { OUTGOING } from './outgoing.ts';

export interface OutgoingDepth {
  /** Number of messages. At most `OUTGOING_COUNT_MAX`, even if there are more. */
  readonly messages: number;
  /** Time at which the oldest message was added. Absent without messages. */
  readonly oldestAt?: Instant;
}

/** Maximum number of messages that are counted, which bounds the cost of counting to about a millisecond. */
export const OUTGOING_COUNT_MAX = 20_000;

const COUNT = `SELECT COUNT(*) AS count FROM (SELECT 1 FROM outgoing LIMIT ${OUTGOING_COUNT_MAX}) AS first`;
/** The order of the key is the order in which messages were added. */
const SELECT_OLDEST = `SELECT ${OUTGOING.names} FROM outgoing ORDER BY ${OUTGOING.schema.key.join(', ')} LIMIT 1`;

/** Returns how many messages wait, and since when. */
export async function outgoingDepth(sql: Sql): Promise<OutgoingDepth> {
  const oldest = await OUTGOING.row(sql, SELECT_OLDEST);
  if (oldest === undefined) return { messages: 0 };
  return { messages: await countOf(sql, COUNT, []), oldestAt: oldest.createdAt };
}
