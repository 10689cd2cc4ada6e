import type { Migration } from '../migrate.ts';

/**
 * Creates the table of former versions of identity records. The counter `identity_forgotten` is the oldest version of identity that can
 * be read: in an existing database, the version at the migration.
 */
export const migration: Migration = {
  title: 'former versions of identity',
  statements: [
    `CREATE TABLE identity_history (
      account_id {text} NOT NULL, kind {text} NOT NULL, key {text} NOT NULL, until_version {int} NOT NULL, from_version {int} NOT NULL,
      text {text} NOT NULL, PRIMARY KEY (account_id, kind, key, until_version)) {tail}`,
    'CREATE INDEX identity_history_until_version ON identity_history (until_version)',
    "INSERT INTO counter (name, value) SELECT 'identity_forgotten', value FROM counter WHERE name = 'identity'",
  ],
};
