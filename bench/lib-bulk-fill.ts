/**
 * Fills a trail much faster than a server: writes the same packs, runs and blocks with the same code, but in large transactions of a
 * connection of its own that does not wait for the disk. `bench/lib-check-bulk-fill.ts` compares the result with that of a store.
 */
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import pg from 'pg';
import { instant } from '#core/instant.ts';
import { positions } from '#store/engine/position.ts';
import { EXACT_NUMBERS, SERIALIZABLE_SESSIONS } from '#store/engine/postgres.ts';
import type { Sql, SqlValue } from '#store/sql.ts';
import { newTip } from '#store/trail/trail-chain.ts';
import { writeRun } from '#store/trail/trail-index.ts';
import { merging } from '#store/trail/trail-merge.ts';
import type { PackInsert } from '#store/trail/trail-pack.ts';
import { endStatements, recordStatements } from '#store/trail/trail-writers.ts';
import { BATCH, batches, type Filling } from './lib-fill-trail.ts';

/** Number of records of one transaction. */
const TRANSACTION = 128 * BATCH;

/** Connection that does not wait for the disk. */
interface BulkConnection {
  readonly sql: Sql;
  /** Runs statements in order. */
  write(statements: readonly PackInsert[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens the database of a folder. No store may have it open. A crash makes the file useless. */
function openSqliteBulk(folder: string): BulkConnection {
  const db = new DatabaseSync(join(folder, 'belfry.db'));
  // An exclusive lock would keep the mode of the file, so it comes last.
  const mode = db.prepare('PRAGMA journal_mode = MEMORY').get()?.['journal_mode'];
  if (mode !== 'memory') throw new Error(`SQLite kept the journal mode '${mode}'`);
  db.exec('PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -65536');
  const statements = new Map<string, StatementSync>();
  const prepared = (text: string): StatementSync => {
    let statement = statements.get(text);
    if (statement === undefined) statements.set(text, (statement = db.prepare(text.replaceAll('$', '?'))));
    return statement;
  };
  const valuesOf = (values: readonly SqlValue[] = []) => values as SQLInputValue[];
  const sql: Sql = {
    row: async <Row>(text: string, values?: readonly SqlValue[]) => prepared(text).get(...valuesOf(values)) as Row | undefined,
    rows: async <Row>(text: string, values?: readonly SqlValue[]) => prepared(text).all(...valuesOf(values)) as Row[],
    run: async (text, values) => Number(prepared(text).run(...valuesOf(values)).changes),
  };
  return {
    sql,
    async write(inserts) {
      for (const { text, values } of inserts) prepared(text).run(...valuesOf(values));
    },
    async close() {
      db.close();
    },
  };
}

/** Joins successive statements with the same text, which end with a list of values, into one statement. */
function joined(inserts: readonly PackInsert[]): readonly PackInsert[] {
  return [...Map.groupBy(inserts, ({ text }) => text)].map(([text, same]) => {
    const start = text.slice(0, text.indexOf('VALUES'));
    let number = 0;
    const rows = same.map(({ values }) => `(${values.map(() => `$${++number}`).join(', ')})`);
    return { text: `${start} VALUES ${rows.join(', ')}`, values: same.flatMap(({ values }) => values) };
  });
}

async function openPostgresBulk(url: string): Promise<BulkConnection> {
  const client = new pg.Client({ connectionString: url, types: EXACT_NUMBERS });
  await client.connect();
  // A server compresses packs in the same way.
  await SERIALIZABLE_SESSIONS.onConnect(client);
  await client.query('SET synchronous_commit = off');
  const query = (text: string, values: readonly SqlValue[] = []) => client.query({ text, values: values as SqlValue[] });
  const sql: Sql = {
    row: async <Row>(text: string, values?: readonly SqlValue[]) => (await query(text, values)).rows[0] as Row | undefined,
    rows: async <Row>(text: string, values?: readonly SqlValue[]) => (await query(text, values)).rows as Row[],
    run: async (text, values) => (await query(text, values)).rowCount ?? 0,
  };
  return {
    sql,
    async write(inserts) {
      for (const { text, values } of joined(inserts)) await query(text, values);
    },
    close: () => client.end(),
  };
}

/**
 * Writes records into an empty trail, with the complete index, and ends their writer. `setting` is a folder of SQLite, or the URL of
 * PostgreSQL, that a store has created and closed. Returns some of the event IDs.
 */
export async function bulkFill(setting: string, filling: Filling): Promise<readonly string[]> {
  const { now = Date.now } = filling;
  const connection = setting.startsWith('postgres') ? await openPostgresBulk(setting) : openSqliteBulk(setting);
  const { sql } = connection;
  const merges = merging((work) => work({ sql }));
  const { next } = positions(now, () => 0);
  const eventIds: string[] = [];
  let tip = newTip('', now());
  let count = 0;
  await sql.run('BEGIN');
  for (const batch of batches(filling, eventIds)) {
    const written = recordStatements(batch, next, tip);
    await connection.write(written.statements);
    tip = written.tip;
    count += batch.length;
    if (count % TRANSACTION > 0) continue;
    await index();
    await sql.run('COMMIT');
    await sql.run('BEGIN');
  }
  await index();
  for (const { text, values } of endStatements(tip, next(), instant(now()))) await sql.run(text, values);
  await sql.run('COMMIT');
  await connection.close();
  return eventIds;

  async function index(): Promise<void> {
    // Merges between the runs, as a server does, so that the levels are the same.
    while ((await writeRun(sql, Number.MAX_SAFE_INTEGER)) === 'more') if (await merges.due(sql)) while (await merges.part());
    if (await merges.due(sql)) while (await merges.part());
  }
}
