import type { Sql } from '#store/sql.ts';
import { countOf, instant, type Row, table, text } from '#store/table.ts';

/** Attendees of meetings. Callers pass the ID of a meeting that they found in the caller's account. */
export const ATTENDEE = table('attendee', {
  columns: {
    meetingId: text,
    /** UUID in lower case. */
    attendeeId: text,
    /** Unique in a meeting. */
    externalUserId: text,
    /** Media capabilities, as in the model: `SendReceive`, `Send`, `Receive` or `None`. */
    audio: text,
    video: text,
    content: text,
    createdAt: instant,
  },
  key: ['meetingId', 'attendeeId'],
  indexes: [{ columns: ['meetingId', 'externalUserId'], unique: true }],
});
export type AttendeeRecord = Row<typeof ATTENDEE>;

/** Media that an attendee may send and receive. */
export type CapabilitiesRecord = Pick<AttendeeRecord, 'audio' | 'video' | 'content'>;

export interface Attendees {
  /** 'exists': the meeting has an attendee with this ID or external user ID. Nothing changes then. */
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

const SELECT_BY_EXTERNAL_USER_ID = 'SELECT * FROM attendee WHERE meeting_id = $1 AND external_user_id = $2';
const COUNT = 'SELECT COUNT(*) AS count FROM attendee WHERE meeting_id = $1';
const DELETE_ALL = 'DELETE FROM attendee WHERE meeting_id = $1';
const setCapabilities = ATTENDEE.update('audio', 'video', 'content');

export function attendees(sql: Sql): Attendees {
  return {
    add: (attendee) => ATTENDEE.add(sql, attendee),
    get: (meetingId, attendeeId) => ATTENDEE.get(sql, meetingId, attendeeId),
    getByExternalUserId: (meetingId, externalUserId) => ATTENDEE.row(sql, SELECT_BY_EXTERNAL_USER_ID, [meetingId, externalUserId]),
    count: (meetingId) => countOf(sql, COUNT, [meetingId]),
    list: (meetingId, limit, after = '') => ATTENDEE.page(sql, [meetingId], [after], limit),
    remove: (meetingId, attendeeId) => ATTENDEE.remove(sql, meetingId, attendeeId),
    async removeAll(meetingId) {
      await sql.run(DELETE_ALL, [meetingId]);
    },
    setCapabilities: (attendee) => setCapabilities(sql, attendee),
  };
}
