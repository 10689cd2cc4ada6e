import type { Migration } from '../migrate.ts';

export const migration: Migration = {
  title: 'events told to messaging sessions',
  statements: [
    `CREATE TABLE channel_event (
      number {numbered}, app_instance_id {text} NOT NULL, channel_id {text} NOT NULL, at_ms {int} NOT NULL, document {text} NOT NULL) {tail}`,
  ],
};
