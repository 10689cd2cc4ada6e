import type { Migration } from '../migrate.ts';

/** Adds the synchronization of accounts of Amazon Chime with their directories. All accounts with a directory are due. */
export const migration: Migration = {
  title: 'synchronization with directories of Chime accounts',
  statements: [
    `CREATE TABLE chime_directory_sync (
      chime_account_id {text} NOT NULL, account_id {text} NOT NULL, due_at_ms {int} NOT NULL, turn_id {text}, after_user_id {text},
      synced_at_ms {int}, problem {text}, PRIMARY KEY (chime_account_id)
    ) {clustered}`,
    'CREATE INDEX chime_directory_sync_due ON chime_directory_sync (due_at_ms)',
    `INSERT INTO chime_directory_sync (chime_account_id, account_id, due_at_ms)
      SELECT chime_account_id, account_id, 0 FROM chime_account WHERE account_type = 'EnterpriseDirectory'`,
  ],
};
