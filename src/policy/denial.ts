import type { Decision, PolicyType } from './decision.ts';

/** What a refusal says of itself. */
export interface DenialFacts {
  readonly principalArn: string;
  readonly action: string;
  /** Left out where the action has no resource. */
  readonly resource?: string;
  readonly decision: Extract<Decision, { effect: 'Deny' }>;
  /** Appends the ARN of the policy that denies, where it has one. */
  readonly withPolicyArn?: boolean;
}

/**
 * How the policy types are called: with their article after "with an explicit deny in", and after "because no".
 *
 * Source: IAM User Guide, "Troubleshoot access denied error messages".
 */
// biome-ignore format: a table
const NAMES: Readonly<Record<PolicyType, readonly [explicit: string, implicit: string]>> = {
  'service-control': ['a service control policy',   'service control policy'],
  resource:          ['a resource-based policy',    'resource-based policy'],
  trust:             ['the role trust policy',      'role trust policy'],
  boundary:          ['a permissions boundary',     'permissions boundary'],
  session:           ['a session policy',           'session policy'],
  identity:          ['an identity-based policy',   'identity-based policy'],
};

/** Types whose ARN a refusal may carry. Source: AWS Security Blog, "Enhanced access denied error messages with policy ARNs". */
const NAMED_BY_ARN: ReadonlySet<PolicyType> = new Set(['service-control', 'boundary', 'session', 'identity']);

/**
 * The sentence of an AccessDenied answer.
 *
 * Source: IAM User Guide, "Troubleshoot access denied error messages".
 * Assumed: an inline policy, which has no ARN, leaves the suffix off.
 */
export function denialText({ principalArn, action, resource, decision, withPolicyArn }: DenialFacts): string {
  const what = `User: ${principalArn} is not authorized to perform: ${action}${resource === undefined ? '' : ` on resource: ${resource}`}`;
  if (decision.kind === 'implicit') return `${what} because no ${NAMES[decision.missing][1]} allows the ${action} action`;
  const { policyType, by } = decision;
  const suffix = withPolicyArn === true && by.policyArn !== undefined && NAMED_BY_ARN.has(policyType) ? `: ${by.policyArn}` : '';
  return `${what} with an explicit deny in ${NAMES[policyType][0]}${suffix}`;
}
