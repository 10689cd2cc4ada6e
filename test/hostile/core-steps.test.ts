import assert from 'node:assert/strict';
import { Session } from 'node:inspector/promises';
import { after, before, test } from 'node:test';
import { AwsError } from '#core/aws-error.ts';
import { ANALYSIS_LIMITS, newAnalysisThreads } from '#server/core/analysis-threads.ts';
import { newGate, withOffload } from '#server/core/offload.ts';
import { accessanalyzerOperations } from '#services/accessanalyzer/operations.ts';
import { authorizationReference } from '#services/kit/authorization-reference.ts';
import type { Call, Operation } from '#services/kit/operation.ts';
import { decode } from '#wire/decode.ts';
import { requestForTests } from '#wire/request-for-tests.ts';
import { route } from '#wire/route.ts';
import { callOf, openIam } from '../iam/fixture.ts';
import { type HostileRequest, hostileRequests } from './worst-analysis-requests.ts';

/**
 * Steps of one request on the core's thread: the sum of the executions of the most frequent block of each function of the project. V8
 * counts them. The steps of the threads for analyses are not included.
 */

/** Maximum number of steps of one request: about 50 ms. The longest loops read the characters of the largest body. */
const CORE_STEPS_MAX = 4_000_000;

const session = new Session();
const iam = await openIam();
const threads = newAnalysisThreads({ ...ANALYSIS_LIMITS, waitingOfKey: 64 }, () => {});
const tables: Readonly<Record<string, object>> = { iam: iam.operations, accessanalyzer: accessanalyzerOperations() };

before(async () => {
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
});
after(async () => {
  session.disconnect();
  await threads.close();
});

/** Decodes and handles a request as the core does. Every access is allowed. */
async function answer({ path, headers, body, signingName }: HostileRequest): Promise<void> {
  const received = requestForTests({ method: 'POST', target: path, scope: signingName, headers, body });
  const routed = route(received, { guide2021: false });
  if (routed.kind === 'refused') throw routed.error;
  const input = decode(routed, received);
  const table = tables[routed.service] as Readonly<Record<string, Operation<unknown, unknown>>> | undefined;
  const operation = table?.[routed.operation.name];
  if (operation === undefined) return;
  await withOffload({ gate: newGate(1), threads, reference: authorizationReference }, ({ offload, analyzeFor }) =>
    iam.store.transaction(async (tx) => {
      const call: Call = callOf(tx, { offload, analyze: analyzeFor('1') });
      operation.access(input, call);
      return operation.handle(call, input);
    }),
  );
}

async function stepsOf(request: HostileRequest): Promise<number> {
  // Reading the counts resets them.
  await session.post('Profiler.takePreciseCoverage');
  await answer(request).catch((error) => {
    if (!(error instanceof AwsError)) throw error;
  });
  const { result } = await session.post('Profiler.takePreciseCoverage');
  const own = result.filter(({ url }) => url.includes('/src/'));
  return own
    .flatMap(({ functions }) => functions.map(({ ranges }) => Math.max(...ranges.map(({ count }) => count))))
    .reduce((sum, count) => sum + count, 0);
}

test(`Core: no hostile request takes more than ${CORE_STEPS_MAX} steps of its thread`, async () => {
  const over: string[] = [];
  for (const request of hostileRequests(1)) {
    const steps = await stepsOf(request);
    if (steps > CORE_STEPS_MAX) over.push(`${request.name}: ${steps} steps`);
  }
  assert.deepEqual(over, []);
});

test('Core: the count of steps includes the steps for each character of a body', async () => {
  const read = hostileRequests(1).find(({ name }) => name === 'CreateRole, 130 KB');
  assert.ok((await stepsOf(read as HostileRequest)) > 130_000);
});
