import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Analysis, sizeOf } from '#policy/analysis.ts';
import { authorizationReference } from '#services/kit/authorization-reference.ts';
import { type Gate, INLINE_SIZE_MAX, newGate, withAside } from './aside.ts';
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

const policyOf = (text: string): Analysis => ({ kind: 'context-keys', policies: [{ policyId: 'p', text }] });
const conditionOn = (key: string, padding = 0): string =>
  `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"${key}":"true"}}}}${' '.repeat(padding)}`;

/** Threads that count what they run. */
function counting() {
  const ran: Analysis[] = [];
  const run: typeof offload.run = (accountId, analysis) => {
    ran.push(analysis);
    return offload.run(accountId, analysis);
  };
  return { ran, parts: { ...partsOf(), offload: { run } } };
}

test('withAside: a small analysis runs within the attempt, a long one outside of it', async () => {
  const { ran, parts } = counting();
  let attempts = 0;
  const analyze = (text: string) =>
    withAside(parts, async ({ offloadFor }) => {
      attempts++;
      return offloadFor('1')(policyOf(text) as never);
    });
  assert.deepEqual([await analyze(conditionOn('a:b')), attempts, ran.length], [{ keys: ['a:b'] }, 1, 0]);
  assert.deepEqual([await analyze(conditionOn('a:b', INLINE_SIZE_MAX)), attempts, ran.length], [{ keys: ['a:b'] }, 3, 1]);
});

test('withAside: the outcome is that of the policies read last, and policies that keep changing are ServiceUnavailable', async () => {
  const { ran, parts } = counting();
  let changes = 2;
  let version = 0;
  // The policies change between two attempts, as often as `changes` says.
  const attempt = () =>
    withAside(parts, async ({ offloadFor }) => {
      if (changes-- > 0) version++;
      return offloadFor('1')(policyOf(conditionOn(`a:v${version}`, INLINE_SIZE_MAX)) as never);
    });
  assert.deepEqual([await attempt(), ran.length], [{ keys: ['a:v2'] }, 2]);
  changes = Number.POSITIVE_INFINITY;
  await assert.rejects(attempt(), { code: 'ServiceUnavailable' });
});

test('withAside: no analysis takes more steps on the thread of the attempt than INLINE_STEPS_MAX', async () => {
  // Small enough for the thread of the attempt by its size, and too slow for it.
  const pattern = `*${'a?'.repeat(40)}b*`;
  const text = JSON.stringify({
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Action: '*',
      Resource: '*',
      Condition: { StringLike: { 'aws:UserAgent': Array.from({ length: 20 }, () => pattern) } },
    },
  });
  const analysis: Analysis = {
    kind: 'simulation',
    identity: [{ policyId: 'p', text }],
    boundary: [],
    context: [['aws:useragent', 'a'.repeat(1_800)]],
    actions: Array.from({ length: 20 }, (_, i) => `s3:Get${i}`),
    resources: ['*'],
    from: 0,
    count: 20,
  };
  assert.ok(sizeOf(analysis) <= INLINE_SIZE_MAX);
  const { ran, parts } = counting();
  const outcome = await withAside(parts, async ({ offloadFor }) => offloadFor('1')(analysis as never));
  assert.equal((outcome as { results: unknown[] }).results.length, 20);
  assert.equal(ran.length, 1);
});
