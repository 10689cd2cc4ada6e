import type { Migration } from '../migrate.ts';

/** Creates the tables of the transparency log of trail records. */
export const migration: Migration = {
  title: 'transparency log of the trail',
  statements: [
    `CREATE TABLE trail_log (
      epoch {int} NOT NULL PRIMARY KEY, origin {text} NOT NULL, vkey {text} NOT NULL, sealed_key {text} NOT NULL,
      created_at_ms {int} NOT NULL, opening {bytes}, size {int} NOT NULL, root {bytes} NOT NULL,
      fence {int} NOT NULL, holder {text} NOT NULL, held_until_ms {int} NOT NULL) {clustered}`,
    `CREATE TABLE trail_log_tile (
      epoch {int} NOT NULL, level {int} NOT NULL, tile {int} NOT NULL, hashes {bytes} NOT NULL,
      PRIMARY KEY (epoch, level, tile)) {clustered}`,
    `CREATE TABLE trail_log_range (
      epoch {int} NOT NULL, first_index {int} NOT NULL, writer {text} NOT NULL, first_number {int} NOT NULL, count {int} NOT NULL,
      PRIMARY KEY (epoch, first_index)) {clustered}`,
    'CREATE INDEX trail_log_range_writer ON trail_log_range (writer, first_number)',
    `CREATE TABLE trail_log_writer (
      writer {text} NOT NULL PRIMARY KEY, number {int} NOT NULL, position {int} NOT NULL, link {bytes} NOT NULL) {clustered}`,
    `CREATE TABLE trail_checkpoint (
      epoch {int} NOT NULL, kind {text} NOT NULL, size {int} NOT NULL, signed {text} NOT NULL, at_ms {int} NOT NULL,
      PRIMARY KEY (epoch, kind)) {clustered}`,
    `CREATE TABLE trail_log_state (
      epoch {int} NOT NULL, subject {text} NOT NULL, state {text} NOT NULL, detail {text} NOT NULL, at_ms {int} NOT NULL,
      PRIMARY KEY (epoch, subject)) {clustered}`,
  ],
};
