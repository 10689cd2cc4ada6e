/**
 * What an analysis of one resource found. An analysis only reads. `findings.ts` compares its result with the stored findings of the
 * resource, and creates, updates and resolves findings.
 */
import type { Instant } from '#core/instant.ts';

/** Access to a role or bucket by a principal outside of the zone of trust: one finding for each statement and principal. */
export interface ExternalAccess {
  readonly findingType: 'ExternalAccess';
  /** Key and value as in `Principal`: `{ AWS: '222222222222' }`, `{ Federated: 'arn:…' }`, `{ AWS: '*' }`. */
  readonly principal: Readonly<Record<string, string>>;
  readonly action: readonly string[];
  /** Condition keys with their values: `{ 'aws:PrincipalOrgID': 'o-…' }`. */
  readonly condition: Readonly<Record<string, string>>;
  readonly isPublic: boolean;
}

/** Last use of something that was not used in the period of an analyzer. `lastAccessed` is absent if it was never used. */
interface Unused {
  readonly lastAccessed?: Instant;
}

export interface UnusedRole extends Unused {
  readonly findingType: 'UnusedIAMRole';
}

export interface UnusedPassword extends Unused {
  readonly findingType: 'UnusedIAMUserPassword';
}

export interface UnusedAccessKey extends Unused {
  readonly findingType: 'UnusedIAMUserAccessKey';
  readonly accessKeyId: string;
}

/** Permissions for one service that a user or role has and did not use: one finding for each service. */
export interface UnusedPermission extends Unused {
  readonly findingType: 'UnusedPermission';
  /** Prefix of the service's actions: `chime`. */
  readonly serviceNamespace: string;
  /** Unused actions of a service of which others were used. Absent if no action of the service was used. */
  readonly actions?: readonly { readonly action: string; readonly lastAccessed?: Instant }[];
}

/** One access that an analysis found. */
export type FoundAccess = ExternalAccess | UnusedRole | UnusedPassword | UnusedAccessKey | UnusedPermission;
