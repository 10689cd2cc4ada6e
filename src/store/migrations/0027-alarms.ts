import type { Migration } from '../migrate.ts';

/** Creates the tables of CloudWatch's alarms: their configuration and state, the children of composite alarms, and their history. */
export const migration: Migration = {
  title: 'alarms',
  statements: [
    `CREATE TABLE cloudwatch_alarm (
      account_id {text} NOT NULL, region {text} NOT NULL, name {text} NOT NULL, type {text} NOT NULL, configuration {text} NOT NULL,
      actions_enabled {int} NOT NULL, tags {text} NOT NULL, state {text} NOT NULL, state_reason {text} NOT NULL, state_reason_data {text},
      configured_at_ms {int} NOT NULL, state_updated_at_ms {int} NOT NULL, state_changed_at_ms {int} NOT NULL, metric {text},
      due_at_ms {int}, PRIMARY KEY (account_id, region, name)) {clustered}`,
    'CREATE INDEX cloudwatch_alarm_due ON cloudwatch_alarm (due_at_ms) WHERE due_at_ms IS NOT NULL',
    'CREATE INDEX cloudwatch_alarm_metric ON cloudwatch_alarm (account_id, region, metric, name) WHERE metric IS NOT NULL',
    `CREATE TABLE cloudwatch_alarm_child (
      account_id {text} NOT NULL, region {text} NOT NULL, parent {text} NOT NULL, child {text} NOT NULL,
      PRIMARY KEY (account_id, region, parent, child)) {clustered}`,
    'CREATE INDEX cloudwatch_alarm_child_parent ON cloudwatch_alarm_child (account_id, region, child, parent)',
    `CREATE TABLE cloudwatch_alarm_history (
      number {numbered}, account_id {text} NOT NULL, region {text} NOT NULL, name {text} NOT NULL, type {text} NOT NULL,
      at_ms {int} NOT NULL, item_type {text} NOT NULL, summary {text} NOT NULL, data {text} NOT NULL) {tail}`,
    'CREATE INDEX cloudwatch_alarm_history_time ON cloudwatch_alarm_history (account_id, region, at_ms, number)',
    'CREATE INDEX cloudwatch_alarm_history_name ON cloudwatch_alarm_history (account_id, region, name, at_ms, number)',
    'CREATE INDEX cloudwatch_alarm_history_age ON cloudwatch_alarm_history (at_ms)',
  ],
};
