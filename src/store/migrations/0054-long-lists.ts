import type { Migration } from '../migrate.ts';

/**
 * Keeps the reads of long lists short. Messages of a channel are stored in the order of their audience, so that a page does not read messages
 * that the reader does not see. The audience replaces `only_for`: `*` is NULL there. Members of a channel are also listed by type, and the bots
 * of a room are found without its other members. Lists of phone numbers by status read only an index. The number of provisioned users of an account is stored.
 */
export const migration: Migration = {
  title: 'long lists',
  statements: [
    `CREATE TABLE channel_message_moved (
      channel_key {text} NOT NULL, sub_channel_id {text} NOT NULL, audience {text} NOT NULL, created_at_ms {int} NOT NULL,
      message_id {text} NOT NULL, sender {text} NOT NULL, document {text} NOT NULL,
      PRIMARY KEY (channel_key, sub_channel_id, audience, created_at_ms, message_id)) {clustered}`,
    `INSERT INTO channel_message_moved (channel_key, sub_channel_id, audience, created_at_ms, message_id, sender, document)
      SELECT channel_key, sub_channel_id, COALESCE(only_for, '*'), created_at_ms, message_id, sender, document FROM channel_message`,
    'DROP TABLE channel_message',
    'ALTER TABLE channel_message_moved RENAME TO channel_message',
    'CREATE UNIQUE INDEX channel_message_by_id ON channel_message (channel_key, sub_channel_id, message_id)',
    "CREATE INDEX channel_message_private ON channel_message (channel_key, sub_channel_id, created_at_ms) WHERE audience <> '*'",
    `CREATE INDEX channel_message_private_by_sender ON channel_message (channel_key, sub_channel_id, sender, created_at_ms, message_id) WHERE audience <> '*'`,
    'CREATE INDEX channel_membership_of_type ON channel_membership (channel_key, type, sub_channel_id, member)',
    "CREATE INDEX room_membership_bot ON room_membership (room_id, member_id) WHERE member_type = 'Bot'",
    'DROP INDEX phone_number_state',
    'DROP INDEX phone_number_state_product',
    'CREATE INDEX phone_number_state ON phone_number (account_id, state, number, acquired_at_ms, released_at_ms)',
    'CREATE INDEX phone_number_state_product ON phone_number (account_id, state, product_type, number, acquired_at_ms, released_at_ms)',
    'CREATE TABLE chime_scim_total (chime_account_id {text} NOT NULL PRIMARY KEY, users {int} NOT NULL) {clustered}',
    'INSERT INTO chime_scim_total (chime_account_id, users) SELECT chime_account_id, COUNT(*) FROM chime_scim_user GROUP BY chime_account_id',
  ],
  statementsOnPostgres: ['ALTER TABLE channel_message RENAME CONSTRAINT channel_message_moved_pkey TO channel_message_pkey'],
};
