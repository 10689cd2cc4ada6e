import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Analysis } from '#policy/analysis.ts';
import { StepsExceeded } from '#policy/steps.ts';
import { ANALYSIS_LIMITS, newAnalysisThreads } from './analysis-threads.ts';

const policy = (statement: object): string => JSON.stringify({ Version: '2012-10-17', Statement: statement });

/** An analysis that a thread completes at once. */
const QUICK: Analysis = {
  kind: 'context-keys',
  policies: [
    {
      policyId: 'p',
      text: policy({ Effect: 'Allow', Action: '*', Resource: '*', Condition: { Bool: { 'aws:SecureTransport': 'true' } } }),
    },
  ],
};

/** An analysis that exceeds the limit of steps: 2,000 values are compared with 2,000 patterns, each with a variable. */
const ENDLESS: Analysis = {
  kind: 'simulation',
  identity: [
    {
      policyId: 'p',
      text: policy({
        Effect: 'Allow',
        Action: '*',
        Resource: '*',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: policy variables
        Condition: { 'ForAllValues:StringLike': { 'aws:TagKeys': Array.from({ length: 2_000 }, (_, i) => '${aws:username}*a?' + i) } },
      }),
    },
  ],
  boundary: [],
  context: [
    ['aws:tagkeys', Array.from({ length: 2_000 }, (_, i) => `${'a'.repeat(2_000)}${i}`)],
    ['aws:username', 'a'.repeat(1_000)],
  ],
  actions: ['s3:GetObject'],
  resources: ['*'],
  from: 0,
  count: 1,
};

test('newAnalysisThreads: a thread returns the result of an analysis, and then runs the next analysis', async () => {
  const threads = newAnalysisThreads(ANALYSIS_LIMITS, assert.fail);
  for (let i = 0; i < 2; i++) assert.deepEqual(await threads.run('1', QUICK), { keys: ['aws:SecureTransport'] });
  await threads.close();
});

test('newAnalysisThreads: after too many steps (StepsExceeded), the same thread runs the next analysis', async () => {
  const threads = newAnalysisThreads({ ...ANALYSIS_LIMITS, threads: 1 }, assert.fail);
  await assert.rejects(threads.run('1', ENDLESS), StepsExceeded);
  assert.deepEqual(await threads.run('1', QUICK), { keys: ['aws:SecureTransport'] });
  await threads.close();
});

test('newAnalysisThreads: an analysis that runs too long is StepsExceeded, and a new thread starts', async () => {
  const threads = newAnalysisThreads({ ...ANALYSIS_LIMITS, threads: 1, milliseconds: 1 }, assert.fail);
  // The time limit is one millisecond. The start of the thread alone takes longer.
  await assert.rejects(threads.run('1', QUICK), StepsExceeded);
  await assert.rejects(threads.run('1', QUICK), StepsExceeded);
  await threads.close();
});

test('newAnalysisThreads: accounts take turns in a thread, with one analysis each', async () => {
  const threads = newAnalysisThreads({ ...ANALYSIS_LIMITS, threads: 1 }, assert.fail);
  const finished: string[] = [];
  const run = (accountId: string, name: string) => threads.run(accountId, QUICK).then(() => finished.push(name));
  await Promise.all([run('1', 'a1'), run('1', 'a2'), run('1', 'a3'), run('2', 'b1'), run('3', 'c1'), run('2', 'b2')]);
  assert.deepEqual(finished, ['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  await threads.close();
});

test('newAnalysisThreads: an account has at most one running analysis, even if a thread is free', async () => {
  const threads = newAnalysisThreads({ ...ANALYSIS_LIMITS, threads: 2 }, assert.fail);
  const finished: string[] = [];
  const run = (accountId: string, analysis: Analysis, name: string) =>
    threads.run(accountId, analysis).then(
      () => finished.push(name),
      () => finished.push(name),
    );
  // Analysis a2 waits for a1, because both belong to account 1. Analysis b1 of account 2 runs in the free thread.
  await Promise.all([run('1', ENDLESS, 'a1'), run('1', QUICK, 'a2'), run('2', QUICK, 'b1')]);
  assert.deepEqual(finished, ['b1', 'a1', 'a2']);
  await threads.close();
});

test('newAnalysisThreads: if too many analyses of one account or in total wait, the next one is Throttling', async () => {
  const threads = newAnalysisThreads({ ...ANALYSIS_LIMITS, threads: 1, waitingOfKey: 2, waiting: 3 }, assert.fail);
  const accepted = ['1', '1', '1', '2'].map((accountId) => threads.run(accountId, QUICK));
  await assert.rejects(threads.run('1', QUICK), { code: 'Throttling', message: 'Rate exceeded' });
  await assert.rejects(threads.run('3', QUICK), { code: 'Throttling' });
  await Promise.all(accepted);
  assert.deepEqual(await threads.run('3', QUICK), { keys: ['aws:SecureTransport'] });
  await threads.close();
});
