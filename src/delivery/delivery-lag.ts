/** Delay of the delivery of log files, for metrics. */
import type { Instant } from '#core/instant.ts';
import { timeOf } from '#store/engine/position.ts';
import type { Sql } from '#store/sql.ts';

const SELECT_DELIVERED = 'SELECT MIN(delivered_position) AS position FROM cloudtrail_trail WHERE pending = 1';
const SELECT_NEXT = 'SELECT MIN(position) AS position FROM trail_pack WHERE position > $1';

type Found = { readonly position: number | null };

/**
 * Returns the time of the oldest record that a pending trail has not read yet. Returns `undefined` if the trails have read everything, or if
 * no trail is pending. A trail reads also the records that it does not select.
 */
export async function oldestUndelivered(sql: Sql): Promise<Instant | undefined> {
  const delivered = (await sql.row<Found>(SELECT_DELIVERED))?.position ?? null;
  if (delivered === null) return undefined;
  const next = (await sql.row<Found>(SELECT_NEXT, [delivered]))?.position ?? null;
  return next === null ? undefined : timeOf(next);
}
