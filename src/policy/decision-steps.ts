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
  /** Maximum number of characters in a tag key. Each character can take two UTF-16 units. */
  tagKey: 128,
} as const;

/**
 * Maximum number of characters in all policies of one decision. The worst case is a user in ten groups, in a session
 * with session policies.
 */
export const DECISION_CHARACTERS = charactersOf(DECISION_QUOTAS);

function charactersOf(quotas: typeof DECISION_QUOTAS): number {
  const managed = quotas.managedPolicies * POLICY_QUOTAS.managed.characters;
  const user = managed + Math.max(POLICY_QUOTAS.inlineUser.characters, POLICY_QUOTAS.inlineRole.characters);
  const groups = quotas.groups * (managed + POLICY_QUOTAS.inlineGroup.characters);
  const session = quotas.sessionPolicyArns * POLICY_QUOTAS.managed.characters + POLICY_QUOTAS.session.characters;
  const serviceControl = quotas.serviceControlLevels * quotas.serviceControlPoliciesPerLevel * POLICY_QUOTAS.serviceControl.characters;
  // A request is decided by one trust policy or by one bucket policy.
  const resource = Math.max(POLICY_QUOTAS.trust.characters, POLICY_QUOTAS.bucket.characters);
  return user + groups + POLICY_QUOTAS.managed.characters + session + serviceControl + resource;
}

/**
 * Maximum number of 32-bit words in a bitmap. Patterns are matched with bitmaps that have one bit for each character of
 * a request value. The longest value is the list of tag keys. A token of an identity provider can contain a longer
 * value. If a pattern requires bitmaps of such a value, the decision exceeds its budget.
 */
export const WORDS_MAX = DECISION_QUOTAS.tags * (((2 * DECISION_QUOTAS.tagKey) >>> 5) + 1);

/**
 * Maximum steps of one decision. A decision that requires more steps is a denial.
 *
 * Comparing one character of a policy with a value takes at most one step for each 32-bit word of the value's bitmap.
 * The factor 2 is necessary because every character can be compared twice: for the decision, and to find the statement
 * that decided. The last term allows for the bitmaps of the values, which are created once per decision.
 */
export const DECISION_STEPS = 2 * DECISION_CHARACTERS * WORDS_MAX + 2 ** 24;

/** Creates the budget of one decision. */
export function newDecisionBudget(): StepBudget {
  return { stepsLeft: DECISION_STEPS };
}

/**
 * Maximum steps of one explanation (`explain.ts`: the reasons for a decision). It applies if the code that requests the
 * explanation passes no budget.
 */
export const EXPLANATION_STEPS = 2 ** 26;
