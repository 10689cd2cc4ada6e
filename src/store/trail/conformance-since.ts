import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HOUR_MS } from '#core/duration.ts';
import { NOON, type Suite, trailRow } from '../conformance-fixtures.ts';
import { exampleContext } from './context-examples.ts';
import type { TrailRow } from './trail-row.ts';

/** Time of the records. It is after that of the records of all other tests, because positions never decrease. */
const LATE = NOON + 5 * HOUR_MS;

/** Tests of `since`. They run last, because they set the clock hours ahead. */
export function sinceConformance({ within, fresh, setClock }: Suite): void {
  let clock = LATE;
  /** Sets the clock to a time at which all records are settled. */
  const settle = (): void => setClock((clock += 60_000));

  /** Reads all records after a position, when they are settled. Also returns the position of the last one. */
  async function everyRecord(start = 0): Promise<{ readonly rows: readonly TrailRow[]; readonly position: number }> {
    settle();
    const rows: TrailRow[] = [];
    for (let position = start; ; ) {
      const after = position;
      const page = await within((tx) => tx.trail.since(after, 100));
      if (page.rows.length === 0) return { rows, position };
      rows.push(...page.rows);
      ({ position } = page);
    }
  }

  describe('trail: since()', () => {
    test('trail: since() returns data events, and no look-up finds them', async () => {
      const accountId = fresh();
      const data = trailRow('data', LATE, { accountId, category: 'Data', userName: 'ann', resources: [{ name: 'arn:aws:s3:::b/k' }] });
      const rows = [trailRow('before', LATE, { accountId }), data, trailRow('after', LATE, { accountId })];
      settle();
      await within(async (tx) => {
        for (const row of rows) await tx.trail.append(row);
      });
      const query = { accountId, region: data.region, from: data.at, to: data.at, limit: 50 };
      const ids = async (attribute?: { readonly name: 'EventId' | 'EventName' | 'Username' | 'ResourceName'; readonly value: string }) => {
        const page = await within((tx) => tx.trail.lookup({ ...query, ...(attribute && { attribute }) }));
        return page.rows.map(({ eventId }) => eventId);
      };
      assert.deepEqual(await ids(), ['after', 'before']);
      assert.deepEqual(await ids({ name: 'EventName', value: data.eventName }), ['after', 'before']);
      assert.deepEqual(await ids({ name: 'EventId', value: 'data' }), []);
      assert.deepEqual(await ids({ name: 'Username', value: 'ann' }), []);
      assert.deepEqual(await ids({ name: 'ResourceName', value: 'arn:aws:s3:::b/k' }), []);
      const all = await everyRecord();
      assert.deepEqual(
        all.rows.filter((row) => row.accountId === accountId),
        rows,
      );
    });

    test('trail: decisionOf() finds each record of an account and region by its ID, with its context, also a data event', async () => {
      const accountId = fresh();
      const context = exampleContext({ userAgent: 'decided' });
      const rows = Array.from({ length: 70 }, (_, i) =>
        trailRow(`decided-${i}`, LATE, { accountId, ...(i % 3 === 0 && { category: 'Data' }), ...(i % 2 === 0 && { context }) }),
      );
      settle();
      await within(async (tx) => {
        for (const row of rows) await tx.trail.append(row);
      });
      const find = (eventId: string, region = 'us-east-1', of = accountId) =>
        within((tx) => tx.trail.decisionOf({ accountId: of, region, eventId }));
      for (const row of rows) {
        const { context: ofRow, ...rest } = row;
        assert.deepEqual(await find(row.eventId), { row: rest, ...(ofRow !== undefined && { context: ofRow }) });
      }
      assert.deepEqual(
        [await find('decided-70'), await find('decided-1', 'eu-west-1'), await find('decided-1', 'us-east-1', fresh())],
        [undefined, undefined, undefined],
      );
    });

    test('trail: since() reads up to the last position, this position included', async () => {
      const accountId = fresh();
      const start = (await everyRecord()).position;
      const positions: number[] = [];
      for (const id of ['upto-1', 'upto-2', 'upto-3']) {
        await within((tx) => tx.trail.append(trailRow(id, LATE, { accountId })));
        positions.push((await everyRecord(start)).position);
      }
      settle();
      const found = async (upTo: number) => (await within((tx) => tx.trail.since(start, 100, upTo))).rows.map(({ eventId }) => eventId);
      assert.deepEqual(await found((positions[1] as number) - 1), ['upto-1']);
      assert.deepEqual(await found(positions[1] as number), ['upto-1', 'upto-2']);
      assert.deepEqual(await within((tx) => tx.trail.since(start, 100, start)), { rows: [], position: start });
    });
  });
}
