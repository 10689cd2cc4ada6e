/** Deletion of old trail records: the deletion itself on a store with a set clock, and running servers. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant, isoSeconds } from '#core/instant.ts';
import { type DeliveredPositions, NO_TRAILS, type RetentionParts, STEP } from '#server/core/retention-phases.ts';
import { retention, scanAgain } from '#server/core/trail-retention.ts';
import { trailRow } from '#store/conformance-fixtures.ts';
import { openStore } from '#store/engine/open.ts';
import { positionAt, timeOf } from '#store/engine/position.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { observedSqlite } from '#store/engine/sqlite-fixture.ts';
import { IDENTITY_HISTORY } from '#store/identity/identity-history.ts';
import type { Store } from '#store/store.ts';
import { countOf } from '#store/table.ts';
import { exampleContext } from '#store/trail/context-examples.ts';
import { alteredPacks } from '#store/trail/trail-altered.ts';
import { newTip } from '#store/trail/trail-chain.ts';
import { writeRun } from '#store/trail/trail-index.ts';
import { merging } from '#store/trail/trail-merge.ts';
import { packInserts } from '#store/trail/trail-pack.ts';
import { trailRetention } from '#store/trail/trail-retention.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import type { LookupPage } from '#store/trail/trail-search.ts';
import { trailSessions } from '#store/trail/trail-session.ts';
import { readMetrics } from '../kit/metrics.ts';
import { belfry } from '../kit/process.ts';
import { startTestServer } from '../kit/server.ts';
import { recordsOf } from '../kit/trail.ts';
import { statementsOf, verified } from '../kit/trail-log.ts';
import { until } from '../kit/until.ts';
import { testPostgres } from '../store/test-postgres.ts';

const NOW = Date.UTC(2026, 10, 29, 12);
const [ANN, BEN, CAT] = ['111111111111', '222222222222', '333333333333'] as [AccountId, AccountId, AccountId];

/** A store with a set clock, and one server that deletes its old records. */
interface Deleting {
  readonly store: Store;
  setClock(now: number): void;
  /** Returns the deletion of another server on the store. */
  server(own?: Partial<RetentionParts>): ReturnType<typeof retention>;
  /** Returns the event IDs of all stored records of an account, without the events of the deletion, oldest first. */
  ids(accountId: AccountId): Promise<readonly string[]>;
  /** Returns the details of the events that report deletions in an account. */
  reports(accountId: AccountId): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Lines of the log. */
  readonly lines: readonly string[];
}

/** Runs steps until none is left. Returns their number. */
async function finish(server: Pick<ReturnType<typeof retention>, 'step'>): Promise<number> {
  let steps = 1;
  while ((await server.step()) === 'more') steps++;
  return steps;
}

type Open = (now: () => number) => Promise<Store>;

async function deleting(open: Open): Promise<Deleting> {
  let now = NOW;
  const store = await open(() => now);
  after(() => store.close());
  let number = 0;
  const clock = { monotonic: () => 0, wall: () => instant(now), after: () => () => {} };
  const newId = () => `id-${++number}`;
  /** Returns all records of an account, whatever their age. */
  async function rowsOf(accountId: AccountId): Promise<readonly TrailRow[]> {
    const found: TrailRow[] = [];
    let position = 0;
    const before = now;
    now += 3_600_000;
    for (;;) {
      const page = await store.transaction((tx) => tx.trail.since(position, 500));
      if (page.rows.length === 0) break;
      found.push(...page.rows.filter((row) => row.accountId === accountId));
      ({ position } = page);
    }
    now = before;
    return found;
  }
  const lines: string[] = [];
  const isReport = ({ eventName }: TrailRow) => eventName === 'DeleteExpiredEvents';
  return {
    store,
    lines,
    setClock(moment) {
      now = moment;
    },
    server: (own = {}) =>
      retention({
        store,
        region: 'us-east-1',
        defaultDays: 90,
        clock,
        newId,
        delivered: NO_TRAILS,
        report: (line) => lines.push(line),
        ...own,
      }),
    ids: async (accountId) => (await rowsOf(accountId)).filter((row) => !isReport(row)).map(({ eventId }) => eventId),
    reports: async (accountId) =>
      (await rowsOf(accountId)).filter(isReport).map(({ document }) => JSON.parse(document).serviceEventDetails),
  };
}

