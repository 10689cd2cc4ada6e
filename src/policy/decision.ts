import type { Arn } from '#core/arn.ts';

/** Types of policies, in the order in which a denial names them. */
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

/** Result of the engine, for the error message, the trail, the simulator and the tests. */
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

/** Denial without a decision: the evaluation requires more steps than its budget, so it fails closed. */
export interface OverLimit {
  readonly effect: 'Deny';
  readonly kind: 'limit';
  readonly resource: string;
}
