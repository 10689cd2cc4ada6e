import type { Migration } from '../migrate.ts';

/** Adds the list of altered packs of the trail that retention keeps. */
export const migration: Migration = {
  title: 'altered packs of the trail',
  statements: [
    `CREATE TABLE trail_altered (
      position {int} NOT NULL, event_id {text} NOT NULL, found_at_ms {int} NOT NULL,
      PRIMARY KEY (position, event_id)) {clustered}`,
  ],
};
