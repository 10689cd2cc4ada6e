import type { Migration } from '../migrate.ts';

/** Marks the rooms that have a channel. A sweep creates the channels of rooms that existed before. */
export const migration: Migration = {
  title: 'channels of Chime rooms',
  statements: [
    'ALTER TABLE chime_room ADD COLUMN has_channel {int} NOT NULL DEFAULT 0',
    'CREATE INDEX chime_room_without_channel ON chime_room (chime_account_id, room_id) WHERE has_channel = 0',
  ],
};
