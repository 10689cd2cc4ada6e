import type { Arn } from '#core/arn.ts';

/** The kinds of policy that take part in a decision, in the order in which a denial is named. */
export type PolicyType = 'service-control' | 'resource' | 'trust' | 'boundary' | 'session' | 'identity';

/** Which statement, of which policy. */
export interface StatementRef {
  readonly policyType: PolicyType;
  /** The policy's ARN, or `user/maker:inline-name` where it is inline. */
  readonly policyId: string;
  readonly policyArn?: Arn;
  /** From 0. */
  readonly statement: number;
  readonly sid?: string;
}

/** The answer of the engine. One value feeds the error text, the trail, the simulator and the tests. */
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

/** A decision that denies. */
export type Denial = Extract<Decision, { effect: 'Deny' }>;
