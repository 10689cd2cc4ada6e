import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import pg from 'pg';
import { until } from '../../../test/kit/until.ts';
import { testPostgres } from '../../../test/store/test-postgres.ts';
import { trailRow } from '../conformance-fixtures.ts';
import type { Store, Tx } from '../store.ts';
import { type PackContent, recordsOf } from '../trail/trail-pack.ts';
import { openOnPool } from './postgres.ts';
import { type Fault, faultyPool } from './postgres-fixture.ts';

const postgres = await testPostgres();
after(() => postgres.stop());

interface Opened {
  readonly store: Store;
  /** Returns the names in `meta` and the event IDs of the trail, and deletes these rows. Uses another connection. */
  kept(): Promise<readonly string[]>;
  setFault(fault: Fault | undefined): void;
  readonly pool: pg.Pool;
}

/**
 * Opens a store on the test's database. `setFault` can replace the result of a statement. `checked-pool.ts` checks each
 * connection of the pool.
 */
async function open(connections = 4, connectionTimeoutMillis = 10_000): Promise<Opened> {
  const { raw: pool, pool: lent, setFault } = faultyPool(postgres.url, connections, connectionTimeoutMillis);
  const store = await openOnPool(lent, {});
  return {
    store,
    pool,
    setFault,
    async kept() {
      const client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      const { rows } = await client.query<{ name: string }>('SELECT name FROM meta');
      const packs = await client.query<PackContent>('SELECT heads, documents FROM trail_pack');
      await client.query('DELETE FROM meta');
      await client.query('DELETE FROM trail_pack');
      await client.end();
      return [...rows.map(({ name }) => name), ...packs.rows.flatMap(recordsOf).map(({ eventId }) => eventId)].sort();
    },
  };
}

const untilReleased = (pool: pg.Pool) =>
  until(
    () => pool.idleCount === pool.totalCount,
    () => `${pool.totalCount - pool.idleCount} connections are in use`,
  );

const lost = (): Error => new Error('Connection terminated unexpectedly');
const change = async (tx: Tx): Promise<void> => {
  await tx.trail.append(trailRow('record', 0));
  await tx.meta.put('change', 'yes');
};
const terminate = (client: pg.ClientBase) => client.query('SELECT pg_terminate_backend(pg_backend_pid())').catch(() => {});

interface Row {
  readonly title: string;
  readonly work?: (tx: Tx) => Promise<void>;
  readonly fault?: Fault;
  readonly rejects?: RegExp;
  readonly kept: readonly string[];
}

const BOTH = ['change', 'record'];
// biome-ignore format: a table
const PATHS: readonly Row[] = [
  { title: 'a commit',                                     kept: BOTH },
  { title: 'work that throws',                             kept: [], rejects: /refused/, work: async (tx) => { await change(tx); throw new Error('refused'); } },
  { title: 'a statement that fails',                       kept: [], rejects: /does_not_exist/, work: async (tx) => { await change(tx); await tx.sql.row('SELECT does_not_exist'); } },
  { title: 'a failed statement that the work ignores',     kept: [], rejects: /statement of this transaction failed/, work: async (tx) => { await change(tx); await tx.sql.row('SELECT does_not_exist').catch(() => {}); } },
  { title: 'a failed statement that the work does not await', kept: [], rejects: /does_not_exist|rolled back/, work: async (tx) => { await tx.meta.put('change', 'yes'); void tx.sql.row('SELECT does_not_exist').catch(() => {}); } },
  { title: 'a connection lost in a statement',             kept: [], rejects: /terminat/, work: async (tx) => { await change(tx); await tx.sql.row('SELECT pg_terminate_backend(pg_backend_pid())'); } },
  { title: 'a connection lost before COMMIT',              kept: [], rejects: /terminat|may be committed/, fault: ({ text }, execute, client) => (text === 'COMMIT' ? terminate(client).then(execute) : undefined) },
  { title: 'a connection lost after COMMIT',               kept: BOTH, rejects: /may be committed/, fault: ({ text }, execute) => (text === 'COMMIT' ? execute().then(() => Promise.reject(lost())) : undefined) },
  { title: 'a connection lost in BEGIN',                   kept: [], rejects: /terminat/, fault: ({ text }, execute, client) => (text.startsWith('BEGIN') ? terminate(client).then(execute) : undefined) },
  { title: 'a connection lost in ROLLBACK',                kept: [], rejects: /refused/, work: async (tx) => { await change(tx); throw new Error('refused'); },
    fault: ({ text }, execute, client) => (text === 'ROLLBACK' ? terminate(client).then(execute) : undefined) },
  { title: 'a statement that times out',                   kept: [], rejects: /read timeout/, fault: ({ text }) => (text.includes('INSERT INTO meta') ? Promise.reject(new Error('Query read timeout')) : undefined) },
  { title: 'only a record',                                kept: ['record'], work: (tx) => tx.trail.append(trailRow('record', 0)) },
  { title: 'a record whose connection is lost afterwards', kept: ['record'], rejects: /terminated/, work: (tx) => tx.trail.append(trailRow('record', 0)),
    fault: ({ text }, execute) => (text.includes('INTO trail_pack') ? execute().then(() => Promise.reject(lost())) : undefined) },
  { title: 'a record after a lost COMMIT of a read',       kept: [], rejects: /terminated/, work: async (tx) => { await tx.trail.append(trailRow('record', 0)); await tx.meta.get('change'); },
    fault: ({ text }) => (text === 'COMMIT' ? Promise.reject(lost()) : undefined) },
];