/** Days before `NOW`. */
const ago = (days: number): number => NOW - days * DAY_MS;
const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
/** Writes one pack a day, from `first` to `last` days before `NOW`, with one record of each account. */
async function writeDays({ store }: Deleting, first: number, last: number, accounts: readonly AccountId[]): Promise<void> {
  await store.transaction(async ({ sql }) => {
    for (const day of range(last, first).toReversed()) {
      const rows = accounts.map((accountId) => trailRow(`${accountId}-${day}`, ago(day), { accountId }));
      for (const { text, values } of packInserts(rows, () => positionAt(ago(day)), newTip())) await sql.run(text, values);
    }
  });
}
const idsOf = (account: AccountId, first: number, last: number) =>
  range(last, first)
    .toReversed()
    .map((day) => `${account}-${day}`);

// biome-ignore format: a table
const ALTERATIONS: readonly (readonly [title: string, day: number, column: string, alter: (text: string, day: number) => string])[] = [
  // what someone altered              day  column       change
  ['the heads to text',                118, 'heads',     () => 'x'],
  ['the heads to an empty list',       116, 'heads',     () => '[]'],
  ['a time in the heads to null',      114, 'heads',     (text, day) => text.replace(String(ago(day)), 'null')],
  ['an account in the heads',          112, 'heads',     (text) => text.replace(ANN, CAT)],
  ['a document',                       110, 'documents', (text) => text.replace('{', '{ ')],
  ['the contexts to text',             108, 'contexts',  () => 'x'],
  ['the contexts, but not the format', 106, 'contexts',  (text) => text.replace('127.0.0.1', '127.0.0.2')],
];

const postgres = await testPostgres();
after(() => postgres.stop());

const ENGINES: readonly (readonly [engine: string, open: Open])[] = [
  ['SQLite', (now) => openSqlite(':memory:', { now })],
  [
    'PostgreSQL',
    async (now) => {
      const database = await testPostgres();
      after(() => database.stop());
      return openPostgres(database.url, { now });
    },
  ],
];

for (const [engine, open] of ENGINES) {
  describe(`retention of the trail on ${engine}`, () => {
    runs(open);
    identities(open);
    altered(open);
    changes(open);
    lookUps(open);
  });
}

