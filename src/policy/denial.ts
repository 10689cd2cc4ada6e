import type { Denial, OverLimit, PolicyType } from './decision.ts';

/** Facts in the message of a denial. */
export interface DenialFacts {
  readonly principalArn: string;
  readonly action: string;
  /** Absent if the action has no resource. */
  readonly resource?: string;
  readonly decision: Denial | OverLimit;
  /** Year of the message format. Default: `2026`. */
  readonly wording?: DenialWording;
}

/**
 * Year of AWS's message format for denied requests. The messages of 2026 contain the ARN of the denying policy.
 * Decision 0010.
 */
export type DenialWording = '2023' | '2026';

/**
 * Names of the policy types in messages. The first name follows "with an explicit deny in" and has an article. The
 * second name follows "because no".
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

/** Policy types whose ARN a message can contain. Source: AWS Security Blog, "Enhanced access denied error messages with policy ARNs". */
const NAMED_BY_ARN: ReadonlySet<PolicyType> = new Set(['service-control', 'boundary', 'session', 'identity']);

/**
 * Returns the message of an AccessDenied error.
 *
 * In the messages of 2023, a missing Allow in service control policies is called an explicit deny (requirements EVAL-6
 * and TS-5), and no message has the ARN of a policy. AWS changed its documentation later, and the real service returned
 * the new messages in August 2026.
 *
 * Source: IAM User Guide, "Troubleshoot access denied error messages". The ARN in the message: AWS Security Blog,
 * "Enhanced access denied error messages with policy ARNs".
 * Assumed: an inline policy has no ARN, so its message has no suffix. The message for the step limit is Belfry's own.
 */
export function denialText({ principalArn, action, resource, decision, wording = '2026' }: DenialFacts): string {
  const what = `User: ${principalArn} is not authorized to perform: ${action}${resource === undefined ? '' : ` on resource: ${resource}`}`;
  if (decision.kind === 'implicit' && decision.missing === 'service-control' && wording === '2023') {
    return `${what} with an explicit deny in ${NAMES['service-control'][0]}`;
  }
  if (decision.kind === 'limit') return `${what} because the policy evaluation exceeds its step limit`;
  if (decision.kind === 'implicit') return `${what} because no ${NAMES[decision.missing][1]} allows the ${action} action`;
  const { policyType, by } = decision;
  const suffix = wording !== '2023' && by.policyArn !== undefined && NAMED_BY_ARN.has(policyType) ? `: ${by.policyArn}` : '';
  return `${what} with an explicit deny in ${NAMES[policyType][0]}${suffix}`;
}
