import type { Migration } from '../migrate.ts';

/** Existing servers have an empty address and `seen_at_ms` 0 until they write their address and the time. */
export const migration: Migration = {
  title: 'presence of servers',
  statements: [
    "ALTER TABLE server ADD COLUMN address {text} NOT NULL DEFAULT ''",
    'ALTER TABLE server ADD COLUMN seen_at_ms {int} NOT NULL DEFAULT 0',
  ],
};
