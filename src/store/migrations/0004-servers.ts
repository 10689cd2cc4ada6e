import type { Migration } from '../migrate.ts';

export const migration: Migration = {
  title: 'servers on one database',
  statements: [
    `CREATE TABLE server (
      id {text} NOT NULL PRIMARY KEY, name {text} NOT NULL, applied_version {int} NOT NULL,
      state {text} NOT NULL, started_at_ms {int} NOT NULL) {clustered}`,
    "INSERT INTO counter (name, value) VALUES ('identity_trimmed', 0), ('lease_ms', 2000)",
  ],
};