/** Defines tests of runs and their steps. */
function runs(open: Open): void {
  test('retention: records past the retention of their account are deleted, and the trail records it', async () => {
    const own = await deleting(open);
    await writeDays(own, 120, 1, [ANN, BEN, CAT]);
    await own.store.transaction(async (tx) => {
      await tx.of(trailRetention).set(BEN, 30);
      await tx.of(trailRetention).set(CAT, 365);
    });
    await finish(own.server());
    assert.deepEqual(await own.ids(ANN), idsOf(ANN, 90, 1));
    assert.deepEqual(await own.ids(BEN), idsOf(BEN, 30, 1));
    assert.deepEqual(await own.ids(CAT), idsOf(CAT, 120, 1));
    assert.deepEqual(await own.reports(ANN), [
      { accountId: ANN, deletedEvents: 30, oldestEventTime: '2026-08-01T12:00:00Z', newestEventTime: '2026-08-30T12:00:00Z' },
    ]);
    assert.deepEqual(
      (await own.reports(BEN)).map(({ deletedEvents }) => deletedEvents),
      [90],
    );
    assert.deepEqual(await own.reports(CAT), []);
    const left = JSON.stringify(await own.store.transaction(({ sql }) => sql.rows('SELECT event_id, heads, documents FROM trail_pack')));
    for (const id of [...idsOf(ANN, 120, 91), ...idsOf(BEN, 120, 31)]) assert.ok(!left.includes(id), id);
  });

  test('retention: contexts stay in rewritten packs, and unneeded sessions and identity versions are deleted', async () => {
    const own = await deleting(open);
    const contextOf = (day: number) => exampleContext({ identityVersion: 200 - day, now: instant(ago(day)) });
    await own.store.transaction(async (tx) => {
      await tx.of(trailRetention).set(BEN, 30);
      for (const day of range(1, 120).toReversed()) {
        const rows = [BEN, ANN].map((accountId) => trailRow(`${accountId}-${day}`, ago(day), { accountId, context: contextOf(day) }));
        for (const { text, values } of packInserts(rows, () => positionAt(ago(day)), newTip())) await tx.sql.run(text, values);
        await tx.of(trailSessions).note({ id: `session ${day}`, facts: '{}', expiresAt: instant(ago(day)) });
        const former = { accountId: ANN, kind: 'user', key: 'ann', fromVersion: 199 - day, untilVersion: 200 - day, text: '{}' } as const;
        await IDENTITY_HISTORY.insert(tx.sql, former);
      }
    });
    await finish(own.server());
    own.setClock(NOW + 3_600_000);
    const [decisions, sessions, former] = await own.store.transaction(async (tx) => [
      (await tx.trail.decisionsSince(0, 500)).rows.filter(({ row }) => row.accountId === ANN && row.eventName !== 'DeleteExpiredEvents'),
      await tx.sql.rows<{ readonly id: string }>('SELECT id FROM trail_session ORDER BY expires_at_ms'),
      await tx.sql.rows<{ readonly until_version: number }>('SELECT until_version FROM identity_history ORDER BY until_version'),
    ]);
    assert.deepEqual(
      decisions.map(({ context }) => context),
      range(1, 90).toReversed().map(contextOf),
    );
    assert.deepEqual(
      sessions.map(({ id }) => id),
      range(1, 90)
        .toReversed()
        .map((day) => `session ${day}`),
    );
    assert.deepEqual(
      former.map(({ until_version }) => Number(until_version)),
      range(111, 199),
    );
  });

  test('retention: a new server after each step continues the run, and each deleted record is reported once', async () => {
    const own = await deleting(open);
    await writeDays(own, 200, 80, [ANN, BEN]);
    await own.store.transaction((tx) => tx.of(trailRetention).set(BEN, 100));
    let steps = 0;
    // The clock passes the time after which another server may continue the run.
    for (let more = true; more; steps++) {
      own.setClock(NOW + steps * 61_000);
      more = (await own.server().step()) === 'more';
    }
    assert.ok(steps > 8, `${steps} steps`);
    assert.deepEqual(await own.ids(ANN), idsOf(ANN, 90, 80));
    assert.deepEqual(await own.ids(BEN), idsOf(BEN, 100, 80));
    assert.deepEqual(
      (await own.reports(ANN)).map(({ deletedEvents }) => deletedEvents),
      [110],
    );
    assert.deepEqual(
      (await own.reports(BEN)).map(({ deletedEvents }) => deletedEvents),
      [100],
    );
  });

  test('retention: one server at a time has the run, and another continues it after a minute', async () => {
    const own = await deleting(open);
    await writeDays(own, 300, 1, [ANN]);
    const [first, second] = [own.server(), own.server()];
    await first.step();
    await first.step();
    const before = await own.ids(ANN);
    assert.equal(await second.step(), 'done');
    assert.deepEqual(await own.ids(ANN), before);
    own.setClock(NOW + 61_000);
    assert.equal(await second.step(), 'more');
    assert.ok((await own.ids(ANN)).length < before.length);
    assert.equal(await first.step(), 'done');
    await finish(second);
    assert.deepEqual(await own.ids(ANN), idsOf(ANN, 90, 1));
  });

  test('retention: a run starts once a day, and reads only packs that expired since the last one', async () => {
    const own = await deleting(open);
    await writeDays(own, 300, 1, [ANN]);
    await finish(own.server());
    own.setClock(NOW + DAY_MS / 2);
    assert.equal(await finish(own.server()), 1);
    own.setClock(NOW + 1.5 * DAY_MS);
    const steps = await finish(own.server());
    assert.ok(steps <= 7, `${steps} steps`);
    assert.deepEqual(await own.ids(ANN), idsOf(ANN, 88, 1));
  });
}

