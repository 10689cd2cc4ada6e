import type { AccountId } from '#core/arn.ts';
import type { Sql } from '../sql.ts';
import { int, table, text, textOf } from '../table.ts';
import type { HeldKind, IdentityKind, IdentityRecords, PolicyRecord, StoredRecord } from './identity.ts';
import { fromParts, memberOf, recordOf, type StoredParts, textOf as storedTextOf, TEXT_SQL } from './record-parts.ts';

/**
 * Former versions of identity records, so that a decision of the past can be explained and repeated. The row of a version
 * is written in the transaction that changes or deletes the record, and never changes. Decision 0023.
 */
export const IDENTITY_HISTORY = table('identity_history', {
  columns: {
    accountId: textOf<AccountId>(),
    kind: textOf<PastKind>(),
    key: text,
    /** Identity version that replaced or deleted the record. The row was in force before this version. */
    untilVersion: int,
    /** Identity version that wrote the record. */
    fromVersion: int,
    /** Record with the members in `KEPT`, in the form of `textOf` in `record-parts.ts`. */
    text,
  },
  key: ['accountId', 'kind', 'key', 'untilVersion'],
  indexes: [['untilVersion']],
  clustered: false,
});

/**
 * Members of records that decisions read, by kind. Only these members are kept. Password hashes, sealed secrets and the
 * metadata of identity providers are never kept: authentication reads them, and decisions do not.
 */
// biome-ignore format: a table
const KEPT = {
  account:                  ['accountId', 'passwordPolicy'],
  user:                     ['accountId', 'arn', 'path', 'userName', 'userId', 'groupIds', 'permissionsBoundaryArn', 'tags', 'attachedPolicyArns', 'inlinePolicies'],
  group:                    ['accountId', 'arn', 'path', 'groupName', 'groupId', 'attachedPolicyArns', 'inlinePolicies'],
  role:                     ['accountId', 'arn', 'path', 'roleName', 'roleId', 'trustPolicy', 'trustPrincipals', 'permissionsBoundaryArn', 'linkedService', 'tags', 'attachedPolicyArns', 'inlinePolicies'],
  policy:                   ['accountId', 'arn', 'path', 'policyName', 'policyId', 'defaultVersionId', 'versions'],
  organization:             ['accountId', 'organizationId', 'serviceControl', 'attachmentPeriod', 'root'],
  'organization-member':    ['accountId', 'managementAccountId'],
  'organization-account':   ['accountId', 'memberId', 'parentId', 'status', 'attachedPolicyIds', 'attachedIn'],
  'organizational-unit':    ['accountId', 'unitId', 'name', 'parentId', 'attachedPolicyIds', 'attachedIn'],
  'service-control-policy': ['accountId', 'policyId', 'name', 'content'],
} as const satisfies { readonly [Kind in HeldKind]?: readonly (keyof IdentityRecords[Kind])[] };

/** Kind of record whose former versions are kept. The other kinds affect authentication only, or are indexes. */
export type PastKind = keyof typeof KEPT;

/** Members of a record that are kept. Of a managed policy, `versions` has the default version only. */
export type PastRecord<Kind extends PastKind> = Pick<IdentityRecords[Kind], (typeof KEPT)[Kind][number] & keyof IdentityRecords[Kind]>;

/** Reports whether former versions of this kind of record are kept. */
export function hasHistory(kind: IdentityKind): kind is PastKind {
  return Object.hasOwn(KEPT, kind);
}

/** Returns the members of a record that are kept, as stored text. */
function keptText(kind: PastKind, record: IdentityRecords[PastKind]): string {
  const all = kind === 'policy' ? withDefaultVersion(record as PolicyRecord) : record;
  const names: readonly string[] = KEPT[kind];
  const kept = Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
  return storedTextOf(kind, kept as unknown as IdentityRecords[PastKind]);
}

function withDefaultVersion(policy: PolicyRecord): PolicyRecord {
  return { ...policy, versions: policy.versions.filter(({ versionId }) => versionId === policy.defaultVersionId) };
}

