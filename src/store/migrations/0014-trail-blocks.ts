import type { Migration } from '../migrate.ts';

/**
 * Adds the position of the first entry to the key of a block, so that a key can have several blocks. In existing blocks it is 0, because they
 * have all entries of their keys. Blocks of a merge that did not end are omitted.
 */
export const migration: Migration = {
  title: 'blocks of the index of the trail',
  statements: [
    `CREATE TABLE trail_block (
      level {int} NOT NULL, last_position {int} NOT NULL, first_key {int} NOT NULL, first_position {int} NOT NULL, entries {bytes} NOT NULL,
      PRIMARY KEY (level, last_position, first_key, first_position)) {tail}`,
    `INSERT INTO trail_block (level, last_position, first_key, first_position, entries)
      SELECT i.level, i.last_position, i.first_key, 0, i.entries
      FROM trail_run r JOIN trail_index i ON i.level = r.level AND i.last_position = r.last_position`,
    'DROP TABLE trail_index',
  ],
};