/** Defines tests of former versions of identity. */
function identities(open: Open): void {
  test('retention: identity stays for a later record that another server decided with an earlier version', async () => {
    const own = await deleting(open);
    const count = 3 * STEP.packs;
    await own.store.transaction(async (tx) => {
      for (const i of range(0, count)) {
        const at = ago(80) + 40 * i;
        const context = exampleContext({ identityVersion: i === count ? 7 : 8, now: instant(at) });
        const rows = [trailRow(`late-${i}`, at, { accountId: ANN, context })];
        for (const { text, values } of packInserts(rows, () => positionAt(at), newTip())) await tx.sql.run(text, values);
      }
      await tx.of(trailRetention).set(ANN, 90);
      for (const untilVersion of [7, 8])
        await IDENTITY_HISTORY.insert(tx.sql, {
          accountId: ANN,
          kind: 'user',
          key: 'ann',
          fromVersion: untilVersion - 1,
          untilVersion,
          text: '{}',
        });
    });
    await writeDays(own, 100, 100, [ANN]);
    await finish(own.server());
    const former = await own.store.transaction((tx) =>
      tx.sql.rows<{ readonly until_version: number }>('SELECT until_version FROM identity_history'),
    );
    assert.deepEqual(
      former.map(({ until_version }) => Number(until_version)),
      [8],
    );
  });
}

/** Appends the records of each day as a server does, with their chain: one commit a day, from `first` to `last` days before `NOW`. */
async function recordDays(own: Deleting, first: number, last: number, accounts: readonly AccountId[]): Promise<void> {
  for (const day of range(last, first).toReversed()) {
    own.setClock(ago(day));
    const context = exampleContext({ identityVersion: 200 - day, now: instant(ago(day)) });
    await own.store.transaction(async (tx) => {
      for (const accountId of accounts) await tx.trail.append(trailRow(`${accountId}-${day}`, ago(day), { accountId, context }));
    });
  }
  own.setClock(NOW);
}

/** Returns the records of packs, oldest first, as text, and each with the account and day that it names. */
async function storedPacks({ store }: Deleting): Promise<readonly { readonly text: string; readonly names: readonly string[] }[]> {
  const rows = await store.transaction(({ sql }) =>
    sql.rows('SELECT event_id, heads, documents, contexts, first_number FROM trail_pack ORDER BY position'),
  );
  return rows.map((row) => JSON.stringify(row)).map((text) => ({ text, names: [...new Set(text.match(/[1-3]{12}-[0-9]+/g))] }));
}

