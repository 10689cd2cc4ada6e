import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import type { Work } from '../kit/events.ts';
import { ARCHIVE, DELETED_ARCHIVE, nextCheck } from './archive-records.ts';
import { archivedEvents } from './tables/archived-events.ts';

/** Number of events that one transaction deletes. */
const DELETED_AT_ONCE = 1_000;
/** Number of archives that one transaction reads. */
const SWEPT_AT_ONCE = 20;

/** Returns the sweep that deletes expired events of archives, and the events of deleted archives. */
export function archiveSweep() {
  return async ({ tx, now }: Work): Promise<'more' | 'done'> => {
    let left = DELETED_AT_ONCE;
    const events = tx.of(archivedEvents);
    for (const deleted of await tx.resources.listExpired(DELETED_ARCHIVE, now, SWEPT_AT_ONCE)) {
      left -= await events.remove(deleted.id, instant(now + DAY_MS), left);
      if (left === 0) return 'more';
      await tx.resources.remove(DELETED_ARCHIVE, deleted);
    }
    const due = await tx.resources.listExpired(ARCHIVE, now, SWEPT_AT_ONCE);
    for (const archive of due) {
      const { archiveId, RetentionDays } = archive.document;
      left -= await events.remove(archiveId, instant(now - RetentionDays * DAY_MS), left);
      if (left === 0) return 'more';
      await tx.resources.put(ARCHIVE, { ...archive, ...nextCheck(now, RetentionDays) });
    }
    return due.length === SWEPT_AT_ONCE ? 'more' : 'done';
  };
}
