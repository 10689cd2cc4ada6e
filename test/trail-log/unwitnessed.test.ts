/** The transparency log without a witness: an attacker with write access to the database changes the tree while the server runs. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, test } from 'node:test';
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { systemClock } from '#server/core/clock.ts';
import { OPERATOR_ACCOUNT } from '#server/core/first-start.ts';
import type { Appender, AppenderParts } from '#server/core/trail-log-appender.ts';
import { type TrailLogGate, trailLogGate } from '#server/core/trail-log-gate.ts';
import { trailLogHead } from '#server/core/trail-log-head.ts';
import { NOON } from '#store/conformance-fixtures.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Sql } from '#store/sql.ts';
import type { Store } from '#store/store.ts';
import { trailLog } from '#store/trail/log/trail-log.ts';
import { EMPTY_ROOT } from '#tlog/hash.ts';
import { createWitnessClient } from '#tlog/witness/witness-client.ts';
import { appendJob } from '#trail/log/append-job.ts';
import { newFolder } from '../kit/folder.ts';
import { REPEATING } from '../kit/lost-lease.ts';
import { belfry } from '../kit/process.ts';
import { startTestServer } from '../kit/server.ts';
import { appenderOf, linkAgain, logOf, statementsOf, VAULT, verified, writeRecords } from '../kit/trail-log.ts';
import { until } from '../kit/until.ts';
import { testPostgres } from '../store/test-postgres.ts';

interface Running {
  readonly store: Store;
  readonly appender: Appender;
  readonly gate: TrailLogGate;
  readonly reports: string[];
  isSecond: boolean;
}

/** Connects an appender with a gate, as a server does. */
function running(store: Store, hash: AppenderParts['hash'] = appendJob): Running {
  const reports: string[] = [];
  const report = (line: string) => void reports.push(line);
  const head = trailLogHead();
  const client = createWitnessClient({ witnesses: [] });
  const gate = trailLogGate({
    ...{ store, vault: VAULT, client, head, witnesses: [], report, region: 'us-east-1', now: systemClock.wall },
    newId: () => 'id',
  });
  const own = appenderOf(store, { head, report, hash, onContradiction: gate.check });
  return { store, gate, reports, appender: own, isSecond: false };
}

/** Deletes all that the log knows of the records, so that the appender would append them again. */
async function emptyTheLog(sql: Sql): Promise<void> {
  for (const table of ['tile', 'range', 'writer', 'state']) await sql.run(`DELETE FROM trail_log_${table}`);
  await sql.run('DELETE FROM trail_checkpoint');
  await sql.run('UPDATE trail_log SET size = 0, root = $1', [EMPTY_ROOT]);
}

async function rewriteHistory(sql: Sql): Promise<void> {
  await sql.run("UPDATE trail_pack SET documents = replace(documents, 'e5', 'x5')");
  await linkAgain(sql);
  await emptyTheLog(sql);
}

// biome-ignore format: a table
const ATTACKS: readonly (readonly [title: string, attack: (sql: Sql) => Promise<unknown>, line: RegExp])[] = [
  ['history that was written again',  rewriteHistory,                                                                  /has 0 records, but this server stored 12/],
  ['the same, with a new fence',      async (sql) => { await rewriteHistory(sql); await sql.run("UPDATE trail_log SET fence = fence + 1, holder = ''"); },
                                                                                                                       /has 0 records, but this server stored 12/],
  ['another root',                    (sql) => sql.run('UPDATE trail_log SET root = $1', [EMPTY_ROOT]),                /does not continue the 12 records that this server stored/],
  ['leaves that it did not append',   (sql) => sql.run('UPDATE trail_log SET size = size + 1'),                        /does not continue the 12 records that this server stored/],
  ['a deleted log',                   async (sql) => { await emptyTheLog(sql); await sql.run('DELETE FROM trail_log'); }, /has 0 records, but this server stored 12/],
];

