import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { HOUR_MS } from '#core/duration.ts';
import type { Instant } from '#core/instant.ts';
import { NOON, type Suite, trailRow, type Within } from '../conformance-fixtures.ts';
import { positionAt } from '../engine/position.ts';
import type { Sql } from '../sql.ts';
import { countOf } from '../table.ts';
import { BLOCK_ENTRIES, noEntries, readEntries, TRAIL_BLOCK, TRAIL_RUN } from './trail-blocks.ts';
import { indexedUpTo, writeRun } from './trail-index.ts';
import { parseKeys } from './trail-keys.ts';
import { merging } from './trail-merge.ts';
import type { LookupAttribute, TrailRow } from './trail-row.ts';
import type { LookupPage, LookupQuery } from './trail-search.ts';

/** Number of records. They are enough for several runs, which are the parts of the index. */
const COUNT = 3_000;
/** Time of the first record. */
const BASE = NOON + HOUR_MS;

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

const SELECT_LEVELS = 'SELECT level, COUNT(*) AS count FROM trail_run GROUP BY level ORDER BY level';
const SELECT_INDEXED = 'SELECT position, keys FROM trail_pack WHERE position <= $1';
const COUNT_BLOCKS_WITHOUT_RUN = `
  SELECT COUNT(*) AS count FROM trail_block i
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
const SMALL_RUN = { keys: 310, packs: 37 };
const SMALL_MERGE = { runs: 3, at: 4 };

/** Number of oldest runs that the test replaces by a run of an earlier version. */
const OLD_RUNS = 2;
const SELECT_OLD = 'SELECT last_position, first_position FROM trail_run ORDER BY last_position LIMIT $1';
const SELECT_OLD_BLOCKS =
  'SELECT entries FROM trail_block WHERE level = 0 AND last_position <= $1 ORDER BY last_position, first_key, first_position';

/** Replaces the oldest runs by one of level 1 in the format before schema version 14: all entries of a key are in one block, of which some occur twice. */
async function writeOldRun(sql: Sql): Promise<void> {
  const runs = await sql.rows<{ readonly last_position: number; readonly first_position: number }>(SELECT_OLD, [OLD_RUNS]);
  const lastPosition = runs.at(-1)?.last_position as number;
  const { keys, positions } = noEntries();
  for (const { entries } of await sql.rows<{ readonly entries: Uint8Array }>(SELECT_OLD_BLOCKS, [lastPosition])) {
    readEntries(entries, { keys, positions });
  }
  const byKey = Map.groupBy(
    keys.map((key, i) => ({ key, position: positions[i] as number })),
    ({ key }) => key,
  );
  let block: { readonly key: number; readonly position: number }[] = [];
  const sorted = [...byKey].toSorted(([a], [b]) => a - b);
  for (const [i, [, entries]] of sorted.entries()) {
    block.push(...entries, entries[0] as (typeof block)[number]);
    if (block.length < BLOCK_ENTRIES && i + 1 < sorted.length) continue;
    const written = new DataView(new ArrayBuffer(12 * block.length));
    for (const [at, { key, position }] of block.toSorted((a, b) => a.key - b.key || a.position - b.position).entries()) {
      written.setUint32(12 * at, key);
      written.setFloat64(12 * at + 4, position);
    }
    const firstKey = (block[0] as (typeof block)[number]).key;
    await TRAIL_BLOCK.put(sql, { level: 1, lastPosition, firstKey, firstPosition: 0, entries: new Uint8Array(written.buffer) });
    block = [];
  }
  await sql.run('DELETE FROM trail_block WHERE level = 0 AND last_position <= $1', [lastPosition]);
  await sql.run('DELETE FROM trail_run WHERE last_position <= $1', [lastPosition]);
  await TRAIL_RUN.insert(sql, { lastPosition, firstPosition: runs[0]?.first_position as number, level: 1 });
}

/** Merges with two servers at once. Ends one of them after some parts, and another one takes its place. */
async function mergeAll(within: Within): Promise<void> {
  const servers = [merging(within, SMALL_MERGE), merging(within, SMALL_MERGE)];
  let parts = 0;
  for (;;) {
    const due = await Promise.all(servers.map((server) => within(({ sql }) => server.due(sql))));
    if (due.every((isDue) => !isDue)) return;
    for (const result of await Promise.allSettled(servers.map((server) => server.part()))) {
      if (result.status === 'rejected') assert.match(String(result.reason), /another server merged the runs/);
    }
    parts++;
    // The intervals grow, so that each merge ends.
    if (Number.isInteger(Math.sqrt(parts))) servers[parts % 2] = merging(within, SMALL_MERGE);
  }
}

/** Declares the tests of a trail with an index: look-ups by the index must find the same records as a comparison with each record. */
export function grownTrailConformance({ within, fresh, setClock }: Suite): void {
  describe('trail: look-ups in a trail of some thousand records use the index', () => {
    const accounts = [fresh(), fresh()] as const;
    const rows = grownRows(accounts);

    before(async () => {
      // A hundred transactions append records at the same time. The next hundred begin a tenth of a second later, by
      // the store's clock.
      for (let i = 0; i < COUNT; i += 100) {
        setClock(BASE + i);
        await Promise.all(rows.slice(i, i + 100).map((row) => within((tx) => tx.trail.append(row))));
      }
      // An hour later, no engine can add an earlier record. The loop indexes the records that fill complete runs.
      setClock(BASE + HOUR_MS);
      const settled = positionAt(BASE + 3_000_000);
      for (let runs = 1; (await within(({ sql }) => writeRun(sql, settled, SMALL_RUN))) === 'more'; runs++) {
        if (runs === OLD_RUNS) await within(({ sql }) => writeOldRun(sql));
      }
      await mergeAll(within);
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

    test('trail: runs of three levels contain the older records, and no run contains the newest ones', async () => {
      const indexed = await within(({ sql }) => indexedUpTo(sql));
      const levels = await within(({ sql }) => sql.rows<{ readonly level: number; readonly count: number }>(SELECT_LEVELS));
      const blocks = await within(({ sql }) => countOf(sql, COUNT_BLOCKS_WITHOUT_RUN, []));
      const newest = await within(({ sql }) => countOf(sql, COUNT_AFTER, [indexed]));
      assert.ok(indexed > positionAt(BASE + 1024));
      assert.ok(levels.length >= 3 && levels.every(({ count }) => count < SMALL_MERGE.at), JSON.stringify(levels));
      assert.deepEqual([blocks, newest > 0], [0, true]);
    });

    test('trail: each key of a pack is once in the runs, in blocks that the second copy of a merge did not change', async () => {
      const [expected, found] = await within(async ({ sql }) => {
        const packs = await sql.rows<{ readonly position: number; readonly keys: string }>(SELECT_INDEXED, [await indexedUpTo(sql)]);
        const inPacks = new Set(packs.flatMap(({ position, keys }) => [...parseKeys(keys)].map((key) => `${key} ${position}`)));
        const entries = noEntries();
        for (const block of await TRAIL_BLOCK.rows(sql, `SELECT ${TRAIL_BLOCK.names} FROM trail_block`))
          readEntries(block.entries, entries);
        return [[...inPacks], entries.keys.map((key, i) => `${key} ${entries.positions[i]}`)];
      });
      assert.deepEqual(found.toSorted(), expected.toSorted());
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

    test('trail: decisionOf() finds old and new records by the index', async () => {
      const wanted = [rows[0], rows[COUNT >> 1], rows.at(-1)] as readonly TrailRow[];
      const found = await Promise.all(wanted.map((row) => within((tx) => tx.trail.decisionOf(row))));
      assert.deepEqual(
        found.map((each) => each?.row.eventId),
        wanted.map(({ eventId }) => eventId),
      );
    });

    test('trail: since() returns each record once', async () => {
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
