import type { Migration } from '../migrate.ts';

/** Writer of the records that are older than chains. */
const IMPORTED = '0'.repeat(32);

/**
 * Adds the chains of trail records: their writers, the number and link of each pack (a row with the records of one
 * commit), and hashes of deleted records. If the trail has packs, the row of their writer has no end: the server numbers them after its
 * start, because this can take minutes.
 */
export const migration: Migration = {
  title: 'chains of the trail',
  statements: [
    'ALTER TABLE trail_pack ADD COLUMN writer {text}',
    'ALTER TABLE trail_pack ADD COLUMN first_number {int}',
    'ALTER TABLE trail_pack ADD COLUMN link {bytes}',
    `CREATE TABLE trail_writer (
      id {text} NOT NULL PRIMARY KEY, server {text} NOT NULL, started_at_ms {int} NOT NULL,
      ended_number {int}, ended_link {bytes}, ended_at_ms {int}) {clustered}`,
    `CREATE TABLE trail_removed (
      position {int} NOT NULL, writer {text} NOT NULL, first_number {int} NOT NULL, count {int} NOT NULL,
      link {bytes} NOT NULL, digest {bytes} NOT NULL, records {bytes} NOT NULL, PRIMARY KEY (position, writer)) {clustered}`,
    'CREATE INDEX trail_removed_writer ON trail_removed (writer, position)',
  ],
  statementsOnPostgres: ['CREATE UNIQUE INDEX trail_pack_writer ON trail_pack (writer, first_number)'],
  async convert(sql) {
    if ((await sql.row('SELECT position FROM trail_pack LIMIT 1')) === undefined) return;
    await sql.run("INSERT INTO trail_writer (id, server, started_at_ms) VALUES ($1, '', 0)", [IMPORTED]);
  },
};
