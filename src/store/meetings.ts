import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Sql } from './sql.ts';
import type { TagRecord } from './tag-record.ts';

/** A meeting as kept. It ends by itself at `endsAt`: from then on no read finds it, whether or not it was removed. */
export interface MeetingRecord {
  readonly accountId: AccountId;
  /** The region of the control plane it was made in. */
  readonly region: string;
  /** A UUID in lower case. */
  readonly meetingId: string;
  readonly createdAt: Instant;
  readonly endsAt: Instant;
  /** What was asked for: JSON text, the meetings service's own. */
  readonly document: string;
  readonly tags: readonly TagRecord[];
  /** The configuration of a transcription that was started: JSON text. */
  readonly transcription?: string;
}

/** What an attendee may send and receive, in the model's words. */
export interface CapabilitiesRecord {
  readonly audio: string;
  readonly video: string;
  readonly content: string;
}

export interface AttendeeRecord {
  readonly meetingId: string;
  /** A UUID in lower case. */
  readonly attendeeId: string;
  /** One attendee of a meeting has it. */
  readonly externalUserId: string;
  readonly capabilities: CapabilitiesRecord;
  readonly createdAt: Instant;
}

/** Meetings and their attendees. Attendees are reached by the id of a meeting that was found in the caller's account before. */
export interface Meetings {
  add(meeting: MeetingRecord): Promise<void>;
  /** A meeting that has not ended at `now`. */
  get(accountId: AccountId, region: string, meetingId: string, now: Instant): Promise<MeetingRecord | undefined>;
  /** The same in whatever region it was made: a primary meeting may be in another than its replica. */
  getInAnyRegion(accountId: AccountId, meetingId: string, now: Instant): Promise<MeetingRecord | undefined>;
  /** Removes it with its attendees. */
  remove(accountId: AccountId, region: string, meetingId: string): Promise<'removed' | 'absent'>;
  /** How many have not ended at `now`; counts no further than `most`. */
  count(accountId: AccountId, region: string, now: Instant, most: number): Promise<number>;
  /** Removes at most `limit` meetings that ended before `now`, in whatever account; resolves to what they were. */
  removeEnded(now: Instant, limit: number): Promise<readonly MeetingRecord[]>;
  /** Brings the end forward or back: the media plane knows when nobody is left. 'absent' where there is no such meeting. */
  endAt(meetingId: string, endsAt: Instant): Promise<'changed' | 'absent'>;
  setTags(meetingId: string, tags: readonly TagRecord[]): Promise<void>;
  setTranscription(meetingId: string, transcription: string | undefined): Promise<void>;
  /** Meetings of an account that are transcribed at `now`, in every region: they keep the transcription role from being deleted. */
  transcribed(accountId: AccountId, now: Instant, limit: number): Promise<readonly MeetingRecord[]>;

  /** 'exists' changes nothing: the attendee's id or external user id is taken in this meeting. */
  addAttendee(attendee: AttendeeRecord): Promise<'added' | 'exists'>;
  getAttendee(meetingId: string, attendeeId: string): Promise<AttendeeRecord | undefined>;
  getAttendeeByExternalUserId(meetingId: string, externalUserId: string): Promise<AttendeeRecord | undefined>;
  countAttendees(meetingId: string): Promise<number>;
  /** In the order of ids, only those after `after`. */
  listAttendees(meetingId: string, limit: number, after?: string): Promise<readonly AttendeeRecord[]>;
  removeAttendee(meetingId: string, attendeeId: string): Promise<'removed' | 'absent'>;
  setCapabilities(meetingId: string, attendeeId: string, capabilities: CapabilitiesRecord): Promise<'changed' | 'absent'>;
}

interface MeetingRow {
  readonly meeting_id: string;
  readonly account_id: AccountId;
  readonly region: string;
  readonly created_at_ms: number;
  readonly ends_at_ms: number;
  readonly document: string;
  readonly tags: string;
  readonly transcription: string | null;
}

interface AttendeeRow {
  readonly meeting_id: string;
  readonly attendee_id: string;
  readonly external_user_id: string;
  readonly audio: string;
  readonly video: string;
  readonly content: string;
  readonly created_at_ms: number;
}

const INSERT_MEETING = `
  INSERT INTO meeting (meeting_id, account_id, region, created_at_ms, ends_at_ms, document, tags, transcription)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`;
const SELECT_MEETING = 'SELECT * FROM meeting WHERE meeting_id = $1 AND account_id = $2 AND region = $3 AND ends_at_ms > $4';
const SELECT_MEETING_ANYWHERE = 'SELECT * FROM meeting WHERE meeting_id = $1 AND account_id = $2 AND ends_at_ms > $3';
const DELETE_MEETING = 'DELETE FROM meeting WHERE meeting_id = $1 AND account_id = $2 AND region = $3';
const COUNT_MEETINGS = `
  SELECT COUNT(*) AS count FROM (SELECT 1 FROM meeting WHERE account_id = $1 AND region = $2 AND ends_at_ms > $3 LIMIT $4) AS active`;
const SELECT_ENDED = 'SELECT * FROM meeting WHERE ends_at_ms <= $1 ORDER BY ends_at_ms LIMIT $2';
const UPDATE_END = 'UPDATE meeting SET ends_at_ms = $1 WHERE meeting_id = $2';
const UPDATE_TAGS = 'UPDATE meeting SET tags = $1 WHERE meeting_id = $2';
const UPDATE_TRANSCRIPTION = 'UPDATE meeting SET transcription = $1 WHERE meeting_id = $2';
const SELECT_TRANSCRIBED = `
  SELECT * FROM meeting WHERE account_id = $1 AND ends_at_ms > $2 AND transcription IS NOT NULL ORDER BY meeting_id LIMIT $3`;
