import assert from 'node:assert/strict';
import { test } from 'node:test';
import { managedPolicies } from './managed-policies.ts';

// biome-ignore format: a table
const POLICIES: readonly [name: string, path: string, versionId: string, createdAt: string][] = [
  ['AdministratorAccess',                          '/',                  'v1',  '2015-02-06T18:39:46.000Z'],
  ['AmazonChimeSDK',                               '/',                  'v5',  '2023-01-10T18:05:12.000Z'],
  ['AmazonChimeVoiceConnectorServiceLinkedRolePolicy', '/aws-service-role/', 'v5', '2023-04-14T21:49:14.000Z'],
  ['ViewOnlyAccess',                               '/job-function/',     'v45', '2026-04-22T18:12:21.000Z'],
];

for (const [name, path, versionId, createdAt] of POLICIES) {
  test(`managedPolicies: ${name} has version ${versionId} and path ${path}`, () => {
    const policy = managedPolicies().find((candidate) => candidate.name === name);
    assert.equal(policy?.arn, `arn:aws:iam::aws:policy${path}${name}`);
    assert.equal(policy?.path, path);
    assert.equal(policy?.versionId, versionId);
    assert.equal(new Date(policy?.createdAt ?? 0).toISOString(), createdAt);
  });
}

test('managedPolicies: every document has version 2012-10-17 and statements', () => {
  assert.equal(managedPolicies().length, 29);
  for (const { name, document } of managedPolicies()) {
    const policy = JSON.parse(document) as { readonly Version: string; readonly Statement: object };
    assert.equal(policy.Version, '2012-10-17', name);
    assert.ok(policy.Statement, name);
  }
});
