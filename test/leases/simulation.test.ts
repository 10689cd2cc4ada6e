import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SimulatedFault, simulate } from './simulation.ts';

/** Number of seeds. A seed determines a schedule: the calls and faults of twenty simulated seconds. Every run uses the same seeds. */
const SCHEDULES = 1_000;

test(`the lease: in ${SCHEDULES} schedules no server honors a withdrawn permission, and every server recovers`, async () => {
  let answered = 0;
  let byTime = 0;
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const run = await simulate(seed);
    assert.equal(run.broken, undefined, `seed ${seed}: ${run.broken}`);
    answered += run.answered;
    byTime += run.byTime;
  }
  // Checks that withdrawals returned in both ways: after all acknowledgments, and after the end of all older leases.
  assert.ok(byTime > SCHEDULES && answered - byTime > SCHEDULES, `${answered} answered, ${byTime} by time`);
});

test('the lease: two runs with the same seed have the same result', async () => {
  assert.deepEqual(await simulate(7), await simulate(7));
});

const FAULTS: readonly Exclude<SimulatedFault, 'none'>[] = [
  'no wait',
  'fail open',
  'acknowledgements are ignored',
  'removed at once',
  'rows and version from two snapshots',
  'acknowledged before applied',
  'a suspension is not noticed',
  'an asynchronous replica answers',
];
for (const fault of FAULTS) {
  test(`the lease: with the fault "${fault}", a simulated schedule breaks the guarantee`, async () => {
    for (let seed = 1; seed <= 300; seed++) if ((await simulate(seed, fault)).broken !== undefined) return;
    assert.fail('no schedule found the fault');
  });
}
