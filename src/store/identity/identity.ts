import type { AccountId, Arn } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { TagRecord } from '../tag-record.ts';
import type { OrganizationRecords } from './organization-records.ts';

/** Types of the records of IAM. `repository.ts` stores records as versioned documents (Decision 0002). Requirement: design, "Access". */

/** A version of a managed policy. */
export interface PolicyVersionRecord {
  readonly versionId: string;
  readonly document: string;
  readonly createdAt: Instant;
}

interface Common {
  readonly accountId: AccountId;
  readonly arn: Arn;
  readonly path: string;
  readonly createdAt: Instant;
}

/** Policies of a user, group or role, as part of its record. */
interface PolicyHolder {
  readonly attachedPolicyArns: readonly Arn[];
  /** Policy documents by policy name, exactly as the client passed them. */
  readonly inlinePolicies: Readonly<Record<string, string>>;
}

export interface UserRecord extends Common, PolicyHolder {
  readonly userName: string;
  readonly userId: string;
  readonly tags: readonly TagRecord[];
  /** Unique IDs of the user's groups. They do not change when a group is renamed. */
  readonly groupIds: readonly string[];
  readonly accessKeyIds: readonly string[];
  readonly permissionsBoundaryArn?: Arn;
  readonly mfaSerialNumbers?: readonly string[];
  readonly passwordLastUsedAt?: Instant;
  readonly loginProfile?: LoginProfileRecord;
}

export interface LoginProfileRecord {
  /** Password hash in the format of `services/iam/password-hash.ts`. */
  readonly passwordHash: string;
  /** Hashes of earlier passwords, newest first. */
  readonly earlierHashes?: readonly string[];
  readonly createdAt: Instant;
  readonly changedAt: Instant;
  readonly resetRequired: boolean;
}

export interface GroupRecord extends Common, PolicyHolder {
  readonly groupName: string;
  readonly groupId: string;
}

export interface RoleRecord extends Common, PolicyHolder {
  readonly roleName: string;
  readonly roleId: string;
  /** Trust policy that the client passed, with unique IDs in place of the ARNs of users and roles (MATCH-3). */
  readonly trustPolicy: string;
  /** Account ID for each unique ID in the trust policy. Responses use it to show an ARN in place of the unique ID. */
  readonly trustPrincipals?: Readonly<Record<string, AccountId>>;
  readonly description?: string;
  readonly maxSessionSeconds: number;
  readonly tags: readonly TagRecord[];
  readonly permissionsBoundaryArn?: Arn;
  /** Service principal of a service-linked role. Absent for other roles. */
  readonly linkedService?: string;
}

export interface PolicyRecord extends Common {
  readonly policyName: string;
  readonly policyId: string;
  readonly description?: string;
  readonly defaultVersionId: string;
  /** Number of the next version. It never decreases. */
  readonly nextVersion: number;
  readonly versions: readonly PolicyVersionRecord[];
  readonly tags: readonly TagRecord[];
  readonly updatedAt: Instant;
}

export interface AccessKeyRecord {
  readonly accountId: AccountId;
  readonly accessKeyId: string;
  /** Absent for the root user. */
  readonly userName?: string;
  /** Secret access key, encrypted by the vault. Decryption requires the same access key ID. */
  readonly sealedSecret: string;
  readonly status: 'Active' | 'Inactive';
  readonly createdAt: Instant;
}

export interface AccountRecord {
  readonly accountId: AccountId;
  readonly name: string;
  readonly email?: string;
  readonly alias?: string;
  readonly createdAt: Instant;
  /** MFA devices of the root user. */
  readonly mfaSerialNumbers?: readonly string[];
  readonly passwordPolicy?: PasswordPolicyRecord;
  /** Present if the operator allows the account to leave the organization that created it. */
  readonly standalone?: true;
}

/** Password policy of an account. An absent number means that there is no such limit. */
export interface PasswordPolicyRecord {
  readonly minimumLength: number;
  readonly requireSymbols: boolean;
  readonly requireNumbers: boolean;
  readonly requireUppercase: boolean;
  readonly requireLowercase: boolean;
  readonly allowUsersToChangePassword: boolean;
  readonly maxAgeDays?: number;
  readonly reusePrevention?: number;
  readonly hardExpiry?: boolean;
}

/** Virtual MFA device. `owner` and `enabledAt` are present while it is enabled. */
export interface MfaDeviceRecord {
  readonly accountId: AccountId;
  readonly serialNumber: Arn;
  /** Seed in base 32, encrypted by the vault. Decryption requires the same serial number. */
  readonly sealedSeed: string;
  readonly createdAt: Instant;
  readonly owner?: { readonly type: 'Root' } | { readonly type: 'IAMUser'; readonly userName: string };
  readonly enabledAt?: Instant;
  /** Time step of the last accepted code. The server accepts each code once. */
  readonly lastStep?: number;
  /** Number of time steps by which the device's clock is ahead of the server's. */
  readonly drift?: number;
  readonly tags: readonly TagRecord[];
}

