import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Analysis, sizeOf } from '#policy/analysis.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { ANALYSIS_LIMITS, newAnalysisThreads } from './analysis-threads.ts';
import { type Gate, INLINE_SIZE_MAX, newContacts, newGate, newSmallAnalyses, withOffload } from './offload.ts';
import { newSurveyGate } from './survey-gate.ts';

const threads = newAnalysisThreads(ANALYSIS_LIMITS, () => {});
const store = await openSqlite(':memory:');
after(() => threads.close());

function partsOf(gate: Gate = newGate(2)) {
  return {
    gate,
    contacts: newContacts({ most: 2, mostOfAccount: 1 }),
    surveyGate: newSurveyGate(),
    store,
    threads,
    smallAnalyses: newSmallAnalyses(),
  };
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

test('withOffload: an error in the attempt rejects, and work after the error does not run', async () => {
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
  return { ran, parts: { ...partsOf(), threads: { ...threads, run } } };
}

test('withOffload: the analysis code is loaded outside the attempt, then small analyses run in the attempt', async () => {
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

test('withOffload: if policies change between attempts, the analysis runs again, up to a limit', async () => {
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

test('withOffload: an analysis with more steps than INLINE_STEPS_MAX runs in another thread', async () => {
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

test('newContacts: an account runs one exchange at a time, and all accounts together two', async () => {
  const contacts = newContacts({ most: 2, mostOfAccount: 1 });
  const { promise, resolve } = Promise.withResolvers<string>();
  const [ada, again, bob, eve] = ['ada', 'ada', 'bob', 'eve'].map((account) => contacts(account, () => promise));
  assert.deepEqual([again, eve], [undefined, undefined]);
  resolve('done');
  assert.deepEqual([await ada, await bob], ['done', 'done']);
  await assert.rejects(contacts('ada', () => Promise.reject(new Error('failed'))) as Promise<unknown>, /failed/);
  assert.equal(await contacts('ada', async () => 'next'), 'next');
});

test('withOffload: an exchange beyond the limit of the account is ServiceUnavailable, and another account is served', async () => {
  const parts = partsOf();
  const { promise, resolve } = Promise.withResolvers<string>();
  const contact = (account: string) => withOffload(parts, async ({ contactFor }) => contactFor(account)('host', () => promise));
  const first = contact('ada');
  await assert.rejects(contact('ada'), { code: 'ServiceUnavailable' });
  const other = contact('bob');
  resolve('answer');
  assert.deepEqual([await first, await other], ['answer', 'answer']);
});