/** Record that a transaction replaces or deletes. */
interface Former extends StoredParts {
  readonly version: number;
}

/**
 * Keeps the former version of one record. `until` is the version of the transaction that replaces it. Does nothing if the same
 * transaction wrote the record, because it was never in force.
 */
export async function keepFormer(
  sql: Sql,
  accountId: AccountId,
  kind: PastKind,
  key: string,
  former: Former,
  until: number,
): Promise<void> {
  if (former.version >= until) return;
  const kept = keptText(kind, fromParts(kind, former));
  await IDENTITY_HISTORY.insert(sql, { accountId, kind, key, untilVersion: until, fromVersion: former.version, text: kept });
}

const OF_KIND = 'WHERE d.account_id = $1 AND d.kind = $2 AND d.deleted = 0 AND d.version < $3';
const DETAILS = 'LEFT JOIN identity_details AS x ON x.account_id = d.account_id AND x.kind = d.kind AND x.key = d.key';
const KEEP_ALL = `
  INSERT INTO identity_history (account_id, kind, key, until_version, from_version, text)
  SELECT d.account_id, d.kind, d.key, $3, d.version, ${TEXT_SQL} FROM identity_document AS d ${DETAILS} ${OF_KIND}`;
const SELECT_OF_KIND = `
  SELECT d.key, d.version, d.document, x.details FROM identity_document AS d ${DETAILS} ${OF_KIND} AND d.key > $4 ORDER BY d.key LIMIT $5`;
/** Number of users that `keepAllFormer` reads with one statement. */
const USERS_PAGE = 100;

/**
 * Keeps the former versions of all records of a kind in an account. Copies them with one statement, with all members. Users
 * are copied one by one, because their records have password hashes.
 */
export async function keepAllFormer(sql: Sql, accountId: AccountId, kind: PastKind, until: number): Promise<void> {
  if (kind !== 'user') {
    await sql.run(KEEP_ALL, [accountId, kind, until]);
    return;
  }
  for (let after = '', more = true; more; ) {
    const rows = await sql.rows<Former & { readonly key: string }>(SELECT_OF_KIND, [accountId, kind, until, after, USERS_PAGE]);
    for (const row of rows) await keepFormer(sql, accountId, kind, row.key, row, until);
    more = rows.length === USERS_PAGE;
    after = rows.at(-1)?.key ?? '';
  }
}

/** Reader of identity as of one version. Records have only the members in `KEPT`. */
export interface PastIdentity {
  /** Returns the stored text of a record that was in force. @throws RangeError  the version is not kept any more */
  text(accountId: AccountId, kind: PastKind, key: string): Promise<string | undefined>;
  /** Returns a record that was in force. @throws RangeError  the version is not kept any more */
  record<Kind extends PastKind>(accountId: AccountId, kind: Kind, key: string): Promise<PastRecord<Kind> | undefined>;
  /**
   * Returns at most `limit` records of an account that were in force, in the order of kind and key, after the record `after`. The
   * texts have the form that the identity snapshot reads.
   *
   * @throws RangeError  the version is not kept any more
   */
  page(accountId: AccountId, limit: number, after?: Pick<StoredRecord, 'kind' | 'key'>): Promise<readonly StoredRecord<PastKind>[]>;
}

const SELECT_FORMER = `
  SELECT from_version, text FROM identity_history
  WHERE account_id = $1 AND kind = $2 AND key = $3 AND until_version > $4 ORDER BY until_version LIMIT 1`;
const SELECT_CURRENT = `
  SELECT d.version, ${TEXT_SQL} AS text FROM identity_document AS d ${DETAILS}
  WHERE d.account_id = $1 AND d.kind = $2 AND d.key = $3 AND d.deleted = 0 AND d.version <= $4`;
const KINDS = Object.keys(KEPT)
  .map((kind) => `'${kind}'`)
  .join(', ');
