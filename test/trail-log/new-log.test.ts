/** Commands on a database whose transparency log has entries and no checkpoint of them yet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOON } from '#store/conformance-fixtures.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { TrailLogRow } from '#store/trail/log/trail-log.ts';
import { formatVkey } from '#tlog/note-key.ts';
import { newFolder } from '../kit/folder.ts';
import { belfry } from '../kit/process.ts';
import { appenderOf, logOf, writeRecords } from '../kit/trail-log.ts';
import { startWitness } from '../tlog/witness-process.ts';

const folder = newFolder('new-log');
const store = await openSqlite(folder, { now: () => NOON });
await writeRecords(store);
const appender = appenderOf(store);
while ((await appender.step((await appender.hold()) as TrailLogRow)) === 'more');
const { vkey } = await logOf(store);
await store.close();

const verify = (...args: readonly string[]) => belfry(['trail', 'verify', '--data', folder, ...args]);

test('belfry trail verify: a new log is intact, and a note says how many of its entries are not signed yet', async () => {
  const { status, stdout, stderr } = await verify('--log', vkey);
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^note: epoch 1: the log is new, and its 12 entries are not signed yet; verify again after the first checkpoint$/m);
  assert.match(stdout, /^the trail is intact$/m);
});

test('belfry trail verify --witness: a new log has no cosigned entry, which is a problem', async () => {
  const { url, key } = await startWitness(newFolder('witness'));
  const { status, stdout, stderr } = await verify('--witness', `${formatVkey(key)}@${url}`);
  assert.equal(status, 1);
  assert.match(stderr, /^belfry trail verify: epoch 1: the witness '.+' does not know the log, or has not cosigned it$/m);
  assert.match(stdout, /^note: epoch 1: the log is new, and its 12 entries are not signed yet/m);
});

test('belfry trail status: a new log has a signed checkpoint without leaves', async () => {
  const { status, stdout } = await belfry(['trail', 'status', '--data', folder]);
  assert.equal(status, 0);
  assert.match(stdout, /^epoch 1 {2}.+ {2}12 leaves\n {2}vkey .+\n {2}signed {2}0 leaves {2}.+\n$/);
});
