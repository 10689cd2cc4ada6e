import type { Migration } from '../migrate.ts';

/** Counts provisioned users by the first two characters of their IDs, so that a late page of a list does not read all users before it. */
export const migration: Migration = {
  title: 'SCIM pages',
  statements: [
    `CREATE TABLE chime_scim_bucket (
      chime_account_id {text} NOT NULL, bucket {text} NOT NULL, users {int} NOT NULL, PRIMARY KEY (chime_account_id, bucket)) {clustered}`,
    `INSERT INTO chime_scim_bucket (chime_account_id, bucket, users)
      SELECT chime_account_id, SUBSTR(scim_id, 1, 2), COUNT(*) FROM chime_scim_user GROUP BY chime_account_id, SUBSTR(scim_id, 1, 2)`,
  ],
};
