/** Step budget of one decision, computed from the quotas of IAM and Organizations. */
import type { StepBudget } from './steps.ts';
import { POLICY_QUOTAS } from './validate/policy-size.ts';

/**
 * Quotas on the policies of one principal. `test/hostile/legal-policies.test.ts` compares them with the quotas that the services enforce.
 *
 * Source: IAM User Guide, "IAM and AWS STS quotas"; AWS Organizations User Guide, "Quotas for AWS Organizations".
 */
export const DECISION_QUOTAS = {
  managedPolicies: 10,
  groups: 10,
  sessionPolicyArns: 10,
  serviceControlPoliciesPerLevel: 10,
  /** Levels: the root, five levels of organizational units, and the account. */
  serviceControlLevels: 7,
  tags: 50,
  /** Characters of a tag key, each of which may be two UTF-16 units. */
  tagKey: 128,
} as const;

/** Maximum characters of all policies of one decision: a user in ten groups, in a session with session policies. */
export const DECISION_CHARACTERS = charactersOf(DECISION_QUOTAS);

function charactersOf(quotas: typeof DECISION_QUOTAS): number {
  const managed = quotas.managedPolicies * POLICY_QUOTAS.managed.characters;
  const user = managed + Math.max(POLICY_QUOTAS.inlineUser.characters, POLICY_QUOTAS.inlineRole.characters);
  const groups = quotas.groups * (managed + POLICY_QUOTAS.inlineGroup.characters);
  const session = quotas.sessionPolicyArns * POLICY_QUOTAS.managed.characters + POLICY_QUOTAS.session.characters;
  const serviceControl = quotas.serviceControlLevels * quotas.serviceControlPoliciesPerLevel * POLICY_QUOTAS.serviceControl.characters;
  return user + groups + POLICY_QUOTAS.managed.characters + session + serviceControl + POLICY_QUOTAS.trust.characters;
}

/**
 * Maximum number of 32-bit words in the bitmap of one value of a request. The longest value is the list of its tag keys. The token of an
 * identity provider can contain a longer value. If a pattern requires bitmaps of it, the decision exceeds its budget.
 */
export const WORDS_MAX = DECISION_QUOTAS.tags * (((2 * DECISION_QUOTAS.tagKey) >>> 5) + 1);

/**
 * Maximum steps of one decision. A decision that requires more steps is a denial.
 *
 * A character of a policy takes at most one step for each word of the value. The decision takes these steps, and the search for its
 * statement takes them again. The last term is for the values whose bitmaps are created once per decision.
 */
export const DECISION_STEPS = 2 * DECISION_CHARACTERS * WORDS_MAX + 2 ** 24;

/** Creates the budget of one decision. */
export function newDecisionBudget(): StepBudget {
  return { stepsLeft: DECISION_STEPS };
}

/** Maximum steps of one explanation if the caller does not pass a budget. */
export const EXPLANATION_STEPS = 2 ** 26;
