import type { Migration } from '../migrate.ts';

/** Lets accounts take turns with their waiting events, and adds the costs of event patterns. */
export const migration: Migration = {
  title: 'turns of accounts with events',
  statements: [
    'ALTER TABLE bus_event ADD COLUMN bytes {int} NOT NULL DEFAULT 0',
    'CREATE INDEX bus_event_account ON bus_event (account_id, position, bytes)',
    'CREATE TABLE full_event_account (account_id {text} NOT NULL PRIMARY KEY) {clustered}',
    'ALTER TABLE event_rule ADD COLUMN cost {int} NOT NULL DEFAULT 0',
    'ALTER TABLE event_bus ADD COLUMN patterns_cost {int} NOT NULL DEFAULT 0',
  ],
};
