import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { BOB, NOON, type Suite, trailRow, type Within } from '../conformance-fixtures.ts';
import { positionAt } from '../engine/position.ts';
import type { LookupPage } from './trail.ts';
import { chunkedUpTo, makeChunks } from './trail-chunk.ts';
import type { LookupAttribute, TrailRow } from './trail-row.ts';

export function conformance({ within, fresh, setClock }: Suite): void {
  trailConformance(within, fresh, setClock);
  grownTrailConformance(within, fresh, setClock);
}

function trailConformance(within: Within, fresh: () => AccountId, setClock: (moment: number) => void): void {
  describe('trail', () => {
    const record = async (...rows: TrailRow[]): Promise<void> => {
      for (const row of rows) {
        setClock(row.at);
        await within((tx) => tx.trail.append(row));
      }
    };
    const lookup = (
      accountId: AccountId,
      more: { from?: number; to?: number; limit?: number; before?: string; attribute?: { name: LookupAttribute; value: string } } = {},
    ) =>
      within((tx) =>
        tx.trail.lookup({
          accountId,
          region: 'us-east-1',
          limit: 50,
          ...more,
          from: (more.from ?? 0) as Instant,
          to: (more.to ?? NOON * 2) as Instant,
        }),
      );
    const ids = async (...query: Parameters<typeof lookup>) => (await lookup(...query)).rows.map(({ eventId }) => eventId);

    test('trail: a record is read back as it was appended', async () => {
      const accountId = fresh();
      const full = trailRow('full', NOON, {
        accountId,
        readOnly: true,
        userName: 'ann',
        accessKeyId: 'AKIA1',
        resources: [{ name: 'm-1' }, { type: 'AWS::Chime::Meeting', name: 'm"2' }],
      });
      await record(full);
      assert.deepEqual((await lookup(accountId)).rows, [full]);
    });

    test('trail: a record is kept whatever text its caller sent', async () => {
      const accountId = fresh();
      await record(trailRow('odd', NOON, { accountId, userName: 'a\0b', resources: [{ name: 'c\0d\u{d800}' }] }));
      const [row] = (await lookup(accountId)).rows;
      assert.deepEqual([row?.userName, row?.resources], ['a\u{fffd}b', [{ name: 'c\0d\u{d800}' }]]);
    });

    test('trail: many at once that do nothing else are all kept', async () => {
      const accountId = fresh();
      const expected = Array.from({ length: 300 }, (_, i) => `many-${i}`);
      await Promise.all(expected.map((eventId) => within((tx) => tx.trail.append(trailRow(eventId, NOON, { accountId })))));
      assert.deepEqual((await ids(accountId, { limit: 500 })).toSorted(), expected.toSorted());
    });

    test('trail: a record is seen by its own transaction', async () => {
      const accountId = fresh();
      const rows = await within(async (tx) => {
        await tx.trail.append(trailRow('own', NOON, { accountId }));
        return (await tx.trail.lookup({ accountId, region: 'us-east-1', from: NOON, to: NOON, limit: 1 })).rows;
      });
      assert.deepEqual(
        rows.map(({ eventId }) => eventId),
        ['own'],
      );
    });

    test('trail: records of other accounts and regions are not found', async () => {
      const accountId = fresh();
      await record(
        trailRow('mine', NOON, { accountId }),
        trailRow('theirs', NOON, { accountId: BOB }),
        trailRow('elsewhere', NOON, { accountId, region: 'eu-central-1' }),
      );
      assert.deepEqual(await ids(accountId), ['mine']);
    });

    test('trail: newest first, in pages that meet without gap or repetition', async () => {
      const accountId = fresh();
      const expected = Array.from({ length: 25 }, (_, i) => `e${24 - i}`);
      for (const [i, eventId] of expected.toReversed().entries()) await record(trailRow(eventId, NOON + Math.floor(i / 4), { accountId }));
      const found: string[] = [];
      let before: string | undefined;
      do {
        const page = await lookup(accountId, { limit: 7, ...(before === undefined ? {} : { before }) });
        found.push(...page.rows.map(({ eventId }) => eventId));
        before = page.next;
      } while (before !== undefined);
      assert.deepEqual(found, expected);
    });

    test('trail: from and to are both included', async () => {
      const accountId = fresh();
      await record(...[0, 1, 2, 3].map((i) => trailRow(`e${i}`, NOON + i, { accountId })));
      assert.deepEqual(await ids(accountId, { from: NOON + 1, to: NOON + 2 }), ['e2', 'e1']);
    });

    test('trail: a record appended late is found at the time of its request', async () => {
      const accountId = fresh();
      await record(trailRow('later', NOON + 60_000, { accountId }), trailRow('late', NOON, { accountId }));
      assert.deepEqual(await ids(accountId, { from: NOON, to: NOON + 1 }), ['late']);
    });

    test('trail: an attribute finds what has it, and nothing that only looks like it', async () => {
      const accountId = fresh();
      await record(
        trailRow('plain', NOON, { accountId }),
        trailRow('named', NOON, {
          accountId,
          eventName: 'GetRole',
          eventSource: 'iam.amazonaws.com',
          readOnly: true,
          userName: 'ann',
          accessKeyId: 'AKIA1',
          resources: [{ type: 'T%', name: 'r_1' }],
        }),
        trailRow('alike', NOON, { accountId, userName: 'Ann', resources: [{ type: 'Tx', name: 'R_1' }, { name: 'rx1' }] }),
      );
      // biome-ignore format: a table
      for (const [name, value, expected] of [
        ['EventId',      'named',             ['named']],
        ['EventName',    'GetRole',           ['named']],
        ['EventName',    'getrole',           []],
        ['ReadOnly',     'true',              ['named']],
        ['ReadOnly',     'false',             ['alike', 'plain']],
        ['ReadOnly',     'maybe',             []],
        ['Username',     'ann',               ['named']],
        ['EventSource',  'iam.amazonaws.com', ['named']],
        ['AccessKeyId',  'AKIA1',             ['named']],
        ['ResourceType', 'T%',                ['named']],
        ['ResourceName', 'r_1',               ['named']],
        ['ResourceName', 'R_1',               ['alike']],
        ['ResourceName', '%',                 []],
      ] as const) {
        assert.deepEqual(await ids(accountId, { attribute: { name, value } }), expected, `${name} ${value}`);
      }
    });
  });
}

