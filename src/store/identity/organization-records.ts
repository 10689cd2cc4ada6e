import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { TagRecord } from '../tag-record.ts';

/**
 * What is kept of an organization. All of it stands under its management account, but for the pointer each member has to it,
 * so that a look at one account tells what binds it.
 */

/** What service control policies are attached to: the root, units and accounts. */
interface Target {
  /** `p-…`, in the order of attachment. Empty while the policy type is disabled. */
  readonly attachedPolicyIds: readonly string[];
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
  readonly root: Target & { readonly rootId: string };
  /** Service principal → since when it has trusted access. */
  readonly serviceAccess?: Readonly<Record<string, Instant>>;
}

/** Which organization an account is in; the management account has one too. */
export interface OrganizationMemberRecord {
  readonly accountId: AccountId;
  readonly managementAccountId: AccountId;
}

/** An account in an organization, kept by the management account. */
export interface OrganizationAccountRecord extends Target {
  readonly accountId: AccountId;
  readonly memberId: AccountId;
  /** `r-…` or `ou-…`. */
  readonly parentId: string;
  readonly joinedAt: Instant;
  readonly joinedMethod: 'INVITED' | 'CREATED';
  /** A closed account is SUSPENDED and may do nothing. */
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
  /** As given. */
  readonly content: string;
  readonly tags: readonly TagRecord[];
}

/** A request of CreateAccount and what became of it. */
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

/** An invitation to join, kept by the management account. */
export interface HandshakeRecord {
  readonly accountId: AccountId;
  /** `h-…`. */
  readonly handshakeId: string;
  readonly organizationId: string;
  readonly invitedId: AccountId;
  /** An OPEN one past `expiresAt` is EXPIRED. */
  readonly state: 'OPEN' | 'ACCEPTED' | 'DECLINED' | 'CANCELED';
  readonly requestedAt: Instant;
  readonly expiresAt: Instant;
  readonly notes?: string;
  /** For the account, once it joins. */
  readonly tags: readonly TagRecord[];
}

/** Which organization invites an account; kept by the invited one. */
export interface InvitationRecord {
  readonly accountId: AccountId;
  readonly managementAccountId: AccountId;
}

/** The key of what an account has one of at most. */
export const ORGANIZATION_KEY = 'organization';

/** Kind → what is kept of it. */
export interface OrganizationRecords {
  /** Key: `organization`, under the management account. */
  organization: OrganizationRecord;
  /** Key: `organization`, under every account of it. */
  'organization-member': OrganizationMemberRecord;
  /** Key: the member's account id. */
  'organization-account': OrganizationAccountRecord;
  /** Key: the unit's id. */
  'organizational-unit': OrganizationalUnitRecord;
  /** Key: the policy's id. */
  'service-control-policy': ServiceControlPolicyRecord;
  /** Key: the request's id. */
  'account-creation': AccountCreationRecord;
  /** Key: the handshake's id. */
  handshake: HandshakeRecord;
  /** Key: the handshake's id. */
  invitation: InvitationRecord;
}
