import type { Migration } from '../migrate.ts';

/** Creates the tables of metrics and their points. */
export const migration: Migration = {
  title: 'metrics',
  statements: [
    `CREATE TABLE metric (
      metric_id {text} NOT NULL PRIMARY KEY, account_id {text} NOT NULL, region {text} NOT NULL, namespace {text} NOT NULL,
      metric_name {text} NOT NULL, dimensions {text} NOT NULL, active_at_ms {int} NOT NULL) {clustered}`,
    'CREATE INDEX metric_name ON metric (account_id, region, namespace, metric_name, metric_id)',
    'CREATE INDEX metric_active ON metric (active_at_ms)',
    `CREATE TABLE metric_point (
      metric_id {text} NOT NULL, start_at_ms {int} NOT NULL, period {int} NOT NULL, unit {text} NOT NULL, summary {text} NOT NULL,
      PRIMARY KEY (metric_id, start_at_ms, period, unit)) {clustered}`,
    'CREATE INDEX metric_point_period ON metric_point (period, start_at_ms)',
  ],
};
