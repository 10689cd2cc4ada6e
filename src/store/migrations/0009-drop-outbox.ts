import type { Migration } from '../migrate.ts';

/**
 * Deletes the table `outbox`. It stored events for delivery, but no release of Belfry delivered them, so no code reads
 * the rows.
 */
export const migration: Migration = {
  title: 'no outbox',
  statements: ['DROP TABLE outbox'],
};