/** Defines tests of packs that someone altered in the database. */
function altered(open: Open): void {
  for (const [neighbor, accounts] of [
    ['with a record that stays', [ANN, BEN]],
    ['without other records', [ANN]],
  ] as const) {
    test(`retention: altered packs ${neighbor} stay unchanged, are reported, and stop nothing`, async () => {
      const own = await deleting(open);
      await recordDays(own, 120, 80, accounts);
      const former = { accountId: ANN, kind: 'user', key: 'ann', text: '{}' } as const;
      await own.store.transaction(async (tx) => {
        await tx.of(trailRetention).set(BEN, 365);
        for (const untilVersion of [85, 95, 115])
          await IDENTITY_HISTORY.insert(tx.sql, { ...former, fromVersion: untilVersion - 1, untilVersion });
        for (const [title, day, column, alter] of ALTERATIONS) {
          const found = await tx.sql.row<{ readonly text: string }>(`SELECT ${column} AS text FROM trail_pack WHERE event_id = $1`, [
            `${ANN}-${day}`,
          ]);
          const text = alter(found?.text ?? '', day);
          assert.notEqual(text, found?.text, title);
          await tx.sql.run(`UPDATE trail_pack SET ${column} = $1 WHERE event_id = $2`, [text, `${ANN}-${day}`]);
        }
      });
      const before = await storedPacks(own);
      await finish(own.server());
      const packs = await storedPacks(own);
      const unchanged = new Set(packs.filter(({ text }) => before.some((each) => each.text === text)).map(({ names }) => names[0]));
      for (const [title, day] of ALTERATIONS) assert.ok(unchanged.has(`${ANN}-${day}`), title);
      const days = new Set<string | undefined>(ALTERATIONS.map(([, day]) => `${ANN}-${day}`));
      const kept = packs.filter(({ names }) => !days.has(names[0])).flatMap(({ names }) => names.filter((name) => name.startsWith(ANN)));
      assert.deepEqual(kept, idsOf(ANN, 90, 80));
      assert.deepEqual(
        packs.flatMap(({ text }) => /deletedEvents[^0-9]+([0-9]+)/.exec(text)?.[1] ?? []),
        [String(30 - ALTERATIONS.length)],
      );
      const [first] = own.lines;
      const time = isoSeconds(instant(ago(118)));
      assert.match(
        first ?? '',
        new RegExp(`^the trail was changed: expired records of ${time} or later were altered, so they are not deleted and remain `),
      );
      assert.equal(
        own.lines.reduce((sum, line) => sum + Number(/rows: ([0-9]+)/.exec(line)?.[1]), 0),
        ALTERATIONS.length,
      );
      const [oldest, count, versions] = await own.store.transaction(async (tx) => [
        await tx.of(trailRetention).oldestPosition(),
        await alteredPacks(tx.sql),
        await tx.sql.rows<{ readonly until_version: number }>('SELECT until_version FROM identity_history ORDER BY until_version'),
      ]);
      const [oldestDay, versionsLeft] = accounts.length === 2 ? [120, [85, 95, 115]] : [90, [115]];
      assert.equal(timeOf(oldest as number), ago(oldestDay));
      assert.equal(count, ALTERATIONS.length);
      assert.deepEqual(
        versions.map(({ until_version }) => Number(until_version)),
        versionsLeft,
      );
      const { problems } = await verified(statementsOf(own.store));
      assert.match(problems[0] ?? '', /^altered record: number [0-9]+, writer /);

      const reported = own.lines.length;
      own.setClock(NOW + DAY_MS);
      await own.store.transaction((tx) => scanAgain(tx, 'default'));
      await finish(own.server());
      assert.equal(own.lines.length, reported, 'a pack is reported once');
    });
  }

  test('retention: a pack that someone altered after a part of its records was deleted stays', async () => {
    const own = await deleting(open);
    await recordDays(own, 120, 80, [ANN, BEN]);
    await own.store.transaction((tx) => tx.of(trailRetention).set(BEN, 365));
    await finish(own.server());
    await own.store.transaction(async (tx) => {
      await tx.of(trailRetention).set(BEN, 90);
      await scanAgain(tx, 'default');
      await tx.sql.run("UPDATE trail_pack SET contexts = 'x' WHERE event_id = $1", [`${BEN}-110`]);
      await tx.sql.run("UPDATE trail_pack SET heads = 'x' WHERE event_id = $1", [`${BEN}-105`]);
      await tx.sql.run("UPDATE trail_pack SET documents = '{} ' WHERE event_id = $1", [`${BEN}-100`]);
    });
    const { problems } = await verified(statementsOf(own.store));
    assert.match(problems[0] ?? '', /^altered record: number [0-9]+, writer /);
    own.setClock(NOW + 60_000);
    await finish(own.server());
    assert.deepEqual((await storedPacks(own)).map(({ names }) => names[0]).slice(0, 4), [
      `${BEN}-110`,
      `${BEN}-105`,
      `${BEN}-100`,
      `${ANN}-90`,
    ]);
    assert.deepEqual(
      own.lines.map((line) => /rows: [0-9]+/.exec(line)?.[0]),
      ['rows: 2', 'rows: 1'],
    );
  });

  test('retention: a page of altered packs does not end the scan', async () => {
    const own = await deleting(open);
    await recordDays(own, 120, 80, [ANN]);
    await own.store.transaction((tx) => tx.sql.run(`UPDATE trail_pack SET heads = 'x' WHERE position < $1`, [positionAt(ago(95))]));
    await finish(own.server());
    assert.equal(await own.store.transaction((tx) => alteredPacks(tx.sql)), 25);
    assert.deepEqual(
      (await storedPacks(own))
        .slice(25)
        .flatMap(({ names }) => names)
        .slice(0, 1),
      [`${ANN}-90`],
    );
  });
}

