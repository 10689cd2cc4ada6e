import type { Migration } from '../migrate.ts';

/** Adds the delivery of trails to log groups: which trails have undelivered records, and the status in each region. */
export const migration: Migration = {
  title: 'log groups of trails',
  statements: [
    'ALTER TABLE cloudtrail_trail ADD COLUMN logs_pending {int} NOT NULL DEFAULT 0',
    'CREATE INDEX cloudtrail_trail_logs_pending ON cloudtrail_trail (logs_pending, trail_id) WHERE logs_pending = 1',
    'ALTER TABLE cloudtrail_delivery ADD COLUMN logs_at_ms {int}',
    'ALTER TABLE cloudtrail_delivery ADD COLUMN logs_error {text}',
  ],
};
