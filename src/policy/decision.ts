import type { Arn } from '#core/arn.ts';

/** Types of policies that a decision can name. */
export type PolicyType = 'service-control' | 'resource' | 'trust' | 'boundary' | 'session' | 'identity';

/** Reference to a statement of a policy. */
export interface StatementRef {
  readonly policyType: PolicyType;
  /** ARN of a managed policy. For an inline policy, the entity and the name: `user/maker:inline-name`. */
  readonly policyId: string;
  readonly policyArn?: Arn;
  /** Index of the statement, from 0. */
  readonly statement: number;
  readonly sid?: string;
}

/** Decision of the policy engine. The error message, the trail record, the simulator and the policy tests use it. */
export type Decision =
  | { readonly effect: 'Allow'; readonly by: readonly StatementRef[] }
  | {
      readonly effect: 'Deny';
      readonly kind: 'explicit';
      readonly by: StatementRef;
      readonly policyType: PolicyType;
      readonly resource: string;
    }
  | { readonly effect: 'Deny'; readonly kind: 'implicit'; readonly missing: PolicyType; readonly resource: string };

/** Decision that denies the request. */
export type Denial = Extract<Decision, { effect: 'Deny' }>;

/**
 * Denial of a request whose evaluation requires more steps than its budget. No policy has decided, so the engine denies
 * to be safe.
 */
export interface OverLimit {
  readonly effect: 'Deny';
  readonly kind: 'limit';
  readonly resource: string;
}
