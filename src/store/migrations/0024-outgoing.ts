import type { Migration } from '../migrate.ts';

/** Creates the tables of messages that wait to be sent to endpoints, and of their lanes. */
export const migration: Migration = {
  title: 'outgoing messages',
  statements: [
    `CREATE TABLE outgoing (
      number {numbered}, id {text} NOT NULL, account_id {text} NOT NULL, region {text} NOT NULL, lane {text} NOT NULL, ordered {int} NOT NULL,
      target {text} NOT NULL, sender {text} NOT NULL, dead_letter {text}, body {text} NOT NULL, bytes {int} NOT NULL,
      created_at_ms {int} NOT NULL, due_at_ms {int} NOT NULL, attempts {int} NOT NULL, maximum_attempts {int} NOT NULL,
      expires_at_ms {int} NOT NULL, accepted {int} NOT NULL) {tail}`,
    'CREATE INDEX outgoing_new ON outgoing (number) WHERE accepted = 0',
    'CREATE INDEX outgoing_due ON outgoing (account_id, lane, due_at_ms, number)',
    'CREATE INDEX outgoing_order ON outgoing (account_id, lane, number)',
    `CREATE TABLE outgoing_lane (
      account_id {text} NOT NULL, lane {text} NOT NULL, ordered {int} NOT NULL, messages {int} NOT NULL, bytes {int} NOT NULL,
      due_at_ms {int} NOT NULL, failing {int} NOT NULL, PRIMARY KEY (account_id, lane)) {clustered}`,
    'CREATE INDEX outgoing_lane_due ON outgoing_lane (failing, due_at_ms)',
  ],
};
