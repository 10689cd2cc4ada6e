import type { Migration } from '../migrate.ts';

/** Adds the position of the first pack of a writer. SQLite has no index of the packs of a writer, and starts to read there. */
export const migration: Migration = {
  title: 'first position of a trail writer',
  statements: ['ALTER TABLE trail_writer ADD COLUMN first_position {int}'],
};
