import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { BOB, NOON, trailRow, type Within } from './conformance-fixtures.ts';
import type { LookupAttribute, TrailRow } from './trail.ts';

export function trailConformance(within: Within, fresh: () => AccountId, setClock: (moment: number) => void): void {
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
