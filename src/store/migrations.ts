import { ATTEMPTS_SCHEMA } from './attempts.ts';
import { CHANNEL_EVENTS_SCHEMA } from './channel-events.ts';
import { CHANNEL_MESSAGES_SCHEMA } from './channel-messages.ts';
import { CHANNELS_SCHEMA } from './channels.ts';
import { SERVERS_SCHEMA } from './engine/servers.ts';
import { LAST_USE_SCHEMA } from './identity/last-use.ts';
import { MEETINGS_SCHEMA } from './meetings.ts';
import { RESOURCES_SCHEMA } from './resources.ts';
import type { Sql } from './sql.ts';

/** What differs between the engines' schemas, and nothing else does. */
export interface SchemaTokens {
  /** Text ordered by its bytes. */
  readonly text: string;
  /** 64 bits; only values a JavaScript number holds exactly are ever written. */
  readonly int: string;
  readonly bytes: string;
  /** The end of a table kept in the order of its primary key. */
  readonly clustered: string;
  /** The end of a table kept in the order of writing, or of its one integer key. */
  readonly tail: string;
  /** What makes a position unique where several servers write. */
  readonly position: string;
  /** A primary key that the engine counts, and never gives twice. Decision 0014. */
  readonly numbered: string;
}

// biome-ignore format: a table
export const SCHEMA_TOKENS = {
  sqlite:   { text: 'TEXT',             int: 'INTEGER', bytes: 'BLOB',  clustered: 'STRICT, WITHOUT ROWID', tail: 'STRICT', position: 'position',           numbered: 'INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT' },
  postgres: { text: 'TEXT COLLATE "C"', int: 'BIGINT',  bytes: 'BYTEA', clustered: '',                      tail: '',       position: 'position, event_id', numbered: 'BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY' },
} as const satisfies Record<string, SchemaTokens>;

/** A change of the schema. Once released it is never edited: the next change is the next migration. */
export interface Migration {
  readonly title: string;
  readonly statements: readonly string[];
}

/** The schema, from the first release on; a migration's number is its place, from 1. */
export const MIGRATIONS: readonly Migration[] = [
  {
    title: 'identity, trail, idempotency, meta, outbox',
    statements: [
      'CREATE TABLE counter (name {text} NOT NULL PRIMARY KEY, value {int} NOT NULL) {clustered}',
      "INSERT INTO counter (name, value) VALUES ('identity', 0), ('server', 0)",
      'CREATE TABLE meta (name {text} NOT NULL PRIMARY KEY, value {text} NOT NULL) {clustered}',
      `CREATE TABLE identity_document (
        account_id {text} NOT NULL, kind {text} NOT NULL, key {text} NOT NULL,
        version {int} NOT NULL, deleted {int} NOT NULL, document {text} NOT NULL,
        PRIMARY KEY (account_id, kind, key)) {clustered}`,
      'CREATE INDEX identity_document_version ON identity_document (version)',
      // No index beside the key: an append costs one insert into one tree. See trail.ts.
      `CREATE TABLE trail_event (
        position {int} NOT NULL, event_id {text} NOT NULL, account_id {text} NOT NULL, region {text} NOT NULL, at_ms {int} NOT NULL,
        event_name {text} NOT NULL, event_source {text} NOT NULL, read_only {int} NOT NULL,
        user_name {text}, access_key_id {text}, resources {text} NOT NULL, document {text} NOT NULL,
        PRIMARY KEY ({position})) {tail}`,
      `CREATE TABLE trail_chunk (
        last_position {int} NOT NULL PRIMARY KEY, first_position {int} NOT NULL, filter {bytes} NOT NULL) {tail}`,
      `CREATE TABLE idempotency (
        account_id {text} NOT NULL, region {text} NOT NULL, operation {text} NOT NULL, token {text} NOT NULL,
        request_hash {text} NOT NULL, answer {text} NOT NULL, expires_at_ms {int} NOT NULL,
        PRIMARY KEY (account_id, region, operation, token)) {clustered}`,
      'CREATE INDEX idempotency_expiry ON idempotency (expires_at_ms)',
      'CREATE TABLE outbox (id {text} NOT NULL PRIMARY KEY, topic {text} NOT NULL, document {text} NOT NULL) {clustered}',
    ],
  },
  { title: 'meetings', statements: MEETINGS_SCHEMA },
  { title: 'last uses', statements: LAST_USE_SCHEMA },
  { title: 'servers on one database', statements: SERVERS_SCHEMA },
  { title: 'failed attempts', statements: ATTEMPTS_SCHEMA },
  { title: 'resources', statements: RESOURCES_SCHEMA },
  { title: 'channels', statements: [...CHANNELS_SCHEMA, ...CHANNEL_MESSAGES_SCHEMA] },
  { title: 'events told to messaging sessions', statements: CHANNEL_EVENTS_SCHEMA },
  { title: 'no outbox', statements: ['DROP TABLE outbox'] },
];

const CREATE_VERSION = 'CREATE TABLE IF NOT EXISTS schema_version (version {int} NOT NULL PRIMARY KEY, title {text} NOT NULL) {tail}';
const SELECT_VERSION = 'SELECT MAX(version) AS version FROM schema_version';
const INSERT_VERSION = 'INSERT INTO schema_version (version, title) VALUES ($1, $2)';

/**
 * Brings the schema to the last migration. Runs inside one transaction of the engine, so a database is never between two versions.
 *
 * @throws Error where the database was written by a newer program: it would not be understood
 */
export async function migrate(sql: Sql, tokens: SchemaTokens, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  const spelt = (statement: string): string =>
    statement.replace(/\{([a-z]+)\}/g, (_, token: string) => tokens[token as keyof SchemaTokens]);
  await sql.run(spelt(CREATE_VERSION));
  const kept = Number((await sql.row<{ readonly version: number | null }>(SELECT_VERSION))?.version ?? 0);
  if (kept > migrations.length) {
    throw new Error(`The database has schema version ${kept}, this program knows ${migrations.length}: start the newer program.`);
  }
  for (const [i, { title, statements }] of migrations.entries()) {
    if (i < kept) continue;
    for (const statement of statements) await sql.run(spelt(statement));
    await sql.run(INSERT_VERSION, [i + 1, title]);
  }
}
