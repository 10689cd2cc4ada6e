import type { Migration } from '../migrate.ts';

/** Stores the licensed groups that admitted the person of a session. */
export const migration: Migration = {
  title: 'Groups of sessions',
  statements: ['ALTER TABLE chime_session ADD COLUMN group_ids {text}'],
};