function attacked(open: () => Promise<Store>): void {
  for (const [title, attack, line] of ATTACKS) {
    test(`log without a witness: ${title}: the server appends and signs nothing, and refuses requests`, async () => {
      const { store, appender, gate, reports } = running(await open());
      await writeRecords(store);
      await appender.run();
      assert.deepEqual([(await logOf(store)).size, gate.isOpen()], [12, true]);
      await store.transaction(({ sql }) => attack(sql));
      const found = await store.transaction((tx) => tx.of(trailLog).logs());
      const signed = await store.transaction((tx) => tx.of(trailLog).checkpoints(1));
      await writeRecords(store, 'later ');
      await appender.run();
      await appender.run();
      assert.equal(gate.isOpen(), false);
      assert.equal(reports.length, 1, reports.join('\n'));
      assert.match(reports.join(), line);
      assert.deepEqual(await store.transaction((tx) => tx.of(trailLog).logs()), found);
      assert.deepEqual(await store.transaction((tx) => tx.of(trailLog).checkpoints(1)), signed);
      await store.close();
    });
  }

  test('log without a witness: a difference between two steps and before a checkpoint stops the log too', async () => {
    const { store, appender, gate } = running(await open());
    await writeRecords(store);
    await appender.run();
    const log = await appender.hold();
    assert.ok(log);
    await store.transaction(({ sql }) => rewriteHistory(sql));
    assert.equal(await appender.step(log), 'changed');
    assert.equal((await logOf(store)).size, 0);
    await gate.check();
    assert.equal(gate.isOpen(), false);
    await store.close();
  });

  test('log without a witness: the gate opens again when the tree is as before, or when the operator names the loss', async () => {
    const { store, appender, gate, reports } = running(await open());
    await writeRecords(store);
    await appender.run();
    const { root } = await logOf(store);
    await store.transaction(({ sql }) => sql.run('UPDATE trail_log SET root = $1', [EMPTY_ROOT]));
    await appender.run();
    assert.equal(gate.isOpen(), false);
    await store.transaction(({ sql }) => sql.run('UPDATE trail_log SET root = $1', [root]));
    await gate.check();
    assert.equal(gate.isOpen(), true);
    await store.transaction(({ sql }) => emptyTheLog(sql));
    await appender.run();
    assert.deepEqual([gate.isOpen(), reports.length], [false, 3]);
    await store.transaction((tx) => tx.meta.put(OPERATOR_ACCOUNT, '111122223333'));
    const reply = await gate.restored('a test');
    assert.equal(reply.ok, true, JSON.stringify(reply));
    await appender.run();
    const { epoch, size } = await logOf(store);
    assert.deepEqual([gate.isOpen(), epoch], [true, 2]);
    assert.ok(size > 12);
    const { problems } = await verified(statementsOf(store));
    assert.match(problems.join('\n'), /epoch 1 ended at 12, the database holds 0: 12 records are lost \(.*: a test\)/);
    await store.close();
  });

  test('log without a witness: a commit of unknown outcome is not a difference, committed or not', async () => {
    for (const isCommitted of [true, false]) {
      const store = await open();
      let fails = false;
      const failing: Store = {
        ...store,
        async transaction(work) {
          if (!fails) return await store.transaction(work);
          fails = false;
          if (isCommitted) await store.transaction(work);
          throw new Error('the connection was lost');
        },
      };
      const parts = running(failing, (job) => {
        fails = parts.isSecond;
        return appendJob(job);
      });
      const { appender, gate } = parts;
      await writeRecords(store);
      await appender.run();
      await writeRecords(store, 'later ');
      parts.isSecond = true;
      await assert.rejects(appender.run(), /the connection was lost/);
      parts.isSecond = false;
      assert.equal((await logOf(store)).size, isCommitted ? 24 : 12);
      await appender.run();
      assert.deepEqual([gate.isOpen(), (await logOf(store)).size], [true, 24]);
      await store.close();
    }
  });
}

describe('the log of a database in SQLite', () => attacked(() => openSqlite(':memory:', { now: () => NOON })));
describe('the log of a database in PostgreSQL', () =>
  attacked(async () => {
    const { url, stop } = await testPostgres();
    after(stop);
    return await openPostgres(url, { now: () => NOON });
  }));

test('log without a witness: a running server whose database was changed refuses all requests', async () => {
  const folder = newFolder('witness');
  const server = await startTestServer({ BELFRY_CHECKPOINT_SECONDS: '1' }, folder);
  const iam = new IAMClient({ ...server.client(), maxAttempts: 1 });
  await iam.send(new CreateUserCommand({ UserName: 'ann' }));
  // The running server writes too, so a statement waits for its transactions.
  const database = new DatabaseSync(join(folder, 'belfry.db'), { timeout: 10_000 });
  const size = () => (database.prepare('SELECT size FROM trail_log').get() as { size: number } | undefined)?.size ?? 0;
  await until(
    () => size() > 0,
    () => 'the server appended nothing',
  );
  database.exec('UPDATE trail_log SET size = size - 1');
  database.close();
  await until(
    async () => (await fetch(`${server.endpoint}/_belfry/ready`)).status === 503,
    () => 'the server is still ready',
  );
  await assert.rejects(iam.send(new CreateUserCommand({ UserName: 'ben' })), ({ $metadata }) => $metadata.httpStatusCode === 503);
  const named = await belfry(['trail', 'restored', '--reason', 'the test changed it', '--data', folder]);
  assert.equal(named.status, 0, named.stderr);
  await new IAMClient({ ...server.client(), ...REPEATING }).send(new CreateUserCommand({ UserName: 'ben' }));
});
