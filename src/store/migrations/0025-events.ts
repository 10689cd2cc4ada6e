import type { Migration } from '../migrate.ts';

/** Creates the tables of event buses, their rules and targets, accepted events, and archived events. */
export const migration: Migration = {
  title: 'event buses',
  statements: [
    `CREATE TABLE event_bus (
      account_id {text} NOT NULL, region {text} NOT NULL, bus_name {text} NOT NULL, description {text}, dead_letter_config {text},
      log_config {text}, policy {text}, tags {text} NOT NULL, created_at_ms {int} NOT NULL, modified_at_ms {int} NOT NULL,
      version {int} NOT NULL, rules {int} NOT NULL, archives {int} NOT NULL,
      PRIMARY KEY (account_id, region, bus_name)) {clustered}`,
    `CREATE TABLE event_rule (
      account_id {text} NOT NULL, region {text} NOT NULL, bus_name {text} NOT NULL, rule_name {text} NOT NULL, state {text} NOT NULL,
      event_pattern {text}, schedule_expression {text}, schedule_at_ms {int}, description {text}, role_arn {text}, tags {text} NOT NULL,
      created_at_ms {int} NOT NULL,
      PRIMARY KEY (account_id, region, bus_name, rule_name)) {clustered}`,
    'CREATE INDEX event_rule_schedule ON event_rule (schedule_at_ms) WHERE schedule_at_ms IS NOT NULL',
    `CREATE TABLE event_target (
      account_id {text} NOT NULL, region {text} NOT NULL, bus_name {text} NOT NULL, rule_name {text} NOT NULL, target_id {text} NOT NULL,
      target_arn {text} NOT NULL, target {text} NOT NULL,
      PRIMARY KEY (account_id, region, bus_name, rule_name, target_id)) {clustered}`,
    'CREATE INDEX event_target_arn ON event_target (account_id, region, bus_name, target_arn, rule_name)',
    `CREATE TABLE bus_event (
      position {numbered}, account_id {text} NOT NULL, region {text} NOT NULL, bus_name {text} NOT NULL, event {text} NOT NULL,
      at_ms {int} NOT NULL, replay {text}) {tail}`,
    `CREATE TABLE archived_event (
      position {numbered}, archive_id {text} NOT NULL, at_ms {int} NOT NULL, bytes {int} NOT NULL, event {text} NOT NULL) {tail}`,
    'CREATE INDEX archived_event_at ON archived_event (archive_id, at_ms, position)',
  ],
};