/** Defines tests of runs with trails, and with changed retentions. */
function changes(open: Open): void {
  test('retention: records that a trail has not delivered stay, and those of other accounts do not', async () => {
    const own = await deleting(open);
    await writeDays(own, 120, 85, [ANN, BEN]);
    let position = positionAt(ago(110));
    const delivered: DeliveredPositions = async () => (accountId) => (accountId === ANN ? position : Number.MAX_SAFE_INTEGER);
    await finish(own.server({ delivered }));
    assert.deepEqual(await own.ids(ANN), idsOf(ANN, 109, 85));
    assert.deepEqual(await own.ids(BEN), idsOf(BEN, 90, 85));

    own.setClock(NOW + DAY_MS);
    await finish(own.server({ delivered }));
    assert.deepEqual(await own.ids(ANN), idsOf(ANN, 109, 85), 'the trail did not proceed');

    position = positionAt(ago(100));
    own.setClock(NOW + 2 * DAY_MS);
    await finish(own.server({ delivered }));
    assert.deepEqual(await own.ids(ANN), idsOf(ANN, 99, 85));
    position = Number.MAX_SAFE_INTEGER;
    own.setClock(NOW + 3 * DAY_MS);
    await finish(own.server({ delivered }));
    assert.deepEqual(await own.ids(ANN), idsOf(ANN, 87, 85));
    assert.deepEqual(
      (await own.reports(ANN)).map(({ deletedEvents }) => deletedEvents),
      [11, 10, 12],
    );
  });

  test('retention: a shorter retention deletes older records that earlier runs kept, and a longer one stops a run', async () => {
    const own = await deleting(open);
    await writeDays(own, 200, 1, [ANN, BEN]);
    await finish(own.server());
    const change = (accountId: AccountId, days: number) =>
      own.store.transaction(async (tx) => {
        await tx.of(trailRetention).set(accountId, days);
        await scanAgain(tx, days);
      });
    await change(ANN, 10);
    await finish(own.server());
    assert.deepEqual(await own.ids(ANN), idsOf(ANN, 10, 1));
    assert.deepEqual(await own.ids(BEN), idsOf(BEN, 90, 1));

    await change(BEN, 10);
    own.setClock(NOW + 1);
    const server = own.server();
    await server.step();
    await server.step();
    await change(BEN, 365);
    await finish(server);
    assert.deepEqual((await own.ids(BEN)).at(-1), `${BEN}-1`);
    assert.ok((await own.ids(BEN)).length >= 90 - STEP.packs, 'the run deleted at most one step of records');
  });

  test('retention: another retention in the settings applies to packs that earlier runs have read', async () => {
    const own = await deleting(open);
    await writeDays(own, 120, 1, [ANN]);
    await finish(own.server());
    own.setClock(NOW + DAY_MS);
    await finish(own.server({ defaultDays: 20 }));
    assert.deepEqual(await own.ids(ANN), idsOf(ANN, 19, 1));
  });
}

