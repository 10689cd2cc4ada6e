import type { AccountId, Arn } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { TagRecord } from '../tag-record.ts';
import type { OrganizationRecords } from './organization-records.ts';

/** Records of IAM and Organizations. `repository.ts` stores them as versioned documents. Requirement: design, "Access". Decision 0002. */

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

/** Policies of a user, group or role. */
interface PolicyHolder {
  readonly attachedPolicyArns: readonly Arn[];
  /** Documents as passed, by policy name. */
  readonly inlinePolicies: Readonly<Record<string, string>>;
}

export interface UserRecord extends Common, PolicyHolder {
  readonly userName: string;
  readonly userId: string;
  readonly tags: readonly TagRecord[];
  /** Unique IDs of groups, so that renaming a group changes no user. */
  readonly groupIds: readonly string[];
  readonly accessKeyIds: readonly string[];
  readonly permissionsBoundaryArn?: Arn;
  readonly mfaSerialNumbers?: readonly string[];
  readonly passwordLastUsedAt?: Instant;
  readonly loginProfile?: LoginProfileRecord;
}

export interface LoginProfileRecord {
  /** Format: see `services/iam/password-hash.ts`. */
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
  /** Document as passed, but with unique IDs instead of the ARNs of users and roles (MATCH-3). */
  readonly trustPolicy: string;
  /** Accounts of the unique IDs in the trust policy, which responses show as ARNs. */
  readonly trustPrincipals?: Readonly<Record<string, AccountId>>;
  readonly description?: string;
  readonly maxSessionSeconds: number;
  readonly tags: readonly TagRecord[];
  readonly permissionsBoundaryArn?: Arn;
  /** Service principal. Present for a service-linked role only. */
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
  /** Encrypted by the vault, bound to the access key ID. */
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

/** Password policy of an account. An absent number is not required. */
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

/** A virtual MFA device. It has `owner` and `enabledAt` while it is enabled. */
export interface MfaDeviceRecord {
  readonly accountId: AccountId;
  readonly serialNumber: Arn;
  /** Seed in base 32, encrypted by the vault, bound to the serial number. */
  readonly sealedSeed: string;
  readonly createdAt: Instant;
  readonly owner?: { readonly type: 'Root' } | { readonly type: 'IAMUser'; readonly userName: string };
  readonly enabledAt?: Instant;
  /** Last time step whose code was accepted. Each code is accepted once. */
  readonly lastStep?: number;
  /** Time steps by which the device's clock is ahead. */
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
  /** Without `https://`. */
  readonly url: string;
  readonly clientIds: readonly string[];
  readonly thumbprints: readonly string[];
  readonly createdAt: Instant;
  readonly tags: readonly TagRecord[];
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

/** Records by kind. Names in keys are in lower case (IAM-3). */
export interface IdentityRecords extends OrganizationRecords {
  /** Key: the account ID. */
  account: AccountRecord;
  /** Key: the name in lower case. Also for groups, roles and policies. */
  user: UserRecord;
  group: GroupRecord;
  role: RoleRecord;
  policy: PolicyRecord;
  /** Key: the access key ID. */
  'access-key': AccessKeyRecord;
  /** Index of the entities of policies. Key: `<policy ARN> <user|group|role>/<name in lower case>`, with ` boundary` at the end for a boundary. */
  attachment: { readonly accountId: AccountId };
  /** Key: the serial number in lower case. */
  'mfa-device': MfaDeviceRecord;
  /** Key: the name in lower case. */
  'saml-provider': SamlProviderRecord;
  /** Key: the URL without `https://`. */
  'oidc-provider': OidcProviderRecord;
  /** Key: the task ID. */
  'deletion-task': DeletionTaskRecord;
  /** Index of access keys of the root user. Key: the access key ID. */
  'root-access-key': { readonly accountId: AccountId };
  /** Index of unique IDs. Key: the unique ID (`AIDA…`, `AROA…`, `AGPA…`). The record has the key of the user, role or group. */
  'unique-id': { readonly accountId: AccountId; readonly kind: 'user' | 'role' | 'group'; readonly key: string };
  /** Index of the members of groups. Key: `<unique ID of the group> <user name in lower case>`. */
  membership: { readonly accountId: AccountId };
}
/** Name of a kind of record. */
export type IdentityKind = keyof IdentityRecords;

/** One change of identity. `record` is absent if the record was deleted. */
export interface IdentityChange<Kind extends IdentityKind = IdentityKind> {
  readonly accountId: AccountId;
  readonly kind: Kind;
  readonly key: string;
  readonly version: number;
  readonly record?: IdentityRecords[Kind];
}
