import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { NOON, type Suite, trailRow } from '../conformance-fixtures.ts';
import { positionAt } from '../engine/position.ts';
import { countOf } from '../table.ts';
import type { LookupPage, LookupQuery } from './trail.ts';
import { indexedUpTo, mergeRuns, writeRun } from './trail-index.ts';
import type { LookupAttribute, TrailRow } from './trail-row.ts';

/** Number of records: enough for some runs of the index. */
const COUNT = 3_000;
/** Time of the first record. */
const BASE = NOON + 3_600_000;

/** Values to look up, by attribute. Some of them are in no record. */
const VALUES: Readonly<Record<LookupAttribute, readonly string[]>> = {
  EventId: ['grown-0', 'grown-1500', 'grown-2999', 'grown-3000'],
  EventName: ['Event0', 'Event9'],
  Username: ['user-0', 'user-5', 'user-9'],
  ReadOnly: ['true', 'false'],
  AccessKeyId: ['AKIA0', 'AKIA96', 'AKIA97'],
  EventSource: ['chime.amazonaws.com', 'iam.amazonaws.com'],
  ResourceName: ['thing-0', 'thing-1495', 'thing-1'],
  ResourceType: ['Type0', 'Type2', 'type2'],
};

const COUNT_RUNS = 'SELECT COUNT(*) AS count FROM trail_run WHERE level = $1';
const COUNT_BLOCKS_WITHOUT_RUN = `
  SELECT COUNT(*) AS count FROM trail_index i
  WHERE NOT EXISTS (SELECT 1 FROM trail_run r WHERE r.level = i.level AND r.last_position = i.last_position)`;
const COUNT_AFTER = 'SELECT COUNT(*) AS count FROM trail_pack WHERE position > $1';

/** Returns the values of an attribute of a record. */
function valuesOf(row: TrailRow, name: LookupAttribute): readonly (string | undefined)[] {
  switch (name) {
    case 'EventId':
      return [row.eventId];
    case 'EventName':
      return [row.eventName];
    case 'Username':
      return [row.userName];
    case 'ReadOnly':
      return [String(row.readOnly)];
    case 'AccessKeyId':
      return [row.accessKeyId];
    case 'EventSource':
      return [row.eventSource];
    case 'ResourceName':
      return row.resources.map((resource) => resource.name);
    case 'ResourceType':
      return row.resources.map((resource) => resource.type);
  }
}

/** Creates the records of the trail, which belong to two accounts. */
function grownRows([first, second]: readonly [AccountId, AccountId]): readonly TrailRow[] {
  return Array.from({ length: COUNT }, (_, i) =>
    trailRow(`grown-${i}`, BASE + i, {
      accountId: i % 7 === 0 ? second : first,
      region: i % 11 === 0 ? 'eu-central-1' : 'us-east-1',
      eventName: `Event${i % 3}`,
      readOnly: i % 2 === 0,
      userName: `user-${Math.floor(i / 500)}`,
      accessKeyId: `AKIA${i % 97}`,
      resources: i % 5 === 0 ? [{ type: `Type${Math.floor(i / 1000)}`, name: `thing-${i}` }] : [],
    }),
  );
}

/** Runs and merges that are smaller than those of the server. */
const SMALL_RUN = { keys: 700, packs: 100 };
const SMALL_MERGE = { runs: 3, at: 5 };

/** Declares the tests of a trail with an index: look-ups by the index must find the same records as a comparison with each record. */
export function grownTrailConformance({ within, fresh, setClock }: Suite): void {
  describe('trail of some thousand records', () => {
    const accounts = [fresh(), fresh()] as const;
    const rows = grownRows(accounts);

    before(async () => {
      // Groups of a hundred concurrent records, a tenth of a second apart.
      for (let i = 0; i < COUNT; i += 100) {
        setClock(BASE + i);
        await Promise.all(rows.slice(i, i + 100).map((row) => within((tx) => tx.trail.append(row))));
      }
      // All records have settled on every engine. Those of full runs are in the index.
      setClock(BASE + 3_600_000);
      while ((await within(({ sql }) => writeRun(sql, positionAt(BASE + 3_000_000), SMALL_RUN))) === 'more')
        while ((await mergeRuns(within, SMALL_MERGE)) === 'more');
    });

    /** Reads all pages of a look-up. */
    async function idsOf(query: LookupQuery): Promise<readonly string[]> {
      const found: string[] = [];
      let next: string | undefined;
      do {
        const page: LookupPage = await within((tx) => tx.trail.lookup({ ...query, ...(next === undefined ? {} : { before: next }) }));
        found.push(...page.rows.map(({ eventId }) => eventId));
        next = page.next;
      } while (next !== undefined);
      return found;
    }

    test('trail: runs of both levels contain the older records, and no run contains the newest ones', async () => {
      const indexed = await within(({ sql }) => indexedUpTo(sql));
      const levels = await within(({ sql }) => Promise.all([0, 1].map((level) => countOf(sql, COUNT_RUNS, [level]))));
      const blocks = await within(({ sql }) => countOf(sql, COUNT_BLOCKS_WITHOUT_RUN, []));
      const newest = await within(({ sql }) => countOf(sql, COUNT_AFTER, [indexed]));
      assert.ok(indexed > positionAt(BASE + 1024));
      assert.deepEqual([levels.every((count) => count > 0), blocks, newest > 0], [true, 0, true]);
    });

    for (const [name, values] of Object.entries(VALUES) as [LookupAttribute, readonly string[]][]) {
      for (const value of values) {
        test(`trail: a look-up of ${name} ${value} by the index finds the same records as a full scan`, async () => {
          for (const [accountId, from, to] of [
            [accounts[0], BASE, BASE + COUNT],
            [accounts[1], BASE + 900, BASE + 2_100],
          ] as const) {
            const range = { accountId, region: 'us-east-1', from: from as Instant, to: to as Instant };
            const expected = rows.filter(
              (row) =>
                row.accountId === accountId &&
                row.region === range.region &&
                row.at >= from &&
                row.at <= to &&
                valuesOf(row, name).includes(value),
            );
            const found = await idsOf({ ...range, attribute: { name, value }, limit: 171 });
            assert.deepEqual(found.toSorted(), expected.map(({ eventId }) => eventId).toSorted());
          }
        });
      }
    }

    test('trail: since returns each record once', async () => {
      const seen: string[] = [];
      let position = 0;
      for (;;) {
        const page = await within((tx) => tx.trail.since(position, 20));
        if (page.rows.length === 0) break;
        seen.push(...page.rows.map(({ eventId }) => eventId));
        position = page.position;
      }
      const grown = seen.filter((eventId) => eventId.startsWith('grown-'));
      assert.deepEqual([new Set(grown).size, grown.length], [COUNT, COUNT]);
    });
  });
}
