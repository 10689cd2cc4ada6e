import type { Migration } from '../migrate.ts';

export const migration: Migration = {
  title: 'identity, trail, idempotency, meta, outbox',
  statements: [
    'CREATE TABLE counter (name {text} NOT NULL PRIMARY KEY, value {int} NOT NULL) {clustered}',
    "INSERT INTO counter (name, value) VALUES ('identity', 0), ('server', 0)",
    'CREATE TABLE meta (name {text} NOT NULL PRIMARY KEY, value {text} NOT NULL) {clustered}',
    `CREATE TABLE identity_document (
      account_id {text} NOT NULL, kind {text} NOT NULL, key {text} NOT NULL,
      version {int} NOT NULL, deleted {int} NOT NULL, document {text} NOT NULL,
      PRIMARY KEY (account_id, kind, key)) {clustered}`,
    'CREATE INDEX identity_document_version ON identity_document (version)',
    // The only index is the primary key, so that appending a trail record is one insert into one B-tree.
    `CREATE TABLE trail_event (
      position {int} NOT NULL, event_id {text} NOT NULL, account_id {text} NOT NULL, region {text} NOT NULL, at_ms {int} NOT NULL,
      event_name {text} NOT NULL, event_source {text} NOT NULL, read_only {int} NOT NULL,
      user_name {text}, access_key_id {text}, resources {text} NOT NULL, document {text} NOT NULL,
      PRIMARY KEY ({position})) {tail}`,
    `CREATE TABLE trail_chunk (
      last_position {int} NOT NULL PRIMARY KEY, first_position {int} NOT NULL, filter {bytes} NOT NULL) {tail}`,
    `CREATE TABLE idempotency (
      account_id {text} NOT NULL, region {text} NOT NULL, operation {text} NOT NULL, token {text} NOT NULL,
      request_hash {text} NOT NULL, answer {text} NOT NULL, expires_at_ms {int} NOT NULL,
      PRIMARY KEY (account_id, region, operation, token)) {clustered}`,
    'CREATE INDEX idempotency_expiry ON idempotency (expires_at_ms)',
    'CREATE TABLE outbox (id {text} NOT NULL PRIMARY KEY, topic {text} NOT NULL, document {text} NOT NULL) {clustered}',
  ],
};