describe('PostgreSQL: a transaction always releases its connection', async () => {
  const opened = await open();
  after(() => opened.store.close());
  await opened.kept();

  for (const { title, work = change, fault, rejects, kept } of PATHS) {
    test(`PostgreSQL: ${title}: releases the connection once and stores ${kept.join(' and ') || 'nothing'}`, async () => {
      const { store, pool, setFault } = opened;
      setFault(fault);
      const running = store.transaction(work);
      if (rejects === undefined) await running;
      else await assert.rejects(running, rejects);
      setFault(undefined);
      assert.deepEqual(await opened.kept(), kept);
      // Every connection returns to the pool, without an open transaction. The first record also starts a transaction
      // that writes the trail's index, so the test waits for the end of that transaction.
      await untilReleased(pool);
      await Promise.all(Array.from({ length: 8 }, () => store.transaction((tx) => tx.sql.row('SELECT 1'))));
      assert.deepEqual(await opened.kept(), []);
    });
  }

  test('PostgreSQL: if two transactions would cause a write skew, one of them runs again', async () => {
    const { store } = opened;
    const arrived = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const runs = [0, 0];
    const skew = (i: 0 | 1) =>
      store.transaction(async (tx) => {
        runs[i] = (runs[i] as number) + 1;
        const other = await tx.meta.get(`skew ${1 - i}`);
        arrived[i].resolve();
        await Promise.all(arrived.map(({ promise }) => promise));
        if (other === undefined) await tx.meta.put(`skew ${i}`, 'yes');
      });
    await Promise.all([skew(0), skew(1)]);
    // The transactions run in series: the second one reads the row of the first, and writes nothing.
    assert.equal((await opened.kept()).length, 1);
    assert.ok(Math.min(...runs) === 1 && Math.max(...runs) > 1, `${runs}`);
  });

  test('PostgreSQL: a batch of records is not written twice if its connection is lost', async () => {
    const { store, setFault } = opened;
    setFault(({ text }, execute) => (text.includes('INTO trail_pack') ? execute().then(() => Promise.reject(lost())) : undefined));
    const outcomes = await Promise.allSettled(
      Array.from({ length: 9 }, (_, i) => store.transaction((tx) => tx.trail.append(trailRow(`record ${i}`, 0)))),
    );
    setFault(undefined);
    assert.ok(outcomes.every(({ status }) => status === 'rejected'));
    const kept = await opened.kept();
    assert.deepEqual(kept, [...new Set(kept)]);
  });

  test('PostgreSQL: a transaction that gets no connection in time is rejected, and the next one runs', async () => {
    const { store, kept } = await open(1, 2_000);
    const hold = Promise.withResolvers<void>();
    const first = store.transaction(async (tx) => {
      await change(tx);
      await hold.promise;
    });
    await assert.rejects(store.transaction(change), /timeout/);
    hold.resolve();
    await first;
    assert.deepEqual(await kept(), BOTH);
    await store.close();
  });

  test('PostgreSQL: close() waits for running transactions and rejects later ones', async () => {
    const { store, kept, pool } = await open();
    const begun = store.transaction(change);
    const closed = store.close();
    await assert.rejects(store.transaction(change), /closed/);
    await Promise.all([begun, closed]);
    assert.equal(pool.totalCount, 0);
    assert.deepEqual(await kept(), BOTH);
  });
});

const read = (tx: Tx): Promise<string | undefined> => tx.meta.get('change');
const conflict = (): Error => Object.assign(new Error('could not serialize access'), { severity: 'ERROR', code: '40001' });
const once = (fault: Fault): Fault => {
  let used = false;
  return (query, execute, client) => {
    if (used || !query.text.trim().startsWith('SELECT')) return undefined;
    used = true;
    return fault(query, execute, client);
  };
};

