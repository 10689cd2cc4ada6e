import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { NOON, type Suite, trailRow } from '../conformance-fixtures.ts';
import type { Tx } from '../store.ts';
import { IMPORTED, startLink, TRAIL_WRITER, type TrailWriter } from './trail-chain.ts';
import { type ChainFault, verifyChain } from './trail-chain-check.ts';
import { type ChainedPack, chainedRecords, hashOf, START_OF_CHAIN } from './trail-chain-reads.ts';
import { packInserts } from './trail-pack.ts';
import { trailRetention } from './trail-retention.ts';
import { numberOldPacks } from './trail-writers.ts';

/** Functions that read the chains of the store. */
function reading({ within }: Suite) {
  /** Reads the chain of a writer in pages. */
  async function chainOf(writer: string, limit: number): Promise<readonly ChainedPack[]> {
    const packs: ChainedPack[] = [];
    for (let place = START_OF_CHAIN; ; ) {
      const page = await within((tx) => tx.trail.chainSince(writer, place, limit));
      packs.push(...page.packs);
      if (page.isEnd) return packs;
      ({ place } = page);
    }
  }
  /** Reads and checks the chains of the store's own writers. */
  async function chains(limit: number): Promise<{ readonly packs: readonly ChainedPack[]; readonly faults: readonly ChainFault[] }> {
    const writers = await within(({ sql }) => TRAIL_WRITER.page(sql, [], [''], 1_000));
    const packs: ChainedPack[] = [];
    const faults: ChainFault[] = [];
    for (const writer of writers) {
      const own = await chainOf(writer.id, limit);
      packs.push(...own);
      const fault = await verifyChain(writer, own);
      if (fault !== undefined) faults.push(fault);
    }
    return { packs, faults };
  }
  return { chainOf, chains };
}

export function conformance(suite: Suite): void {
  describe('trail chain: numbers and deletions', () => numbers(suite));
  describe('trail chain: old records', () => oldRecords(suite));
}

