import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { TagRecord } from '../tag-record.ts';

/** Records of an organization. They are stored under the management account. Each member has only a record of its membership. */

/** A target of service control policies: the root, a unit or an account. */
interface Target {
  /** `p-…`, in the order of attachment. Valid only in the period `attachedIn`: see `attachedPolicyIds`. */
  readonly attachedPolicyIds: readonly string[];
  /** Period of the organization in which `attachedPolicyIds` was written. Default: 0. */
  readonly attachedIn?: number;
  readonly tags: readonly TagRecord[];
}

/** An organization with its one root. `accountId` is the management account. */
export interface OrganizationRecord {
  readonly accountId: AccountId;
  /** `o-…`. */
  readonly organizationId: string;
  readonly featureSet: 'ALL' | 'CONSOLIDATED_BILLING';
  readonly createdAt: Instant;
  readonly serviceControl: 'enabled' | 'disabled';
  /** Number of the current period (see `attachedPolicyIds`). Each enabling or disabling of the policy type begins a new one. Default: 0. */
  readonly attachmentPeriod?: number;
  readonly root: Target & { readonly rootId: string };
  /** Start of trusted access, by service principal. */
  readonly serviceAccess?: Readonly<Record<string, Instant>>;
}

/** Membership of an account in an organization. The management account also has one. */
export interface OrganizationMemberRecord {
  readonly accountId: AccountId;
  readonly managementAccountId: AccountId;
}

/** An account in an organization. Stored under the management account. */
export interface OrganizationAccountRecord extends Target {
  readonly accountId: AccountId;
  readonly memberId: AccountId;
  /** `r-…` or `ou-…`. */
  readonly parentId: string;
  readonly joinedAt: Instant;
  readonly joinedMethod: 'INVITED' | 'CREATED';
  /** A closed account is SUSPENDED and has no permissions. */
  readonly status: 'ACTIVE' | 'SUSPENDED';
}

export interface OrganizationalUnitRecord extends Target {
  readonly accountId: AccountId;
  /** `ou-…`. */
  readonly unitId: string;
  readonly name: string;
  readonly parentId: string;
  readonly createdAt: Instant;
}

export interface ServiceControlPolicyRecord {
  readonly accountId: AccountId;
  /** `p-…`. */
  readonly policyId: string;
  readonly name: string;
  readonly description: string;
  /** Document as passed. */
  readonly content: string;
  readonly tags: readonly TagRecord[];
}

/** A request of CreateAccount with its outcome. */
export interface AccountCreationRecord {
  readonly accountId: AccountId;
  /** `car-…`. */
  readonly requestId: string;
  readonly accountName: string;
  readonly requestedAt: Instant;
  readonly outcome:
    | { readonly state: 'SUCCEEDED'; readonly accountId: AccountId }
    | { readonly state: 'FAILED'; readonly reason: 'EMAIL_ALREADY_EXISTS' };
}

/** An invitation. Stored under the management account. */
export interface HandshakeRecord {
  readonly accountId: AccountId;
  /** `h-…`. */
  readonly handshakeId: string;
  readonly organizationId: string;
  readonly invitedId: AccountId;
  /** An OPEN invitation past `expiresAt` is EXPIRED. */
  readonly state: 'OPEN' | 'ACCEPTED' | 'DECLINED' | 'CANCELED';
  readonly requestedAt: Instant;
  readonly expiresAt: Instant;
  readonly notes?: string;
  /** Tags that the account gets when it joins. */
  readonly tags: readonly TagRecord[];
}

/** An invitation as the invited account has it. */
export interface InvitationRecord {
  readonly accountId: AccountId;
  readonly managementAccountId: AccountId;
}

/**
 * Returns the service control policies attached to a unit or account.
 *
 * Enabling the policy type attaches `initial` to every target, and disabling it detaches all. Both begin a new period instead of writing up
 * to 12,000 targets.
 */
export function attachedPolicyIds(
  { attachmentPeriod = 0 }: Pick<OrganizationRecord, 'attachmentPeriod'>,
  target: Pick<Target, 'attachedPolicyIds' | 'attachedIn'>,
  initial: readonly string[],
): readonly string[] {
  return (target.attachedIn ?? 0) === attachmentPeriod ? target.attachedPolicyIds : initial;
}

/** Key of records that an account has at most once. */
export const ORGANIZATION_KEY = 'organization';

/** Records by kind. */
export interface OrganizationRecords {
  /** Key: `organization`, under the management account. */
  organization: OrganizationRecord;
  /** Key: `organization`, under each account. */
  'organization-member': OrganizationMemberRecord;
  /** Key: the member's account ID. */
  'organization-account': OrganizationAccountRecord;
  /** Key: the ID of the unit. */
  'organizational-unit': OrganizationalUnitRecord;
  /** Key: the ID of the policy. */
  'service-control-policy': ServiceControlPolicyRecord;
  /** Key: the ID of the request. */
  'account-creation': AccountCreationRecord;
  /** Key: the ID of the handshake. */
  handshake: HandshakeRecord;
  /** Index of handshakes whose stored state is OPEN. Key: the ID of the handshake. */
  'open-handshake': { readonly accountId: AccountId };
  /** Key: the ID of the handshake. */
  invitation: InvitationRecord;
}
