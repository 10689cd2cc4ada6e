/** The appender of the transparency log: crashes at each step, rivals with old fencing numbers, faults of a chain. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { systemClock } from '#server/core/clock.ts';
import { NO_TRAILS } from '#server/core/retention-phases.ts';
import { retention } from '#server/core/trail-retention.ts';
import { NOON, trailRow } from '#store/conformance-fixtures.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { dataFolders } from '#store/engine/sqlite-fixture.ts';
import type { Store, Tx } from '#store/store.ts';
import { trailLog } from '#store/trail/log/trail-log.ts';

import { parseCheckpoint } from '#tlog/checkpoint.ts';
import { parseNote } from '#tlog/note.ts';
import { type AppendJob, appendJob } from '#trail/log/append-job.ts';
import { appenderOf, logOf, verified, writeRecords } from '../kit/trail-log.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
after(() => postgres.stop());
const freshFolder = dataFolders();

const problemsOf = (store: Store) => store.transaction(({ sql }) => verified(sql));
const signedSize = async (store: Store): Promise<number | undefined> => {
  const checkpoints = await store.transaction((tx) => tx.of(trailLog).checkpoints(1));
  return checkpoints.find(({ kind }) => kind === 'signed')?.size;
};
/** Clock of a server at a later time, when the time of the appender before has passed. */
const later = (milliseconds: number) => ({ ...systemClock, wall: () => instant(Date.now() + milliseconds) });

/** Returns a promise and the function that resolves it. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/** Hashes a job after the gate is open. `reached` resolves when the appender waits there. */
function waiting() {
  const [reached, release] = [gate(), gate()];
  const hash = async (job: AppendJob) => {
    reached.open();
    await release.opened;
    return await appendJob(job);
  };
  return { hash, reached: reached.opened, release: release.open };
}

function appending(open: () => Promise<Store>): void {
  let store: Store;
  let size = 0;
  before(async () => {
    store = await open();
  });
  after(() => store.close());
  const write = async (): Promise<void> => {
    await writeRecords(store, `s${size} `);
    size += 12;
  };
  async function assertIntact(): Promise<void> {
    const { problems, pending } = await problemsOf(store);
    assert.deepEqual([problems, pending, (await logOf(store)).size, await signedSize(store)], [[], 0, size, size]);
  }

  test('appender: a crash before the commit changes nothing, and the next server appends each record once', async () => {
    await write();
    const crashed = appenderOf(store, { hash: () => Promise.reject(new Error('crash')) });
    await assert.rejects(crashed.run(), /crash/);
    assert.deepEqual([(await logOf(store)).size, await signedSize(store)], [0, 0]);
    await crashed.stop();
    await appenderOf(store).run();
    await assertIntact();
  });

  test('appender: a server that died while its clock was ahead does not stop the log until that time', async () => {
    await write();
    assert.ok(await appenderOf(store, { clock: later(365 * 86_400_000) }).hold());
    const next = appenderOf(store);
    await next.run();
    await next.stop();
    await assertIntact();
  });

  test('appender: a crash between the commit and the signature leaves a tree, which the next server signs', async () => {
    await write();
    const crashed = appenderOf(store, { clock: later(60_000) });
    const log = await crashed.hold();
    assert.ok(log);
    while ((await crashed.step(log)) === 'more');
    assert.deepEqual([(await logOf(store)).size, await signedSize(store)], [size, size - 12]);
    await appenderOf(store, { clock: later(120_000) }).run();
    await assertIntact();
  });

  test('appender: another server waits while the appender lives, and takes its place after its time', async () => {
    const [one, other] = [appenderOf(store, { clock: later(200_000) }), appenderOf(store, { clock: later(210_000) })];
    assert.ok(await one.hold());
    assert.equal(await other.hold(), undefined);
    await one.stop();
    assert.ok(await other.hold());
  });

  test('appender: a revived appender with an old fencing number appends and signs nothing', async () => {
    await write();
    const { hash, reached, release } = waiting();
    const old = appenderOf(store, { hash, clock: later(300_000) });
    const running = old.run();
    await reached;
    await appenderOf(store, { clock: later(400_000) }).run();
    await assertIntact();
    release();
    await running;
    const log = await old.hold();
    assert.equal(log, undefined);
    await assertIntact();
  });

  test('appender: rivals with the same fencing number append one of their trees', async () => {
    await write();
    const { hash, reached, release } = waiting();
    const [one, other] = [appenderOf(store, { hash, clock: later(500_000) }), appenderOf(store)];
    const log = await one.hold();
    assert.ok(log);
    const step = one.step(log);
    await reached;
    while ((await other.step(log)) === 'more');
    release();
    assert.equal(await step, 'lost');
    await appenderOf(store, { clock: later(550_000) }).run();
    await assertIntact();
  });

  test('appender: reports a record that was changed before its append, and does not append it', async () => {
    const reports: string[] = [];
    const own = appenderOf(store, { clock: later(600_000), report: (line) => void reports.push(line) });
    await store.transaction((tx) => tx.trail.append(trailRow('changed', NOON)));
    await store.transaction(({ sql }) => sql.run("UPDATE trail_pack SET documents = replace(documents, 'changed', 'CHANGED')"));
    await own.run();
    assert.match(reports.join(), new RegExp(`^the trail was changed: altered record at number ${size + 1} of the writer`));
    assert.equal((await logOf(store)).size, size);
    assert.match((await problemsOf(store)).problems.join(), new RegExp(`^altered record: number ${size + 1}`));
  });
}

