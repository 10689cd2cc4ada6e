import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { NOON, type Suite, trailRow } from '../conformance-fixtures.ts';
import { positionAt } from '../engine/position.ts';
import type { LookupPage, LookupQuery } from './trail.ts';
import { chunkedUpTo, makeChunks } from './trail-chunk.ts';
import type { LookupAttribute, TrailRow } from './trail-row.ts';

/** Number of records: enough for two chunks. */
const COUNT = 3_000;
/** Time of the first record. */
const BASE = NOON + 3_600_000;

/** Values to look up. Some are in no record. */
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

/** Returns the records of two accounts. */
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

/** Declares the tests of a trail with chunks: look-ups by filters must find the same records as a comparison with each record. */
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
      // All records have settled on every engine. Those of full chunks are in chunks.
      setClock(BASE + 3_600_000);
      while ((await within(({ sql }) => makeChunks(sql, positionAt(BASE + 3_000_000)))) === 'more');
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

    test('trail: the records are in chunks', async () => {
      assert.ok((await within(({ sql }) => chunkedUpTo(sql))) > positionAt(BASE + 1024));
    });

    for (const [name, values] of Object.entries(VALUES) as [LookupAttribute, readonly string[]][]) {
      for (const value of values) {
        test(`trail: a look-up of ${name} ${value} in chunks finds the same records as a comparison with each`, async () => {
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
        const page = await within((tx) => tx.trail.since(position, 700));
        if (page.rows.length === 0) break;
        seen.push(...page.rows.map(({ eventId }) => eventId));
        position = page.position;
      }
      const grown = seen.filter((eventId) => eventId.startsWith('grown-'));
      assert.deepEqual([new Set(grown).size, grown.length], [COUNT, COUNT]);
    });
  });
}
