/** The transparency log with a witness, which is a process of its own with a data folder of its own. The attacker has everything else. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { systemClock } from '#server/core/clock.ts';
import { trailLogGate } from '#server/core/trail-log-gate.ts';
import { trailLogHead } from '#server/core/trail-log-head.ts';
import { writeDurably } from '#server/durable-file.ts';
import { NOON } from '#store/conformance-fixtures.ts';
import { backupSqlite } from '#store/engine/backup.ts';
import { openReadOnly } from '#store/engine/read-only.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store } from '#store/store.ts';
import { type CheckpointKind, type TrailLogRow, trailLog } from '#store/trail/log/trail-log.ts';
import { EMPTY_ROOT } from '#tlog/hash.ts';
import { formatVkey, parseVkey } from '#tlog/note-key.ts';
import { createWitnessClient } from '#tlog/witness/witness-client.ts';
import { openWitnessFolder } from '#tlog/witness/witness-folder.ts';
import { newFolder } from '../kit/folder.ts';
import { buildVerifier } from '../kit/go-verifier.ts';
import { belfry } from '../kit/process.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { recordsOf } from '../kit/trail.ts';
import { appenderOf, linkAgain, statementsOf, VAULT, verified, writeRecords } from '../kit/trail-log.ts';
import { until } from '../kit/until.ts';
import { startWitness } from '../tlog/witness-process.ts';

const verifyWithGo = buildVerifier(newFolder('witness'));
const witnessFolder = newFolder('witness');
const witness = await startWitness(witnessFolder);
const address = `${formatVkey(witness.key)}@${witness.url}`;
const client = createWitnessClient({ witnesses: [witness] });
const addLog = (vkey: string) => openWitnessFolder(witnessFolder, writeDurably).addLog(parseVkey(vkey));
const asked = { witnesses: [witness.key.name], latest: (logKey: ReturnType<typeof parseVkey>) => client.latest([logKey]) };

/** Appends all records of a store, and lets the witness cosign the checkpoint. Returns the names of reported states. */
async function append(store: Store): Promise<readonly string[]> {
  const own = appenderOf(store, { shared: false, report: () => {} }, [witness]);
  const log = await own.hold();
  assert.ok(log);
  addLog(log.vkey);
  await own.run();
  const states = await store.transaction((tx) => tx.of(trailLog).states(log.epoch));
  return states.map(({ state }) => state);
}

const gateOf = (store: Store, reports: string[]) =>
  trailLogGate({
    ...{ store, vault: VAULT, client, witnesses: [witness.key.name], region: 'us-east-1', now: systemClock.wall },
    newId: () => 'id',
    head: trailLogHead(),
    report: (line) => void reports.push(line),
  });

test('witness: history that an attacker with the signing key writes again is refused, and verify and the server say so', async () => {
  const folder = newFolder('witness');
  const first = await openSqlite(folder, { now: () => NOON });
  await writeRecords(first);
  assert.deepEqual(await append(first), ['cosigned']);
  assert.deepEqual((await verified(statementsOf(first), asked)).problems, []);
  await first.close();
  const store = await openSqlite(folder, { now: () => NOON });
  // The attacker changes a record, computes all links and the whole tree again, and signs it.
  await store.transaction(async ({ sql }) => {
    await sql.run("UPDATE trail_pack SET documents = replace(documents, 'e5', 'x5')");
    await linkAgain(sql);
    for (const table of ['tile', 'range', 'writer', 'state']) await sql.run(`DELETE FROM trail_log_${table}`);
    await sql.run('DELETE FROM trail_checkpoint');
    await sql.run('UPDATE trail_log SET size = 0, root = $1', [EMPTY_ROOT]);
  });
  await writeRecords(store, 'later ');
  assert.deepEqual(await append(store), ['forked']);
  assert.deepEqual((await verified(statementsOf(store))).problems, []);
  const { problems } = await verified(statementsOf(store), asked);
  assert.deepEqual(problems, ["epoch 1: the witness 'w.example/1' cosigned another tree of 12 records: the history was changed"]);
  assert.match(witness.written(), /error the log '.*' signed a tree of 24 leaves that does not continue its cosigned tree of 12 leaves/);
  const reports: string[] = [];
  const gate = gateOf(store, reports);
  await gate.check();
  assert.equal(gate.isOpen(), false);
  assert.match(reports.join(), /does not continue the 12 records that the witness 'w.example\/1' cosigned/);
  await store.close();
});

