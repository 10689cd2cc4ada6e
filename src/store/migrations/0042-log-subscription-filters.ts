import type { Migration } from '../migrate.ts';

/** Creates the table of subscription filters of log groups. */
export const migration: Migration = {
  title: 'log subscription filters',
  statements: [
    `CREATE TABLE log_subscription_filter (
      group_id {text} NOT NULL, name {text} NOT NULL, created_at_ms {int} NOT NULL, pattern {text} NOT NULL,
      destination_arn {text} NOT NULL, role_arn {text}, distribution {text} NOT NULL,
      PRIMARY KEY (group_id, name)) {clustered}`,
  ],
};
