import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SimulatedFault, simulate } from './simulation.ts';

/** Seeds, each a schedule of twenty seconds; every run tries the same ones, so that what fails can be looked at. */
const SCHEDULES = 1_000;

test(`the lease: in ${SCHEDULES} schedules no server honours what was withdrawn, and all recover`, async () => {
  let answered = 0;
  let byTime = 0;
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const run = await simulate(seed);
    assert.equal(run.broken, undefined, `seed ${seed}: ${run.broken}`);
    answered += run.answered;
    byTime += run.byTime;
  }
  // Both ways of answering were gone, or nothing was tried.
  assert.ok(byTime > SCHEDULES && answered - byTime > SCHEDULES, `${answered} answered, ${byTime} by time`);
});

test('the lease: a seed is a schedule: it runs the same way every time', async () => {
  assert.deepEqual(await simulate(7), await simulate(7));
});

const FAULTS: readonly Exclude<SimulatedFault, 'none'>[] = [
  'no wait',
  'fail open',
  'acknowledgements are not looked at',
  'removed at once',
  'rows and version from two snapshots',
  'acknowledged before taken in',
  'time that a machine forgot is not noticed',
  'an asynchronous replica answers',
];
for (const fault of FAULTS) {
  test(`the lease: with the fault "${fault}" some schedule breaks the promise`, async () => {
    for (let seed = 1; seed <= 300; seed++) if ((await simulate(seed, fault)).broken !== undefined) return;
    assert.fail('no schedule found it');
  });
}
