import type { Migration } from '../migrate.ts';

/** Creates the tables of rooms and of their memberships, and finds users by their ID in all Chime accounts of an AWS account. */
export const migration: Migration = {
  title: 'Chime rooms',
  statements: [
    'CREATE INDEX chime_user_of_owner ON chime_user (account_id, user_id)',
    `CREATE TABLE chime_room (
      chime_account_id {text} NOT NULL, room_id {text} NOT NULL, account_id {text} NOT NULL, name {text} NOT NULL,
      created_by {text} NOT NULL, created_at_ms {int} NOT NULL, updated_at_ms {int} NOT NULL,
      PRIMARY KEY (chime_account_id, room_id)) {clustered}`,
    'CREATE INDEX chime_room_list ON chime_room (chime_account_id, created_at_ms, room_id)',
    `CREATE TABLE room_membership (
      room_id {text} NOT NULL, member_id {text} NOT NULL, account_id {text} NOT NULL, chime_account_id {text} NOT NULL,
      room_created_at_ms {int} NOT NULL, member_type {text} NOT NULL, role {text} NOT NULL, invited_by {text} NOT NULL,
      updated_at_ms {int} NOT NULL,
      PRIMARY KEY (room_id, member_id)) {clustered}`,
    `CREATE INDEX room_membership_of_member ON room_membership
      (account_id, member_id, chime_account_id, room_created_at_ms, room_id)`,
  ],
};
