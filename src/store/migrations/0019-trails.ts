import type { Migration } from '../migrate.ts';

/** Creates the tables of CloudTrail's trails, their delivery, and the public keys of their digests. */
export const migration: Migration = {
  title: 'trails',
  statements: [
    `CREATE TABLE cloudtrail_trail (
      trail_id {text} NOT NULL PRIMARY KEY, account_id {text} NOT NULL, home_region {text} NOT NULL, name {text} NOT NULL,
      configuration {text} NOT NULL, selects_data {int} NOT NULL, custom_selectors {int} NOT NULL, insights {int} NOT NULL,
      created_at_ms {int} NOT NULL, deleted_at_ms {int}, logging {int} NOT NULL, pending {int} NOT NULL, started_at_ms {int},
      stopped_at_ms {int}, periods {text} NOT NULL, delivered_position {int}) {clustered}`,
    'CREATE UNIQUE INDEX cloudtrail_trail_name ON cloudtrail_trail (account_id, home_region, name) WHERE deleted_at_ms IS NULL',
    'CREATE INDEX cloudtrail_trail_pending ON cloudtrail_trail (pending, trail_id) WHERE pending = 1',
    'CREATE INDEX cloudtrail_trail_pending_account ON cloudtrail_trail (account_id, trail_id) WHERE pending = 1',
    'CREATE INDEX cloudtrail_trail_data ON cloudtrail_trail (account_id, selects_data, trail_id) WHERE logging = 1',
    `CREATE TABLE cloudtrail_settings (
      trail_id {text} NOT NULL PRIMARY KEY, event_selectors {text}, advanced_event_selectors {text}, insight_selectors {text},
      event_configuration {text}, tags {text} NOT NULL) {clustered}`,
    `CREATE TABLE cloudtrail_former_selectors (
      trail_id {text} NOT NULL, selectors_id {text} NOT NULL, event_selectors {text}, advanced_event_selectors {text},
      PRIMARY KEY (trail_id, selectors_id)) {clustered}`,
    `CREATE TABLE cloudtrail_delivery (
      trail_id {text} NOT NULL, region {text} NOT NULL, position {int}, delivered_at_ms {int}, delivery_error {text},
      attempted_at_ms {int}, notified_at_ms {int}, notification_error {text}, notification_attempted_at_ms {int},
      digest_at_ms {int}, digest_error {text}, PRIMARY KEY (trail_id, region)) {clustered}`,
    `CREATE TABLE digest_key (
      region {text} NOT NULL, fingerprint {text} NOT NULL, public_key {bytes} NOT NULL, valid_from_ms {int} NOT NULL,
      valid_until_ms {int} NOT NULL, PRIMARY KEY (region, fingerprint)) {clustered}`,
  ],
};
