import type { Migration } from '../migrate.ts';

/** Creates the tables of CloudWatch Logs: log groups, their streams, events in packs, metric filters, and resource policies. */
export const migration: Migration = {
  title: 'log groups',
  statements: [
    `CREATE TABLE log_group (
      account_id {text} NOT NULL, region {text} NOT NULL, name {text} NOT NULL, group_id {text} NOT NULL, created_at_ms {int} NOT NULL,
      retention_in_days {int}, deletion_protection {int} NOT NULL, stored_bytes {int} NOT NULL, tags {text} NOT NULL,
      PRIMARY KEY (account_id, region, name)) {clustered}`,
    `CREATE TABLE log_stream (
      group_id {text} NOT NULL, name {text} NOT NULL, stream_id {text} NOT NULL, created_at_ms {int} NOT NULL,
      first_event_at_ms {int}, last_event_at_ms {int} NOT NULL, last_ingestion_at_ms {int}, stored_bytes {int} NOT NULL,
      PRIMARY KEY (group_id, name)) {clustered}`,
    'CREATE INDEX log_stream_last ON log_stream (group_id, last_event_at_ms, name)',
    `CREATE TABLE log_pack (
      pack_id {numbered}, group_id {text} NOT NULL, stream_id {text} NOT NULL, stream_name {text} NOT NULL,
      first_at_ms {int} NOT NULL, last_at_ms {int} NOT NULL, ingested_at_ms {int} NOT NULL, bytes {int} NOT NULL, events {text} NOT NULL) {tail}`,
    'CREATE INDEX log_pack_group ON log_pack (group_id, first_at_ms, pack_id)',
    'CREATE INDEX log_pack_stream ON log_pack (stream_id, first_at_ms, pack_id)',
    'CREATE INDEX log_pack_stream_last ON log_pack (stream_id, last_at_ms, pack_id)',
    `CREATE TABLE log_deletion (
      kind {text} NOT NULL, id {text} NOT NULL, PRIMARY KEY (kind, id)) {clustered}`,
    `CREATE TABLE log_metric_filter (
      account_id {text} NOT NULL, region {text} NOT NULL, name {text} NOT NULL, log_group_name {text} NOT NULL, group_id {text} NOT NULL,
      created_at_ms {int} NOT NULL, pattern {text} NOT NULL, transformations {text} NOT NULL,
      PRIMARY KEY (account_id, region, name, log_group_name)) {clustered}`,
    'CREATE INDEX log_metric_filter_group ON log_metric_filter (group_id, name)',
    `CREATE TABLE log_resource_policy (
      account_id {text} NOT NULL, region {text} NOT NULL, name {text} NOT NULL, document {text} NOT NULL, updated_at_ms {int} NOT NULL,
      PRIMARY KEY (account_id, region, name)) {clustered}`,
  ],
};