const INSERT_ATTENDEE = `
  INSERT INTO attendee (meeting_id, attendee_id, external_user_id, audio, video, content, created_at_ms)
  VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`;
const SELECT_ATTENDEE = 'SELECT * FROM attendee WHERE meeting_id = $1 AND attendee_id = $2';
const SELECT_EXTERNAL = 'SELECT * FROM attendee WHERE meeting_id = $1 AND external_user_id = $2';
const COUNT_ATTENDEES = 'SELECT COUNT(*) AS count FROM attendee WHERE meeting_id = $1';
const SELECT_ATTENDEES = 'SELECT * FROM attendee WHERE meeting_id = $1 AND attendee_id > $2 ORDER BY attendee_id LIMIT $3';
const DELETE_ATTENDEE = 'DELETE FROM attendee WHERE meeting_id = $1 AND attendee_id = $2';
const DELETE_ATTENDEES = 'DELETE FROM attendee WHERE meeting_id = $1';
const UPDATE_CAPABILITIES = 'UPDATE attendee SET audio = $1, video = $2, content = $3 WHERE meeting_id = $4 AND attendee_id = $5';

export function meetings(sql: Sql): Meetings {
  return {
    async add({ meetingId, accountId, region, createdAt, endsAt, document, tags, transcription }) {
      const values = [meetingId, accountId, region, createdAt, endsAt, document, JSON.stringify(tags), transcription ?? null];
      await sql.run(INSERT_MEETING, values);
    },
    async get(accountId, region, meetingId, now) {
      const row = await sql.row<MeetingRow>(SELECT_MEETING, [meetingId, accountId, region, now]);
      return row && toMeeting(row);
    },
    async getInAnyRegion(accountId, meetingId, now) {
      const row = await sql.row<MeetingRow>(SELECT_MEETING_ANYWHERE, [meetingId, accountId, now]);
      return row && toMeeting(row);
    },
    async remove(accountId, region, meetingId) {
      if ((await sql.run(DELETE_MEETING, [meetingId, accountId, region])) === 0) return 'absent';
      await sql.run(DELETE_ATTENDEES, [meetingId]);
      return 'removed';
    },
    async count(accountId, region, now, most) {
      return Number((await sql.row<{ readonly count: number }>(COUNT_MEETINGS, [accountId, region, now, most]))?.count ?? 0);
    },
    async removeEnded(now, limit) {
      const ended = (await sql.rows<MeetingRow>(SELECT_ENDED, [now, limit])).map(toMeeting);
      for (const { meetingId, accountId, region } of ended) {
        await sql.run(DELETE_MEETING, [meetingId, accountId, region]);
        await sql.run(DELETE_ATTENDEES, [meetingId]);
      }
      return ended;
    },
    async endAt(meetingId, endsAt) {
      return (await sql.run(UPDATE_END, [endsAt, meetingId])) === 1 ? 'changed' : 'absent';
    },
    async setTags(meetingId, tags) {
      await sql.run(UPDATE_TAGS, [JSON.stringify(tags), meetingId]);
    },
    async setTranscription(meetingId, transcription) {
      await sql.run(UPDATE_TRANSCRIPTION, [transcription ?? null, meetingId]);
    },
    async transcribed(accountId, now, limit) {
      return (await sql.rows<MeetingRow>(SELECT_TRANSCRIBED, [accountId, now, limit])).map(toMeeting);
    },

    async addAttendee({ meetingId, attendeeId, externalUserId, capabilities, createdAt }) {
      const { audio, video, content } = capabilities;
      const changed = await sql.run(INSERT_ATTENDEE, [meetingId, attendeeId, externalUserId, audio, video, content, createdAt]);
      return changed === 1 ? 'added' : 'exists';
    },
    async getAttendee(meetingId, attendeeId) {
      const row = await sql.row<AttendeeRow>(SELECT_ATTENDEE, [meetingId, attendeeId]);
      return row && toAttendee(row);
    },
    async getAttendeeByExternalUserId(meetingId, externalUserId) {
      const row = await sql.row<AttendeeRow>(SELECT_EXTERNAL, [meetingId, externalUserId]);
      return row && toAttendee(row);
    },
    async countAttendees(meetingId) {
      return Number((await sql.row<{ readonly count: number }>(COUNT_ATTENDEES, [meetingId]))?.count ?? 0);
    },
    async listAttendees(meetingId, limit, after = '') {
      return (await sql.rows<AttendeeRow>(SELECT_ATTENDEES, [meetingId, after, limit])).map(toAttendee);
    },
    async removeAttendee(meetingId, attendeeId) {
      return (await sql.run(DELETE_ATTENDEE, [meetingId, attendeeId])) === 1 ? 'removed' : 'absent';
    },
    async setCapabilities(meetingId, attendeeId, { audio, video, content }) {
      return (await sql.run(UPDATE_CAPABILITIES, [audio, video, content, meetingId, attendeeId])) === 1 ? 'changed' : 'absent';
    },
  };
}

function toMeeting(row: MeetingRow): MeetingRecord {
  return {
    accountId: row.account_id,
    region: row.region,
    meetingId: row.meeting_id,
    createdAt: row.created_at_ms as Instant,
    endsAt: row.ends_at_ms as Instant,
    document: row.document,
    tags: JSON.parse(row.tags) as readonly TagRecord[],
    ...(row.transcription !== null && { transcription: row.transcription }),
  };
}

function toAttendee(row: AttendeeRow): AttendeeRecord {
  return {
    meetingId: row.meeting_id,
    attendeeId: row.attendee_id,
    externalUserId: row.external_user_id,
    capabilities: { audio: row.audio, video: row.video, content: row.content },
    createdAt: row.created_at_ms as Instant,
  };
}