const PAGE_CURRENT = `
  SELECT d.kind, d.key, ${TEXT_SQL} AS text FROM identity_document AS d ${DETAILS}
  WHERE d.account_id = $1 AND (d.kind, d.key) > ($2, $3) AND d.deleted = 0 AND d.version <= $4 AND d.kind IN (${KINDS})
  ORDER BY d.kind, d.key LIMIT $5`;
const PAGE_FORMER = `
  SELECT kind, key, text FROM identity_history
  WHERE account_id = $1 AND (kind, key) > ($2, $3) AND until_version > $4 AND from_version <= $4 ORDER BY kind, key LIMIT $5`;

interface PageRow {
  readonly kind: PastKind;
  readonly key: string;
  readonly text: string;
}

/**
 * Returns a reader of identity as of a version. A record is in force from the version that wrote it, until before the version that
 * replaced or deleted it.
 */
export function identityAt({ sql }: { readonly sql: Sql }, version: number): PastIdentity {
  async function textOfRecord(accountId: AccountId, kind: PastKind, key: string): Promise<string | undefined> {
    await checkKept(sql, version);
    const place = [accountId, kind, key, version];
    const former = await sql.row<{ readonly from_version: number; readonly text: string }>(SELECT_FORMER, place);
    const found =
      former !== undefined && former.from_version <= version ? former : await sql.row<{ readonly text: string }>(SELECT_CURRENT, place);
    return found && keptOf(kind, found.text);
  }

  return {
    text: textOfRecord,
    async record<Kind extends PastKind>(accountId: AccountId, kind: Kind, key: string) {
      const found = await textOfRecord(accountId, kind, key);
      return found === undefined ? undefined : (recordOf(kind, found) as PastRecord<Kind>);
    },
    async page(accountId, limit, after = { kind: '' as IdentityKind, key: '' }) {
      await checkKept(sql, version);
      const values = [accountId, after.kind, after.key, version, limit];
      const rows = [...(await sql.rows<PageRow>(PAGE_CURRENT, values)), ...(await sql.rows<PageRow>(PAGE_FORMER, values))];
      return rows
        .sort((a, b) => Buffer.compare(Buffer.from(`${a.kind}\0${a.key}`), Buffer.from(`${b.kind}\0${b.key}`)))
        .slice(0, limit)
        .map(({ kind, key, text: stored }) => ({ accountId, kind, key, text: keptOf(kind, stored) }));
    },
  };
}

/** Removes the members that are not kept from a stored text. Current records and copied records have all members. */
function keptOf(kind: PastKind, stored: string): string {
  return keptText(kind, recordOf(kind, stored));
}

const FORMER_OF_KIND = `
  SELECT key, text FROM identity_history
  WHERE account_id = $1 AND kind = $2 AND key > $3 AND until_version > $4 AND from_version <= $4 ORDER BY key LIMIT $5`;

/** Unique IDs of users or roles, with the ARNs that were found. */
export interface FoundArns {
  readonly arns: readonly (readonly [id: string, arn: string])[];
  /** Key of the last record that was read, if there are more. */
  readonly next: string | undefined;
}

/**
 * Finds the ARNs that users or roles of an account had as of a version, by their unique IDs, among at most `limit` records that were changed,
 * renamed or deleted since then. `after` is the key of the last record that was read.
 *
 * @throws RangeError  the version is not kept any more
 */
export async function formerArns(
  { sql }: { readonly sql: Sql },
  version: number,
  { accountId, kind, ids }: { readonly accountId: AccountId; readonly kind: 'user' | 'role'; readonly ids: ReadonlySet<string> },
  after: string,
  limit: number,
): Promise<FoundArns> {
  await checkKept(sql, version);
  const rows = await sql.rows<{ readonly key: string; readonly text: string }>(FORMER_OF_KIND, [accountId, kind, after, version, limit]);
  const arns = rows.flatMap(({ text: stored }): readonly (readonly [string, string])[] => {
    const id = memberOf(stored, kind === 'user' ? 'userId' : 'roleId');
    return id !== undefined && ids.has(id) ? [[id, recordOf(kind, stored).arn]] : [];
  });
  return { arns, next: rows.length === limit ? rows.at(-1)?.key : undefined };
}