function numbers(suite: Suite): void {
  const { within, fresh } = suite;
  const { chains } = reading(suite);
  const recordOf = (accountId: AccountId, name: string, more: Parameters<typeof trailRow>[2] = {}) =>
    trailRow(`${name} ${accountId}`, NOON, { accountId, ...more });

  test('trail chain: records of concurrent transactions have numbers without gaps, failed ones have none', async () => {
    const accountId = fresh();
    const work = async (tx: Tx, i: number): Promise<void> => {
      await tx.trail.append(recordOf(accountId, `e${i}`));
      if (i % 3 > 0) await tx.meta.put(`chain ${i}`, 'v');
      if (i % 3 === 2) throw new Error('refused');
      if (i % 5 === 0) await tx.trail.append(recordOf(accountId, `second e${i}`));
    };
    await Promise.allSettled(Array.from({ length: 60 }, (_, i) => within((tx) => work(tx, i))));
    const { packs, faults } = await chains(3);
    assert.deepEqual(faults, []);
    const found = packs.flatMap(chainedRecords).flatMap(({ eventId }) => (eventId?.endsWith(accountId) ? [eventId] : []));
    const expected = Array.from({ length: 60 }, (_, i) => i)
      .filter((i) => i % 3 < 2)
      .flatMap((i) => [`e${i} ${accountId}`, ...(i % 5 === 0 ? [`second e${i} ${accountId}`] : [])]);
    assert.deepEqual(found.toSorted(), expected.toSorted());
  });

  test('trail chain: after deletions from a pack, the chain has the hashes of the records and nothing else of them', async () => {
    const [first, second, third] = [fresh(), fresh(), fresh()];
    const rows = [first, second, third, first].map((accountId, i) => recordOf(accountId, `kept-${i}`, { document: `{"n":"é${i}"}` }));
    await within(async (tx) => {
      for (const row of rows) await tx.trail.append(row);
      await tx.meta.put('chain', 'v');
    });
    const own = async () => {
      const { packs, faults } = await chains(100);
      assert.deepEqual(faults, []);
      return packs;
    };
    const before = (await own()).find((pack) => chainedRecords(pack).some(({ eventId }) => eventId === rows[0]?.eventId)) as ChainedPack;
    const [begin] = chainedRecords(before);
    const { position } = before;
    const remove = (accounts: readonly AccountId[]) =>
      within(async (tx) => {
        const found = await tx.of(trailRetention).packs({ position: position - 1, eventId: '' }, position + 1, 9);
        const pack = found.find((each) => each.position === position);
        const { records = [] } = pack as NonNullable<typeof pack>;
        return await tx
          .of(trailRetention)
          .deleteRecords(pack as NonNullable<typeof pack>, (i) => accounts.includes(records[i]?.accountId as AccountId));
      });
    // biome-ignore format: a table
    for (const [accounts,  outcome,     gone] of [
      [[second],           'rewritten', [1]],
      [[third],            'rewritten', [1, 2]],
      [[first],            'deleted',   [0, 1, 2, 3]],
    ] as const) {
      assert.equal(await remove(accounts), outcome);
      const after = (await own()).find((pack) => pack.writer === before.writer && pack.firstNumber === before.firstNumber) as ChainedPack;
      assert.deepEqual(
        chainedRecords(after).map((record) => [record.number, record.at, record.eventId, Buffer.from(hashOf(record)).toString('hex')]),
        rows.map((row, i) => [
          (begin?.number as number) + i,
          row.at,
          gone.some((each) => each === i) ? undefined : row.eventId,
          hash('sha256', row.document),
        ]),
      );
      const stored = await within(async ({ sql }) => [
        await sql.rows('SELECT * FROM trail_pack WHERE position = $1', [position]),
        await sql.rows('SELECT * FROM trail_removed WHERE position = $1', [position]),
      ]);
      const bytes = Buffer.concat(stored.flat().flatMap((row) => Object.values(row as object).map((value) => Buffer.from(typeof value === 'object' && value !== null ? value : String(value)))));
      for (const i of gone) for (const part of [rows[i]?.eventId, rows[i]?.document]) assert.ok(!bytes.includes(part as string), `${part} remains`);
    }
  });
}

function oldRecords(suite: Suite): void {
  const { within } = suite;
  const { chainOf } = reading(suite);
  test('trail chain: records without numbers get them in steps, the oldest first, and the chain has an end', async () => {
    const imported = { id: IMPORTED, server: '', startedAt: 0 as TrailWriter['startedAt'] };
    await within(async ({ sql }) => {
      const tip = { writer: imported, isStarted: true, number: 0, link: startLink(imported) };
      let position = 0;
      const rows = Array.from({ length: 70 }, (_, i) => trailRow(`old-${i}`, NOON));
      for (let i = 0; i < rows.length; i += 10)
        for (const { text, values } of packInserts(rows.slice(i, i + 10), () => ++position, tip))
          await sql.run(text, [...values.slice(0, 6), null, null, null]);
      await TRAIL_WRITER.insert(sql, imported);
    });
    const steps: string[] = [];
    while (steps.at(-1) !== 'done') steps.push(await within(({ sql }) => numberOldPacks(sql, NOON, 3)));
    assert.deepEqual(steps, ['more', 'more', 'done']);
    assert.equal(await within(({ sql }) => numberOldPacks(sql, NOON, 3)), 'done');
    const packs = await chainOf(IMPORTED, 2);
    const writer = (await within(({ sql }) => TRAIL_WRITER.get(sql, IMPORTED))) as TrailWriter;
    assert.equal(writer.endedNumber, 70);
    assert.equal(await verifyChain(writer, packs), undefined);
    assert.deepEqual(
      packs.flatMap(chainedRecords).map(({ number, eventId }) => [number, eventId]),
      Array.from({ length: 70 }, (_, i) => [i + 1, `old-${i}`]),
    );
  });
}
