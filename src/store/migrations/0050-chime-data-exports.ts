import type { Migration } from '../migrate.ts';

/** Adds the exports of the data of Chime accounts. */
export const migration: Migration = {
  title: 'data exports of Chime accounts',
  statements: [
    `CREATE TABLE chime_data_export (
      chime_account_id {text} NOT NULL, export_id {text} NOT NULL, account_id {text} NOT NULL, user_id {text}, bucket {text} NOT NULL,
      status {text} NOT NULL, created_at_ms {int} NOT NULL, ended_at_ms {int}, failure {text}, revision {int} NOT NULL,
      claimed_until_ms {int} NOT NULL, progress {text} NOT NULL, PRIMARY KEY (chime_account_id, export_id)) {clustered}`,
    'CREATE INDEX chime_data_export_created ON chime_data_export (chime_account_id, created_at_ms, export_id)',
    'CREATE INDEX chime_data_export_due ON chime_data_export (created_at_ms, export_id) WHERE ended_at_ms IS NULL',
  ],
};