test('witness: a database that was swapped with an older copy is found at the start, by verify, and by the witness', async () => {
  const [folder, old] = [newFolder('witness'), join(newFolder('witness'), 'old')];
  const store = await openSqlite(folder, { now: () => NOON });
  await writeRecords(store);
  assert.deepEqual(await append(store), ['cosigned']);
  backupSqlite(folder, old);
  await writeRecords(store, 'later ');
  await append(store);
  await store.close();
  const swapped = await openSqlite(old, { now: () => NOON });
  const { problems } = await verified(statementsOf(swapped), asked);
  assert.deepEqual(problems, [
    "epoch 1: the witness 'w.example/1' cosigned 24 records, but the database has only 12: it was rolled back, or it is an older copy",
  ]);
  const gate = gateOf(swapped, []);
  assert.equal(gate.isOpen(), true);
  await gate.check();
  assert.equal(gate.isOpen(), false);
  assert.deepEqual(await append(swapped), ['ahead']);
  await swapped.close();
});

/** Returns the current log of a data folder and the size of one of its checkpoints. */
async function readLog(folder: string, kind: CheckpointKind): Promise<{ readonly log: TrailLogRow | undefined; readonly size: number }> {
  const database = await openReadOnly(`file:${folder}`);
  const log = await trailLog(database.sql).current();
  const checkpoints = log === undefined ? [] : await trailLog(database.sql).checkpoints(log.epoch);
  await database.close();
  return { log, size: checkpoints.find((each) => each.kind === kind)?.size ?? 0 };
}

const SETTINGS = { BELFRY_WITNESSES: address, BELFRY_CHECKPOINT_SECONDS: '1' };

/** Waits until the witness has cosigned a number of leaves. */
async function untilCosigned(folder: string, size: number): Promise<void> {
  await until(
    async () => (await readLog(folder, 'cosigned-by-all')).size >= size,
    () => `the witness did not cosign ${size} leaves`,
  );
}

async function createUsers(server: TestServer, ...names: readonly string[]): Promise<void> {
  for (const UserName of names) await new IAMClient(server.client()).send(new CreateUserCommand({ UserName }));
}

