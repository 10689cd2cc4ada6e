import type { Migration } from '../migrate.ts';

/** Creates the table of domains that Chime accounts claim. */
export const migration: Migration = {
  title: 'domains of Chime accounts',
  statements: [
    `CREATE TABLE chime_domain (
      chime_account_id {text} NOT NULL, domain {text} NOT NULL, account_id {text} NOT NULL, record_value {text} NOT NULL,
      is_verified {int} NOT NULL, created_at_ms {int} NOT NULL, verified_at_ms {int}, checked_at_ms {int}, check_result {text},
      failures {int} NOT NULL, due_at_ms {int}, PRIMARY KEY (chime_account_id, domain)) {clustered}`,
    'CREATE UNIQUE INDEX chime_domain_verified ON chime_domain (domain) WHERE is_verified = 1',
    'CREATE INDEX chime_domain_due ON chime_domain (due_at_ms) WHERE due_at_ms IS NOT NULL',
  ],
};
