import type { Migration } from '../migrate.ts';

/** Creates the tables of digests of trails: private keys that sign them, their chains, and the ends of chains. */
export const migration: Migration = {
  title: 'digests',
  statements: [
    `CREATE TABLE digest_signing_key (
      region {text} NOT NULL, fingerprint {text} NOT NULL, sealed_private_key {text} NOT NULL, valid_until_ms {int} NOT NULL,
      PRIMARY KEY (region, fingerprint)) {clustered}`,
    `CREATE TABLE digest_chain (
      trail_arn {text} NOT NULL, account_id {text} NOT NULL, region {text} NOT NULL, trail_id {text} NOT NULL, place {text} NOT NULL,
      period_started_at_ms {int} NOT NULL, active {int} NOT NULL, covered_until_ms {int} NOT NULL, starting {int} NOT NULL, last {text},
      pending {text}, pending_body {bytes}, failures {int} NOT NULL, failing_since_ms {int}, retry_at_ms {int},
      PRIMARY KEY (trail_arn, account_id, region)) {clustered}`,
    `CREATE TABLE digest_end (
      trail_arn {text} NOT NULL, account_id {text} NOT NULL, region {text} NOT NULL, key {text} NOT NULL, digest {text} NOT NULL,
      PRIMARY KEY (trail_arn, account_id, region, key)) {clustered}`,
    'CREATE INDEX digest_chain_active ON digest_chain (active, trail_arn, account_id, region) WHERE active = 1',
  ],
};
