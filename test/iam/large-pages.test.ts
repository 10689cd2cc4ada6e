import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateUserCommand,
  GetAccountAuthorizationDetailsCommand,
  GetPolicyVersionCommand,
  GetUserPolicyCommand,
  IAMClient,
  ListPoliciesCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { allow, policy } from '../kit/policy.ts';
import { startTestServer } from '../kit/server.ts';

const POLICIES = 90;
const VERSIONS = 5;
const server = await startTestServer();
const iam = new IAMClient(server.client());

const documentOf = (value: string) => policy(allow('chime:*', '*', { Condition: { StringEquals: { 'aws:userid': value } } }));

/** Policy with almost as many characters as the quota allows. */
const large = documentOf('a'.repeat(6_000));
await Promise.all(
  Array.from({ length: POLICIES }, async (_, i) => {
    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: `p${i}`, Path: '/large/', PolicyDocument: large }));
    for (let version = 1; version < VERSIONS; version++)
      await iam.send(new CreatePolicyVersionCommand({ PolicyArn: Policy?.Arn, PolicyDocument: large }));
  }),
);

/** Returns one list of names for each page. */
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

test('GetAccountAuthorizationDetails: pages of large policies end early, and have each policy once', async () => {
  const found = await pages(async (Marker) => {
    const input = { Filter: ['LocalManagedPolicy' as const], MaxItems: 1_000, Marker };
    const page = await iam.send(new GetAccountAuthorizationDetailsCommand(input));
    return { names: (page.Policies ?? []).map(({ PolicyName }) => PolicyName), Marker: page.Marker };
  });
  assert.deepEqual(found.flat().sort(), all);
  // Each of the 90 policies has 5 versions of 6 KB. A page ends after 2 MiB, so no page contains all policies.
  assert.ok(Math.max(...found.map(({ length }) => length)) < POLICIES, JSON.stringify(found.map(({ length }) => length)));
});

for (const [title, PathPrefix, names] of [
  ['all policies', '/large/', all],
  ['no policy', '/other/', []],
] as const) {
  test(`ListPolicies: one page has ${title} with the path prefix, because no documents are read`, async () => {
    const page = await iam.send(new ListPoliciesCommand({ Scope: 'Local', PathPrefix, MaxItems: 1_000 }));
    assert.deepEqual((page.Policies ?? []).map(({ PolicyName }) => PolicyName).sort(), names);
    assert.equal(page.IsTruncated, false);
  });
}

// biome-ignore format: a table
const WHITE_SPACE: readonly [title: string, document: string, kept: boolean][] = [
  ['2,000 blanks',                            documentOf('a') + ' '.repeat(2_000),                    true],
  ['as much white space as other characters', documentOf('a'.repeat(5_000)) + '\n\t'.repeat(2_500),   true],
  ['130,000 blanks',                          documentOf('a "quoted"  value') + ' '.repeat(130_000),  false],
  ['4,000 blanks',                            documentOf('a').replace('{', `{${' '.repeat(4_000)}`),  false],
];
for (const [i, [title, PolicyDocument, kept]] of WHITE_SPACE.entries()) {
  test(`IAM policies: a policy with ${title} is stored ${kept ? 'as passed' : 'without white space'}`, async () => {
    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: `white-${i}`, PolicyDocument }));
    const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn: Policy?.Arn, VersionId: 'v1' }));
    const UserName = `white-${i}`;
    await iam.send(new CreateUserCommand({ UserName }));
    const expected = kept ? PolicyDocument : JSON.stringify(JSON.parse(PolicyDocument));
    assert.equal(decodeURIComponent(PolicyVersion?.Document ?? ''), expected);
    if (PolicyDocument.includes('aaa')) return;
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument }));
    const inline = await iam.send(new GetUserPolicyCommand({ UserName, PolicyName: 'p' }));
    assert.equal(decodeURIComponent(inline.PolicyDocument ?? ''), expected);
  });
}
