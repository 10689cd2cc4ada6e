import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Analysis, sizeOf } from '#policy/analysis.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { ANALYSIS_LIMITS, newAnalysisThreads } from './analysis-threads.ts';
import { type Gate, INLINE_SIZE_MAX, newGate, newSmallAnalyses, withOffload } from './offload.ts';

const threads = newAnalysisThreads(ANALYSIS_LIMITS, () => {});
const store = await openSqlite(':memory:');
after(() => threads.close());

function partsOf(gate: Gate = newGate(2)) {
  return { gate, surveyGate: gate, store, threads, smallAnalyses: newSmallAnalyses() };
}

test('withOffload: offloaded work runs once, and the attempt is repeated with the result of the work', async () => {
  const done: string[] = [];
  let attempts = 0;
  const outcome = await withOffload(partsOf(), async ({ offload }) => {
    attempts++;
    const work = (name: string) => async () => {
      done.push(name);
      return `${name} done`;
    };
    return [offload('one', work('one')), offload('two', work('two')), offload('one', work('one'))];
  });
  assert.deepEqual([attempts, done, outcome], [3, ['one', 'two'], ['one done', 'two done', 'one done']]);
});

test('withOffload: a refusal before the work prevents the work, and a refusal after it is the response', async () => {
  const refusal = new Error('refused');
  let done = 0;
  let allowed = false;
  const attempt = () =>
    withOffload(partsOf(), async ({ offload }) => {
      if (!allowed) throw refusal;
      return offload('one', async () => {
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

test('withOffload: if offloaded work fails, the attempt fails', async () => {
  const failure = new Error('failed');
  await assert.rejects(
    withOffload(partsOf(), async ({ offload }) => offload('one', () => Promise.reject(failure))),
    failure,
  );
});

test('newGate: two tasks run at once, and if too many tasks wait, the next one is ServiceUnavailable', async () => {
  const gate = newGate(2);
  let [working, most] = [0, 0];
  const opened = Promise.withResolvers<void>();
  const one = () =>
    withOffload(partsOf(gate), async ({ offload }) =>
      offload('one', async () => {
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

/** Returns analysis threads that record the analyses that they run. */
function counting() {
  const ran: Analysis[] = [];
  const run: typeof threads.run = (accountId, analysis) => {
    ran.push(analysis);
    return threads.run(accountId, analysis);
  };
  return { ran, parts: { ...partsOf(), threads: { run } } };
}

test('withOffload: the first analysis loads the rules outside the attempt, then small ones run within it', async () => {
  const { ran, parts } = counting();
  let attempts = 0;
  const analyze = (text: string) =>
    withOffload(parts, async ({ analyzeFor }) => {
      attempts++;
      return analyzeFor('1')(policyOf(text) as never);
    });
  assert.deepEqual([await analyze(conditionOn('a:b')), attempts, ran.length], [{ keys: ['a:b'] }, 2, 0]);
  assert.deepEqual([await analyze(conditionOn('a:c')), attempts, ran.length], [{ keys: ['a:c'] }, 3, 0]);
  assert.deepEqual([await analyze(conditionOn('a:b', INLINE_SIZE_MAX)), attempts, ran.length], [{ keys: ['a:b'] }, 5, 1]);
});

test('withOffload: an analysis of changed policies runs again, a limited number of times', async () => {
  const { ran, parts } = counting();
  let changes = 2;
  let version = 0;
  // Simulates that the policies change between two attempts, `changes` times.
  const attempt = () =>
    withOffload(parts, async ({ analyzeFor }) => {
      if (changes-- > 0) version++;
      return analyzeFor('1')(policyOf(conditionOn(`a:v${version}`, INLINE_SIZE_MAX)) as never);
    });
  assert.deepEqual([await attempt(), ran.length], [{ keys: ['a:v2'] }, 2]);
  changes = Number.POSITIVE_INFINITY;
  await assert.rejects(attempt(), { code: 'ServiceUnavailable' });
});

test('withOffload: no analysis takes more steps on the thread of the attempt than INLINE_STEPS_MAX', async () => {
  // The policy is small enough for the core's thread, but the analysis exceeds the limit of steps there.
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
  const outcome = await withOffload(parts, async ({ analyzeFor }) => analyzeFor('1')(analysis as never));
  assert.equal((outcome as { results: unknown[] }).results.length, 20);
  assert.equal(ran.length, 1);
});
