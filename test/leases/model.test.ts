import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bounds, explore, type Fault } from './model.ts';

// biome-ignore format: a table
const SOUND: readonly (Bounds & { readonly states: number })[] = [
  // every state there is, however long it runs
  { servers: 1, writers: 2, lease: 2, removals: true,  states:  39_548 },
  { servers: 1, writers: 2, lease: 3, removals: true,  states: 107_410 },
  { servers: 2, writers: 2, lease: 1, removals: false, states: 281_057 },
  { servers: 2, writers: 1, lease: 2, removals: true,  states: 342_218 },
];

for (const { states, ...bounds } of SOUND) {
  const { servers, writers, lease, removals } = bounds;
  test(`the protocol: ${servers} servers, ${writers} writers, leases of ${lease} ticks${removals ? ', removals' : ''}: no interleaving honours what was withdrawn`, () => {
    // The number of states says that none was left out: it changes only with the model.
    assert.deepEqual(explore(bounds, 'none'), { states, violation: undefined });
  });
}

// biome-ignore format: a table
const FAULTS: readonly (readonly [fault: Exclude<Fault, 'none'>, lastStep: RegExp])[] = [
  // the fault                              the step at which what was withdrawn is honoured
  ['no wait',                               /takes in|answers|lease/],
  ['no lease',                              /has loaded|answers/],
  ['fail open',                             /is lost|answers/],
  ['lease from the answer',                 /takes in|has its lease/],
  ['asynchronous replica',                  /takes in|answers|lease/],
  ['versions from a sequence',              /takes in|answers|lease/],
  ['two snapshots',                         /takes in|answers|lease/],
  ['removed at once',                       /answers/],
  ['fail-over to an asynchronous standby',  /takes in|has its lease/],
  ['lease without registration',            /answers|takes in|lease/],
  ['acknowledged before taken in',          /answers/],
  ['lease before the acknowledgement',      /answers|takes in|lease/],
  ['expired too early',                     /answers|takes in|lease/],
  ['expired without a look at its acknowledgement', /answers|takes in|lease/],
];

for (const [fault, lastStep] of FAULTS) {
  test(`the protocol: with the fault "${fault}" the model finds what breaks it`, () => {
    const { violation } = explore({ servers: 1, writers: 2, lease: 2, removals: true }, fault);
    assert.match(violation?.at(-1) ?? 'nothing was found', lastStep);
  });
}
