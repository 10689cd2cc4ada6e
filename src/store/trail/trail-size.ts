/** Size of the stored trail, for metrics. Reads a few rows, whatever the size is. */
import type { Sql } from '../sql.ts';
import { indexOf, trailLog } from './log/trail-log.ts';
import { NOT_ALTERED } from './trail-altered.ts';
import { intactFactsOf } from './trail-heads.ts';
import { TRAIL_PACK } from './trail-pack.ts';

export interface TrailSize {
  /**
   * Number of records from the oldest stored one to the last one in the transparency log. The trail has fewer records if accounts have
   * different retention.
   */
  readonly records: number;
  /** Size of these records in characters, estimated from the latest ones. */
  readonly characters: number;
}

/** Number of packs from which the size of a record is estimated. */
const LATEST_PACKS = 8;

const SELECT_OLDEST = `SELECT ${TRAIL_PACK.names} FROM trail_pack WHERE ${NOT_ALTERED} ORDER BY position LIMIT 1`;
const SELECT_LATEST = `
  SELECT heads, LENGTH(keys) + LENGTH(heads) + LENGTH(documents) + LENGTH(COALESCE(contexts, '')) AS characters
  FROM trail_pack ORDER BY position DESC LIMIT ${LATEST_PACKS}`;

/** Returns the size of the trail. */
export async function trailSize(sql: Sql): Promise<TrailSize> {
  const records = await recordsOfTrail(sql);
  const latest = await sql.rows<{ readonly heads: string; readonly characters: number }>(SELECT_LATEST);
  let [read, characters] = [0, 0];
  for (const pack of latest) {
    // Someone can have altered a pack in the database.
    const count = intactFactsOf(pack.heads)?.length;
    if (count === undefined) continue;
    read += count;
    characters += pack.characters;
  }
  return { records, characters: read === 0 ? 0 : Math.round((records * characters) / read) };
}

async function recordsOfTrail(sql: Sql): Promise<number> {
  const oldest = await TRAIL_PACK.row(sql, SELECT_OLDEST);
  if (oldest === undefined) return 0;
  const { writer, firstNumber } = oldest;
  const place = writer === undefined || firstNumber === undefined ? undefined : await indexOf(sql, writer, firstNumber);
  // The log has no record that is older than itself, so without a place it contains all records that it knows.
  const { epoch, index } = place ?? { epoch: 0, index: 0 };
  const logs = (await trailLog(sql).logs()).filter((log) => log.epoch >= epoch);
  return logs.reduce((sum, { size }) => sum + size, 0) - index;
}
