import type { Migration } from '../migrate.ts';

/** Adds the last week whose usage report was written, for each account of Amazon Chime. */
export const migration: Migration = {
  title: 'usage reports of Chime accounts',
  statements: [
    'CREATE TABLE chime_usage_report (chime_account_id {text} NOT NULL, week {int} NOT NULL, PRIMARY KEY (chime_account_id)) {clustered}',
  ],
};
