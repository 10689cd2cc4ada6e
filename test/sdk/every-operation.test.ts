import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { SERVICE_NAMES } from '#model/model.ts';
import { unprovenOf } from '../server/unproven.ts';
import { startTestServer } from '../server.ts';
import { caller, inputFor, operationsOf } from './every-operation.ts';
import { everyEvent } from './history.ts';

/** What holds for every operation of every service, built or not. */

/** Source: requirement INF-4; the models' `noAuth` operations. What they are asked with proves who asks. */
const UNSIGNED: ReadonlySet<string> = new Set(['AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity']);

const server = await startTestServer();

test('INF-4: no operation but two is answered to one who does not sign', async () => {
  const faults: string[] = [];
  const answered: string[] = [];
  let called = 0;
  for (const service of SERVICE_NAMES) {
    const call = caller(service, { ...server.client(), signer: { sign: async (request: unknown) => request } });
    for (const operation of operationsOf(service)) {
      const { code, status } = await call(operation.name, inputFor(service, operation, server.accountId));
      called++;
      if (!/^MissingAuthenticationToken/.test(code)) answered.push(operation.name);
      else if (status !== 403) faults.push(`${service} ${operation.name}: ${status}`);
      if (status === undefined || status >= 500) faults.push(`${service} ${operation.name}: ${code} ${status}`);
    }
  }
  assert.deepEqual([faults, new Set(answered)], [[], UNSIGNED]);
  assert.ok(called > 600, `${called} operations`);
});

test('LOG-1: every call of every operation makes exactly one record, whatever became of it', async () => {
  const calls = new Map<string, { readonly name: string; readonly ok: boolean; readonly readOnly: boolean }>();
  for (const service of SERVICE_NAMES) {
    const call = caller(service, server.client());
    for (const operation of operationsOf(service)) {
      const { code, status, requestId } = await call(operation.name, inputFor(service, operation, server.accountId));
      assert.ok(requestId !== undefined && status !== undefined && status < 500, `${service} ${operation.name}: ${code} ${status}`);
      calls.set(requestId, { name: operation.name, ok: code === 'ok', readOnly: operation.readOnly });
    }
  }
  const recorded = new Map<string, { readonly name: string; readonly ok: boolean; readonly readOnly: boolean }[]>();
  for (const { eventName, errorCode, document } of await everyEvent(new CloudTrailClient(server.client()))) {
    const { requestID, readOnly } = document;
    recorded.set(requestID, [...(recorded.get(requestID) ?? []), { name: eventName, ok: errorCode === undefined, readOnly }]);
  }
  // The client does not sign two operations; their refusals name no account.
  for (const { eventName, errorCode, requestID, readOnly } of await unprovenOf(server.dataFolder)) {
    const record = { name: eventName as string, ok: errorCode === undefined, readOnly: readOnly as boolean };
    recorded.set(requestID as string, [...(recorded.get(requestID as string) ?? []), record]);
  }
  const wrong = [...calls].filter(([id, call]) => JSON.stringify(recorded.get(id)) !== JSON.stringify([call]));
  assert.deepEqual(
    wrong.map(([id, call]) => [call, recorded.get(id)]),
    [],
  );
  assert.ok(calls.size > 600, `${calls.size} calls`);
});
