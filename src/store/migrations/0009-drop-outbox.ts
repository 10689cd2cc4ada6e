import type { Migration } from '../migrate.ts';

/** No release delivered from the outbox, so the table has no rows to keep. */
export const migration: Migration = {
  title: 'no outbox',
  statements: ['DROP TABLE outbox'],
};
