import type { Migration } from '../migrate.ts';

/** Creates the tables of people with a password for Amazon Chime, and of their sessions. */
export const migration: Migration = {
  title: 'people of Chime',
  statements: [
    `CREATE TABLE chime_person (
      email {text} NOT NULL, person_id {text} NOT NULL, display_name {text} NOT NULL, password_hash {text} NOT NULL,
      changed_at_ms {int} NOT NULL, PRIMARY KEY (email)) {clustered}`,
    `CREATE TABLE chime_session (
      digest {text} NOT NULL, email {text} NOT NULL, created_at_ms {int} NOT NULL, expires_at_ms {int} NOT NULL,
      PRIMARY KEY (digest)) {clustered}`,
    'CREATE INDEX chime_session_person ON chime_session (email, created_at_ms, digest)',
    'CREATE INDEX chime_session_end ON chime_session (expires_at_ms)',
  ],
};
