import type { Migration } from '../migrate.ts';

/**
 * Analyzers of IAM Access Analyzer, their archive rules, the resources that they analyzed, their findings and the numbers of their findings.
 * Rows of a deleted analyzer remain until a sweep deletes them. They have the ID of the analyzer, because a new analyzer can have its name.
 */
export const migration: Migration = {
  title: 'access analyzers',
  statements: [
    `CREATE TABLE access_analyzer (
      account_id {text} NOT NULL, region {text} NOT NULL, name {text} NOT NULL, analyzer_id {text} NOT NULL, type {text} NOT NULL,
      configuration {text}, tags {text} NOT NULL, created_at_ms {int} NOT NULL, scan_at_ms {int} NOT NULL, scan {text},
      PRIMARY KEY (account_id, region, name)) {clustered}`,
    'CREATE UNIQUE INDEX access_analyzer_by_id ON access_analyzer (analyzer_id)',
    'CREATE INDEX access_analyzer_of_type ON access_analyzer (type, account_id)',
    'CREATE INDEX access_analyzer_scan ON access_analyzer (scan_at_ms)',
    `CREATE TABLE access_analyzer_rule (
      analyzer_id {text} NOT NULL, rule_name {text} NOT NULL, filter {text} NOT NULL, created_at_ms {int} NOT NULL,
      updated_at_ms {int} NOT NULL, applied_to {text}, PRIMARY KEY (analyzer_id, rule_name)) {clustered}`,
    'CREATE INDEX access_analyzer_rule_applied ON access_analyzer_rule (analyzer_id) WHERE applied_to IS NOT NULL',
    `CREATE TABLE access_analyzer_deleted (
      analyzer_id {text} NOT NULL PRIMARY KEY, account_id {text} NOT NULL, region {text} NOT NULL, name {text} NOT NULL) {clustered}`,
    `CREATE TABLE access_analyzed_resource (
      analyzer_id {text} NOT NULL, resource {text} NOT NULL, resource_type {text} NOT NULL, owner_account {text} NOT NULL,
      created_at_ms {int} NOT NULL, analyzed_at_ms {int} NOT NULL, updated_at_ms {int} NOT NULL,
      PRIMARY KEY (analyzer_id, resource)) {clustered}`,
    'CREATE INDEX access_analyzed_resource_of_type ON access_analyzed_resource (analyzer_id, resource_type, resource)',
    'CREATE INDEX access_analyzed_resource_at ON access_analyzed_resource (analyzer_id, analyzed_at_ms, resource)',
    `CREATE TABLE access_finding (
      analyzer_id {text} NOT NULL, id {text} NOT NULL, resource {text} NOT NULL, access_key {text} NOT NULL, resource_type {text} NOT NULL,
      owner_account {text} NOT NULL, finding_type {text} NOT NULL, status {text} NOT NULL, is_public {int} NOT NULL, details {text} NOT NULL,
      created_at_ms {int} NOT NULL, analyzed_at_ms {int} NOT NULL, updated_at_ms {int} NOT NULL,
      PRIMARY KEY (analyzer_id, id)) {clustered}`,
    'CREATE UNIQUE INDEX access_finding_of_resource ON access_finding (analyzer_id, resource, access_key)',
    'CREATE INDEX access_finding_open ON access_finding (analyzer_id, resource, status, id)',
    'CREATE INDEX access_finding_created ON access_finding (analyzer_id, created_at_ms, id)',
    'CREATE INDEX access_finding_updated ON access_finding (analyzer_id, updated_at_ms, id)',
    'CREATE INDEX access_finding_status ON access_finding (analyzer_id, status, updated_at_ms, id)',
    "CREATE INDEX access_finding_resolved ON access_finding (updated_at_ms) WHERE status = 'RESOLVED'",
    `CREATE TABLE access_finding_total (
      analyzer_id {text} NOT NULL, status {text} NOT NULL, finding_type {text} NOT NULL, resource_type {text} NOT NULL,
      is_public {int} NOT NULL, owner_account {text} NOT NULL, findings {int} NOT NULL,
      PRIMARY KEY (analyzer_id, status, finding_type, resource_type, is_public, owner_account)) {clustered}`,
  ],
};
