import type { MeetingEvent } from '../chime/events.ts';
import type { Work } from '../kit/events.ts';
import { found, named } from './stored-meetings.ts';
import { meetings } from './tables/meetings.ts';

/** Meetings that one transaction deletes. Other requests wait for it. */
const SWEPT_AT_ONCE = 100;

/**
 * Deletes meetings that have ended. Reads already ignore them, so a sweep only frees space.
 *
 * Emits: MeetingEnded.
 */
export async function sweepEndedMeetings(work: Work): Promise<'more' | 'done'> {
  const ended = await work.tx.of(meetings).removeEnded(work.now, SWEPT_AT_ONCE);
  for (const record of ended) await work.emit<MeetingEvent>({ type: 'MeetingEnded', ...named(found(record)) });
  return ended.length === SWEPT_AT_ONCE ? 'more' : 'done';
}
