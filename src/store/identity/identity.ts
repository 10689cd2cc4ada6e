import type { AccountId, Arn } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Sql } from '../sql.ts';
import type { TagRecord } from '../tag-record.ts';
import type { OrganizationRecords } from './organization-records.ts';

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
  readonly passwordLastUsedAt?: Instant;
  readonly loginProfile?: LoginProfileRecord;
}

export interface LoginProfileRecord {
  /** See `services/iam/password-hash.ts`. */
  readonly passwordHash: string;
  /** Hashes of passwords before it, newest first. */
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
  /** As given, but with principals' ARNs stored as unique ids (MATCH-3). */
  readonly trustPolicy: string;
  /** Whose account each unique id in the trust policy belongs to, so that it can be shown as an ARN again. */
  readonly trustPrincipals?: Readonly<Record<string, AccountId>>;
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
  /** MFA devices of the root. */
  readonly mfaSerialNumbers?: readonly string[];
  readonly passwordPolicy?: PasswordPolicyRecord;
  /** The operator lets an account that an organization created leave it. */
  readonly standalone?: true;
}

/** Absent numbers are not demanded. */
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

/** A virtual MFA device. `owner` and `enabledAt` stand while it is enabled. */
export interface MfaDeviceRecord {
  readonly accountId: AccountId;
  readonly serialNumber: Arn;
  /** The seed in base 32, sealed by the vault, bound to the serial number. */
  readonly sealedSeed: string;
  readonly createdAt: Instant;
  readonly owner?: { readonly type: 'Root' } | { readonly type: 'IAMUser'; readonly userName: string };
  readonly enabledAt?: Instant;
  /** The last time step whose code was taken: no code is taken twice. */
  readonly lastStep?: number;
  /** Steps by which the device's clock runs ahead. */
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

/** The removal of a service-linked role, once asked for. */
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

/** Kind → what is kept of it. The key is the lower-cased name (IAM-3) or the id; see `keyOf`. */
export interface IdentityRecords extends OrganizationRecords {
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
  /** Key: the serial number, lower-cased. */
  'mfa-device': MfaDeviceRecord;
  /** Key: the lower-cased name. */
  'saml-provider': SamlProviderRecord;
  /** Key: the URL without `https://`. */
  'oidc-provider': OidcProviderRecord;
  /** Key: the task id. */
  'deletion-task': DeletionTaskRecord;
  /** Which user or role a unique id is. Key: the id (`AIDA…`, `AROA…`). */
  'unique-id': { readonly accountId: AccountId; readonly kind: 'user' | 'role'; readonly key: string };
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
  /** In byte order of keys, only keys with the prefix, only those after `after`, at most `limit`. `size`: characters of the stored document. */
  list<Kind extends IdentityKind>(
    accountId: AccountId,
    kind: Kind,
    options?: { readonly prefix?: string; readonly after?: string; readonly limit?: number },
  ): Promise<{ readonly key: string; readonly record: IdentityRecords[Kind]; readonly size: number }[]>;
  count(accountId: AccountId, kind: IdentityKind): Promise<number>;
  /** Adds; 'exists' changes nothing. A tombstone does not count as existing. */
  add<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, key: string, record: IdentityRecords[Kind]): Promise<'added' | 'exists'>;
  /** Writes over what is there. */
  put<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, key: string, record: IdentityRecords[Kind]): Promise<void>;
  remove(accountId: AccountId, kind: IdentityKind, key: string): Promise<'removed' | 'absent'>;
  /** The version and every change after `version`, in one statement and so from one snapshot, ordered by version. */
  changesSince(version: number): Promise<{ readonly version: number; readonly changes: readonly IdentityChange[] }>;
  /** The version this transaction has raised identity to: every server is to know it before the caller is answered. Undefined where nothing changed. */
  changed(): number | undefined;
  /**
   * The highest version of a document that `get`, `add` or `remove` has read, deleted documents included. 0 if there is none.
   * Documents that this transaction has written do not count.
   */
  seen(): number;
}

export interface DocumentRow {
  readonly account_id: AccountId;
  readonly kind: IdentityKind;
  readonly key: string;
  readonly version: number;
  readonly deleted: number;
  readonly document: string;
}

const RAISE = "UPDATE counter SET value = value + 1 WHERE name = 'identity' RETURNING value";
const SELECT = 'SELECT version, deleted, document FROM identity_document WHERE account_id = $1 AND kind = $2 AND key = $3';
const LIST = `
  SELECT key, document FROM identity_document
  WHERE account_id = $1 AND kind = $2 AND deleted = 0 AND key >= $3 AND key > $4
  ORDER BY key LIMIT $5`;
const LIST_BEFORE = `
  SELECT key, document FROM identity_document
  WHERE account_id = $1 AND kind = $2 AND deleted = 0 AND key >= $3 AND key > $4 AND key < $6
  ORDER BY key LIMIT $5`;
