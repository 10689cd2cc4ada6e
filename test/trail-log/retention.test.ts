/** Verification of a trail whose records the retention deletes for longer than the retention, so that it also deletes its own events. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { DAY_MS, MINUTE_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { NO_TRAILS } from '#server/core/retention-phases.ts';
import { retention } from '#server/core/trail-retention.ts';
import { NOON, trailRow } from '#store/conformance-fixtures.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { TRAIL_PACK } from '#store/trail/trail-pack.ts';
import { noteRemoved } from '#store/trail/trail-removed.ts';
import { trailRetention } from '#store/trail/trail-retention.ts';
import { statementsOf, verified, verifiedAfter } from '../kit/trail-log.ts';

const [ANN, BEN] = ['111111111111', '222222222222'] as [AccountId, AccountId];
/** The test has no appender. */
const NO_LOG = 'the database has no trail log';

test('verifyTrail: accepts deletions whose retention events were deleted later, and still finds a deletion without an event', async () => {
  let now: number = NOON;
  const store = await openSqlite(':memory:', { now: () => instant(now) });
  after(() => store.close());
  const clock = { monotonic: () => 0, wall: () => instant(now), after: () => () => {} };
  let number = 0;
  const server = retention({
    store,
    region: 'us-east-1',
    defaultDays: 7,
    clock,
    newId: () => `id-${++number}`,
    delivered: NO_TRAILS,
    report: (line) => assert.fail(line),
  });
  await store.transaction((tx) => tx.of(trailRetention).set(BEN, 10));
  for (let day = 0; day < 40; day++) {
    // One record before and one after the time up to which the run of this day deletes, which is in the same hour.
    for (const minute of [-25, -5]) {
      now = NOON + day * DAY_MS + minute * MINUTE_MS;
      for (const accountId of [ANN, BEN])
        await store.transaction((tx) => tx.trail.append(trailRow(`${accountId}-${day}-${minute}`, instant(now), { accountId })));
    }
    now = NOON + day * DAY_MS;
    while ((await server.step()) === 'more');
    const { problems } = await verified(statementsOf(store));
    assert.deepEqual([day, problems], [day, [NO_LOG]]);
  }
  const { notes, deleted } = await verified(statementsOf(store));
  assert.ok(deleted > 100);
  assert.match(notes.join(), /^[0-9]+ deleted records are so old that their retention events can be deleted/);

  const { problems } = await verifiedAfter(store, async (sql) => {
    const [pack] = await TRAIL_PACK.rows(sql, `SELECT ${TRAIL_PACK.names} FROM trail_pack ORDER BY position DESC LIMIT 1 OFFSET 3`);
    assert.ok(pack);
    await noteRemoved(sql, pack, () => true);
    await sql.run('DELETE FROM trail_pack WHERE position = $1', [pack.position]);
  });
  assert.match(problems[0] ?? '', /^deleted record without a retention event/);
});
