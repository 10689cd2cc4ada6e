import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  GetAccountAuthorizationDetailsCommand,
  IAMClient,
  ListPoliciesCommand,
} from '@aws-sdk/client-iam';
import { startTestServer } from '../server.ts';

const POLICIES = 30;
const server = await startTestServer();
const iam = new IAMClient(server.client());

/** A policy of as many characters as the API takes. White space does not count against its quota. */
const document = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'chime:*', Resource: '*' }] }).padEnd(
  131_072,
);
for (let i = 0; i < POLICIES; i++) {
  const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: `p${i}`, Path: '/large/', PolicyDocument: document }));
  await iam.send(new CreatePolicyVersionCommand({ PolicyArn: Policy?.Arn, PolicyDocument: document }));
}

/** Names of all pages, page by page. */
async function pages(of: (Marker: string | undefined) => Promise<{ names: readonly (string | undefined)[]; Marker: string | undefined }>) {
  const found: (readonly (string | undefined)[])[] = [];
  let marker: string | undefined;
  do {
    const { names, Marker } = await of(marker);
    found.push(names);
    marker = Marker;
  } while (marker !== undefined);
  return found;
}
const all = Array.from({ length: POLICIES }, (_, i) => `p${i}`).sort();

test('GetAccountAuthorizationDetails: a page of large policies ends early, and the pages together have each policy once', async () => {
  const found = await pages(async (Marker) => {
    const input = { Filter: ['LocalManagedPolicy' as const], MaxItems: 1_000, Marker };
    const page = await iam.send(new GetAccountAuthorizationDetailsCommand(input));
    return { names: (page.Policies ?? []).map(({ PolicyName }) => PolicyName), Marker: page.Marker };
  });
  assert.deepEqual(found.flat().sort(), all);
  // 16 policies of two versions each are 4 MiB.
  assert.ok(Math.max(...found.map(({ length }) => length)) <= 16, JSON.stringify(found.map(({ length }) => length)));
});

for (const [title, PathPrefix, names] of [
  ['all policies', '/large/', all],
  ['no policy', '/other/', []],
] as const) {
  test(`ListPolicies: pages that end early have ${title} of the path prefix, once`, async () => {
    const found = await pages(async (Marker) => {
      const page = await iam.send(new ListPoliciesCommand({ Scope: 'Local', PathPrefix, MaxItems: 1_000, Marker }));
      return { names: (page.Policies ?? []).map(({ PolicyName }) => PolicyName), Marker: page.Marker };
    });
    assert.deepEqual(found.flat().sort(), names);
    assert.ok(found.length >= 2, `${found.length} pages`);
  });
}
