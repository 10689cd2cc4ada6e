import type { Migration } from '../migrate.ts';

/** Creates the table of messages whose push notifications wait for their members. */
export const migration: Migration = {
  title: 'push notifications',
  statements: [
    `CREATE TABLE push_fan_out (
      id {text} NOT NULL PRIMARY KEY, account_id {text} NOT NULL, region {text} NOT NULL, app_instance_id {text} NOT NULL,
      channel_id {text} NOT NULL, channel_key {text} NOT NULL, sub_channel_id {text} NOT NULL, only_for {text}, after_member {text} NOT NULL,
      notification {text} NOT NULL, attributes {text} NOT NULL, created_at_ms {int} NOT NULL, due_at_ms {int} NOT NULL) {clustered}`,
    'CREATE INDEX push_fan_out_due ON push_fan_out (due_at_ms, id)',
  ],
};
