import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { TagRecord } from '../tag-record.ts';

/**
 * Types of the records of Organizations. Most are stored under the management account. A member account has only its membership and
 * invitations.
 */

/** Target of service control policies: the organization's root, an organizational unit or an account. */
interface Target {
  /**
   * Policy IDs (`p-…`) in the order of attachment. They are outdated if `attachedIn` differs from the organization's
   * `attachmentPeriod`. The function `attachedPolicyIds` returns the current IDs.
   */
  readonly attachedPolicyIds: readonly string[];
  /** Value of the organization's `attachmentPeriod` when `attachedPolicyIds` was written. Default: 0. */
  readonly attachedIn?: number;
  readonly tags: readonly TagRecord[];
}

/** Organization with its root. `accountId` is the management account. */
export interface OrganizationRecord {
  readonly accountId: AccountId;
  /** ID of the form `o-…`. */
  readonly organizationId: string;
  readonly featureSet: 'ALL' | 'CONSOLIDATED_BILLING';
  readonly createdAt: Instant;
  readonly serviceControl: 'enabled' | 'disabled';
  /**
   * Number that increases each time service control policies are enabled or disabled in the organization. Each such
   * change replaces the attached policies of all targets. Default: 0.
   */
  readonly attachmentPeriod?: number;
  readonly root: Target & { readonly rootId: string };
  /** Time at which trusted access was enabled, by service principal. */
  readonly serviceAccess?: Readonly<Record<string, Instant>>;
  /** Time at which an account became a delegated administrator of CloudTrail, by account ID. */
  readonly trailAdministrators?: Readonly<Record<string, Instant>>;
}

/** Membership of an account in an organization. The management account also has this record. */
export interface OrganizationMemberRecord {
  readonly accountId: AccountId;
  readonly managementAccountId: AccountId;
}

/** Account in an organization. The record is stored under the management account. */
export interface OrganizationAccountRecord extends Target {
  readonly accountId: AccountId;
  readonly memberId: AccountId;
  /** ID of the root (`r-…`) or of the organizational unit (`ou-…`) that contains the account. */
  readonly parentId: string;
  readonly joinedAt: Instant;
  readonly joinedMethod: 'INVITED' | 'CREATED';
  /** A closed account is SUSPENDED and has no permissions. */
  readonly status: 'ACTIVE' | 'SUSPENDED';
}

export interface OrganizationalUnitRecord extends Target {
  readonly accountId: AccountId;
  /** ID of the form `ou-…`. */
  readonly unitId: string;
  readonly name: string;
  readonly parentId: string;
  readonly createdAt: Instant;
}

export interface ServiceControlPolicyRecord {
  readonly accountId: AccountId;
  /** ID of the form `p-…`. */
  readonly policyId: string;
  readonly name: string;
  readonly description: string;
  /** Policy document, exactly as the client passed it. */
  readonly content: string;
  readonly tags: readonly TagRecord[];
}

/** Request of CreateAccount with its outcome. */
export interface AccountCreationRecord {
  readonly accountId: AccountId;
  /** ID of the form `car-…`. */
  readonly requestId: string;
  readonly accountName: string;
  readonly requestedAt: Instant;
  readonly outcome:
    | { readonly state: 'SUCCEEDED'; readonly accountId: AccountId }
    | { readonly state: 'FAILED'; readonly reason: 'EMAIL_ALREADY_EXISTS' };
}

/** Invitation of an account. The record is stored under the management account. */
export interface HandshakeRecord {
  readonly accountId: AccountId;
  /** ID of the form `h-…`. */
  readonly handshakeId: string;
  readonly organizationId: string;
  readonly invitedId: AccountId;
  /** Stored state. After `expiresAt`, an OPEN invitation counts as EXPIRED. */
  readonly state: 'OPEN' | 'ACCEPTED' | 'DECLINED' | 'CANCELED';
  readonly requestedAt: Instant;
  readonly expiresAt: Instant;
  readonly notes?: string;
  /** Tags that the account receives when it joins. */
  readonly tags: readonly TagRecord[];
}

/** Reference to an invitation. It is stored under the invited account. */
export interface InvitationRecord {
  readonly accountId: AccountId;
  readonly managementAccountId: AccountId;
}

/**
 * Returns the IDs of the service control policies that are attached to a target, such as an organizational unit or
 * account. `initial` has the IDs of a new target.
 *
 * Enabling service control policies attaches `initial` to every target, and disabling them detaches all policies. An
 * organization can have 12,000 targets, so neither operation writes their records. Instead, each operation increments
 * the organization's `attachmentPeriod`. If the IDs of a target were last written in an earlier period, the function
 * returns `initial`.
 */
export function attachedPolicyIds(
  { attachmentPeriod = 0 }: Pick<OrganizationRecord, 'attachmentPeriod'>,
  target: Pick<Target, 'attachedPolicyIds' | 'attachedIn'>,
  initial: readonly string[],
): readonly string[] {
  return (target.attachedIn ?? 0) === attachmentPeriod ? target.attachedPolicyIds : initial;
}

/** Record key for kinds of records that occur at most once in an account. */
export const ORGANIZATION_KEY = 'organization';

/** Type and key of each kind of record. */
export interface OrganizationRecords {
  /** Key: `organization`. Stored under the management account. */
  organization: OrganizationRecord;
  /** Key: `organization`. Stored under each account of the organization. */
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
  /** Index of handshakes with the stored state OPEN. Key: the ID of the handshake. */
  'open-handshake': { readonly accountId: AccountId };
  /** Key: the ID of the handshake. */
  invitation: InvitationRecord;
}