/** The trail grown past its end: what chunks and filters answer must be what reading every record answers. */
function grownTrailConformance(within: Within, fresh: () => AccountId, setClock: (moment: number) => void): void {
  describe('trail of some thousand records', () => {
    const COUNT = 3_000;
    const ATTRIBUTES: readonly LookupAttribute[] = [
      'EventId',
      'EventName',
      'Username',
      'ResourceName',
      'ResourceType',
      'ReadOnly',
      'AccessKeyId',
      'EventSource',
    ];
    const BASE = NOON + 3_600_000;
    let rows: readonly TrailRow[] = [];
    let accounts: readonly AccountId[] = [];

    before(async () => {
      accounts = [fresh(), fresh()];
      rows = Array.from({ length: COUNT }, (_, i) =>
        trailRow(`grown-${i}`, BASE + i, {
          accountId: (i % 7 === 0 ? accounts[1] : accounts[0]) as AccountId,
          region: i % 11 === 0 ? 'eu-central-1' : 'us-east-1',
          eventName: `Event${i % 3}`,
          readOnly: i % 2 === 0,
          userName: `user-${Math.floor(i / 500)}`,
          accessKeyId: `AKIA${i % 97}`,
          resources: i % 5 === 0 ? [{ type: `Type${Math.floor(i / 1000)}`, name: `thing-${i}` }] : [],
        }),
      );
      // Groups of a hundred at once, each a tenth of a second of the clock.
      for (let i = 0; i < COUNT; i += 100) {
        setClock(BASE + i);
        await Promise.all(rows.slice(i, i + 100).map((row) => within((tx) => tx.trail.append(row))));
      }
      // On every engine all of it has settled, and is in chunks as far as whole ones go.
      setClock(BASE + 3_600_000);
      while ((await within(({ sql }) => makeChunks(sql, positionAt(BASE + 3_000_000)))) === 'more');
    });

    const has = (row: TrailRow, name: LookupAttribute, value: string): boolean => {
      switch (name) {
        case 'EventId':
          return row.eventId === value;
        case 'EventName':
          return row.eventName === value;
        case 'Username':
          return row.userName === value;
        case 'ReadOnly':
          return String(row.readOnly) === value;
        case 'AccessKeyId':
          return row.accessKeyId === value;
        case 'EventSource':
          return row.eventSource === value;
        case 'ResourceName':
          return row.resources.some((resource) => resource.name === value);
        case 'ResourceType':
          return row.resources.some((resource) => resource.type === value);
      }
    };
    const VALUES: Readonly<Record<LookupAttribute, readonly string[]>> = {
      EventId: ['grown-0', 'grown-1500', 'grown-2999', 'grown-3000'],
      EventName: ['Event0', 'Event9'],
      Username: ['user-0', 'user-5', 'nobody'],
      ReadOnly: ['true', 'false'],
      AccessKeyId: ['AKIA0', 'AKIA96', 'AKIA97'],
      EventSource: ['chime.amazonaws.com', 'iam.amazonaws.com'],
      ResourceName: ['thing-0', 'thing-1495', 'thing-1'],
      ResourceType: ['Type0', 'Type2', 'type2'],
    };

    test('trail: there are chunks, or the tests that follow say nothing', async () => {
      assert.ok((await within(({ sql }) => chunkedUpTo(sql))) > positionAt(BASE + 1024));
    });

    for (const name of ATTRIBUTES) {
      for (const value of VALUES[name]) {
        test(`trail: ${name} ${value} finds in chunks what reading every record finds, page by page`, async () => {
          for (const [accountId, from, to] of [
            [accounts[0], BASE, BASE + COUNT],
            [accounts[1], BASE + 900, BASE + 2_100],
          ] as const) {
            const query = {
              accountId: accountId as AccountId,
              region: 'us-east-1',
              from: from as Instant,
              to: to as Instant,
              attribute: { name, value },
              limit: 171,
            };
            const found: string[] = [];
            let next: string | undefined;
            do {
              const page: LookupPage = await within((tx) => tx.trail.lookup({ ...query, ...(next === undefined ? {} : { before: next }) }));
              found.push(...page.rows.map(({ eventId }) => eventId));
              next = page.next;
            } while (next !== undefined);
            const expected = rows.filter(
              (row) => row.accountId === accountId && row.region === 'us-east-1' && row.at >= from && row.at <= to && has(row, name, value),
            );
            assert.deepEqual(found.toSorted(), expected.map(({ eventId }) => eventId).toSorted());
          }
        });
      }
    }

    test('trail: since tells every record once', async () => {
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
