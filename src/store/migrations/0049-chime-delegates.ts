import type { Migration } from '../migrate.ts';

/** Adds the delegations with which other AWS accounts manage accounts of Amazon Chime. */
export const migration: Migration = {
  title: 'delegates of Chime accounts',
  statements: [
    `CREATE TABLE chime_delegate (
      chime_account_id {text} NOT NULL, delegate_id {text} NOT NULL, account_id {text} NOT NULL, delegate_account_id {text} NOT NULL,
      email_address {text} NOT NULL, digest {text} NOT NULL, created_at_ms {int} NOT NULL, invited_at_ms {int} NOT NULL,
      accepted_at_ms {int}, PRIMARY KEY (chime_account_id, delegate_id)) {clustered}`,
    'CREATE UNIQUE INDEX chime_delegate_id ON chime_delegate (delegate_id)',
    'CREATE UNIQUE INDEX chime_delegate_account ON chime_delegate (chime_account_id, delegate_account_id)',
  ],
};
