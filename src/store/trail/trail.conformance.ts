import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { BOB, NOON, type Suite, trailRow } from '../conformance-fixtures.ts';
import { grownTrailConformance } from './conformance-grown-trail.ts';
import type { LookupAttribute, TrailRow } from './trail-row.ts';

export function conformance(suite: Suite): void {
  const trail = usesOf(suite);
  describe('trail', () => records(suite, trail));
  describe('trail: look-ups by time', () => times(suite, trail));
  describe('trail: look-ups by attribute', () => attributes(suite, trail));
  // Last, because it sets the clock hours ahead, and a look-up expects a record soon after its time.
  grownTrailConformance(suite);
}

interface Query {
  readonly from?: number;
  readonly to?: number;
  readonly limit?: number;
  readonly before?: string;
  readonly attribute?: { readonly name: LookupAttribute; readonly value: string };
}

/** Functions that append records, each in its own transaction, and look them up. */
interface TrailUses {
  record(...rows: readonly TrailRow[]): Promise<void>;
  lookup(accountId: AccountId, query?: Query): Promise<{ readonly rows: readonly TrailRow[]; readonly next?: string }>;
  /** Looks up event IDs. */
  ids(accountId: AccountId, query?: Query): Promise<readonly string[]>;
}

function usesOf({ within, setClock }: Suite): TrailUses {
  const lookup: TrailUses['lookup'] = (accountId, { from = 0, to = NOON * 2, ...query } = {}) =>
    within((tx) => tx.trail.lookup({ accountId, region: 'us-east-1', limit: 50, ...query, from: from as Instant, to: to as Instant }));
  return {
    lookup,
    async record(...rows) {
      for (const row of rows) {
        setClock(row.at);
        await within((tx) => tx.trail.append(row));
      }
    },
    ids: async (accountId, query) => (await lookup(accountId, query)).rows.map(({ eventId }) => eventId),
  };
}

function records({ within, fresh }: Suite, { record, lookup, ids }: TrailUses): void {
  test('trail: look-up returns a record as appended', async () => {
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

  test('trail: a record with NUL or an unpaired surrogate in its strings is stored unchanged', async () => {
    const accountId = fresh();
    await record(trailRow('odd', NOON, { accountId, userName: 'a\0b', resources: [{ name: 'c\0d\u{d800}' }] }));
    const [row] = (await lookup(accountId)).rows;
    assert.deepEqual([row?.userName, row?.resources], ['a\0b', [{ name: 'c\0d\u{d800}' }]]);
  });

  test('trail: all records of concurrent transactions that write only records are stored', async () => {
    const accountId = fresh();
    const expected = Array.from({ length: 300 }, (_, i) => `many-${i}`);
    await Promise.all(expected.map((eventId) => within((tx) => tx.trail.append(trailRow(eventId, NOON, { accountId })))));
    assert.deepEqual((await ids(accountId, { limit: 500 })).toSorted(), expected.toSorted());
  });

  test('trail: a look-up finds records of earlier transactions, but not of its own transaction', async () => {
    const accountId = fresh();
    await record(trailRow('earlier', NOON, { accountId }));
    const rows = await within(async (tx) => {
      await tx.trail.append(trailRow('own', NOON, { accountId }));
      return (await tx.trail.lookup({ accountId, region: 'us-east-1', from: NOON, to: NOON, limit: 2 })).rows;
    });
    assert.deepEqual(
      rows.map(({ eventId }) => eventId),
      ['earlier'],
    );
    assert.deepEqual(await ids(accountId), ['own', 'earlier']);
  });

  test('trail: a page can end inside a pack, and the next page continues inside the pack', async () => {
    const accountId = fresh();
    await within(async (tx) => {
      for (let i = 0; i < 40; i++) await tx.trail.append(trailRow(`p${i}`, NOON, { accountId, document: `{"n":"${'é'.repeat(i)}"}` }));
    });
    const found: TrailRow[] = [];
    for (let before: string | undefined, pages = 0; pages === 0 || before !== undefined; pages++) {
      const page = await lookup(accountId, { limit: 7, ...(before === undefined ? {} : { before }) });
      found.push(...page.rows);
      before = page.next;
    }
    assert.deepEqual(
      found.map(({ eventId, document }) => [eventId, document]),
      Array.from({ length: 40 }, (_, i) => [`p${39 - i}`, `{"n":"${'é'.repeat(39 - i)}"}`]),
    );
  });
}

function times({ fresh }: Suite, { record, lookup, ids }: TrailUses): void {
  test('trail: look-up finds only records of its account and region', async () => {
    const accountId = fresh();
    await record(
      trailRow('mine', NOON, { accountId }),
      trailRow('theirs', NOON, { accountId: BOB }),
      trailRow('elsewhere', NOON, { accountId, region: 'eu-central-1' }),
    );
    assert.deepEqual(await ids(accountId), ['mine']);
  });

  test('trail: look-up returns the newest first, in pages without gap or repetition', async () => {
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

  test('trail: a look-up from one time to another includes records of both times', async () => {
    const accountId = fresh();
    await record(...[0, 1, 2, 3].map((i) => trailRow(`e${i}`, NOON + i, { accountId })));
    assert.deepEqual(await ids(accountId, { from: NOON + 1, to: NOON + 2 }), ['e2', 'e1']);
  });

  test('trail: a record is found by its own time, even if a later record was appended before', async () => {
    const accountId = fresh();
    await record(trailRow('later', NOON + 60_000, { accountId }), trailRow('late', NOON, { accountId }));
    assert.deepEqual(await ids(accountId, { from: NOON, to: NOON + 1 }), ['late']);
  });
}

function attributes({ fresh }: Suite, { record, ids }: TrailUses): void {
  test('trail: a look-up by an attribute finds only records with exactly the requested value', async () => {
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
}
