import type { Migration } from '../migrate.ts';

export const migration: Migration = {
  title: 'last uses',
  statements: [
    `CREATE TABLE last_use (
      account_id {text} NOT NULL, holder {text} NOT NULL, action {text} NOT NULL,
      service {text} NOT NULL, at_ms {int} NOT NULL, region {text} NOT NULL,
      PRIMARY KEY (account_id, holder, action)) {clustered}`,
  ],
};
