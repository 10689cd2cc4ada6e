/** ExplainDecision about a user with the most policies that IAM allows: the core's thread compiles and evaluates none of them. Decision 0016. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { GetUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { StepsExceeded } from '#policy/steps.ts';
import { ANALYSIS_LIMITS, type AnalysisThreads, newAnalysisThreads } from '#server/core/analysis-threads.ts';
import { callOwn } from '../../src/cli/own-call.ts';
import { createFullUser, FULL_USER_POLICIES } from '../hostile/full-user.ts';
import { CORE_STEPS_MAX, countSteps } from '../hostile/steps.ts';
import { startTestCore } from '../kit/core.ts';
import { listenForCore } from '../kit/core-listener.ts';
import { errorOf } from '../kit/outcome.ts';

/** True if the threads for analyses refuse all work. */
let isExceeded = false;
const real = newAnalysisThreads(ANALYSIS_LIMITS, assert.fail);
const analysisThreads: AnalysisThreads = {
  ...real,
  computeFor: (accountId) => (isExceeded ? () => Promise.reject(new StepsExceeded()) : real.computeFor(accountId)),
};
const core = await startTestCore({ analysisThreads });
const client = { endpoint: await listenForCore(core), region: 'us-east-1', credentials: core.credentials, maxAttempts: 1 };
const operation = loadModel('accessanalyzer').operations['ExplainDecision'] as OperationModel;
let requestId = '';

before(async () => {
  const credentials = await createFullUser(new IAMClient(client), 'full');
  const failed = await errorOf(new IAMClient({ ...client, credentials }).send(new GetUserCommand({ UserName: 'absent' })));
  requestId = failed.$metadata?.requestId ?? '';
});

const explain = () => callOwn(client, 'accessanalyzer', operation, { requestId });

test('ExplainDecision: all policies of a full user are explained', async () => {
  const { status, body } = await explain();
  assert.equal(status, 200, JSON.stringify(body).slice(0, 500));
  const { documents, reproduced, change } = body as {
    readonly documents: readonly object[];
    readonly reproduced: boolean;
    readonly change: { readonly allowsRequest: boolean; readonly grants: readonly object[] };
  };
  assert.deepEqual([documents.length, reproduced, change.allowsRequest, change.grants.length], [FULL_USER_POLICIES, true, true, 1]);
});

test("ExplainDecision: the core's thread compiles no policy, and takes few steps", async () => {
  await explain();
  const counting = await countSteps();
  try {
    // The count is of the same function that compiles the policies for each decision.
    assert.equal(await counting.callsOf('policy/compile.ts', 'compilePolicy', explain), 0);
    assert.equal(await counting.callsOf('policy/explain.ts', 'explain', explain), 0);
    const steps = await counting.of(explain);
    assert.ok(steps < CORE_STEPS_MAX, `${steps} steps`);
    const { compilePolicy } = await import('#policy/engine.ts');
    const compiled = async () => compilePolicy('{"Version":"2012-10-17","Statement":[]}');
    assert.equal(await counting.callsOf('policy/compile.ts', 'compilePolicy', compiled), 1);
  } finally {
    counting.stop();
  }
});

test('ExplainDecision: an explanation that takes too many steps is UnprocessableEntityException', async () => {
  isExceeded = true;
  const { status, code } = await explain();
  isExceeded = false;
  assert.deepEqual([status, code], [422, 'UnprocessableEntityException']);
});
