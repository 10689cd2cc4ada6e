/** Checks that each deletion of trail records has its recorded retention event. */
import { counted } from '#core/counted.ts';
import { DAY_MS, HOUR_MS, SECOND_MS } from '#core/duration.ts';
import type { Sql } from '#store/sql.ts';
import type { ChainedPack } from '#store/trail/trail-chain-reads.ts';
import { parsedRecord } from '#store/trail/trail-documents.ts';
import { recordsOf } from '#store/trail/trail-pack.ts';
import { RETENTION_DAYS } from '#store/trail/trail-retention.ts';

/** Event that the retention records for each account whose records it deleted. */
const EVENT = 'DeleteExpiredEvents';

/** Records that a retention event reports as deleted: times of the oldest and of the newest one, in milliseconds. */
interface Window {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Retention of the account, in days: the age of the newest deleted record at the time of the event. */
  readonly days: number;
}

/** Deletions whose event is not recorded yet, because the run of the retention has not ended. The chain does not protect these rows. */
const SELECT_PENDING = 'SELECT records AS count, oldest_ms AS oldest, newest_ms AS newest FROM trail_deletion';

/**
 * Collects deleted records and retention events. A deleted record is in order if an event covers its time, and if the events
 * together report at least as many records as are deleted.
 *
 * An event is itself a record that the retention deletes later, and then its deletion has an event. So an event that is deleted is at least
 * one retention older than the newest deleted record, and reports records that are one retention older still. Deleted records of
 * this age are only counted in a note. The shortest retention counts, because a deleted record has no account.
 */
export function deletions(sql: Sql) {
  const windows: Window[] = [];
  /** Deleted records by the hour of their time. */
  const hours = new Map<number, { count: number; readonly writer: string; readonly number: number }>();
  let deleted = 0;
  let newestDeleted = Number.NEGATIVE_INFINITY;

  return {
    add(pack: ChainedPack): void {
      const { content, removed, writer = '' } = pack;
      if (content?.heads.includes(EVENT) === true)
        for (const { eventName, document, at } of recordsOf(content)) if (eventName === EVENT) windows.push(...windowOf(document, at));
      if (removed === undefined) return;
      for (const { at, index } of removed.records) {
        deleted++;
        newestDeleted = Math.max(newestDeleted, at);
        const hour = Math.floor(at / HOUR_MS);
        const known = hours.get(hour);
        if (known === undefined) hours.set(hour, { count: 1, writer, number: (pack.firstNumber ?? 0) + index });
        else known.count++;
      }
    },
    count: () => deleted,
    async end(): Promise<{ readonly problems: readonly string[]; readonly notes: readonly string[] }> {
      const pending = await sql.rows<{ count: number; oldest: number; newest: number }>(SELECT_PENDING, []);
      const notes: string[] = [];
      if (pending.length > 0) {
        const records = pending.reduce((sum, { count }) => sum + count, 0);
        notes.push(
          `no event reports the deletion of ${counted(records, 'record')} yet; verify again after the server has deleted expired records`,
        );
      }
      const unchecked = newestDeleted - DAY_MS * windows.reduce((least, { days }) => Math.min(least, days), Number.POSITIVE_INFINITY);
      for (const { count, oldest, newest } of pending) windows.push({ from: oldest, to: newest, count, days: 0 });
      let uncheckedCount = 0;
      let checkedCount = 0;
      for (const [hour, { count, writer, number }] of hours) {
        const [begin, end] = [hour * HOUR_MS, (hour + 1) * HOUR_MS];
        if (begin <= unchecked) uncheckedCount += count;
        else if (windows.some(({ from, to }) => from < end && to + SECOND_MS > begin)) checkedCount += count;
        else return { problems: [`deleted record without a retention event: number ${number}, writer ${writer}`], notes };
      }
      const reported = windows.reduce((sum, { count }) => sum + count, 0);
      if (checkedCount > reported)
        return { problems: [`${checkedCount} records are deleted, but the retention events report only ${reported}`], notes };
      if (uncheckedCount > 0)
        notes.push(
          `${uncheckedCount} deleted records are so old that their retention events can be deleted, so their deletion cannot be checked`,
        );
      return { problems: [], notes };
    },
  };
}

/** Returns the window of an event, or no window if the document has another form. */
function windowOf(document: string, at: number): readonly Window[] {
  // Someone can have altered the document in the database. Its leaf then does not match.
  const { serviceEventDetails } = (parsedRecord(document) ?? {}) as { readonly serviceEventDetails?: Readonly<Record<string, unknown>> };
  const { deletedEvents, oldestEventTime, newestEventTime } = serviceEventDetails ?? {};
  const [from, to] = [Date.parse(String(oldestEventTime)), Date.parse(String(newestEventTime))];
  // The run of a day deletes records that have expired since the run before, so the rest is less than a day.
  const days = Math.max(RETENTION_DAYS.min, Math.floor((at - to) / DAY_MS));
  return typeof deletedEvents === 'number' && Number.isFinite(from) && Number.isFinite(to)
    ? [{ from, to, count: deletedEvents, days }]
    : [];
}
