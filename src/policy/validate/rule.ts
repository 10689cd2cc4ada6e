import type { PolicyType } from '../decision.ts';
import type { IssueCode } from './issues.ts';
import type { Place, PolicyView } from './view.ts';

/** One problem that a rule found: its places in the policy, and the strings for the `{}` of the issue's message. */
export interface Hit {
  readonly at: Place | readonly Place[];
  readonly parts?: readonly string[];
}

/** One check of a policy. Rules are independent. Their order only determines the order of the findings. */
export interface Rule {
  readonly code: IssueCode;
  readonly policyTypes: readonly PolicyType[];
  readonly find: (view: PolicyView) => Iterable<Hit>;
}

/** Format of a service principal in messages. Assumed: AWS's page shows only a placeholder. */
export const SERVICE_FORMAT = '{service}.amazonaws.com';

/** All policy types. */
export const EVERY: readonly PolicyType[] = ['identity', 'boundary', 'session', 'service-control', 'resource', 'trust'];
/** Policy types with a `Principal` element. */
export const WITH_PRINCIPAL: readonly PolicyType[] = ['resource', 'trust'];
/** Policy types that apply to one identity or role session. */
export const OF_IDENTITIES: readonly PolicyType[] = ['identity', 'boundary', 'session'];
/** Policy types with a `Resource` element. */
export const WITH_RESOURCE: readonly PolicyType[] = ['identity', 'boundary', 'session', 'service-control', 'resource'];
/** Policy types without a `Principal` element. */
export const WITHOUT_PRINCIPAL: readonly PolicyType[] = ['identity', 'boundary', 'session', 'service-control'];
