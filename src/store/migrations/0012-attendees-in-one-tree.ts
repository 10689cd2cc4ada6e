import type { Migration } from '../migrate.ts';

/**
 * Uses the external user ID in the primary key instead of in a second index, so that a new attendee is one insert into
 * one B-tree.
 */
export const migration: Migration = {
  title: 'attendees in one tree',
  statements: [
    // The table is copied and not renamed, because PostgreSQL would keep the name of the old primary key for the
    // renamed table. The primary key of the new table needs this name.
    'CREATE TABLE attendee_copy AS SELECT * FROM attendee',
    'DROP TABLE attendee',
    `CREATE TABLE attendee (
      meeting_id {text} NOT NULL, external_user_id {text} NOT NULL, attendee_id {text} NOT NULL,
      audio {text} NOT NULL, video {text} NOT NULL, content {text} NOT NULL, created_at_ms {int} NOT NULL,
      PRIMARY KEY (meeting_id, external_user_id)) {clustered}`,
    `INSERT INTO attendee (meeting_id, external_user_id, attendee_id, audio, video, content, created_at_ms)
      SELECT meeting_id, external_user_id, attendee_id, audio, video, content, created_at_ms FROM attendee_copy`,
    'DROP TABLE attendee_copy',
  ],
};
