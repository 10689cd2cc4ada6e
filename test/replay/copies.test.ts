/** Replays of requests with records in two accounts. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { proposal } from '#access/past/proposal.ts';
import { replayWindow } from '#access/past/replay-window.ts';
import type { AccountId } from '#core/arn.ts';
import { eventIdOf } from '#core/event-id.ts';
import { instant } from '#core/instant.ts';
import { BOB, ALICE as CALLER, NOON, trailRow } from '#store/conformance-fixtures.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { dataFolders } from '#store/engine/sqlite-fixture.ts';
import type { Store } from '#store/store.ts';
import { exampleContext } from '#store/trail/context-examples.ts';
import type { StoredContext } from '#store/trail/decision-context.ts';
import { PACK_RECORDS } from '#store/trail/trail-pack.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { testPostgres } from '../store/test-postgres.ts';

const OWNER = BOB;
const requestId = (number: number) => `${String(number).padStart(8, '0')}-0000-4000-8000-000000000000`;

/** Returns the record of a request of the caller's root user, or its copy in the account of the owner. */
function record(number: number, version: number, copy = false, context?: StoredContext): TrailRow {
  return trailRow(eventIdOf(requestId(number), copy), NOON, {
    accountId: copy ? OWNER : CALLER,
    context: context ?? contextOf(version),
  });
}

function contextOf(identityVersion: number) {
  const root = `arn:aws:iam::${CALLER}:root`;
  const { permissions } = exampleContext();
  return exampleContext({
    identityVersion,
    caller: { principal: JSON.stringify(['Root', CALLER, root, CALLER]) },
    permissions: permissions.map((each) => ({ ...each, allowedBy: undefined })),
  });
}

const single = (count: number, version: number): readonly TrailRow[] => Array.from({ length: count }, (_, i) => record(100 + i, version));
const pair = (version: number, context?: StoredContext) => [record(1, version, false, context), record(1, version, true, context)];

type Written = (version: number) => readonly (readonly TrailRow[])[];
// biome-ignore format: a table
const CASES: readonly [title: string, transactions: Written, accountIds: readonly AccountId[] | undefined, records: number][] = [
  ['both records in one pack',                             (v) => [pair(v)],                                                          undefined,       1],
  ['both records, after others',                           (v) => [[...single(5, v), ...pair(v)]],                                    undefined,       6],
  ['the copy begins the next pack',                        (v) => [[...single(PACK_RECORDS - 1, v), ...pair(v)]],                     undefined,       PACK_RECORDS],
  ['60 packs between the records',                         (v) => [[record(1, v)], ...single(60, v).map((row) => [row]), [record(1, v, true)]], undefined, 61],
  ['too many packs between: nothing is lost',              (v) => [[record(1, v)], ...single(70, v).map((row) => [row]), [record(1, v, true)]], undefined, 72],
  ['a window of the caller and the owner',                 (v) => [pair(v)],                                                          [CALLER, OWNER], 1],
  ['a window of the caller',                               (v) => [pair(v)],                                                          [CALLER],        1],
  ['a window of the owner, in which the copy is the only record', (v) => [pair(v)],                                                   [OWNER],         1],
  ['a window of the owner, and the copy begins a pack',    (v) => [[...single(PACK_RECORDS - 1, v), ...pair(v)]],                     [OWNER],         1],
  ['only the copy is left',                                (v) => [[record(1, v, true)]],                                             undefined,       1],
  ['copies of other requests',                             (v) => [[record(1, v), record(2, v, true), record(3, v, true)]],           undefined,       3],
  ['facts that are too large to be stored',                (v) => [pair(v, { omittedBytes: 9_000 })],                                 undefined,       1],
];

const folders = dataFolders();
// biome-ignore format: a table
const ENGINES: readonly (readonly [engine: string, open: () => Promise<{ readonly store: Store; readonly end: () => Promise<void> }>])[] = [
  ['SQLite',     async () => ({ store: await openSqlite(folders()), end: async () => {} })],
  ['PostgreSQL', async () => {
    const { url, stop } = await testPostgres();
    return { store: await openPostgres(url), end: stop };
  }],
];

for (const [engine, open] of ENGINES) {
  describe(`requests between two accounts: ${engine}`, () => {
    let store: Store;
    let end: () => Promise<void>;
    before(async () => {
      ({ store, end } = await open());
      for (const accountId of [CALLER, OWNER])
        await store.transaction(({ identity }) =>
          identity.put(accountId, 'account', accountId, { accountId, name: accountId, createdAt: NOON }),
        );
    });
    after(async () => {
      await store.close();
      await end();
    });

    for (const [title, transactions, accountIds, records] of CASES) {
      test(`replayWindow: ${title}`, async () => {
        const { version } = await store.transaction(({ identity }) => identity.changesSince(0));
        await store.transaction(({ sql }) => sql.run('DELETE FROM trail_pack'));
        for (const rows of transactions(version)) {
          await store.transaction(async ({ trail }) => {
            for (const row of rows) await trail.append(row);
          });
        }
        const window = { accountIds: accountIds && new Set(accountIds), from: instant(0), to: instant(Date.UTC(2200, 0, 1)) };
        const listed: string[] = [];
        const counts = await store.transaction(({ sql }) =>
          replayWindow(
            sql,
            [CALLER, OWNER],
            window,
            proposal([]),
            () => assert.fail('no decision flips'),
            ({ facts }) => listed.push(facts.eventId),
          ),
        );
        const unknown = [...counts.unknown.values()].reduce((sum, count) => sum + count, 0);
        assert.deepEqual([counts.records, counts.decided + unknown, counts.flipped], [records, records, 0]);
        assert.equal(listed.length, counts.decided);
      });
    }
  });
}
