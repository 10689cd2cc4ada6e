import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Sql } from '#store/sql.ts';
import { countOf, instant, json, optional, type Row, table, text, textOf } from '#store/table.ts';
import type { TagRecord } from '#store/tag-record.ts';
import { attendees } from './attendees.ts';

/**
 * Meetings. A meeting ends at `endsAt`. After this time, `get`, `getInAnyRegion`, `count` and `transcribed` ignore the
 * meeting, even if its row still exists.
 */
export const MEETING = table('meeting', {
  columns: {
    /** UUID in lower case. */
    meetingId: text,
    accountId: textOf<AccountId>(),
    /** Region of the control plane that created the meeting. */
    region: text,
    createdAt: instant,
    endsAt: instant,
    /** Request that created the meeting, as a JSON string. */
    document: text,
    tags: json<readonly TagRecord[]>(),
    /** Configuration of the running transcription, as a JSON string. */
    transcription: optional(text),
  },
  key: ['meetingId'],
  indexes: [['accountId', 'region', 'endsAt'], ['endsAt']],
});
export type MeetingRecord = Row<typeof MEETING>;

export interface Meetings {
  add(meeting: MeetingRecord): Promise<void>;
  /** Returns a meeting that has not ended at `now`. */
  get(accountId: AccountId, region: string, meetingId: string, now: Instant): Promise<MeetingRecord | undefined>;
  /**
   * Returns a meeting of any region that has not ended at `now`. Use it to find the primary meeting of a replica, which
   * can be in another region than the replica.
   */
  getInAnyRegion(accountId: AccountId, meetingId: string, now: Instant): Promise<MeetingRecord | undefined>;
  /** Deletes a meeting and its attendees. */
  remove(accountId: AccountId, region: string, meetingId: string): Promise<'removed' | 'absent'>;
  /** Counts the meetings that have not ended at `now`, up to `most`. */
  count(accountId: AccountId, region: string, now: Instant, most: number): Promise<number>;
  /**
   * Deletes at most `limit` meetings that have ended at `now`, with their attendees. The meetings can be of any
   * account. Returns the deleted meetings.
   */
  removeEnded(now: Instant, limit: number): Promise<readonly MeetingRecord[]>;
  /**
   * Changes the time at which a meeting ends. The media plane uses this function to end a meeting after the last
   * attendee has left.
   */
  endAt(meetingId: string, endsAt: Instant): Promise<'changed' | 'absent'>;
  setTags(meetingId: string, tags: readonly TagRecord[]): Promise<void>;
  setTranscription(meetingId: string, transcription: string | undefined): Promise<void>;
  /**
   * Returns the meetings of an account, in all regions, with a running transcription at `now`. While such meetings
   * exist, the account's transcription role cannot be deleted.
   */
  transcribed(accountId: AccountId, now: Instant, limit: number): Promise<readonly MeetingRecord[]>;
}

const SELECT = 'SELECT * FROM meeting WHERE meeting_id = $1 AND account_id = $2 AND region = $3 AND ends_at_ms > $4';
const SELECT_IN_ANY_REGION = 'SELECT * FROM meeting WHERE meeting_id = $1 AND account_id = $2 AND ends_at_ms > $3';
const DELETE = 'DELETE FROM meeting WHERE meeting_id = $1 AND account_id = $2 AND region = $3';
const COUNT = `
  SELECT COUNT(*) AS count FROM (SELECT 1 FROM meeting WHERE account_id = $1 AND region = $2 AND ends_at_ms > $3 LIMIT $4) AS active`;
const SELECT_ENDED = 'SELECT * FROM meeting WHERE ends_at_ms <= $1 ORDER BY ends_at_ms LIMIT $2';
const SELECT_TRANSCRIBED = `
  SELECT * FROM meeting WHERE account_id = $1 AND ends_at_ms > $2 AND transcription IS NOT NULL ORDER BY meeting_id LIMIT $3`;
const endAt = MEETING.update('endsAt');
const setTags = MEETING.update('tags');
const setTranscription = MEETING.update('transcription');

export function meetings(sql: Sql): Meetings {
  return {
    add: (meeting) => MEETING.insert(sql, meeting),
    get: (accountId, region, meetingId, now) => MEETING.row(sql, SELECT, [meetingId, accountId, region, now]),
    getInAnyRegion: (accountId, meetingId, now) => MEETING.row(sql, SELECT_IN_ANY_REGION, [meetingId, accountId, now]),
    async remove(accountId, region, meetingId) {
      if ((await sql.run(DELETE, [meetingId, accountId, region])) === 0) return 'absent';
      await attendees(sql).removeAll(meetingId);
      return 'removed';
    },
    count: (accountId, region, now, most) => countOf(sql, COUNT, [accountId, region, now, most]),
    async removeEnded(now, limit) {
      const ended = await MEETING.rows(sql, SELECT_ENDED, [now, limit]);
      for (const { meetingId } of ended) {
        await MEETING.remove(sql, meetingId);
        await attendees(sql).removeAll(meetingId);
      }
      return ended;
    },
    endAt: (meetingId, endsAt) => endAt(sql, { meetingId, endsAt }),
    async setTags(meetingId, tags) {
      await setTags(sql, { meetingId, tags });
    },
    async setTranscription(meetingId, transcription) {
      await setTranscription(sql, omitUndefined({ meetingId, transcription }));
    },
    transcribed: (accountId, now, limit) => MEETING.rows(sql, SELECT_TRANSCRIBED, [accountId, now, limit]),
  };
}
