import type { Migration } from '../migrate.ts';

export const migration: Migration = {
  title: 'failed attempts',
  statements: [
    `CREATE TABLE failed_attempt (
      account_id {text} NOT NULL, subject {text} NOT NULL, failures {int} NOT NULL, failed_at_ms {int} NOT NULL,
      PRIMARY KEY (account_id, subject)) {clustered}`,
  ],
};
