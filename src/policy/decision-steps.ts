/** The step budget of one decision, computed from the quotas of IAM and Organizations. */
import type { StepBudget } from './steps.ts';
import { POLICY_QUOTAS } from './validate/policy-size.ts';

/**
 * Quotas that bound the policies of one principal. `test/reference/legal-policies.test.ts` compares them with those that the services enforce.
 *
 * Source: IAM User Guide, "IAM and AWS STS quotas"; AWS Organizations User Guide, "Quotas for AWS Organizations".
 */
export const DECISION_QUOTAS = {
  managedPolicies: 10,
  groups: 10,
  sessionPolicyArns: 10,
  serviceControlPoliciesPerLevel: 10,
  /** The root, five levels of units, and the account. */
  serviceControlLevels: 7,
  tags: 50,
  /** Characters of a tag key. */
  tagKey: 128,
} as const;

/** Characters of all the policies that can take part in one decision: a user in ten groups, in a session with session policies. */
export const DECISION_CHARACTERS = charactersOf(DECISION_QUOTAS);

function charactersOf(quotas: typeof DECISION_QUOTAS): number {
  const managed = quotas.managedPolicies * POLICY_QUOTAS.managed.characters;
  const user = managed + Math.max(POLICY_QUOTAS.inlineUser.characters, POLICY_QUOTAS.inlineRole.characters);
  const groups = quotas.groups * (managed + POLICY_QUOTAS.inlineGroup.characters);
  const session = quotas.sessionPolicyArns * POLICY_QUOTAS.managed.characters + POLICY_QUOTAS.session.characters;
  const serviceControl = quotas.serviceControlLevels * quotas.serviceControlPoliciesPerLevel * POLICY_QUOTAS.serviceControl.characters;
  return user + groups + POLICY_QUOTAS.managed.characters + session + serviceControl + POLICY_QUOTAS.trust.characters;
}

/** Words of the bitmaps of the longest value that a request can have: the list of all its tag keys. */
const WORDS_MAX = Math.ceil((DECISION_QUOTAS.tags * (DECISION_QUOTAS.tagKey + 1)) / 32);

/**
 * Most steps of one decision. A decision that needs more is a denial.
 *
 * A character of a policy takes at most one step for each word of the value, once for the decision and once for the
 * statement that the decision names. The last term is what values cost that are split into bits once per decision.
 */
export const DECISION_STEPS = 2 * DECISION_CHARACTERS * WORDS_MAX + 2 ** 24;

/** Creates the budget of one decision. */
export function newDecisionBudget(): StepBudget {
  return { stepsLeft: DECISION_STEPS };
}

/** Most steps of one explanation, unless the caller brings a budget. */
export const EXPLANATION_STEPS = 2 ** 26;
