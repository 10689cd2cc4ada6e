import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { SDK_SERVICES } from '../kit/clients.ts';
import { startTestServer } from '../kit/server.ts';
import { everyEvent, readUnproven } from '../kit/trail.ts';
import { caller, inputFor, operationsOf } from './every-operation.ts';

/** Tests properties of all operations of all services, including operations that are not implemented. */

/** Operations that authenticate the caller by a token. Source: requirement INF-4; the models' `noAuth` operations. */
const UNSIGNED: ReadonlySet<string> = new Set(['AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity']);

const server = await startTestServer();

test('INF-4: only two operations accept unsigned requests', async () => {
  const faults: string[] = [];
  const answered: string[] = [];
  let called = 0;
  for (const service of SDK_SERVICES) {
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

/** Calls that are data events, which no trail of this test selects. */
const UNRECORDED: ReadonlySet<string> = new Set(['PutLogEvents']);

test('LOG-1: every call of every operation is recorded exactly once, whatever its result', async () => {
  const calls = new Map<string, { readonly name: string; readonly ok: boolean; readonly readOnly: boolean }>();
  for (const service of SDK_SERVICES) {
    const call = caller(service, server.client());
    for (const operation of operationsOf(service)) {
      const { code, status, requestId } = await call(operation.name, inputFor(service, operation, server.accountId));
      assert.ok(requestId !== undefined && status !== undefined && status < 500, `${service} ${operation.name}: ${code} ${status}`);
      if (!UNRECORDED.has(operation.name)) calls.set(requestId, { name: operation.name, ok: code === 'ok', readOnly: operation.readOnly });
    }
  }
  const recorded = new Map<string, { readonly name: string; readonly ok: boolean; readonly readOnly: boolean }[]>();
  for (const { eventName, errorCode, document } of await everyEvent(new CloudTrailClient(server.client()))) {
    const { requestID, readOnly } = document;
    recorded.set(requestID, [...(recorded.get(requestID) ?? []), { name: eventName, ok: errorCode === undefined, readOnly }]);
  }
  // Adds the records without an account: the client does not sign the two operations in UNSIGNED.
  for (const { eventName, errorCode, requestID, readOnly } of await readUnproven(server.dataFolder)) {
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
