import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { NOON, type Suite, trailRow } from '../conformance-fixtures.ts';
import { positionAt } from '../engine/position.ts';
import { countOf } from '../table.ts';
import { TRAIL_BLOCK, TRAIL_RUN } from './trail-blocks.ts';
import { newTip } from './trail-chain.ts';
import { packInserts } from './trail-pack.ts';
import { type PackFacts, trailRetention } from './trail-retention.ts';

export function conformance(suite: Suite): void {
  describe('trail retention: settings and unreported deletions', () => settings(suite));
  describe('trail retention: packs and runs', () => packs(suite));
}

function settings({ within, fresh }: Suite): void {
  test('trail retention: an account has its own days, or those of the settings', async () => {
    const accounts = Array.from({ length: 70 }, fresh);
    await within(async (tx) => {
      const retention = tx.of(trailRetention);
      for (const [i, accountId] of accounts.entries()) if (i % 2 === 0) await retention.set(accountId, 7 + (i % 3));
      await retention.unset(accounts[0] as AccountId);
    });
    const [days, own, other] = await within(async (tx) => {
      const retention = tx.of(trailRetention);
      const start = (i: number) => retention.startOf(accounts[i] as AccountId, 90, NOON);
      return [await retention.daysOf(accounts), await start(2), await start(1)] as const;
    });
    assert.deepEqual(
      accounts.map((accountId) => days.get(accountId)),
      accounts.map((_, i) => (i > 0 && i % 2 === 0 ? 7 + (i % 3) : undefined)),
    );
    assert.deepEqual([own, other], [NOON - 9 * DAY_MS, NOON - 90 * DAY_MS]);
    assert.deepEqual(await within((tx) => tx.of(trailRetention).differentDays(2)), [7, 8]);
  });

  test('trail retention: deletions of an account add up until they are taken', async () => {
    const [accountId, other] = [fresh(), fresh()];
    const add = (account: AccountId, records: number, oldest: number, newest: number) =>
      within((tx) => tx.of(trailRetention).addDeletion({ accountId: account, records, oldest: instant(oldest), newest: instant(newest) }));
    for (const [records, oldest, newest] of [
      [3, 20, 30],
      [4, 10, 25],
      [5, 15, 40],
    ] as const)
      await add(accountId, records, oldest, newest);
    await add(other, 1, 1, 1);
    const take = () => within((tx) => tx.of(trailRetention).takeDeletions(1));
    assert.deepEqual(await take(), [{ accountId, records: 12, oldest: 10, newest: 40 }]);
    assert.equal(await within((tx) => tx.of(trailRetention).hasDeletions()), true);
    assert.deepEqual(
      (await take()).map((deletion) => deletion.accountId),
      [other],
    );
    assert.equal(await within((tx) => tx.of(trailRetention).hasDeletions()), false);
  });

  test('trail retention: a hold keeps its lowest position until it is released', async () => {
    const accountId = fresh();
    const holds = () => within(async (tx) => (await tx.of(trailRetention).holds('', 99)).filter((hold) => hold.accountId === accountId));
    for (const position of [20, 10, 30]) await within((tx) => tx.of(trailRetention).hold(accountId, position));
    assert.deepEqual(await holds(), [{ accountId, position: 10 }]);
    await within((tx) => tx.of(trailRetention).release(accountId));
    assert.deepEqual(await holds(), []);
  });
}

/** Position before those of all other suites. */
const OLD = positionAt(NOON - 1_000 * DAY_MS);

function packs({ within, fresh }: Suite): void {
  test('trail retention: deleteRecords() removes records and rewrites the rest of their pack', async () => {
    const [first, second] = [fresh(), fresh()];
    const rows = Array.from({ length: 6 }, (_, i) =>
      trailRow(`kept-${i}`, NOON - 1_000 * DAY_MS, {
        accountId: i % 2 === 0 ? first : second,
        userName: 'é\0'.repeat(i),
        document: `{"n":"${'é'.repeat(i)}"}`,
      }),
    );
    await within(async ({ sql }) => {
      for (const { text, values } of packInserts(rows, () => OLD, newTip())) await sql.run(text, values);
    });
    const read = () => within((tx) => tx.of(trailRetention).packs({ position: OLD - 1, eventId: '' }, OLD + 1, 9));
    const [pack] = await read();
    assert.deepEqual(
      pack?.records?.map(({ accountId, at, length }) => [accountId, at, length]),
      rows.map(({ accountId, at, document }) => [accountId, at, document.length]),
    );
    const remove = (deleted: readonly number[], of: PackFacts | undefined) =>
      within((tx) => tx.of(trailRetention).deleteRecords(of as PackFacts, (index) => deleted.includes(index)));
    assert.equal(await remove([0, 3], pack), 'rewritten');
    const found = await within(async ({ trail }) => {
      const of = (accountId: AccountId) =>
        trail.lookup({ accountId, region: 'us-east-1', from: instant(0), to: instant(NOON - 999 * DAY_MS), limit: 9 });
      return [(await of(first)).rows, (await of(second)).rows];
    });
    assert.deepEqual(found, [
      [rows[4], rows[2]],
      [rows[5], rows[1]],
    ]);
    const stored = await within(({ sql }) => sql.rows('SELECT * FROM trail_pack WHERE position = $1', [OLD]));
    assert.ok(!/kept-[03]/.test(JSON.stringify(stored)), 'nothing of the deleted records remains');
    const [rest] = await read();
    assert.equal(rest?.eventId, 'kept-1');
    assert.equal(await remove([0, 1, 2, 3], rest), 'deleted');
    assert.deepEqual(await read(), []);
  });

  test('trail retention: a deleted run and its blocks disappear in parts', async () => {
    const run = { level: 1, lastPosition: OLD, firstPosition: OLD - 9 };
    await within(async ({ sql }) => {
      await TRAIL_RUN.insert(sql, run);
      for (let firstKey = 0; firstKey < 25; firstKey++)
        await TRAIL_BLOCK.put(sql, {
          level: 1,
          lastPosition: OLD,
          firstKey: firstKey >> 1,
          firstPosition: firstKey,
          entries: new Uint8Array(12),
        });
    });
    const runs = () => within((tx) => tx.of(trailRetention).indexRuns(OLD - 1, OLD + 1, 9));
    assert.deepEqual(await runs(), [run]);
    assert.equal(await within((tx) => tx.of(trailRetention).hasPack(run)), false);
    await within((tx) => tx.of(trailRetention).deleteRun(run));
    assert.deepEqual(await runs(), []);
    const remove = () => within((tx) => tx.of(trailRetention).deleteBlocks(run, 10));
    assert.deepEqual([await remove(), await remove(), await remove()], ['more', 'more', 'done']);
    const left = await within(({ sql }) => countOf(sql, 'SELECT COUNT(*) AS count FROM trail_block WHERE last_position = $1', [OLD]));
    assert.equal(left, 0);
  });
}
