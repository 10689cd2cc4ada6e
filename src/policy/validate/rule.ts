import type { PolicyType } from '../decision.ts';
import type { IssueCode } from './issues.ts';
import type { Place, PolicyView } from './view.ts';

/** What a rule found: where, and the parts of the text that differ. */
export interface Hit {
  readonly at: Place | readonly Place[];
  readonly parts?: readonly string[];
}

/** One question asked of a policy. Rules do not know each other, and their order is only that of the answer. */
export interface Rule {
  readonly code: IssueCode;
  readonly policyTypes: readonly PolicyType[];
  readonly find: (view: PolicyView) => Iterable<Hit>;
}

export const EVERY: readonly PolicyType[] = ['identity', 'boundary', 'session', 'service-control', 'resource', 'trust'];
/** Those that say who: `Principal`. */
export const WITH_PRINCIPAL: readonly PolicyType[] = ['resource', 'trust'];
/** Those attached to an identity. */
export const OF_IDENTITIES: readonly PolicyType[] = ['identity', 'boundary', 'session'];
export const WITH_RESOURCE: readonly PolicyType[] = ['identity', 'boundary', 'session', 'service-control', 'resource'];
export const WITHOUT_PRINCIPAL: readonly PolicyType[] = ['identity', 'boundary', 'session', 'service-control'];
