import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { newLease, withdrawing } from '#access/lease.ts';
import { newSnapshot } from '#access/snapshot.ts';
import { inProcessBus } from '#server/core/bus.ts';
import { systemClock } from '#server/core/clock.ts';
import { ALICE, group } from '#store/conformance-fixtures.ts';
import { openServers } from '#store/engine/open-servers.ts';
import { openSqlite } from '#store/engine/sqlite.ts';

async function embedded() {
  const kept = await openSqlite(':memory:');
  const { servers } = await openServers('file::memory:', kept);
  const snapshot = newSnapshot();
  const reports: string[] = [];
  const lease = newLease({
    servers,
    snapshot,
    hints: inProcessBus(),
    clock: systemClock,
    leaseMilliseconds: 2_000,
    shared: false,
    name: 'alone',
    newId: () => 'alone',
    report: (what) => reports.push(what),
  });
  return { kept, servers, snapshot, lease, reports, store: withdrawing(kept, lease) };
}

describe('the lease of the embedded engine', async () => {
  const { kept, servers, snapshot, lease, reports, store } = await embedded();
  after(() => kept.close().catch(() => {}));
  const write = (key: string) => store.transaction((tx) => tx.identity.put(ALICE, 'group', key, group(key)));

  test('the lease, embedded: before identity is loaded, the lease does not hold', async () => {
    assert.equal(lease.holds(), false);
    await lease.start();
    assert.equal(lease.holds(), true);
  });

  test('the lease, embedded: when a transaction returns, its identity change is applied to the snapshot', async () => {
    const before = snapshot.version();
    await write('makers');
    assert.deepEqual([snapshot.version(), snapshot.record(ALICE, 'group', 'makers')?.groupName], [before + 1, 'makers']);
    await store.transaction((tx) => tx.identity.get(ALICE, 'group', 'makers'));
    assert.equal(snapshot.version(), before + 1);
    await Promise.all(['a', 'b', 'c'].map(write));
    assert.equal(snapshot.version(), before + 4);
  });

  test('the lease, embedded: trim deletes the tombstone of a deletion that the server has applied', async () => {
    await store.transaction((tx) => tx.identity.remove(ALICE, 'group', 'makers'));
    assert.equal(await lease.trim(), 1);
    assert.equal((await servers.renew('alone', snapshot.version())).trimmedTo, snapshot.version());
  });

  test('the lease, embedded: after a change that cannot be applied, the lease does not hold', async () => {
    const version = await kept.transaction(async (tx) => {
      await tx.identity.put(ALICE, 'group', 'late', group('late'));
      return tx.identity.changed() as number;
    });
    await kept.close();
    await lease.withdrawn(version);
    assert.equal(lease.holds(), false);
    assert.deepEqual(reports, [
      'could not confirm that the IAM data of this server is current; the server will reject requests unless a later attempt succeeds: the store is closed',
    ]);
  });

  test('the lease, embedded: after a stop, the lease does not hold', async () => {
    const other = await embedded();
    await other.lease.start();
    await other.lease.stop();
    assert.equal(other.lease.holds(), false);
    assert.deepEqual(await other.servers.registered(), []);
    await other.kept.close();
  });
});
