import type { Migration } from '../migrate.ts';

/**
 * Stores metrics in the order of insertion on SQLite, instead of the order of their hashes. A metric has up to 38 kB of dimensions, so that
 * each new one changed two other pages. PostgreSQL stores tables in this order already.
 */
export const migration: Migration = {
  title: 'metrics in the order of insertion',
  statements: [
    // Copied, because PostgreSQL keeps the name of the primary key of a renamed table.
    'CREATE TABLE metric_copy AS SELECT * FROM metric',
    'DROP TABLE metric',
    `CREATE TABLE metric (
      metric_id {text} NOT NULL PRIMARY KEY, account_id {text} NOT NULL, region {text} NOT NULL, namespace {text} NOT NULL,
      metric_name {text} NOT NULL, dimensions {text} NOT NULL, active_at_ms {int} NOT NULL) {tail}`,
    `INSERT INTO metric (metric_id, account_id, region, namespace, metric_name, dimensions, active_at_ms)
      SELECT metric_id, account_id, region, namespace, metric_name, dimensions, active_at_ms FROM metric_copy`,
    'DROP TABLE metric_copy',
    'CREATE INDEX metric_name ON metric (account_id, region, namespace, metric_name, metric_id)',
    'CREATE INDEX metric_active ON metric (active_at_ms)',
  ],
};
