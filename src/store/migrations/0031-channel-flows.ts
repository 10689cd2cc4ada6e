import type { Migration } from '../migrate.ts';

/** Creates the table of messages that wait for a processor of their channel flow. */
export const migration: Migration = {
  title: 'messages in channel flows',
  statements: [
    `CREATE TABLE channel_flow_message (
      callback_id {text} NOT NULL PRIMARY KEY, account_id {text} NOT NULL, region {text} NOT NULL, app_instance_id {text} NOT NULL,
      channel_id {text} NOT NULL, channel_key {text} NOT NULL, sub_channel_id {text} NOT NULL, message_id {text} NOT NULL,
      is_update {int} NOT NULL, execution_order {int} NOT NULL, sender {text} NOT NULL, only_for {text}, sent_at_ms {int} NOT NULL,
      document {text} NOT NULL, push_notification {text}, expires_at_ms {int} NOT NULL) {clustered}`,
    'CREATE INDEX channel_flow_message_expires ON channel_flow_message (expires_at_ms, callback_id)',
    'CREATE INDEX channel_flow_message_waiting ON channel_flow_message (channel_key, message_id)',
  ],
};
