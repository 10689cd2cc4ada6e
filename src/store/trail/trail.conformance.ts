import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { BOB, NOON, type Suite, trailRow } from '../conformance-fixtures.ts';
import { grownTrailConformance } from './conformance-grown-trail.ts';
import { sinceConformance } from './conformance-since.ts';
import { exampleContext } from './context-examples.ts';
import type { DecidedRow } from './trail-pack.ts';
import type { LookupAttribute, TrailRow } from './trail-row.ts';

export function conformance(suite: Suite): void {
  const trail = usesOf(suite);
  describe('trail', () => records(suite, trail));
  describe('trail: look-ups find records by time', () => times(suite, trail));
  describe('trail: look-ups find records by attribute', () => attributes(suite, trail));
  // These tests run last, because they set the clock hours ahead. Look-ups in later tests would miss records, because
  // the records would be written hours after their time.
  grownTrailConformance(suite);
  sinceConformance(suite);
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
  /** Looks up records and returns only their event IDs. */
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

function records({ within, fresh, setClock }: Suite, { record, lookup, ids }: TrailUses): void {
  test('trail: only decisionsSince() returns decision contexts, also of records without one', async () => {
    const accountId = fresh();
    const context = exampleContext({ userAgent: 'a\0b' });
    const rows = [trailRow('ctx-1', NOON, { accountId }), trailRow('ctx-2', NOON, { accountId, userName: 'ann' })] as const;
    await record(rows[0], { ...rows[1], context });
    await record(trailRow('ctx-3', NOON, { accountId, context: { omittedBytes: 9_000 } }));
    const { rows: found } = await lookup(accountId);
    assert.ok(found.every((row) => !('context' in row)));
    setClock(NOON + 60_000);
    const all: DecidedRow[] = [];
    for (let position = 0, more = true; more; ) {
      const page = await within((tx) => tx.trail.decisionsSince(position, 100));
      all.push(...page.rows);
      more = page.rows.length > 0;
      position = page.position;
    }
    assert.deepEqual(
      all.filter(({ row }) => row.accountId === accountId).sort((a, b) => (a.row.eventId < b.row.eventId ? -1 : 1)),
      [{ row: rows[0] }, { row: rows[1], context }, { row: trailRow('ctx-3', NOON, { accountId }), context: { omittedBytes: 9_000 } }],
    );
  });

  test('trail: lookup() returns a record as it was appended', async () => {
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

  test('trail: concurrent transactions that write only records lose no record', async () => {
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

  for (const [title, character] of [
    ['ASCII', 'a'],
    ['characters of two bytes', 'é'],
    ['characters of two UTF-16 code units', '\u{1f600}'],
  ] as const) {
    test(`trail: a look-up of single records of a pack returns their documents, which contain ${title}`, async () => {
      const accountId = fresh();
      const rows = Array.from({ length: 9 }, (_, i) =>
        trailRow(`d${i}`, NOON, { accountId, userName: `u${i % 3}`, document: `{"${i}":"${character.repeat(i + 1)}"}` }),
      );
      await within(async (tx) => {
        for (const row of rows) await tx.trail.append(row);
      });
      for (const userName of ['u0', 'u1', 'u2']) {
        const { rows: found } = await lookup(accountId, { attribute: { name: 'Username', value: userName } });
        assert.deepEqual(found, rows.filter((row) => row.userName === userName).reverse());
      }
      const { rows: found } = await lookup(accountId, { attribute: { name: 'EventId', value: 'd4' } });
      assert.deepEqual(found, [rows[4]]);
    });
  }

  test('trail: a page can end inside a pack (a row with several records), and the next page continues there', async () => {
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
  test('trail: a look-up finds only the records of its account and region', async () => {
    const accountId = fresh();
    await record(
      trailRow('mine', NOON, { accountId }),
      trailRow('theirs', NOON, { accountId: BOB }),
      trailRow('elsewhere', NOON, { accountId, region: 'eu-central-1' }),
    );
    assert.deepEqual(await ids(accountId), ['mine']);
  });

  test('trail: a look-up returns the newest record first, in pages without gap or repetition', async () => {
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

  test('trail: a record is found by its own time, even if a record with a later time was appended before it', async () => {
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
