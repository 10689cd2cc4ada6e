/** Unmodified clients of S3 against a running server, and the requests that they send (`test/cases/s3/clients.ts`). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLIENT_CASES, type ClientCase, type ClientName } from '../cases/s3/clients.ts';
import { startAccount } from '../kit/account.ts';
import { allow } from '../kit/policy.ts';
import { accessKeyOf, collectRequests, type SeenRequest } from '../kit/requests.ts';
import { awscli, type ClientRun, EXPECTED, rclone, S3_HOST, s3cmd, sdk } from './clients.ts';

const RUNS: Readonly<Record<ClientName, ClientRun>> = { sdk, awscli, s3cmd, rclone };
/** s3cmd presigns with Signature Version 2 only, which the server refuses. */
const BY_URL: Partial<Readonly<Record<ClientName, string>>> = { s3cmd: 'InvalidRequest' };

const account = await startAccount({ BELFRY_S3_HOST: S3_HOST });
const seen = collectRequests();
const sent = new Map<ClientName, readonly SeenRequest[]>();

for (const [name, run] of Object.entries(RUNS) as [ClientName, ClientRun][]) {
  test(`${name}: a bucket and its objects are created, listed, downloaded and deleted`, async () => {
    const keys = await account.user(name, allow('s3:*'));
    const facts = await run(account.server, keys);
    sent.set(
      name,
      seen.filter((each) => accessKeyOf(each) === keys.accessKeyId),
    );
    assert.deepEqual(facts, { ...EXPECTED, ...(BY_URL[name] !== undefined && { byUrl: BY_URL[name] }) });
  });
}

function matches({ method, target, header, status }: ClientCase, request: SeenRequest): boolean {
  const hasHeader = header === undefined || header[1].test(`${request.headers[header[0]] ?? ''}`);
  return request.method === method && request.status === status && target.test(request.target) && hasHeader;
}

for (const each of CLIENT_CASES) {
  for (const name of each.clients) {
    test(`S3 case ${each.row === undefined ? '' : `${each.row}: `}${each.title} (${name}): ${each.status}`, () => {
      const requests = sent.get(name) ?? [];
      const shown = requests.map(({ method, target, status }) => `${method} ${target} ${status}`).join('\n');
      assert.ok(
        requests.some((request) => matches(each, request)),
        shown,
      );
    });
  }
}
