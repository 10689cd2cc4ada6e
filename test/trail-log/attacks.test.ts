/** Attacks on a stored trail by plain SQL, on both engines: each is found, and the first bad record is named. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { NOON, trailRow } from '#store/conformance-fixtures.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Sql } from '#store/sql.ts';
import type { Store } from '#store/store.ts';
import { type TrailLogRow, trailLog } from '#store/trail/log/trail-log.ts';
import { TRAIL_WRITER } from '#store/trail/trail-chain.ts';
import { chainPage } from '#store/trail/trail-chain-reads.ts';
import { packInsert, TRAIL_PACK } from '#store/trail/trail-pack.ts';
import { noteRemoved } from '#store/trail/trail-removed.ts';
import { appendEntries, EMPTY_TREE } from '#tlog/append.ts';
import { leavesOf } from '#trail/log/append-job.ts';
import { nextLog, signCheckpoint, signingKeyOf } from '#trail/log/log-key.ts';
import type { VerifyReport } from '#trail/log/verify-trail.ts';
import { ALL_PACKS, appenderOf, linkAgain, logOf, statementsOf, VAULT, verified, verifiedAfter, writeRecords } from '../kit/trail-log.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
after(() => postgres.stop());

/** Deletes the pack with the numbers 4 to 6 and keeps their hashes, as retention does. */
async function removeAsRetention(sql: Sql): Promise<void> {
  const pack = (await TRAIL_PACK.rows(sql, ALL_PACKS)).find(({ firstNumber }) => firstNumber === 4);
  assert.ok(pack);
  await noteRemoved(sql, pack, () => true);
  await sql.run('DELETE FROM trail_pack WHERE position = $1', [pack.position]);
}

/** Starts the next log as after a restore, and then edits record 5 and writes the log before again, with the signing key. */
async function rewriteAfterRestore(sql: Sql): Promise<void> {
  const logs = trailLog(sql);
  const sign = (log: TrailLogRow) =>
    logs.putCheckpoint({
      epoch: log.epoch,
      kind: 'signed',
      size: log.size,
      signed: signCheckpoint(signingKeyOf(log, VAULT), log),
      at: NOON,
    });
  const [before, [checkpoint]] = [await logs.current(), await logs.checkpoints(1)];
  assert.ok(before && checkpoint);
  const { row, tiles, signed } = await nextLog(before, { checkpoint: checkpoint.signed, reason: 'restored' }, VAULT, NOON);
  await logs.create(row, tiles, signed);
  await sql.run(EDIT);
  await linkAgain(sql);
  const [writer] = await TRAIL_WRITER.page(sql, [], [''], 1);
  assert.ok(writer);
  const leaves = (await chainPage(sql, 0, 99)).packs.flatMap((pack) => leavesOf(pack, writer));
  const { size, root, tiles: changed } = await appendEntries(EMPTY_TREE, leaves, async () => new Uint8Array());
  for (const { level, index, hashes } of changed)
    await sql.run('UPDATE trail_log_tile SET hashes = $3 WHERE epoch = 1 AND level = $1 AND tile = $2', [level, index, hashes]);
  await sql.run('UPDATE trail_log SET root = $1 WHERE epoch = 1', [root]);
  await sign({ ...before, size, root });
}

const run = (text: string) => (sql: Sql) => sql.run(text);
/** Edits record 5 and assigns its index to another number, so that no range contains the record. */
async function hideFromLog(sql: Sql): Promise<void> {
  await sql.run(EDIT);
  await linkAgain(sql);
  await sql.run('UPDATE trail_log_range SET count = 4');
  const insert = 'INSERT INTO trail_log_range (epoch, first_index, writer, first_number, count)';
  for (const columns of ['1, 4, id, 2, 1', '1, 5, id, 6, 7']) await sql.run(`${insert} SELECT ${columns} FROM trail_writer`);
}

const EDIT = "UPDATE trail_pack SET documents = replace(documents, 'e5', 'x5') WHERE first_number = 4";

