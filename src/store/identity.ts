import type { AccountId, Arn } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';

/**
 * Everything IAM keeps, as one versioned document a thing. Every change of identity raises one counter row in its
 * transaction and stamps the documents it writes with it, so commit order is version order, and a server learns what
 * changed with one statement. Deleted documents remain as tombstones. Requirement: design, "Access". Decision 0002.
 */

export interface PolicyVersionRecord {
  readonly versionId: string;
  readonly document: string;
  readonly createdAt: Instant;
}

export interface TagRecord {
  readonly key: string;
  readonly value: string;
}

interface Common {
  readonly accountId: AccountId;
  readonly arn: Arn;
  readonly path: string;
  readonly createdAt: Instant;
}

/** What a user, a group and a role share: policies attached to them. */
interface PolicyHolder {
  readonly attachedPolicyArns: readonly Arn[];
  /** Policy name → document as given. */
  readonly inlinePolicies: Readonly<Record<string, string>>;
}

export interface UserRecord extends Common, PolicyHolder {
  readonly userName: string;
  readonly userId: string;
  readonly tags: readonly TagRecord[];
  readonly groupNames: readonly string[];
  readonly accessKeyIds: readonly string[];
  readonly permissionsBoundaryArn?: Arn;
  readonly mfaSerialNumbers?: readonly string[];
  readonly loginProfile?: { readonly passwordHash: string; readonly createdAt: Instant; readonly resetRequired: boolean; readonly changedAt: Instant };
}

export interface GroupRecord extends Common, PolicyHolder {
  readonly groupName: string;
  readonly groupId: string;
}

export interface RoleRecord extends Common, PolicyHolder {
  readonly roleName: string;
  readonly roleId: string;
  /** As given, but with principals' ARNs stored as unique ids (MATCH-3). */
  readonly trustPolicy: string;
  readonly description?: string;
  readonly maxSessionSeconds: number;
  readonly tags: readonly TagRecord[];
  readonly permissionsBoundaryArn?: Arn;
  /** The service principal of a service-linked role. */
  readonly linkedService?: string;
}

export interface PolicyRecord extends Common {
  readonly policyName: string;
  readonly policyId: string;
  readonly description?: string;
  readonly defaultVersionId: string;
  /** Counts up for ever: the next version's number. */
  readonly nextVersion: number;
  readonly versions: readonly PolicyVersionRecord[];
  readonly tags: readonly TagRecord[];
  readonly updatedAt: Instant;
}

export interface AccessKeyRecord {
  readonly accountId: AccountId;
  readonly accessKeyId: string;
  /** Absent: the account's root. */
  readonly userName?: string;
  /** Sealed by the vault, bound to the access key id. */
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
}

/** Kind → what is kept of it. The key is the lower-cased name (IAM-3) or the id; see `keyOf`. */
export interface IdentityRecords {
  /** Key: the account id. */
  account: AccountRecord;
  /** Keys: the lower-cased name. */
  user: UserRecord;
  group: GroupRecord;
  role: RoleRecord;
  policy: PolicyRecord;
  /** Key: the access key id. */
  'access-key': AccessKeyRecord;
  /** Reverse index of attachments. Key: `<policy ARN> <user|group|role>/<lower-cased name>`; also with ` boundary` at the end. */
  attachment: { readonly accountId: AccountId };
  /** Reverse index of group membership. Key: `<lower-cased group> <lower-cased user>`. */
  membership: { readonly accountId: AccountId };
}
export type IdentityKind = keyof IdentityRecords;

/** One change as a server learns it: `record` is absent where the thing was deleted. */
export interface IdentityChange<Kind extends IdentityKind = IdentityKind> {
  readonly accountId: AccountId;
  readonly kind: Kind;
  readonly key: string;
  readonly version: number;
  readonly record?: IdentityRecords[Kind];
}

export interface Identity {
  get<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, key: string): Promise<IdentityRecords[Kind] | undefined>;
  /** In byte order of keys, only keys with the prefix, only those after `after`, at most `limit`. */
  list<Kind extends IdentityKind>(
    accountId: AccountId,
    kind: Kind,
    options?: { readonly prefix?: string; readonly after?: string; readonly limit?: number },
  ): Promise<{ readonly key: string; readonly record: IdentityRecords[Kind] }[]>;
  count(accountId: AccountId, kind: IdentityKind): Promise<number>;
  /** Adds; 'exists' changes nothing. A tombstone does not count as existing. */
  add<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, key: string, record: IdentityRecords[Kind]): Promise<'added' | 'exists'>;
  /** Writes over what is there. */
  put<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, key: string, record: IdentityRecords[Kind]): Promise<void>;
  remove(accountId: AccountId, kind: IdentityKind, key: string): Promise<'removed' | 'absent'>;
  /** The version and every change after `version`, in one statement and so from one snapshot, ordered by version. */
  changesSince(version: number): Promise<{ readonly version: number; readonly changes: readonly IdentityChange[] }>;
}
