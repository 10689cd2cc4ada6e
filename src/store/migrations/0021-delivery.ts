import type { Migration } from '../migrate.ts';

/** Creates the tables of the delivery of log files: targets of the operator, delivered files, and periods of trails whose delivery failed. */
export const migration: Migration = {
  title: 'delivery',
  statements: [
    `CREATE TABLE delivery_target (
      bucket {text} NOT NULL PRIMARY KEY, account_id {text}, location {text} NOT NULL, sealed_secret {text}, created_at_ms {int} NOT NULL
    ) {clustered}`,
    `CREATE TABLE delivered_file (
      trail_arn {text} NOT NULL, account_id {text} NOT NULL, region {text} NOT NULL, key {text} NOT NULL, bucket {text} NOT NULL,
      hash {text} NOT NULL, oldest_ms {int} NOT NULL, newest_ms {int} NOT NULL, delivered_at_ms {int} NOT NULL,
      PRIMARY KEY (trail_arn, account_id, region, key)) {clustered}`,
    `CREATE TABLE delivery_retry (
      trail_id {text} NOT NULL, period_id {text} NOT NULL, failures {int} NOT NULL, retry_at_ms {int} NOT NULL,
      PRIMARY KEY (trail_id, period_id)) {clustered}`,
  ],
};
