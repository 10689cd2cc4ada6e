import type { Migration } from '../migrate.ts';

/**
 * Adds the decision contexts of trail records, and the sessions that contexts name. Records of earlier versions have no
 * context.
 */
export const migration: Migration = {
  title: 'decision contexts',
  statements: [
    'ALTER TABLE trail_pack ADD COLUMN contexts {text}',
    `CREATE TABLE trail_session (id {text} NOT NULL PRIMARY KEY, facts {text} NOT NULL, expires_at_ms {int} NOT NULL) {clustered}`,
    'CREATE INDEX trail_session_expires_at_ms ON trail_session (expires_at_ms)',
  ],
};
