import type { Migration } from '../migrate.ts';

/** Adds the resource-based policies that decision contexts name. */
export const migration: Migration = {
  title: 'resource-based policies of decision contexts',
  statements: [
    'CREATE TABLE trail_policy (hash {text} NOT NULL PRIMARY KEY, text {text} NOT NULL, noted_at_ms {int} NOT NULL) {clustered}',
    'CREATE INDEX trail_policy_noted ON trail_policy (noted_at_ms)',
  ],
};
