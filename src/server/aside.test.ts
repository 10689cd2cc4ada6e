import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { authorizationReference } from '#services/accessanalyzer/reference.ts';
import { type Gate, newGate, withAside } from './aside.ts';
import { newOffload, OFFLOAD_LIMITS } from './offload.ts';

const offload = newOffload(OFFLOAD_LIMITS, () => {});
after(() => offload.close());

function partsOf(gate: Gate = newGate(2)) {
  return { gate, offload, reference: authorizationReference };
}

test('withAside: what is done beside an attempt is done once, and the attempt made anew with its outcome', async () => {
  const done: string[] = [];
  let attempts = 0;
  const outcome = await withAside(partsOf(), async ({ aside }) => {
    attempts++;
    const work = (name: string) => async () => {
      done.push(name);
      return `${name} done`;
    };
    return [aside('one', work('one')), aside('two', work('two')), aside('one', work('one'))];
  });
  assert.deepEqual([attempts, done, outcome], [3, ['one', 'two'], ['one done', 'two done', 'one done']]);
});

test('withAside: an attempt that is refused before it asks has nothing done, and one refused after the work is refused', async () => {
  const refusal = new Error('refused');
  let done = 0;
  let allowed = false;
  const attempt = () =>
    withAside(partsOf(), async ({ aside }) => {
      if (!allowed) throw refusal;
      return aside('one', async () => {
        done++;
        allowed = false;
      });
    });
  await assert.rejects(attempt(), refusal);
  assert.equal(done, 0);
  allowed = true;
  await assert.rejects(attempt(), refusal);
  assert.equal(done, 1);
});

test('withAside: work that fails fails the attempt', async () => {
  const failure = new Error('failed');
  await assert.rejects(
    withAside(partsOf(), async ({ aside }) => aside('one', () => Promise.reject(failure))),
    failure,
  );
});

test('newGate: two work at once, in turn, and where too many wait already the next is ServiceUnavailable', async () => {
  const gate = newGate(2);
  let [working, most] = [0, 0];
  const opened = Promise.withResolvers<void>();
  const one = () =>
    withAside(partsOf(gate), async ({ aside }) =>
      aside('one', async () => {
        most = Math.max(most, ++working);
        await opened.promise;
        working--;
        return 'done';
      }),
    );
  const all = Array.from({ length: 34 }, one);
  await assert.rejects(one(), { code: 'ServiceUnavailable' });
  opened.resolve();
  assert.deepEqual(new Set(await Promise.all(all)), new Set(['done']));
  assert.equal(most, 2);
  assert.equal(await one(), 'done');
});
