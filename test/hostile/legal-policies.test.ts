import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DECISION_CHARACTERS, DECISION_QUOTAS, DECISION_STEPS } from '#policy/decision-steps.ts';
import type { PolicyLayers } from '#policy/engine.ts';
import { POLICY_QUOTAS } from '#policy/validate/policy-size.ts';
import { QUOTAS } from '#services/iam/quotas.ts';
import { QUOTAS as ORGANIZATION_QUOTAS } from '#services/organizations/quotas.ts';
import { everyPolicy } from './legal-policies.ts';
import { WORST_GENOMES } from './worst-genomes.ts';
import { stackOf, stepsOf } from './worst-policies.ts';

test('DECISION_QUOTAS: each value equals the quota that the services enforce', () => {
  assert.deepEqual(
    [
      DECISION_QUOTAS.managedPolicies,
      DECISION_QUOTAS.groups,
      DECISION_QUOTAS.serviceControlPoliciesPerLevel,
      DECISION_QUOTAS.serviceControlLevels,
      DECISION_QUOTAS.tags,
    ],
    [
      Math.max(QUOTAS.PoliciesPerUser, QUOTAS.PoliciesPerGroup, QUOTAS.PoliciesPerRole),
      QUOTAS.GroupsPerUser,
      ORGANIZATION_QUOTAS.policiesPerTarget,
      ORGANIZATION_QUOTAS.unitDepth + 2,
      Math.max(QUOTAS.TagsPerResource, ORGANIZATION_QUOTAS.tagsPerResource),
    ],
  );
  const { managed, inlineUser, inlineGroup, inlineRole, trust } = POLICY_QUOTAS;
  assert.deepEqual(
    [managed, inlineUser, inlineGroup, inlineRole, trust].map(({ characters }) => characters),
    [QUOTAS.PolicySize, QUOTAS.UserPolicySize, QUOTAS.GroupPolicySize, QUOTAS.RolePolicySize, QUOTAS.ACLSizePerRole],
  );
});

test('DECISION_CHARACTERS: the largest set of policies within the quotas has at most this many characters', () => {
  const count = ({ identity, boundary = [], session = [], serviceControl = [] }: PolicyLayers): number =>
    [...identity, ...boundary, ...session, ...serviceControl.flat()].reduce((sum, { policy }) => sum + policy.text.length, 0);
  const filled = everyPolicy((characters) => {
    const [begin, end] = ['{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Sid":"', '"}}'];
    return begin + 'a'.repeat(characters - begin.length - end.length) + end;
  });
  assert.ok(count(filled) <= DECISION_CHARACTERS && count(filled) > 0.98 * DECISION_CHARACTERS, `${count(filled)} characters`);
});

for (const [name, genome] of WORST_GENOMES) {
  test(`DECISION_STEPS: a decision with the largest legal set of policies takes fewer steps: ${name}`, () => {
    const steps = stepsOf(stackOf(genome, everyPolicy), genome);
    assert.ok(steps < DECISION_STEPS, `${steps} of ${DECISION_STEPS} steps`);
  });
}
