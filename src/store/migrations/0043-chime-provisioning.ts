import type { Migration } from '../migrate.ts';

/** Creates the tables of keys, users and groups that OpenID providers provision, and the provider of a session. */
export const migration: Migration = {
  title: 'Chime provisioning',
  statements: [
    'ALTER TABLE chime_session ADD COLUMN provider_id {text}',
    `CREATE TABLE chime_api_key (
      chime_account_id {text} NOT NULL, api_key_id {text} NOT NULL, account_id {text} NOT NULL, name {text}, digest {text} NOT NULL,
      created_at_ms {int} NOT NULL, used_at_ms {int},
      PRIMARY KEY (chime_account_id, api_key_id)) {clustered}`,
    'CREATE UNIQUE INDEX chime_api_key_id ON chime_api_key (api_key_id)',
    'CREATE INDEX chime_api_key_list ON chime_api_key (chime_account_id, created_at_ms, api_key_id)',
    `CREATE TABLE chime_licensed_group (
      chime_account_id {text} NOT NULL, group_name {text} NOT NULL, group_id {text} NOT NULL, license {text} NOT NULL, reported_at_ms {int},
      PRIMARY KEY (chime_account_id, group_name)) {clustered}`,
    'CREATE UNIQUE INDEX chime_licensed_group_id ON chime_licensed_group (chime_account_id, group_id)',
    `CREATE TABLE chime_scim_user (
      chime_account_id {text} NOT NULL, scim_id {text} NOT NULL, account_id {text} NOT NULL, email {text} NOT NULL, external_id {text},
      is_active {int} NOT NULL, is_due {int} NOT NULL, created_at_ms {int} NOT NULL, updated_at_ms {int} NOT NULL, document {text} NOT NULL,
      PRIMARY KEY (chime_account_id, scim_id)) {clustered}`,
    'CREATE UNIQUE INDEX chime_scim_user_email ON chime_scim_user (chime_account_id, email)',
    'CREATE INDEX chime_scim_user_external ON chime_scim_user (chime_account_id, external_id) WHERE external_id IS NOT NULL',
    'CREATE INDEX chime_scim_user_due ON chime_scim_user (chime_account_id, scim_id) WHERE is_due = 1',
    `CREATE TABLE chime_scim_group (
      chime_account_id {text} NOT NULL, scim_id {text} NOT NULL, display_name {text} NOT NULL, external_id {text},
      created_at_ms {int} NOT NULL, updated_at_ms {int} NOT NULL,
      PRIMARY KEY (chime_account_id, scim_id)) {clustered}`,
    'CREATE UNIQUE INDEX chime_scim_group_name ON chime_scim_group (chime_account_id, display_name)',
    'CREATE INDEX chime_scim_group_external ON chime_scim_group (chime_account_id, external_id) WHERE external_id IS NOT NULL',
    `CREATE TABLE chime_scim_member (
      chime_account_id {text} NOT NULL, group_id {text} NOT NULL, member_id {text} NOT NULL,
      PRIMARY KEY (chime_account_id, group_id, member_id)) {clustered}`,
    'CREATE INDEX chime_scim_member_of_user ON chime_scim_member (chime_account_id, member_id, group_id)',
  ],
};