/** Defines tests of look-ups and their index. */
function lookUps(open: Open): void {
  test('retention: runs of the index without packs are deleted, and look-ups by the others are complete', async () => {
    const own = await deleting(open);
    await writeDays(own, 400, 1, [ANN, BEN]);
    await own.store.transaction((tx) => tx.of(trailRetention).set(BEN, 300));
    const settled = positionAt(NOW);
    const small = { keys: 100_000, packs: 20 };
    while ((await own.store.transaction(({ sql }) => writeRun(sql, settled, small))) === 'more');
    const merges = merging((work) => own.store.transaction(work), { runs: 2, at: 4 });
    await own.store.transaction(({ sql }) => merges.due(sql));
    while (await merges.part());
    const counts = () =>
      own.store.transaction(async ({ sql }) => ({
        old: await countOf(sql, 'SELECT COUNT(*) AS count FROM trail_run WHERE last_position < $1', [positionAt(ago(300.5))]),
        runs: await countOf(sql, 'SELECT COUNT(*) AS count FROM trail_run', []),
        blocks: await countOf(
          sql,
          'SELECT COUNT(*) AS count FROM trail_block i WHERE NOT EXISTS (SELECT 1 FROM trail_run r WHERE r.level = i.level AND r.last_position = i.last_position)',
          [],
        ),
      }));
    const before = await counts();
    assert.ok(before.old >= 1, `${before.old} old runs`);
    await finish(own.server());
    const left = await counts();
    assert.deepEqual(left, { old: 0, runs: before.runs - before.old, blocks: 0 });
    for (const [accountId, days] of [
      [ANN, 90],
      [BEN, 300],
    ] as const) {
      const query = { accountId, region: 'us-east-1', from: instant(0), to: instant(NOW), limit: 50 };
      const found = await pagesOf(own.store, { ...query, attribute: { name: 'EventName', value: 'CreateMeeting' } });
      assert.deepEqual(found, idsOf(accountId, days, 1).toReversed());
    }
  });

  test('retention: a look-up that reads its pages during a deletion finds each readable record once', async () => {
    const own = await deleting(open);
    await writeDays(own, 180, 1, [ANN, BEN]);
    await own.store.transaction((tx) => tx.of(trailRetention).set(BEN, 20));
    const server = own.server();
    for (const [accountId, days] of [
      [ANN, 90],
      [BEN, 20],
    ] as const) {
      const query = {
        accountId,
        region: 'us-east-1',
        from: instant(ago(days)),
        to: instant(NOW),
        limit: 4,
        attribute: { name: 'EventName', value: 'CreateMeeting' } as const,
      };
      assert.deepEqual(await pagesOf(own.store, query, () => server.step()), idsOf(accountId, days, 1).toReversed());
    }
    await finish(server);
    assert.deepEqual(await own.ids(BEN), idsOf(BEN, 20, 1));
  });
}

type Query = Parameters<Parameters<Parameters<Store['transaction']>[0]>[0]['trail']['lookup']>[0];

/** Returns the event IDs of all pages of a look-up. Calls `between` after each page. */
async function pagesOf(store: Store, query: Query, between: () => Promise<unknown> = async () => {}): Promise<readonly string[]> {
  const found: string[] = [];
  let next: string | undefined;
  do {
    const page: LookupPage = await store.transaction((tx) =>
      tx.trail.lookup({ ...query, ...(next === undefined ? {} : { before: next }) }),
    );
    found.push(...page.rows.map(({ eventId }) => eventId));
    next = page.next;
    await between();
  } while (next !== undefined);
  return found;
}

test('retention: the statements of a step do not depend on the size of the trail', async () => {
  const texts: string[] = [];
  const own = await deleting((now) =>
    openSqlite(':memory:', {
      now,
      open: observedSqlite(
        (text) => texts.push(text),
        (text) => texts.push(text),
      ),
    }),
  );
  await own.store.transaction((tx) => tx.of(trailRetention).set(BEN, 3_653));
  for (const size of [100, 3_000]) {
    await own.store.transaction(async ({ sql }) => {
      await sql.run('DELETE FROM trail_pack');
      let position = positionAt(ago(400));
      for (let i = 0; i < size; i++) {
        const rows = Array.from({ length: 32 }, (_, each) =>
          trailRow(`${i}-${each}`, ago(400), { accountId: i % 16 === each ? BEN : ANN }),
        );
        for (const { text, values } of packInserts(rows, () => ++position, newTip())) await sql.run(text, values);
      }
    });
    own.setClock(NOW + size * DAY_MS);
    const server = own.server();
    const counts: number[] = [];
    let more = true;
    while (more) {
      texts.length = 0;
      more = (await server.step()) === 'more';
      // The store writes its index in transactions of its own, which can run at the same time.
      counts.push(texts.filter((text) => !/trail_run|trail_block|position, keys/.test(text)).length);
    }
    // A step reads at most 2 pages of packs, each with one statement for the packs and one for the retentions. It deletes
    // each pack with one statement, or rewrites it with two, after one that checks its link. The rest are the state, the report and the transaction.
    assert.ok(Math.max(...counts) <= 2 * 2 + STEP.packs + 3 * STEP.rewritten + 8, `statements of the steps: ${Math.max(...counts)}`);
    assert.ok(counts.length >= size / STEP.packs, `${counts.length} steps`);
    await own.store.transaction(({ sql }) => sql.run("DELETE FROM meta WHERE name = 'trail-retention'"));
  }
});