const SELECT_FORGOTTEN = "SELECT value FROM counter WHERE name = 'identity_forgotten'";
const RAISE_FORGOTTEN = "UPDATE counter SET value = $1 WHERE name = 'identity_forgotten' AND value < $1";
const FORGET = `
  DELETE FROM identity_history WHERE (account_id, kind, key, until_version) IN (
    SELECT account_id, kind, key, until_version FROM identity_history WHERE until_version <= $1 ORDER BY until_version LIMIT $2)`;

/** @throws RangeError  former versions that were in force at this version are deleted, or were never kept */
async function checkKept(sql: Sql, version: number): Promise<void> {
  const oldest = Number((await sql.row<{ readonly value: number }>(SELECT_FORGOTTEN))?.value);
  if (version < oldest) throw new RangeError(`identity version ${version} is not kept; the oldest kept version is ${oldest}`);
}

/**
 * Deletes at most `limit` former versions that were in force only before `version`. Afterwards, `identityAt` refuses
 * earlier versions. Returns the number of deleted rows. If it is `limit`, there may be more.
 *
 * Pass the lowest identity version in the decision contexts of the records that remain.
 */
export async function forgetIdentityBefore({ sql }: { readonly sql: Sql }, version: number, limit: number): Promise<number> {
  await sql.run(RAISE_FORGOTTEN, [version]);
  return await sql.run(FORGET, [version, limit]);
}

/** Change of a record at a version. `text` is absent if the record was deleted. */
export interface PastChange {
  readonly version: number;
  readonly accountId: AccountId;
  readonly kind: PastKind;
  readonly key: string;
  readonly text?: string;
}

const FORMER_AFTER = `
  SELECT account_id, kind, key, from_version, until_version, text FROM identity_history
  WHERE until_version > $1 ORDER BY account_id, kind, key, until_version`;
const CURRENT_AFTER = `
  SELECT d.account_id, d.kind, d.key, d.version, ${TEXT_SQL} AS text FROM identity_document AS d ${DETAILS}
  WHERE d.version > $1 AND d.deleted = 0 AND d.kind IN (${KINDS})`;

/**
 * Returns the changes of all records after a version, in the order of versions. Keeps them in memory, so it is for commands, and not for
 * the server.
 *
 * @throws RangeError  the version is not kept any more
 */
export async function identityChangesAfter({ sql }: { readonly sql: Sql }, version: number): Promise<readonly PastChange[]> {
  await checkKept(sql, version);
  const former = await sql.rows<{
    readonly account_id: AccountId;
    readonly kind: PastKind;
    readonly key: string;
    readonly from_version: number;
    readonly until_version: number;
    readonly text: string;
  }>(FORMER_AFTER, [version]);
  const current = await sql.rows<{
    readonly account_id: AccountId;
    readonly kind: PastKind;
    readonly key: string;
    readonly version: number;
    readonly text: string;
  }>(CURRENT_AFTER, [version]);
  const starts = new Map<string, number>();
  const placeOf = (each: { readonly account_id: AccountId; readonly kind: PastKind; readonly key: string }, at: number) =>
    `${each.account_id} ${each.kind} ${at} ${each.key}`;
  const changes: PastChange[] = [];
  const put = (
    each: { readonly account_id: AccountId; readonly kind: PastKind; readonly key: string; readonly text: string },
    at: number,
  ) => {
    starts.set(placeOf(each, at), at);
    const { account_id: accountId, kind, key } = each;
    if (at > version) changes.push({ version: at, accountId, kind, key, text: keptOf(kind, each.text) });
  };
  for (const each of former) put(each, each.from_version);
  for (const each of current) put(each, each.version);
  // A record without a successor was deleted.
  for (const each of former) {
    if (starts.has(placeOf(each, each.until_version))) continue;
    changes.push({ version: each.until_version, accountId: each.account_id, kind: each.kind, key: each.key });
  }
  return changes.sort((a, b) => a.version - b.version);
}