export interface SamlProviderRecord {
  readonly accountId: AccountId;
  readonly arn: Arn;
  readonly name: string;
  readonly uuid: string;
  readonly metadata: string;
  readonly createdAt: Instant;
  readonly validUntil: Instant;
  readonly tags: readonly TagRecord[];
}

export interface OidcProviderRecord {
  readonly accountId: AccountId;
  readonly arn: Arn;
  /** Issuer URL without `https://`. */
  readonly url: string;
  readonly clientIds: readonly string[];
  readonly thumbprints: readonly string[];
  readonly createdAt: Instant;
  readonly tags: readonly TagRecord[];
}

/** Sign-in of a person of Amazon Chime that has credentials. They are valid while the record exists. */
export interface PersonSignInRecord {
  readonly accountId: AccountId;
  readonly userId: string;
  readonly createdAt: Instant;
}

/** A requested deletion of a service-linked role. */
export interface DeletionTaskRecord {
  readonly accountId: AccountId;
  readonly taskId: string;
  readonly roleName: string;
  readonly roleId: string;
  readonly askedAt: Instant;
  readonly status: 'NOT_STARTED' | 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED';
  readonly reason?: string;
  readonly usage?: readonly { readonly region: string; readonly resources: readonly string[] }[];
}

/** Type and key of each kind of record. Keys contain names in lower case (IAM-3). */
export interface IdentityRecords extends OrganizationRecords {
  /** Key: the account ID. */
  account: AccountRecord;
  /** Key: the name in lower case. The keys of groups, roles and policies have the same form. */
  user: UserRecord;
  group: GroupRecord;
  role: RoleRecord;
  policy: PolicyRecord;
  /** Key: the access key ID. */
  'access-key': AccessKeyRecord;
  /**
   * Index of the users, groups and roles that have a policy. Key: `<policy ARN> <user|group|role>/<name in lower case>`. The key of a
   * permissions boundary ends with ` boundary`.
   */
  attachment: { readonly accountId: AccountId };
  /** Key: the serial number in lower case. */
  'mfa-device': MfaDeviceRecord;
  /** Key: the name in lower case. */
  'saml-provider': SamlProviderRecord;
  /** Key: the URL without `https://`. */
  'oidc-provider': OidcProviderRecord;
  /** Key: the ID of the sign-in. */
  'person-sign-in': PersonSignInRecord;
  /** Key: the task ID. */
  'deletion-task': DeletionTaskRecord;
  /** Index of access keys of the root user. Key: the access key ID. */
  'root-access-key': { readonly accountId: AccountId };
  /** Index of unique IDs. Key: the unique ID (`AIDA…`, `AROA…`, `AGPA…`). `key` is the key of the user, role or group. */
  'unique-id': { readonly accountId: AccountId; readonly kind: 'user' | 'role' | 'group'; readonly key: string };
  /** Index of the users in groups. Key: `<unique ID of the group> <user name in lower case>`. */
  membership: { readonly accountId: AccountId };
}

/** Name of a kind of record. */
export type IdentityKind = keyof IdentityRecords;

/**
 * Kinds of records that authentication and authorization read. Each server holds all records of these kinds in memory.
 * Only operations read the other kinds, in their transactions.
 */
export const HELD_KINDS = [
  'account',
  'user',
  'group',
  'role',
  'policy',
  'access-key',
  'saml-provider',
  'oidc-provider',
  'person-sign-in',
  'organization',
  'organization-member',
  'organization-account',
  'organizational-unit',
  'service-control-policy',
] as const satisfies readonly IdentityKind[];

/** Name of a kind whose records each server holds in memory. */
export type HeldKind = (typeof HELD_KINDS)[number];

/** A record as it is stored. `recordOf` parses it. */
export interface StoredRecord<Kind extends IdentityKind = IdentityKind> {
  readonly accountId: AccountId;
  readonly kind: Kind;
  readonly key: string;
  /**
   * JSON of the record: a line with the summary, and a line with the details if the kind has details
   * (`record-parts.ts`).
   */
  readonly text: string;
}

/** One change of identity. `text` is the new record as it is stored. It is absent if the record was deleted. */
export interface IdentityChange<Kind extends IdentityKind = IdentityKind> extends Omit<StoredRecord<Kind>, 'text'> {
  readonly version: number;
  readonly text?: string;
}
