import type { Migration } from '../migrate.ts';

export const migration: Migration = {
  title: 'meetings',
  statements: [
    `CREATE TABLE meeting (
      meeting_id {text} NOT NULL PRIMARY KEY, account_id {text} NOT NULL, region {text} NOT NULL,
      created_at_ms {int} NOT NULL, ends_at_ms {int} NOT NULL,
      document {text} NOT NULL, tags {text} NOT NULL, transcription {text}) {clustered}`,
    'CREATE INDEX meeting_of_account ON meeting (account_id, region, ends_at_ms)',
    'CREATE INDEX meeting_end ON meeting (ends_at_ms)',
    `CREATE TABLE attendee (
      meeting_id {text} NOT NULL, attendee_id {text} NOT NULL, external_user_id {text} NOT NULL,
      audio {text} NOT NULL, video {text} NOT NULL, content {text} NOT NULL, created_at_ms {int} NOT NULL,
      PRIMARY KEY (meeting_id, attendee_id)) {clustered}`,
    'CREATE UNIQUE INDEX attendee_external_user ON attendee (meeting_id, external_user_id)',
  ],
};