for (const engine of ['SQLite', 'PostgreSQL']) {
  test(`A running server on ${engine}: old records are not readable, the server deletes them, and the operator sets the retention`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'belfry-retention-'));
    const settings: Record<string, string> = {
      BELFRY_METRICS: '127.0.0.1:0',
      ...(engine === 'PostgreSQL' && { BELFRY_DATABASE: postgres.url }),
    };
    const first = await startTestServer(settings, folder);
    const accountId = first.accountId as AccountId;
    await first.stop();
    const days = [400, 120, 100, 60, 10];
    const store = await openStore(settings['BELFRY_DATABASE'] ?? `file:${folder}`, { fatal: (error) => assert.fail(String(error)) });
    const at = (day: number): Instant => instant(Date.now() - day * DAY_MS);
    const count = () =>
      store.transaction(({ sql }) => countOf(sql, 'SELECT COUNT(*) AS count FROM trail_pack WHERE position < $1', [positionAt(at(5))]));
    await store.transaction(async ({ sql }) => {
      for (const day of days) {
        const rows = [trailRow(`old-${day}`, at(day), { accountId, eventName: 'OldEvent' })];
        for (const { text, values } of packInserts(rows, () => positionAt(at(day)), newTip())) await sql.run(text, values);
      }
      await sql.run("UPDATE trail_pack SET documents = '{} ' WHERE event_id = 'old-120'");
    });
    assert.equal(await count(), 5);
    await store.close();

    const server = await startTestServer(settings, folder);
    const cloudtrail = new CloudTrailClient(server.client());
    const found = async () => (await recordsOf(cloudtrail, 'OldEvent')).map(({ eventID }) => eventID);
    assert.deepEqual(await found(), ['old-10', 'old-60']);
    const reports = () => recordsOf(cloudtrail, 'DeleteExpiredEvents');
    await until(
      async () => (await reports()).length > 0,
      () => 'the server deletes old records after its start',
    );
    const [report] = await reports();
    assert.deepEqual(
      [report.eventType, report.userIdentity.invokedBy, report.serviceEventDetails.deletedEvents],
      ['AwsServiceEvent', 'cloudtrail.amazonaws.com', 2],
    );

    const run = async (...args: string[]) => {
      const { status, stdout, stderr } = await belfry(['trail', ...args], { ...settings, BELFRY_DATA: folder });
      return [status, (stdout + stderr).trim()];
    };
    const altered = async () => (await readMetrics(server.metricsUrl)).get('belfry_trail_altered_rows');
    await until(
      async () => (await altered()) === 1,
      () => 'the metrics count the altered row',
    );
    assert.match(String((await run('status'))[1]), /^kept as evidence: 1 row of expired records that someone altered$/m);
    assert.deepEqual(await run('set-retention', '--account-id', accountId, '--days', '30'), [
      0,
      `belfry trail: trail records of account '${accountId}' now stay 30 days`,
    ]);
    assert.deepEqual(await found(), ['old-10']);
    assert.deepEqual(await run('retention'), [0, `ACCOUNT ID    DAYS\ndefault       90\n${accountId}  30`]);
    const [changed] = await recordsOf(cloudtrail, 'SetEventHistoryRetention');
    assert.deepEqual(changed.serviceEventDetails, { retentionDays: 30, previousRetentionDays: 90 });
    for (const [args, status, message] of [
      [['--account-id', '123', '--days', '30'], 1, /account '123' does not exist/],
      [['--account-id', accountId, '--days', '6'], 1, /the retention is '6' days; it must be a whole number from 7 to 3653/],
      [['--account-id', accountId, '--days', 'x'], 2, /--days is 'x'; it must be a number from 7 to 3653, or 'default'/],
    ] as const) {
      const [code, output] = await run('set-retention', ...args);
      assert.deepEqual([code, message.test(output as string)], [status, true], output as string);
    }
    await run('set-retention', '--account-id', accountId, '--days', 'default');
    assert.deepEqual(await run('retention'), [0, 'ACCOUNT ID  DAYS\ndefault     90']);
  });
}
