import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { proposal } from '#access/past/proposal.ts';
import { type ReplayCounts, replayWindow } from '#access/past/replay-window.ts';
import { instant } from '#core/instant.ts';
import { openReadOnly } from '#store/engine/read-only.ts';
import { accountsIn } from '../../src/cli/policy-window.ts';
import { testPostgres } from '../store/test-postgres.ts';
import { differences } from './compare.ts';
import { record, recorded } from './record.ts';

const postgres = await testPostgres();
after(postgres.stop);

/** Decides all recorded requests of a database again, with the policies as they were. */
async function replayUnchanged(database: string): Promise<ReplayCounts> {
  const { sql, close } = await openReadOnly(database);
  try {
    const window = { accountIds: undefined, from: instant(0), to: instant(Date.UTC(2100, 0, 1)) };
    return await replayWindow(sql, await accountsIn(sql), window, proposal([]), ({ facts, principal }) =>
      console.error(`flipped: ${facts.eventName} of ${principal.arn}`),
    );
  } finally {
    await close();
  }
}

for (const [engine, environment] of [
  ['SQLite', {}],
  ['PostgreSQL', { BELFRY_DATABASE: postgres.url }],
] as const) {
  test(`Recording: every response and trail record on ${engine} equals the recorded one`, async () => {
    const replays: ReplayCounts[] = [];
    const exchanges = await record(environment, async (dataFolder) => {
      replays.push(await replayUnchanged(environment.BELFRY_DATABASE ?? `file:${dataFolder}`));
    });
    assert.deepEqual(differences(recorded(), exchanges), []);
    assert.ok(exchanges.length > 2_000, `${exchanges.length} exchanges`);
    for (const { decided, flipped, unknown } of replays) {
      assert.equal(flipped, 0);
      assert.ok(decided > 3_000, `${decided} decisions`);
      assert.deepEqual([...unknown.keys()].sort(), ['no policy decided', 'the facts of the decision are too large to be stored']);
    }
    assert.equal(replays.length, 1);
  });
}
