import type { Migration } from '../migrate.ts';

export const migration: Migration = {
  title: 'channels',
  statements: [
    `CREATE TABLE channel (
      app_instance_id {text} NOT NULL, channel_id {text} NOT NULL, channel_key {text} NOT NULL,
      account_id {text} NOT NULL, region {text} NOT NULL, privacy {text} NOT NULL,
      created_at_ms {int} NOT NULL, updated_at_ms {int} NOT NULL, last_message_at_ms {int}, expires_at_ms {int},
      flow_id {text}, tags {text} NOT NULL, document {text} NOT NULL,
      PRIMARY KEY (app_instance_id, channel_id)) {clustered}`,
    'CREATE UNIQUE INDEX channel_by_key ON channel (channel_key)',
    'CREATE INDEX channel_privacy ON channel (app_instance_id, privacy, channel_id)',
    'CREATE INDEX channel_of_flow ON channel (app_instance_id, flow_id, channel_id) WHERE flow_id IS NOT NULL',
    'CREATE INDEX channel_expiry ON channel (expires_at_ms) WHERE expires_at_ms IS NOT NULL',
    `CREATE TABLE channel_membership (
      channel_key {text} NOT NULL, sub_channel_id {text} NOT NULL, member {text} NOT NULL, app_instance_id {text} NOT NULL,
      type {text} NOT NULL, invited_by {text} NOT NULL, created_at_ms {int} NOT NULL, updated_at_ms {int} NOT NULL,
      preferences {text}, read_marker_at_ms {int},
      PRIMARY KEY (channel_key, sub_channel_id, member)) {clustered}`,
    'CREATE INDEX channel_membership_of_member ON channel_membership (app_instance_id, member, channel_key, sub_channel_id)',
    `CREATE TABLE channel_standing (
      channel_key {text} NOT NULL, standing {text} NOT NULL, member {text} NOT NULL, app_instance_id {text} NOT NULL,
      created_by {text} NOT NULL, created_at_ms {int} NOT NULL,
      PRIMARY KEY (channel_key, standing, member)) {clustered}`,
    'CREATE INDEX channel_standing_of_member ON channel_standing (app_instance_id, member, standing, channel_key)',
    `CREATE TABLE sub_channel (
      channel_key {text} NOT NULL, sub_channel_id {text} NOT NULL, membership_count {int} NOT NULL,
      PRIMARY KEY (channel_key, sub_channel_id)) {clustered}`,
    // Deleted channels whose rows the sweep (a background task) has not deleted yet. If `sub_channel_id` is not empty,
    // only that sub-channel was deleted.
    `CREATE TABLE removed_channel (
      channel_key {text} NOT NULL, sub_channel_id {text} NOT NULL, PRIMARY KEY (channel_key, sub_channel_id)) {clustered}`,
    `CREATE TABLE channel_message (
      channel_key {text} NOT NULL, sub_channel_id {text} NOT NULL, created_at_ms {int} NOT NULL, message_id {text} NOT NULL,
      sender {text} NOT NULL, only_for {text}, document {text} NOT NULL,
      PRIMARY KEY (channel_key, sub_channel_id, created_at_ms, message_id)) {clustered}`,
    'CREATE UNIQUE INDEX channel_message_by_id ON channel_message (channel_key, sub_channel_id, message_id)',
  ],
};