// biome-ignore format: a table
const ATTACKS: readonly (readonly [title: string, attack: (sql: Sql) => Promise<unknown>, problem: RegExp | undefined])[] = [
  ['an unchanged trail',                       run('SELECT 1'),                                                          undefined],
  ['a deleted row',                            run('DELETE FROM trail_pack WHERE first_number = 4'),                      /^missing record: number 4, writer .*, event e7$/],
  ['an edited row',                            run(EDIT),                                                                /^altered record: number 4, .*event e4$/],
  ['an edited row with new links',             async (sql) => { await sql.run(EDIT); await linkAgain(sql); },              /^other leaf in the log: number 5, .*event e5$/],
  ['a deleted row with new links',             async (sql) => { await sql.run('DELETE FROM trail_pack WHERE first_number = 4'); await linkAgain(sql); }, /^other leaf in the log: number 4, .*event e7$/],
  ['a truncated end',                          run('DELETE FROM trail_pack WHERE first_number >= 7'),                     /^missing record: number 7, writer .*: the log has 12 records/],
  ['a truncated end, also of the ranges',      async (sql) => { await sql.run('DELETE FROM trail_pack WHERE first_number >= 7'); await sql.run('UPDATE trail_log_range SET count = 6'); }, /epoch 1: no record is known for index 6/],
  ['a truncated end, also of the log',         async (sql) => { await sql.run('DELETE FROM trail_pack WHERE first_number >= 7'); await sql.run('UPDATE trail_log_range SET count = 6'); await sql.run('UPDATE trail_log SET size = 6'); }, /epoch 1: the signed checkpoint has 12 leaves, but the tree has only 6: the end was removed/],
  ['an edited row that no range contains',     hideFromLog,                                                               /^wrong range in the log: number 2, writer .*twice$/],
  ['a place after the end of the log',         run('UPDATE trail_log_writer SET number = 1000'),                          /^wrong place in the log: writer .* ends at number 12, but its place is 1000$/],
  ['a log without a signed checkpoint',        run('DELETE FROM trail_checkpoint'),                                       /^epoch 1: the tree has no signed checkpoint$/],
  ['a log that was written again after a restore', rewriteAfterRestore,                                                  /^epoch 2: its first leaf does not name the log before$/],
  ['facts that are no JSON', run("UPDATE trail_pack SET heads = 'x' WHERE first_number = 4"), /^altered record: number 4, .*position/],
  ['a deleted tile',                           run('DELETE FROM trail_log_tile'),                                         /^other leaf in the log: number 1, .*event e1$/],
  ['a deleted log',                            run('DELETE FROM trail_log'),                                              /^the database has no trail log$/],
  ['an edited checkpoint',                     run("UPDATE trail_checkpoint SET signed = replace(signed, '12', '13')"),    /epoch 1: the signed checkpoint has no valid signature/],
  ['a deletion without its retention event',   removeAsRetention,                                                         /^deleted record without a retention event: number 4, writer/],
];

function attacks(open: () => Promise<Store>): void {
  let store: Store;
  let beforeCheckpoint: VerifyReport;
  before(async () => {
    store = await open();
    await writeRecords(store);
    const own = appenderOf(store);
    while ((await own.step((await own.hold()) as TrailLogRow)) === 'more');
    beforeCheckpoint = await verified(statementsOf(store));
    await own.run();
    assert.equal((await logOf(store)).size, 12);
  });
  after(() => store.close());
  for (const [title, attack, problem] of ATTACKS) {
    test(`verifyTrail: finds ${title}`, async () => {
      const { problems } = await verifiedAfter(store, attack);
      if (problem === undefined) assert.deepEqual(problems, []);
      else
        assert.ok(
          problems.some((each) => problem.test(each)),
          problems.join('\n'),
        );
    });
  }

  test('verifyTrail: notes that no entry of a new log is signed yet, until its first checkpoint', async () => {
    const note = 'epoch 1: the log is new, and its 12 entries are not signed yet; verify again after the first checkpoint';
    assert.deepEqual([beforeCheckpoint.problems, beforeCheckpoint.notes, beforeCheckpoint.records], [[], [note], 12]);
    const { problems, notes } = await verified(statementsOf(store));
    assert.deepEqual([problems, notes], [[], []]);
  });

  test('verifyTrail: notes deletions that no event reports yet, because only an event is part of the chain', async () => {
    const { problems, notes } = await verifiedAfter(store, async (sql) => {
      await removeAsRetention(sql);
      await sql.run('INSERT INTO trail_deletion (account_id, records, oldest_ms, newest_ms) VALUES ($1, 3, 0, $2)', ['111111111111', NOON]);
    });
    assert.deepEqual(problems, []);
    assert.match(notes.join(), /^no event reports the deletion of 3 records yet/);
  });

  test('verifyTrail: accepts a deletion with its retention event, and rejects more deletions than the event reports', async () => {
    const details = (deletedEvents: number) => ({ deletedEvents, oldestEventTime: new Date(NOON), newestEventTime: new Date(NOON) });
    for (const [reported, problem] of [
      [3, undefined],
      [2, '3 records are deleted, but the retention events report only 2'],
    ] as const) {
      // The event is a record of the same chain.
      const report = await verifiedAfter(store, async (sql) => {
        await removeAsRetention(sql);
        const document = JSON.stringify({ serviceEventDetails: details(reported) });
        const [pack] = await TRAIL_PACK.rows(sql, ALL_PACKS.replace('ORDER', 'WHERE first_number = 10 ORDER'));
        assert.ok(pack);
        const [writer] = await TRAIL_WRITER.page(sql, [], [''], 1);
        assert.ok(writer && pack.link);
        const row = trailRow('event', NOON, { eventName: 'DeleteExpiredEvents', document });
        const { text, values } = packInsert([row], pack.position + 1, { writer, isStarted: true, number: 12, link: pack.link });
        await sql.run(text, values);
      });
      assert.deepEqual([report.problems, report.deleted, report.pending], [problem === undefined ? [] : [problem], 3, 1]);
    }
  });
}

describe('attacks on SQLite', () => attacks(() => openSqlite(':memory:', { now: () => NOON })));
describe('attacks on PostgreSQL', () => attacks(() => openPostgres(postgres.url, { now: () => NOON })));
