import type { MeetingEvent } from '../chime-kit/events.ts';
import type { Work } from '../kit/events.ts';
import { found, named } from './stored-meetings.ts';
import { meetings } from './tables/meetings.ts';

/** Maximum meetings that one transaction of the sweep deletes. Other requests wait for this transaction. */
const SWEPT_AT_ONCE = 100;

/**
 * Deletes meetings that have ended. Reads already ignore ended meetings, so responses do not depend on the time of the
 * sweep.
 *
 * Emits: MeetingEnded.
 */
export async function sweepEndedMeetings(work: Work): Promise<'more' | 'done'> {
  const ended = await work.tx.of(meetings).removeEnded(work.now, SWEPT_AT_ONCE);
  for (const record of ended) await work.emit<MeetingEvent>({ type: 'MeetingEnded', ...named(found(record)) });
  return ended.length === SWEPT_AT_ONCE ? 'more' : 'done';
}
