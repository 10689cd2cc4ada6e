import type { Migration } from '../migrate.ts';

/** Adds the webhooks with which bots of Amazon Chime write in rooms, and the numbers of messages that people write. */
export const migration: Migration = {
  title: 'webhooks of Chime bots, message counts of Chime users',
  statements: [
    `CREATE TABLE chime_webhook (
      webhook_id {text} NOT NULL, digest {text} NOT NULL, account_id {text} NOT NULL, chime_account_id {text} NOT NULL,
      room_id {text} NOT NULL, bot_id {text} NOT NULL, type {text} NOT NULL, created_at_ms {int} NOT NULL, expires_at_ms {int},
      used_at_ms {int}, PRIMARY KEY (webhook_id)) {clustered}`,
    'CREATE INDEX chime_webhook_bot ON chime_webhook (bot_id, room_id, type, created_at_ms, webhook_id)',
    'CREATE INDEX chime_webhook_room ON chime_webhook (room_id)',
    'CREATE INDEX chime_webhook_expiry ON chime_webhook (expires_at_ms) WHERE expires_at_ms IS NOT NULL',
    `CREATE TABLE chime_message_count (
      chime_account_id {text} NOT NULL, day {int} NOT NULL, user_id {text} NOT NULL, messages {int} NOT NULL, last_at_ms {int} NOT NULL,
      PRIMARY KEY (chime_account_id, day, user_id)) {clustered}`,
    'CREATE INDEX chime_message_count_user ON chime_message_count (chime_account_id, user_id, day)',
  ],
};
