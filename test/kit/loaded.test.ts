import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import './loaded.ts';

let isLoaded = false;
let isStopped = false;
after(() => {
  isStopped = true;
});

test('The hooks of a file: the first test begins when the module is loaded', () => assert.equal(isLoaded, true));
// Without the delay of the tests, the first test and the hook end in these turns of the event loop.
for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
test('The hooks of a file: they run after the tests that are registered late', () => assert.equal(isStopped, false));
isLoaded = true;
