import type { Denial, OverLimit, PolicyType } from './decision.ts';

/** What a refusal says of itself. */
export interface DenialFacts {
  readonly principalArn: string;
  readonly action: string;
  /** Left out where the action has no resource. */
  readonly resource?: string;
  readonly decision: Denial | OverLimit;
  /** Appends the ARN of the policy that denies, where it has one. */
  readonly withPolicyArn?: boolean;
  /** Those of 2023, or (the default) those since, in which a service control policy that does not allow says so. */
  readonly wording?: '2023' | '2026';
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
 * The sentence of an AccessDenied answer. In the words of 2023, a service control policy that does not allow denies
 * explicitly (EVAL-6, TS-5); the page has changed since, and the new words were seen live in August 2026.
 *
 * Source: IAM User Guide, "Troubleshoot access denied error messages".
 * Assumed: an inline policy, which has no ARN, leaves the suffix off. The text of a limit is ours.
 */
export function denialText({ principalArn, action, resource, decision, withPolicyArn, wording = '2026' }: DenialFacts): string {
  const what = `User: ${principalArn} is not authorized to perform: ${action}${resource === undefined ? '' : ` on resource: ${resource}`}`;
  if (decision.kind === 'implicit' && decision.missing === 'service-control' && wording === '2023') {
    return `${what} with an explicit deny in ${NAMES['service-control'][0]}`;
  }
  if (decision.kind === 'limit') return `${what} because the policy evaluation exceeds its step limit`;
  if (decision.kind === 'implicit') return `${what} because no ${NAMES[decision.missing][1]} allows the ${action} action`;
  const { policyType, by } = decision;
  const suffix = withPolicyArn === true && by.policyArn !== undefined && NAMED_BY_ARN.has(policyType) ? `: ${by.policyArn}` : '';
  return `${what} with an explicit deny in ${NAMES[policyType][0]}${suffix}`;
}