describe('the appender on SQLite', () => appending(() => openSqlite(':memory:', { now: () => NOON })));
describe('the appender on PostgreSQL', () => appending(() => openPostgres(postgres.url, { now: () => NOON })));

test('appender: signs nothing before the tree is on the disk', async () => {
  let release: (() => void) | undefined;
  let isHeld = false;
  const store = await openSqlite(freshFolder(), {
    now: () => NOON,
    syncLog: (done) => {
      if (isHeld) release = () => done(null);
      else done(null);
    },
  });
  await writeRecords(store);
  const sent: number[] = [];
  const own = appenderOf(store, {
    witnesses: ['w'],
    client: {
      async cosign(checkpoint) {
        sent.push(parseCheckpoint(parseNote(checkpoint).text).size);
        return { checkpoint, outcomes: [{ outcome: 'failed', reason: 'the test has no witness' }] };
      },
    },
    report: () => {},
  });
  const log = await own.hold();
  assert.ok(log);
  let isAppended = false;
  isHeld = true;
  const step = own.step(log).then(() => {
    isAppended = true;
  });
  while (release === undefined) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([isAppended, sent], [false, []]);
  isHeld = false;
  release();
  await step;
  await own.run();
  assert.deepEqual(sent, [12]);
  await store.close();
});

test('appender: many writers and many steps, of which each is bounded', async () => {
  const store = await openSqlite(':memory:', { now: () => NOON });
  for (let i = 0; i < 150; i++) await store.transaction((tx) => tx.trail.append(trailRow(`many ${i}`, NOON)));
  let [steps, most] = [0, 0];
  await appenderOf(store, {
    hash(job) {
      steps++;
      most = Math.max(most, ...job.chains.map(({ packs }) => packs.length));
      return appendJob(job);
    },
  }).run();
  assert.ok(steps > 1 && most <= 64, `${steps} steps, ${most} packs`);
  const { problems, records } = await problemsOf(store);
  assert.deepEqual([problems, records, (await logOf(store)).size], [[], 150, 150]);
  await store.close();
});

test('appender: records that the retention deletes stay provable, also if they are deleted before their append', async () => {
  let now = NOON as number;
  const store = await openSqlite(':memory:', { now: () => now });
  const clock = { ...systemClock, monotonic: () => 0, wall: () => instant(now) };
  const parts = { store, region: 'us-east-1', defaultDays: 90, clock, delivered: NO_TRAILS, report: (line: string) => assert.fail(line) };
  let ids = 0;
  const deleting = retention({ ...parts, newId: () => `event ${++ids}` });
  const removeOld = async (): Promise<void> => {
    while ((await deleting.step()) === 'more');
  };
  const own = appenderOf(store);
  await writeRecords(store, 'logged ');
  await own.run();
  await writeRecords(store, 'not yet logged ');
  now += 100 * DAY_MS;
  await removeOld();
  await own.run();
  const { problems, deleted, records, notes } = await problemsOf(store);
  // The last record is the event of the retention.
  assert.deepEqual([problems, notes, deleted, records, (await logOf(store)).size], [[], [], 24, 25, 25]);
  // After the event is deleted too, its window is unknown, which is only a note.
  now += 100 * DAY_MS;
  await removeOld();
  const afterwards = await problemsOf(store);
  assert.deepEqual([afterwards.problems, afterwards.deleted], [[], 25]);
  assert.match(afterwards.notes.join(), /^24 deleted records are so old that their retention events can be deleted/);
  await store.close();
});

/** Adds writers that an attacker invented. Their IDs precede those of real writers. */
async function forgeWriters(store: Store, count: number): Promise<void> {
  const rows = Array.from({ length: count }, (_, i) => `('!${i}', 'x', 0, 0)`);
  const insert = `INSERT INTO trail_writer (id, server, started_at_ms, first_position) VALUES ${rows.join()}`;
  await store.transaction(({ sql }) => sql.run(insert));
}

function forging(open: () => Promise<Store>): void {
  test('appender: 1,100 forged writers do not keep the records of others out of the log, and each step reads few writers', async () => {
    const opened = await open();
    await forgeWriters(opened, 1_100);
    let reads = 0;
    let most = 0;
    const counted = (tx: Tx): Tx => {
      const chainSince: Tx['trail']['chainSince'] = (...place) => {
        reads++;
        return tx.trail.chainSince(...place);
      };
      const trail = { ...tx.trail, chainSince };
      return new Proxy(tx, {
        get(target, name) {
          const value: unknown = name === 'trail' ? trail : Reflect.get(target, name, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    };
    const store: Store = {
      ...opened,
      transaction: (work) =>
        opened.transaction(async (tx) => {
          reads = 0;
          const result = await work(counted(tx));
          most = Math.max(most, reads);
          return result;
        }),
    };
    for (let i = 0; i < 100; i++) await opened.transaction((tx) => tx.trail.append(trailRow(`real ${i}`, NOON)));
    const own = appenderOf(store, { clock: { ...systemClock, after: (_, run) => systemClock.after(0, run) } });
    await own.run();
    assert.deepEqual([(await logOf(opened)).size, most], [100, 16]);
    // Later rounds read forged writers from the end of the trail.
    await writeRecords(opened, 'later ');
    await own.run();
    assert.equal((await logOf(opened)).size, 112);
    await opened.close();
  });
}

describe('forged writers on SQLite', () => forging(() => openSqlite(':memory:', { now: () => NOON })));
describe('forged writers on PostgreSQL', () =>
  forging(async () => {
    const { url, stop } = await testPostgres();
    after(stop);
    return await openPostgres(url, { now: () => NOON });
  }));
