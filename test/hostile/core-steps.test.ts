import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AwsError } from '#core/aws-error.ts';
import { openCountedOperations } from './counted-operations.ts';
import { CORE_STEPS_MAX, countSteps } from './steps.ts';
import { type HostileRequest, hostileRequests } from './worst-analysis-requests.ts';

/** Checks that one request takes at most `CORE_STEPS_MAX` steps on the core's thread. `steps.ts` defines a step. */

const operations = await openCountedOperations();
let steps: Awaited<ReturnType<typeof countSteps>>;

before(async () => {
  steps = await countSteps();
});
after(async () => {
  steps.stop();
  await operations.close();
});

function stepsOf(request: HostileRequest): Promise<number> {
  return steps.of(() =>
    operations.answer(request).catch((error) => {
      if (!(error instanceof AwsError)) throw error;
    }),
  );
}

test(`Core: no hostile request takes more than ${CORE_STEPS_MAX} steps of the core's thread`, async () => {
  const over: string[] = [];
  for (const request of hostileRequests(1)) {
    const taken = await stepsOf(request);
    if (taken > CORE_STEPS_MAX) over.push(`${request.name}: ${taken} steps`);
  }
  assert.deepEqual(over, []);
});

test('Core: countSteps counts the steps of a known request', async () => {
  const read = hostileRequests(1).find(({ name }) => name === 'CreateRole, 130 KB');
  assert.ok((await stepsOf(read as HostileRequest)) > 130_000);
});

/** Returns a DeleteObjects request. */
function deletion(keys: number): HostileRequest {
  const body = Buffer.from(`<Delete>${'<Object><Key>a</Key></Object>'.repeat(keys)}</Delete>`);
  return { name: 'DeleteObjects', signingName: 's3', path: '/bucket?delete', headers: {}, body };
}

test('Core: DeleteObjects with 30,000 keys is refused after the first 1,001', async () => {
  await assert.rejects(operations.answer(deletion(30_000)), { code: 'MalformedXML' });
  await operations.answer(deletion(1_000));
  const most = await stepsOf(deletion(1_000));
  const taken = await stepsOf(deletion(30_000));
  assert.ok(taken <= most * 1.1, `${taken} steps, but ${most} for 1,000 keys`);
});
