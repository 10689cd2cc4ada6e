import type { Migration } from '../migrate.ts';

/** Servers that were registered before have no address, and were not seen. */
export const migration: Migration = {
  title: 'presence of servers',
  statements: [
    "ALTER TABLE server ADD COLUMN address {text} NOT NULL DEFAULT ''",
    'ALTER TABLE server ADD COLUMN seen_at_ms {int} NOT NULL DEFAULT 0',
  ],
};
