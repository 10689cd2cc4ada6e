import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Lease, newLease } from '#access/lease.ts';
import { newSnapshot } from '#access/snapshot.ts';
import { instant } from '#core/instant.ts';
import { ALICE, group } from '#store/conformance-fixtures.ts';
import { openStore } from '#store/engine/open.ts';
import { openServers } from '#store/engine/open-servers.ts';

const LEASE = 2_000;

const store = await openStore('file::memory:', {});
const { servers } = await openServers('file::memory:', store);
after(() => store.close());

let now = 0;
let timers: { readonly at: number; readonly run: () => void }[] = [];

/** Creates a server with the clock of this test. After a kill, the timers of the server no longer run. */
function newServer(name: string): { readonly lease: Lease; kill(): void } {
  let killed = false;
  let ids = 0;
  const lease = newLease({
    servers,
    hints: { hint: () => {}, on: () => () => {} },
    snapshot: newSnapshot(),
    leaseMilliseconds: LEASE,
    shared: true,
    name,
    newId: () => `${name}-${++ids}`,
    report: () => {},
    clock: {
      monotonic: () => now,
      wall: () => instant(now),
      after(milliseconds, fn) {
        const timer = { at: now + milliseconds, run: () => void (killed || fn()) };
        timers.push(timer);
        return () => {
          timers = timers.filter((one) => one !== timer);
        };
      },
    },
  });
  return {
    lease,
    kill() {
      killed = true;
    },
  };
}

/** Runs all pending work, except work that waits for a timer of the simulated clock. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Advances the clock from timer to timer, so that each timer runs at its time. */
async function advance(milliseconds: number): Promise<void> {
  const end = now + milliseconds;
  for (;;) {
    await settle();
    const due = timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
    if (due === undefined) break;
    timers = timers.filter((one) => one !== due);
    now = Math.max(now, due.at);
    due.run();
  }
  now = end;
  await settle();
}

const change = async (key: string): Promise<number> => {
  await store.transaction((tx) => tx.identity.put(ALICE, 'group', key, group(key)));
  return (await servers.renew('unknown', 0)).version;
};

/**
 * Starts to wait until no server authorizes with identity records older than `version`. The returned function reports
 * whether the wait has ended.
 */
function withdrawing(lease: Lease, version: number): () => boolean {
  let returned = false;
  void lease.withdrawn(version).then(() => {
    returned = true;
  });
  return () => returned;
}

test("the lease: after a server is killed, only the first change waits until the server's lease ends", async () => {
  const [here, there] = [newServer('here'), newServer('there')];
  await here.lease.start();
  await there.lease.start();
  const names = async () => (await servers.registered()).map(({ name }) => name).toSorted();
  there.kill();

  const first = withdrawing(here.lease, await change('first'));
  await advance(LEASE);
  assert.equal(first(), false, 'the first change waits for the leases that are older');
  assert.deepEqual(await names(), ['here', 'there']);
  await advance(LEASE * 0.1);
  assert.equal(first(), true);
  assert.deepEqual(await names(), ['here'], 'the killed server is deleted');

  const time = now;
  const second = withdrawing(here.lease, await change('second'));
  await settle();
  assert.equal(second(), true, 'the second change waits for no lease');
  assert.equal(now, time);
  await here.lease.stop();
});

test('the lease: a server that acknowledges late remains registered, and a deleted server registers again', async () => {
  await servers.leaveAll();
  const here = newServer('late');
  await here.lease.start();
  const version = await change('third');
  assert.equal(await servers.expire(here.lease.serverId(), version), 'expired');
  assert.equal(here.lease.holds(), true, 'the older lease holds until its end');
  const before = here.lease.serverId();
  await here.lease.renew();
  assert.equal(here.lease.holds(), false);
  await advance(LEASE);
  assert.notEqual(here.lease.serverId(), before);
  assert.equal(here.lease.holds(), true);
  assert.equal(await servers.expire(here.lease.serverId(), version), 'kept');
  await here.lease.stop();
});
