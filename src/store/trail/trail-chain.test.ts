import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { NOON, trailRow } from '../conformance-fixtures.ts';
import { openSqlite } from '../engine/sqlite.ts';
import { dataFolders } from '../engine/sqlite-fixture.ts';
import type { Sql, SqlValue } from '../sql.ts';
import type { Store } from '../store.ts';
import { TRAIL_WRITER } from './trail-chain.ts';
import { type ChainFault, checkChains } from './trail-chain-check.ts';

const freshFolder = dataFolders();

/** Writes four packs (rows with the records of one commit) of three records, which have the numbers 1 to 12. */
async function write(store: Store, name = 'e'): Promise<void> {
  for (let commit = 0; commit < 4; commit++) {
    await store.transaction(async (tx) => {
      for (let i = 0; i < 3; i++) await tx.trail.append(trailRow(`${name}${3 * commit + i + 1}`, NOON, { userName: 'ann' }));
    });
  }
}

/** Opens a copy of the database without the server, as an auditor does. */
function openCopy(folder: string): { readonly db: DatabaseSync; readonly sql: Sql } {
  const copy = freshFolder();
  cpSync(folder, copy, { recursive: true });
  const db = new DatabaseSync(join(copy, 'belfry.db'));
  const prepare = (text: string) => db.prepare(text.replaceAll('$', '?'));
  const sql: Sql = {
    row: async <Row>(text: string, values: readonly SqlValue[] = []) => prepare(text).get(...values) as Row | undefined,
    rows: async <Row>(text: string, values: readonly SqlValue[] = []) => prepare(text).all(...values) as Row[],
    run: async (text, values = []) => Number(prepare(text).run(...values).changes),
  };
  return { db, sql };
}

const ended = freshFolder();
const store = await openSqlite(ended, { now: () => NOON });
await write(store);
await store.close();

const PACK = (number: number): string => `first_number = ${number}`;
const COPY = (columns: string): string =>
  `INSERT INTO trail_pack SELECT (SELECT MAX(position) + 1 FROM trail_pack), ${columns} FROM trail_pack WHERE ${PACK(4)}`;

// biome-ignore format: a table
const CASES: readonly (readonly [title: string, change: string, fault: Partial<ChainFault> | undefined])[] = [
  ['an unchanged trail',            'SELECT 1',                                                                                           undefined],
  ['a deleted row',                 `DELETE FROM trail_pack WHERE ${PACK(4)}`,                                                            { reason: 'missing record', number: 4, eventId: 'e7' }],
  ['an edited document',            `UPDATE trail_pack SET documents = replace(documents, 'e5', 'x5') WHERE ${PACK(4)}`,                  { reason: 'altered record', number: 4, eventId: 'e4' }],
  ['an edited user name',           `UPDATE trail_pack SET heads = replace(heads, 'ann', 'eve') WHERE ${PACK(7)}`,                        { reason: 'altered record', number: 7 }],
  ['facts that are not a list',     `UPDATE trail_pack SET heads = '5' WHERE ${PACK(7)}`,                                                 { reason: 'altered record', number: 7 }],
  ['an added decision context',     `UPDATE trail_pack SET contexts = '' WHERE ${PACK(7)}`,                                               { reason: 'altered record', number: 7 }],
  ['an edited link',                `UPDATE trail_pack SET link = zeroblob(32) WHERE ${PACK(7)}`,                                         { reason: 'altered record', number: 7 }],
  ['a moved row',                   `UPDATE trail_pack SET position = position + 1000 WHERE ${PACK(7)}`,                                  { reason: 'missing record', number: 7 }],
  ['a truncated end',               'DELETE FROM trail_pack WHERE first_number >= 7',                                                     { reason: 'missing record', number: 7 }],
  ['a deleted end',                 `DELETE FROM trail_pack WHERE ${PACK(13)}`,                                                           { reason: 'missing end', number: 12 }],
  ['an end that was forgotten',     'UPDATE trail_writer SET ended_number = NULL, ended_link = NULL, ended_at_ms = NULL',                 { reason: 'missing end' }],
  ['an end with a lower number',    'UPDATE trail_writer SET ended_number = 9',                                                           { reason: 'missing end' }],
  ['a deleted writer',              'DELETE FROM trail_writer',                                                                           { reason: 'unknown writer' }],
  ['an edited start',               'UPDATE trail_writer SET started_at_ms = 0',                                                          { reason: 'altered record', number: 1 }],
  ['an inserted row without chain', COPY("'x', keys, heads, documents, contexts, NULL, NULL, NULL"),                                      { reason: 'record without number' }],
  ['a repeated row',                COPY('event_id, keys, heads, documents, contexts, writer, first_number, link'),                       { reason: 'repeated record', number: 4 }],
  ['a forged deletion without hashes', `INSERT INTO trail_removed SELECT position, writer, first_number, 3, link, zeroblob(32), zeroblob(0) FROM trail_pack WHERE ${PACK(4)}`, { reason: 'altered record', number: 4 }],
];

for (const [title, change, fault] of CASES) {
  test(`checkChains: ${title} ${fault === undefined ? 'has no fault' : `is reported as ${fault.reason}`}`, async () => {
    const { db, sql } = openCopy(ended);
    db.exec(change);
    const { faults } = await checkChains((read) => read(sql));
    db.close();
    assert.equal(faults.length, fault === undefined ? 0 : 1, JSON.stringify(faults));
    for (const [member, value] of Object.entries(fault ?? {})) assert.equal(faults[0]?.[member as keyof ChainFault], value, member);
  });
}

test('SQLite: the next start records the end of a writer whose process crashed', async () => {
  const folder = freshFolder();
  const crashed = await openSqlite(folder, { now: () => NOON, server: 'one' });
  await write(crashed);
  const copy = freshFolder();
  cpSync(folder, copy, { recursive: true });
  await crashed.close();
  const next = await openSqlite(copy, { now: () => NOON, server: 'two' });
  await write(next, 'f');
  const writers = await next.transaction(({ sql }) => TRAIL_WRITER.page(sql, [], [''], 9));
  assert.deepEqual(writers.map(({ server, startedAt, endedNumber }) => [server, startedAt, endedNumber]).sort(), [
    ['one', NOON, 12],
    ['two', NOON, undefined],
  ]);
  const report = await checkChains((read) => next.transaction(({ sql }) => read(sql)));
  assert.deepEqual([report.faults, report.records, report.writers], [[], 24, 2]);
  await next.close();
});
