import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bounds, explore, type Fault } from './model.ts';

// biome-ignore format: a table
const SOUND: readonly (Bounds & { readonly states: number })[] = [
  // sizes for which the test explores all states
  { servers: 1, writers: 2, lease: 2, removals: true,  states:  39_548 },
  { servers: 1, writers: 2, lease: 3, removals: true,  states: 107_410 },
  { servers: 2, writers: 2, lease: 1, removals: false, states: 281_057 },
  { servers: 2, writers: 1, lease: 2, removals: true,  states: 342_218 },
];

for (const { states, ...bounds } of SOUND) {
  const { servers, writers, lease, removals } = bounds;
  test(`the protocol: ${servers} servers, ${writers} writers, leases of ${lease} ticks${removals ? ', removals' : ''}: no violation`, () => {
    // The exact number of states shows that the exploration skipped none.
    assert.deepEqual(explore(bounds, 'none'), { states, violation: undefined });
  });
}

// biome-ignore format: a table
const FAULTS: readonly (readonly [fault: Exclude<Fault, 'none'>, lastStep: RegExp])[] = [
  // the fault                              the last step of the violation
  ['no wait',                               /applies|returns|lease/],
  ['no lease',                              /has loaded|returns/],
  ['fail open',                             /is lost|returns/],
  ['lease from the response',               /applies|has its lease/],
  ['asynchronous replica',                  /applies|returns|lease/],
  ['versions from a sequence',              /applies|returns|lease/],
  ['two snapshots',                         /applies|returns|lease/],
  ['removed at once',                       /returns/],
  ['fail-over to an asynchronous standby',  /applies|has its lease/],
  ['lease without registration',            /returns|applies|lease/],
  ['acknowledged before applied',           /returns/],
  ['lease before the acknowledgement',      /returns|applies|lease/],
  ['expired too early',                     /returns|applies|lease/],
  ['expired in spite of its acknowledgement',       /returns|applies|lease/],
];

for (const [fault, lastStep] of FAULTS) {
  test(`the protocol: with the fault "${fault}" the model finds a violation`, () => {
    const { violation } = explore({ servers: 1, writers: 2, lease: 2, removals: true }, fault);
    assert.match(violation?.at(-1) ?? 'nothing was found', lastStep);
  });
}
