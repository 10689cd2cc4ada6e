import type { Migration } from '../migrate.ts';

export const migration: Migration = {
  title: 'resources',
  statements: [
    `CREATE TABLE resource (
      account_id {text} NOT NULL, kind {text} NOT NULL, region {text} NOT NULL, parent {text} NOT NULL, id {text} NOT NULL,
      created_at_ms {int} NOT NULL, updated_at_ms {int} NOT NULL, expires_at_ms {int},
      tags {text} NOT NULL, document {text} NOT NULL,
      PRIMARY KEY (account_id, kind, region, parent, id)) {clustered}`,
    'CREATE INDEX resource_expiry ON resource (kind, expires_at_ms) WHERE expires_at_ms IS NOT NULL',
  ],
};
