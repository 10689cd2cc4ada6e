import type { Migration } from '../migrate.ts';

/** Creates the table of the endpoints of services that the operator configured. */
export const migration: Migration = {
  title: 'outgoing endpoints',
  statements: [
    `CREATE TABLE outgoing_endpoint (
      service {text} NOT NULL, account_id {text} NOT NULL, region {text} NOT NULL, url {text} NOT NULL, allow_internal {int} NOT NULL,
      access_key_id {text}, sealed_secret {text}, created_at_ms {int} NOT NULL, PRIMARY KEY (service, account_id, region)) {clustered}`,
  ],
};