test('a restored backup: the server refuses all requests until the operator names the loss; proofs stay valid', async () => {
  const data = newFolder('witness');
  const server = await startTestServer(SETTINGS, data);
  await until(
    async () => (await readLog(data, 'signed')).log !== undefined,
    () => 'the server created no log',
  );
  const vkey = (await readLog(data, 'signed')).log?.vkey ?? '';
  addLog(vkey);
  await createUsers(server, 'ann', 'ben');
  await untilCosigned(data, 2);

  // A proof from the running server, which an independent verifier checks.
  const [record] = await recordsOf(new CloudTrailClient(server.client()), 'ben', 'ResourceName');
  const out = join(newFolder('witness'), 'ben');
  const proven = await belfry(['trail', 'prove', record.eventID, '--out', out, '--data', data]);
  assert.equal(proven.status, 0, proven.stderr);
  const args = [`${out}.tlog-proof`, `${out}.leaf`, vkey, formatVkey(witness.key)];
  assert.match((await verifyWithGo('proof', ...args))[1], /^ok inclusion$/m);
  assert.equal(readFileSync(`${out}.leaf`).toString('hex', 33), hash('sha256', readFileSync(`${out}.json`)));
  assert.equal(JSON.parse(readFileSync(`${out}.json`, 'utf8')).eventID, record.eventID);
  const keys = `${vkey},${formatVkey(witness.key)}`;
  const checked = await belfry(['trail', 'check-proof', out, '--key', keys]);
  assert.deepEqual([checked.status, checked.stderr], [0, '']);
  assert.match(checked.stdout, /is at index \d+ of the log '.+'[\s\S]*'w\.example\/1' had cosigned this by 20/);
  for (const [suffix, problem] of [
    ['json', /the record is not the one of the leaf/],
    ['leaf', /^belfry trail: .+/],
  ] as const) {
    const copy = join(newFolder('witness'), 'copy');
    for (const each of ['tlog-proof', 'leaf', 'json']) cpSync(`${out}.${each}`, `${copy}.${each}`);
    const bytes = readFileSync(`${copy}.${suffix}`);
    bytes[40] = (bytes[40] as number) ^ 1;
    writeFileSync(`${copy}.${suffix}`, bytes);
    const altered = await belfry(['trail', 'check-proof', `${copy}.tlog-proof`, '--key', keys]);
    assert.equal(altered.status, 1, altered.stdout);
    assert.match(altered.stderr, problem);
  }
  const unknown = await belfry(['trail', 'prove', 'no-such-event', '--out', out, '--data', data]);
  assert.deepEqual([unknown.status, /has no record of the event 'no-such-event'/.test(unknown.stderr)], [1, true]);

  const restored = join(newFolder('witness'), 'restored');
  backupSqlite(data, restored);
  for (const each of ['operator.key', 'aws']) cpSync(join(data, each), join(restored, each), { recursive: true });
  await createUsers(server, 'cat', 'dan');
  const { log } = await readLog(data, 'signed');
  await untilCosigned(data, Math.max(4, log?.size ?? 0));
  await server.stop();

  const second = await startTestServer(SETTINGS, restored);
  const ready = () => fetch(`${second.endpoint}/_belfry/ready`).then(({ status }) => status);
  await assert.rejects(createUsers(second, 'eve'), ({ $metadata }) => $metadata.httpStatusCode === 503);
  assert.equal(await ready(), 503);
  const stated = await belfry(['trail', 'status', '--data', restored]);
  assert.match(stated.stdout, /witness w\.example\/1 {2}ahead: it has a tree of \d+ leaves/);
  const verify = (...flags: readonly string[]) => belfry(['trail', 'verify', '--data', restored, '--witness', address, ...flags]);
  const before = await verify();
  assert.equal(before.status, 1);
  assert.match(before.stderr, /it was rolled back/);
  assert.match(before.stdout, /^asked the witness '.+'$/m);

  const named = await belfry(['trail', 'restored', '--reason', 'the disk failed', '--data', restored]);
  assert.equal(named.status, 0, named.stderr);
  addLog((await readLog(restored, 'signed')).log?.vkey ?? '');
  await until(
    async () => (await ready()) === 200,
    () => 'the server did not become ready',
  );
  await createUsers(second, 'eve');
  await untilCosigned(restored, 2);
  const rejected = await verify();
  assert.equal(rejected.status, 1);
  assert.match(
    rejected.stderr,
    /epoch 1 ended at [0-9]+, the database holds [0-9]+: [0-9]+ records are lost \(.*: the disk failed\); accept it with --accept-restore 1/,
  );
  const accepted = await verify('--accept-restore', '1', '--log', vkey);
  assert.deepEqual([accepted.status, accepted.stderr], [0, '']);
  assert.match(accepted.stdout, /the trail is intact/);
  const again = await belfry(['trail', 'restored', '--reason', 'again', '--data', restored]);
  assert.deepEqual([again.status, /there is no loss to name/.test(again.stderr)], [1, true]);
  const [event] = await recordsOf(new CloudTrailClient(second.client()), 'RestoreTrailLog');
  assert.equal(event.serviceEventDetails.reason, 'the disk failed');
});
