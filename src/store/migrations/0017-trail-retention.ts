import type { Migration } from '../migrate.ts';

/** Creates the tables for the deletion of old CloudTrail records. */
export const migration: Migration = {
  title: 'retention of the trail',
  statements: [
    'CREATE TABLE trail_retention (account_id {text} NOT NULL PRIMARY KEY, days {int} NOT NULL) {clustered}',
    'CREATE INDEX trail_retention_days ON trail_retention (days)',
    'CREATE TABLE trail_hold (account_id {text} NOT NULL PRIMARY KEY, position {int} NOT NULL) {clustered}',
    `CREATE TABLE trail_deletion (
      account_id {text} NOT NULL PRIMARY KEY, records {int} NOT NULL, oldest_ms {int} NOT NULL, newest_ms {int} NOT NULL) {clustered}`,
  ],
};
