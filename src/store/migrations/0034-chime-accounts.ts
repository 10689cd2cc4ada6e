import type { Migration } from '../migrate.ts';

/** Creates the tables of Chime accounts and of their users. */
export const migration: Migration = {
  title: 'Chime accounts and users',
  statements: [
    `CREATE TABLE chime_account (
      account_id {text} NOT NULL, chime_account_id {text} NOT NULL, name {text} NOT NULL, account_type {text} NOT NULL,
      created_at_ms {int} NOT NULL, disabled_at_ms {int}, document {text} NOT NULL,
      PRIMARY KEY (account_id, chime_account_id)) {clustered}`,
    'CREATE INDEX chime_account_list ON chime_account (account_id, created_at_ms, chime_account_id) WHERE disabled_at_ms IS NULL',
    'CREATE INDEX chime_account_disabled ON chime_account (disabled_at_ms) WHERE disabled_at_ms IS NOT NULL',
    `CREATE TABLE chime_user (
      chime_account_id {text} NOT NULL, user_id {text} NOT NULL, account_id {text} NOT NULL, email {text} NOT NULL,
      is_member {int} NOT NULL, registration_status {text} NOT NULL, invitation_status {text}, invited_at_ms {int},
      registered_at_ms {int}, is_new {int} NOT NULL, listed_at_ms {int} NOT NULL, user_type {text} NOT NULL,
      license_type {text} NOT NULL, personal_pin {text}, document {text} NOT NULL,
      PRIMARY KEY (chime_account_id, user_id)) {clustered}`,
    'CREATE UNIQUE INDEX chime_user_email ON chime_user (chime_account_id, email)',
    'CREATE UNIQUE INDEX chime_user_member ON chime_user (email) WHERE is_member = 1',
    'CREATE UNIQUE INDEX chime_user_pin ON chime_user (personal_pin) WHERE personal_pin IS NOT NULL',
    'CREATE INDEX chime_user_status ON chime_user (chime_account_id, registration_status, user_id)',
    'CREATE INDEX chime_user_profile ON chime_user (account_id, email)',
    'CREATE INDEX chime_user_list ON chime_user (chime_account_id, is_new, listed_at_ms, user_id)',
    'CREATE INDEX chime_user_list_of_type ON chime_user (chime_account_id, user_type, is_new, listed_at_ms, user_id)',
  ],
};
