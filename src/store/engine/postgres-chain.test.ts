import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { testPostgres } from '../../../test/store/test-postgres.ts';
import { NOON, trailRow } from '../conformance-fixtures.ts';
import type { Store, Tx } from '../store.ts';
import { TRAIL_WRITER } from '../trail/trail-chain.ts';
import { checkChains } from '../trail/trail-chain-check.ts';
import { recordsOf, TRAIL_PACK } from '../trail/trail-pack.ts';
import { endWriters } from '../trail/trail-writers.ts';
import { openOnPool } from './postgres.ts';
import { type Fault, faultyPool } from './postgres-fixture.ts';

const databases: { stop(): Promise<unknown> }[] = [];
after(async () => {
  for (const database of databases) await database.stop();
});

/** Opens a store on a new database. */
async function open(connections: number) {
  const database = await testPostgres();
  databases.push(database);
  const { pool, setFault } = faultyPool(database.url, connections);
  return { store: await openOnPool(pool, {}), setFault, url: database.url };
}

const check = (store: Store) => checkChains((read) => store.transaction(({ sql }) => read(sql)));
const writersOf = (store: Store) => store.transaction(({ sql }) => TRAIL_WRITER.page(sql, [], [''], 1_000));
const eventIds = async (store: Store): Promise<readonly string[]> => {
  const packs = await store.transaction(({ sql }) => TRAIL_PACK.rows(sql, `SELECT ${TRAIL_PACK.names} FROM trail_pack`));
  return packs.flatMap(recordsOf).map(({ eventId }) => eventId);
};
const record = (tx: Tx, eventId: string): Promise<void> => tx.trail.append(trailRow(eventId, NOON));

/** Work of the transaction with a number, by its remainder. The transactions that change the same row conflict. */
const WORK: readonly ((tx: Tx, i: number) => Promise<unknown>)[] = [
  (tx, i) => record(tx, `e${i}`),
  (tx, i) => record(tx, `e${i}`).then(() => tx.meta.put(`k${i}`, 'v')),
  async (tx, i) => {
    await record(tx, `e${i}`);
    await tx.meta.put('same', `${await tx.meta.get('same')}`.slice(0, 9));
  },
  async (tx, i) => {
    await record(tx, `e${i}`);
    await tx.meta.put(`k${i}`, 'v');
    throw new Error('refused');
  },
];

const lost = (): Error => new Error('Connection terminated unexpectedly');
/** Faults of one statement of many: the connection is lost before or after it, or the database rejects it. */
// biome-ignore format: a table
const FAULTS: readonly (readonly [title: string, part: RegExp, fault: Fault])[] = [
  ['no fault',                                   /^$/,                                () => undefined],
  ['connections that are lost after COMMIT',     /COMMIT/,                            (_, execute) => execute().then(() => Promise.reject(lost()))],
  ['connections that are lost before COMMIT',    /COMMIT/,                            (_, execute, client) => client.query('SELECT pg_terminate_backend(pg_backend_pid())').catch(() => {}).then(execute)],
  ['connections that are lost after a record',   /INTO trail_pack/,                   (_, execute) => execute().then(() => Promise.reject(lost()))],
  ['records that the database rejects',          /INTO trail_pack|INTO trail_writer/, (_, __, client) => client.query('SELECT 1 / 0')],
];

for (const [title, part, fault] of FAULTS) {
  test(`PostgreSQL: with ${title}, concurrent transactions have records with numbers without gaps`, async () => {
    const { store, setFault } = await open(6);
    let statements = 0;
    setFault((query, execute, client) => (part.test(query.text) && ++statements % 5 === 0 ? fault(query, execute, client) : undefined));
    const outcomes = await Promise.allSettled(
      Array.from({ length: 80 }, (_, i) => store.transaction((tx) => (WORK[i % WORK.length] as (typeof WORK)[number])(tx, i))),
    );
    setFault(undefined);
    const { faults, records } = await check(store);
    assert.deepEqual(faults, []);
    const stored = await eventIds(store);
    assert.equal(records, stored.length);
    assert.equal(new Set(stored).size, stored.length);
    for (const [i, { status }] of outcomes.entries()) if (status === 'fulfilled') assert.ok(stored.includes(`e${i}`), `e${i}`);
    for (let i = 3; i < 80; i += WORK.length) assert.ok(!stored.includes(`e${i}`), `e${i} was rolled back`);
    assert.ok(records >= 20, `${records} records`);
    await store.close();
  });
}

test('PostgreSQL: close() ends all writers, and a reopened store has new ones', async () => {
  const { store, url } = await open(4);
  const write = (of: Store) =>
    Promise.all([0, 1, 2].map((i) => of.transaction((tx) => record(tx, `w${i}`).then(() => tx.meta.put(`k${i}`, 'v')))));
  await write(store);
  const first = await writersOf(store);
  assert.ok(first.length >= 1 && first.every(({ endedNumber }) => endedNumber === undefined), 'open writers');
  await store.close();
  const again = await openOnPool(faultyPool(url, 4).pool, {});
  await write(again);
  const all = await writersOf(again);
  const known = new Set(first.map(({ id }) => id));
  assert.equal(
    all.filter(({ id }) => known.has(id)).reduce((sum, { endedNumber = Number.NaN }) => sum + endedNumber, 0),
    3,
  );
  assert.ok(all.some(({ id, endedNumber }) => !known.has(id) && endedNumber === undefined));
  assert.deepEqual((await check(again)).faults, []);
  await again.close();
});

test('PostgreSQL: a writer that another server has ended writes no further record, and the next one has another writer', async () => {
  const { store } = await open(4);
  for (const work of [(tx: Tx) => record(tx, 'alone'), (tx: Tx) => record(tx, 'inside').then(() => tx.meta.put('k', 'v'))]) {
    await store.transaction((tx) => record(tx, 'before'));
    const ended = await store.transaction(({ sql }) => endWriters(sql, { order: 'first_number', now: NOON, idleSince: 'any' }));
    assert.equal(ended, 1);
    await assert.rejects(store.transaction(work), { code: '23505' });
    await store.transaction(work);
  }
  const { faults, records } = await check(store);
  assert.deepEqual([faults, records], [[], 4]);
  await store.close();
});
