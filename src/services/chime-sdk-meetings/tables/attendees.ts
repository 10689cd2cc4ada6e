import type { Sql } from '#store/sql.ts';
import { countOf, instant, type Row, table, text } from '#store/table.ts';

/**
 * Attendees of meetings. The table has no account column. Pass only the ID of a meeting that was found in the account
 * of the API caller.
 */
export const ATTENDEE = table('attendee', {
  columns: {
    meetingId: text,
    /** Unique in a meeting. */
    externalUserId: text,
    /** Random UUID in lower case. */
    attendeeId: text,
    /** Media capabilities, as in the model: `SendReceive`, `Send`, `Receive` or `None`. */
    audio: text,
    video: text,
    content: text,
    createdAt: instant,
  },
  // The key is the only index. So a lookup by attendee ID reads all attendees of the meeting, which are at most 250.
  key: ['meetingId', 'externalUserId'],
});
export type AttendeeRecord = Row<typeof ATTENDEE>;

/** Media that an attendee may send and receive. */
export type CapabilitiesRecord = Pick<AttendeeRecord, 'audio' | 'video' | 'content'>;

export interface Attendees {
  /** Adds an attendee. Returns 'exists', and changes nothing, if the meeting has an attendee with this external user ID. */
  add(attendee: AttendeeRecord): Promise<'added' | 'exists'>;
  get(meetingId: string, attendeeId: string): Promise<AttendeeRecord | undefined>;
  getByExternalUserId(meetingId: string, externalUserId: string): Promise<AttendeeRecord | undefined>;
  count(meetingId: string): Promise<number>;
  /** Returns attendees in the order of IDs, starting after the ID `after`. */
  list(meetingId: string, limit: number, after?: string): Promise<readonly AttendeeRecord[]>;
  remove(meetingId: string, attendeeId: string): Promise<'removed' | 'absent'>;
  removeAll(meetingId: string): Promise<void>;
  setCapabilities(attendee: Pick<AttendeeRecord, 'meetingId' | 'attendeeId'> & CapabilitiesRecord): Promise<'changed' | 'absent'>;
}

const BY_ID = 'WHERE meeting_id = $1 AND attendee_id = $2';
const SELECT = `SELECT ${ATTENDEE.names} FROM attendee ${BY_ID}`;
const SELECT_PAGE = `SELECT ${ATTENDEE.names} FROM attendee WHERE meeting_id = $1 AND attendee_id > $2 ORDER BY attendee_id LIMIT $3`;
const DELETE = `DELETE FROM attendee ${BY_ID}`;
const SET_CAPABILITIES = `UPDATE attendee SET audio = $3, video = $4, content = $5 ${BY_ID}`;
const COUNT = 'SELECT COUNT(*) AS count FROM attendee WHERE meeting_id = $1';
const DELETE_ALL = 'DELETE FROM attendee WHERE meeting_id = $1';

export function attendees(sql: Sql): Attendees {
  return {
    add: (attendee) => ATTENDEE.add(sql, attendee),
    get: (meetingId, attendeeId) => ATTENDEE.row(sql, SELECT, [meetingId, attendeeId]),
    getByExternalUserId: (meetingId, externalUserId) => ATTENDEE.get(sql, meetingId, externalUserId),
    count: (meetingId) => countOf(sql, COUNT, [meetingId]),
    list: (meetingId, limit, after = '') => ATTENDEE.rows(sql, SELECT_PAGE, [meetingId, after, limit]),
    remove: async (meetingId, attendeeId) => ((await sql.run(DELETE, [meetingId, attendeeId])) === 0 ? 'absent' : 'removed'),
    async removeAll(meetingId) {
      await sql.run(DELETE_ALL, [meetingId]);
    },
    setCapabilities: async ({ meetingId, attendeeId, audio, video, content }) =>
      (await sql.run(SET_CAPABILITIES, [meetingId, attendeeId, audio, video, content])) === 0 ? 'absent' : 'changed',
  };
}