const COUNT = 'SELECT COUNT(*) AS count FROM identity_document WHERE account_id = $1 AND kind = $2 AND deleted = 0';
const UPSERT = `
  INSERT INTO identity_document (account_id, kind, key, version, deleted, document) VALUES ($1, $2, $3, $4, 0, $5)
  ON CONFLICT (account_id, kind, key) DO UPDATE SET version = excluded.version, deleted = 0, document = excluded.document`;
const DELETE = `
  UPDATE identity_document SET version = $4, deleted = 1, document = '' WHERE account_id = $1 AND kind = $2 AND key = $3 AND deleted = 0`;
// The version stands beside every change, so both come from one snapshot; without a change there is one row of nulls.
const CHANGES = `
  SELECT counter.value AS counter, d.account_id, d.kind, d.key, d.version, d.deleted, d.document
  FROM counter LEFT JOIN identity_document AS d ON d.version > $1
  WHERE counter.name = 'identity'
  ORDER BY d.version, d.account_id, d.kind, d.key`;

/** `limit` where the caller gives none: all there are. */
const EVERY = 2 ** 31 - 1;

/**
 * The identity of one transaction: its first write raises the counter before it touches a document, and all its writes carry that version.
 * The counter row's lock makes commit order version order, so a reader that has seen version n will never see a change below n appear.
 */
export function identity(sql: Sql): Identity {
  let version: number | undefined;
  const raised = async (): Promise<number> => {
    version ??= (await sql.row<{ readonly value: number }>(RAISE))?.value;
    if (version === undefined) throw new Error('The identity counter is missing: this is not a database of Belfry.');
    return version;
  };

  let seen = 0;
  const select = async (accountId: AccountId, kind: IdentityKind, key: string): Promise<string | undefined> => {
    const row = await sql.row<Pick<DocumentRow, 'version' | 'deleted' | 'document'>>(SELECT, [accountId, kind, key]);
    if (row === undefined) return undefined;
    if (row.version !== version) seen = Math.max(seen, row.version);
    return row.deleted === 1 ? undefined : row.document;
  };

  return {
    changed: () => version,
    seen: () => seen,
    async get<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, key: string) {
      const document = await select(accountId, kind, key);
      return document === undefined ? undefined : (JSON.parse(document) as IdentityRecords[Kind]);
    },
    async list<Kind extends IdentityKind>(
      accountId: AccountId,
      kind: Kind,
      options: { readonly prefix?: string; readonly after?: string; readonly limit?: number } = {},
    ) {
      const { prefix = '', after = '', limit = EVERY } = options;
      const end = endOfPrefix(prefix);
      const rows = await sql.rows<{ readonly key: string; readonly document: string }>(
        end === undefined ? LIST : LIST_BEFORE,
        end === undefined ? [accountId, kind, prefix, after, limit] : [accountId, kind, prefix, after, limit, end],
      );
      return rows.map(({ key, document }) => ({ key, record: JSON.parse(document) as IdentityRecords[Kind], size: document.length }));
    },
    async count(accountId, kind) {
      return Number((await sql.row<{ readonly count: number }>(COUNT, [accountId, kind]))?.count);
    },
    async add(accountId, kind, key, record) {
      if ((await select(accountId, kind, key)) !== undefined) return 'exists';
      await sql.run(UPSERT, [accountId, kind, key, await raised(), JSON.stringify(record)]);
      return 'added';
    },
    async put(accountId, kind, key, record) {
      await sql.run(UPSERT, [accountId, kind, key, await raised(), JSON.stringify(record)]);
    },
    async remove(accountId, kind, key) {
      if ((await select(accountId, kind, key)) === undefined) return 'absent';
      await sql.run(DELETE, [accountId, kind, key, await raised()]);
      return 'removed';
    },
    async changesSince(since) {
      const rows = await sql.rows<{ readonly counter: number } & (DocumentRow | { readonly version: null })>(CHANGES, [since]);
      const [first] = rows;
      if (first === undefined) throw new Error('The identity counter is missing: this is not a database of Belfry.');
      return { version: first.counter, changes: rows.flatMap((row) => (row.version === null ? [] : [toChange(row)])) };
    },
  };
}

/** The first text after all that begin with `prefix`, in the order of bytes; undefined where there is none (no prefix, or only U+10FFFF). */
function endOfPrefix(prefix: string): string | undefined {
  const points = [...prefix].map((point) => point.codePointAt(0) as number);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10ffff) continue;
    // Surrogates are no characters: the next after U+D7FF is U+E000.
    return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return undefined;
}

export function toChange(row: DocumentRow): IdentityChange {
  const change = { accountId: row.account_id, kind: row.kind, key: row.key, version: row.version };
  return row.deleted === 1 ? change : { ...change, record: JSON.parse(row.document) as IdentityRecords[IdentityKind] };
}