// biome-ignore format: a table
const CASES: readonly { readonly title: string; readonly work: (tx: Tx) => Promise<unknown>; readonly fault?: Fault; readonly rejects?: RegExp;
  readonly texts: readonly string[]; readonly runs: number; readonly commits: number; readonly kept?: readonly string[] }[] = [
  { title: 'a single read',                        work: read, texts: ['SELECT'], runs: 1, commits: 1 },
  { title: 'a single read with a record',          work: async (tx) => { await tx.trail.append(trailRow('record', 0)); await read(tx); }, texts: ['SELECT', 'INSERT'], runs: 1, commits: 1, kept: ['record'] },
  { title: 'a refusal after a single read',        work: async (tx) => { await tx.trail.append(trailRow('record', 0)); await read(tx); throw new Error('refused'); }, rejects: /refused/, texts: ['SELECT'], runs: 1, commits: 0 },
  { title: 'a read that is not awaited',           work: async (tx) => void read(tx), texts: ['SELECT'], runs: 1, commits: 1 },
  { title: 'a second read',                        work: async (tx) => { await read(tx); await read(tx); }, texts: ['SELECT', 'BEGIN', 'SELECT', 'SELECT', 'COMMIT'], runs: 2, commits: 1 },
  { title: 'two reads at once',                    work: (tx) => Promise.all([read(tx), read(tx)]), texts: ['SELECT', 'BEGIN', 'SELECT', 'SELECT', 'COMMIT'], runs: 2, commits: 1 },
  { title: 'a write after the read',               work: async (tx) => { await read(tx); await change(tx); }, texts: ['SELECT', 'BEGIN', 'SELECT', 'INSERT', 'INSERT', 'COMMIT'], runs: 2, commits: 1, kept: BOTH },
  { title: 'a second statement that is ignored',   work: async (tx) => { await read(tx); await tx.meta.put('change', 'yes').catch(() => {}); }, texts: ['SELECT', 'BEGIN', 'SELECT', 'INSERT', 'COMMIT'], runs: 2, commits: 1, kept: ['change'] },
  { title: 'a second statement that is not awaited', work: async (tx) => { await read(tx); void tx.meta.put('change', 'yes').catch(() => {}); }, texts: ['SELECT', 'BEGIN', 'SELECT', 'INSERT', 'COMMIT'], runs: 2, commits: 1, kept: ['change'] },
  { title: 'a second statement whose error is replaced', work: async (tx) => { await read(tx); await change(tx).catch(() => { throw new Error('other'); }); }, texts: ['SELECT', 'BEGIN', 'SELECT', 'INSERT', 'INSERT', 'COMMIT'], runs: 2, commits: 1, kept: BOTH },
  { title: 'a write first',                        work: change, texts: ['BEGIN', 'INSERT', 'INSERT', 'COMMIT'], runs: 1, commits: 1, kept: BOTH },
  { title: 'a read that locks, first',             work: (tx) => tx.sql.row("SELECT value FROM meta WHERE name = 'change' FOR UPDATE"), texts: ['BEGIN', 'SELECT', 'COMMIT'], runs: 1, commits: 1 },
  { title: 'no statement',                         work: async () => {}, texts: [], runs: 1, commits: 1 },
  { title: 'a read with a serialization failure',  work: read, fault: once(() => Promise.reject(conflict())), texts: ['SELECT', 'BEGIN', 'LOCK', 'SELECT', 'COMMIT'], runs: 2, commits: 1 },
  { title: 'a failed read that is ignored',        work: (tx) => tx.sql.row('SELECT missing FROM meta').catch(() => {}), rejects: /missing/, texts: ['SELECT'], runs: 1, commits: 0 },
  { title: 'a read whose connection is lost',      work: read, fault: once((_, execute, client) => terminate(client).then(execute)), rejects: /terminat/, texts: ['SELECT'], runs: 1, commits: 0 },
  { title: 'a read that times out',                work: read, fault: once(() => Promise.reject(new Error('Query read timeout'))), rejects: /read timeout/, texts: ['SELECT'], runs: 1, commits: 0 },
];
describe('PostgreSQL: a transaction with a single read runs without BEGIN', async () => {
  const { store, pool, kept, setFault } = await open();
  after(() => store.close());
  // The first record of a writer also stores the writer.
  await store.transaction((tx) => tx.trail.append(trailRow('first', 0)));
  await kept();

  /** Returns a list that receives the first word of each statement until `observe` is called again. */
  function observe(fault: Fault = () => undefined): string[] {
    const texts: string[] = [];
    setFault((query, execute, client) => {
      texts.push(query.text.trim().split(/\s/, 1).join());
      return fault(query, execute, client);
    });
    return texts;
  }
  /**
   * Runs a transaction with a single read under the name, so that the next transaction of this name starts without
   * BEGIN. Returns a list that receives the statements of the next transaction.
   */
  async function learned(name: string, fault?: Fault): Promise<string[]> {
    setFault(undefined);
    await store.transaction(read, { name });
    // The first record of a store also starts a transaction that writes the trail's index. Waits until it has ended.
    await untilReleased(pool);
    return observe(fault);
  }
  /**
   * Runs work under a name that has already run a single read. Returns the statements, the number of runs of the work
   * and the number of calls of `afterCommit` callbacks.
   */
  async function run(name: string, work: (tx: Tx) => Promise<unknown>, { fault, rejects }: { fault?: Fault; rejects?: RegExp } = {}) {
    const texts = await learned(name, fault);
    const counts = { runs: 0, commits: 0 };
    const running = store.transaction(
      async (tx) => {
        counts.runs++;
        tx.afterCommit(() => counts.commits++);
        return await work(tx);
      },
      { name },
    );
    if (rejects === undefined) await running;
    else await assert.rejects(running, rejects);
    setFault(undefined);
    await untilReleased(pool);
    return { texts, ...counts };
  }

  for (const { title, work, fault, rejects, texts, runs, commits, kept: rows = [] } of CASES) {
    test(`PostgreSQL: after a run with a single read, ${title} runs ${texts.join(', ') || 'nothing'}`, async () => {
      const ran = await run(title, work, { ...(fault && { fault }), ...(rejects && { rejects }) });
      assert.deepEqual(ran, { texts, runs, commits });
      assert.deepEqual(await kept(), rows);
      await Promise.all(Array.from({ length: 8 }, () => store.transaction((tx) => tx.sql.row('SELECT 1'))));
    });
  }

  test('PostgreSQL: work without a name always begins a transaction', async () => {
    const texts = observe();
    for (let i = 0; i < 3; i++) await store.transaction(read);
    assert.deepEqual(texts, Array.from({ length: 3 }, () => ['BEGIN', 'SELECT', 'COMMIT']).flat());
    setFault(undefined);
  });

  test('PostgreSQL: if work of one name alternates between 1 and 2 reads, only 1 run in 100 is repeated', async () => {
    let runs = 0;
    const name = 'alternating';
    for (let i = 0; i < 100; i++) {
      await store.transaction(
        async (tx) => {
          runs++;
          await read(tx);
          if (i % 2 === 1) await read(tx);
        },
        { name },
      );
    }
    assert.equal(runs, 101);
  });

  // Source: PostgreSQL wiki, "Serializable Snapshot Isolation", "Deposit Report".
  for (const [title, hasReport, expected] of [
    ['without a report, a receipt runs once', false, 1],
    ['a report in a single read makes the receipt of a closed batch run again', true, 2],
  ] as const) {
    test(`PostgreSQL: deposit report anomaly: ${title}`, async () => {
      const name = `report ${hasReport}`;
      const texts = await learned(name);
      await store.transaction((tx) => tx.meta.put('batch', '1'));
      const hasBatch = Promise.withResolvers<void>();
      const reported = Promise.withResolvers<void>();
      let runs = 0;
      const receipt = store.transaction(async (tx) => {
        runs++;
        const batch = await tx.meta.get('batch');
        hasBatch.resolve();
        await reported.promise;
        await tx.meta.put('receipt', `of batch ${batch}`);
      });
      await hasBatch.promise;
      await store.transaction((tx) => tx.meta.put('batch', '2'));
      texts.length = 0;
      const report = (tx: Tx) => tx.sql.rows("SELECT name, value FROM meta WHERE name IN ('batch', 'receipt')");
      if (hasReport) {
        assert.deepEqual(await store.transaction(report, { name }), [{ name: 'batch', value: '2' }]);
        assert.deepEqual(texts, ['SELECT']);
      }
      reported.resolve();
      await receipt;
      setFault(undefined);
      assert.equal(runs, expected);
      assert.equal(await store.transaction((tx) => tx.meta.get('receipt')), `of batch ${hasReport ? 2 : 1}`);
      await kept();
    });
  }

  test('PostgreSQL: if the commit of a statement outside BEGIN fails, the transaction is rejected', async () => {
    await pool.query('CREATE TABLE parent (id INTEGER PRIMARY KEY)');
    await pool.query('CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)');
    await assert.rejects(pool.query({ text: 'INSERT INTO child VALUES ($1)', values: [1], name: 'deferred' }), { code: '23503' });
    await pool.query('DROP TABLE child, parent');
  });
});
