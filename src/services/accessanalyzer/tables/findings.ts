/** Findings of analyzers, the numbers of findings, and the resources that were analyzed. */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { FindingStatus, ResourceType } from '#model/generated/accessanalyzer.ts';
import type { Sql, SqlValue } from '#store/sql.ts';
import { flag, instant, int, json, type Row, table, text, textOf } from '#store/table.ts';
import type { FoundAccess } from './found-access.ts';

export const ACCESS_FINDING = table('access_finding', {
  columns: {
    analyzerId: text,
    id: text,
    /** ARN of the resource. */
    resource: text,
    /** Key of the access among the findings of the resource: see `accessesOf`. */
    accessKey: text,
    resourceType: textOf<ResourceType>(),
    ownerAccount: textOf<AccountId>(),
    findingType: textOf<FoundAccess['findingType']>(),
    status: textOf<FindingStatus>(),
    isPublic: flag,
    /** One element, or one for each service in a finding of unused permissions. */
    details: json<readonly FoundAccess[]>(),
    createdAt: instant,
    analyzedAt: instant,
    /** Time of the last change of the status or of the details. */
    updatedAt: instant,
  },
  key: ['analyzerId', 'id'],
  indexes: [
    { columns: ['analyzerId', 'resource', 'accessKey'], unique: true },
    ['analyzerId', 'resource', 'status', 'id'],
    ['analyzerId', 'createdAt', 'id'],
    ['analyzerId', 'updatedAt', 'id'],
    ['analyzerId', 'status', 'updatedAt', 'id'],
    { columns: ['updatedAt'], where: "status = 'RESOLVED'" },
  ],
});
export type FindingRecord = Row<typeof ACCESS_FINDING>;

/** Numbers of findings with equal properties. */
export const ACCESS_FINDING_TOTAL = table('access_finding_total', {
  columns: {
    analyzerId: text,
    status: textOf<FindingStatus>(),
    findingType: textOf<FoundAccess['findingType']>(),
    resourceType: textOf<ResourceType>(),
    isPublic: flag,
    ownerAccount: textOf<AccountId>(),
    findings: int,
  },
  key: ['analyzerId', 'status', 'findingType', 'resourceType', 'isPublic', 'ownerAccount'],
});
export type FindingTotal = Row<typeof ACCESS_FINDING_TOTAL>;

export const ACCESS_ANALYZED_RESOURCE = table('access_analyzed_resource', {
  columns: {
    analyzerId: text,
    resource: text,
    resourceType: textOf<ResourceType>(),
    ownerAccount: textOf<AccountId>(),
    createdAt: instant,
    analyzedAt: instant,
    /** Time of the last change of a finding of the resource. */
    updatedAt: instant,
  },
  key: ['analyzerId', 'resource'],
  indexes: [
    ['analyzerId', 'resourceType', 'resource'],
    ['analyzerId', 'analyzedAt', 'resource'],
  ],
});
export type AnalyzedResourceRecord = Row<typeof ACCESS_ANALYZED_RESOURCE>;

/** Orders of findings. Each has an index. The second member orders findings with equal first members. */
// biome-ignore format: a table
export const ORDERS = {
  id:        { member: 'id',        column: 'id',            tie: 'id',         tieMember: 'id' },
  resource:  { member: 'resource',  column: 'resource',      tie: 'access_key', tieMember: 'accessKey' },
  createdAt: { member: 'createdAt', column: 'created_at_ms', tie: 'id',         tieMember: 'id' },
  updatedAt: { member: 'updatedAt', column: 'updated_at_ms', tie: 'id',         tieMember: 'id' },
} as const;
export type Order = keyof typeof ORDERS;

/** Selects findings of an analyzer. */
export interface FindingRange {
  readonly analyzerId: string;
  readonly order: Order;
  readonly descending: boolean;
  /** Only findings with this status, ordered by `updatedAt`. */
  readonly status?: FindingStatus | undefined;
  /** Only findings of this resource, ordered by `resource`. */
  readonly resource?: string | undefined;
  /** Values of the finding after which the range begins. */
  readonly after?: readonly [value: string | number, tie: string] | undefined;
}

export interface Findings {
  get(analyzerId: string, id: string): Promise<FindingRecord | undefined>;
  /** Returns the findings of a resource that are not resolved. */
  open(analyzerId: string, resource: string): Promise<readonly FindingRecord[]>;
  ofAccess(analyzerId: string, resource: string, accessKey: string): Promise<FindingRecord | undefined>;
  /** Adds or replaces findings, and changes their numbers. `before` has the stored finding with the same ID. */
  put(changes: readonly { readonly before?: FindingRecord | undefined; readonly finding: FindingRecord }[]): Promise<void>;
  /** Sets the time of the analysis in the findings of a resource that are not resolved. */
  touch(analyzerId: string, resource: string, analyzedAt: Instant): Promise<void>;
  list(range: FindingRange, limit: number): Promise<readonly FindingRecord[]>;
  /** Returns resolved findings of any analyzer that were last changed before a time, the oldest first. */
  resolvedBefore(before: Instant, limit: number): Promise<readonly FindingRecord[]>;
  /** Returns resolved findings of a resource, except the `kept` ones that changed last. */
  excess(analyzerId: string, resource: string, kept: number): Promise<readonly FindingRecord[]>;
  /** Deletes findings, and changes their numbers. */
  remove(findings: readonly FindingRecord[]): Promise<void>;
  /** Returns the numbers of findings, without accounts. */
  totals(analyzerId: string): Promise<readonly Omit<FindingTotal, 'analyzerId' | 'ownerAccount'>[]>;
  /** Returns the accounts with the most active findings, with their number of each type. */
  topAccounts(
    analyzerId: string,
    limit: number,
  ): Promise<readonly { readonly account: string; readonly findings: number; readonly ofType: Readonly<Record<string, number>> }[]>;

  resource(analyzerId: string, resource: string): Promise<AnalyzedResourceRecord | undefined>;
  putResource(resource: AnalyzedResourceRecord): Promise<void>;
  removeResource(analyzerId: string, resource: string): Promise<void>;
  /** Returns resources of a type, or of all types, in the order of their ARNs, after the ARN `after`. */
  resources(analyzerId: string, type: ResourceType | undefined, after: string, limit: number): Promise<readonly AnalyzedResourceRecord[]>;
  /** Returns resources that were last analyzed before a time. */
  analyzedBefore(analyzerId: string, before: Instant, limit: number): Promise<readonly AnalyzedResourceRecord[]>;
  /** Returns the resource that was analyzed last. */
  lastAnalyzed(analyzerId: string): Promise<AnalyzedResourceRecord | undefined>;
  /** Deletes the rows of a deleted analyzer about resources and numbers. Returns 'more' if more than `limit` resources remain. */
  forgetResources(analyzerId: string, limit: number): Promise<'more' | 'done'>;
}

const SELECT = `SELECT ${ACCESS_FINDING.names} FROM access_finding WHERE`;
// The inner queries read only columns of an index. Otherwise SQLite would use the primary key and read findings of other resources.
const OPEN_IDS = "SELECT id FROM access_finding WHERE analyzer_id = $1 AND resource = $2 AND status IN ('ACTIVE', 'ARCHIVED')";
const OPEN = `${SELECT} analyzer_id = $1 AND id IN (${OPEN_IDS}) ORDER BY id`;
const OF_ACCESS = `${SELECT} analyzer_id = $1 AND resource = $2 AND access_key = $3`;
const TOUCH = `UPDATE access_finding SET analyzed_at_ms = $3 WHERE analyzer_id = $1 AND id IN (${OPEN_IDS})`;
const RESOLVED = `${SELECT} status = 'RESOLVED' AND updated_at_ms < $1 ORDER BY updated_at_ms LIMIT $2`;
// SQLite accepts OFFSET only after LIMIT. The limit is above the number of findings that one policy can have.
const EXCESS = `${SELECT} analyzer_id = $1 AND id IN (
    SELECT id FROM access_finding WHERE analyzer_id = $1 AND resource = $2 AND status = 'RESOLVED')
  ORDER BY updated_at_ms DESC, id DESC LIMIT 10000 OFFSET $3`;
const ADD_TOTAL = `INSERT INTO access_finding_total (${ACCESS_FINDING_TOTAL.names}) VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (analyzer_id, status, finding_type, resource_type, is_public, owner_account)
  DO UPDATE SET findings = access_finding_total.findings + excluded.findings`;
const TOTALS = `SELECT status, finding_type, resource_type, is_public, SUM(findings) AS findings FROM access_finding_total
  WHERE analyzer_id = $1 GROUP BY status, finding_type, resource_type, is_public ORDER BY status, finding_type, resource_type, is_public`;
const TOP_ACCOUNTS = `SELECT owner_account, SUM(findings) AS findings FROM access_finding_total
  WHERE analyzer_id = $1 AND status = 'ACTIVE' AND findings > 0 GROUP BY owner_account ORDER BY findings DESC, owner_account LIMIT $2`;
const OF_TOP_ACCOUNT = `SELECT finding_type, SUM(findings) AS findings FROM access_finding_total
  WHERE analyzer_id = $1 AND status = 'ACTIVE' AND owner_account = $2 AND findings > 0 GROUP BY finding_type ORDER BY finding_type`;
const RESOURCES = `SELECT ${ACCESS_ANALYZED_RESOURCE.names} FROM access_analyzed_resource WHERE analyzer_id = $1`;
const OF_TYPE = `${RESOURCES} AND resource IN (SELECT resource FROM access_analyzed_resource
  WHERE analyzer_id = $1 AND resource_type = $2 AND resource > $3 ORDER BY resource LIMIT $4) ORDER BY resource`;
const BEFORE = `${RESOURCES} AND analyzed_at_ms < $2 ORDER BY analyzed_at_ms, resource LIMIT $3`;
const LAST = `${RESOURCES} ORDER BY analyzed_at_ms DESC, resource DESC LIMIT 1`;
const FORGET_RESOURCES = `DELETE FROM access_analyzed_resource WHERE analyzer_id = $1 AND resource IN (
  SELECT resource FROM access_analyzed_resource WHERE analyzer_id = $1 ORDER BY resource LIMIT $2)`;
const FORGET_TOTALS = 'DELETE FROM access_finding_total WHERE analyzer_id = $1';

/** Returns the query of a range. The number of queries is small, so the engine prepares each once. */
function rangeQuery({ order, descending, status, resource, after }: FindingRange): string {
  const { column, tie } = ORDERS[order];
  const conditions = ['analyzer_id = $1'];
  let next = 2;
  if (status !== undefined) conditions.push(`status = $${next++}`);
  if (resource !== undefined) conditions.push(`resource = $${next++}`);
  if (after !== undefined) conditions.push(`(${column}, ${tie}) ${descending ? '<' : '>'} ($${next++}, $${next++})`);
  const direction = descending ? ' DESC' : '';
  const by = column === tie ? `${column}${direction}` : `${column}${direction}, ${tie}${direction}`;
  return `${SELECT} ${conditions.join(' AND ')} ORDER BY ${by} LIMIT $${next}`;
}

const PUT_ALL = ACCESS_FINDING.update('status', 'details', 'analyzedAt', 'updatedAt', 'isPublic', 'ownerAccount');

/** Creates the repository of one transaction. */
export function findings(sql: Sql): Findings {
  /** Changes the numbers of findings: `by` for each finding. */
  async function count(changes: readonly (readonly [finding: FindingRecord, by: 1 | -1])[]): Promise<void> {
    const sums = new Map<string, { readonly values: readonly SqlValue[]; sum: number }>();
    for (const [{ analyzerId, status, findingType, resourceType, isPublic, ownerAccount }, by] of changes) {
      const values = [analyzerId, status, findingType, resourceType, isPublic ? 1 : 0, ownerAccount];
      const found = sums.get(values.join('\n')) ?? { values, sum: 0 };
      found.sum += by;
      sums.set(values.join('\n'), found);
    }
    for (const { values, sum } of sums.values()) if (sum !== 0) await sql.run(ADD_TOTAL, [...values, sum]);
  }

  return {
    get: (analyzerId, id) => ACCESS_FINDING.get(sql, analyzerId, id),
    open: (analyzerId, resource) => ACCESS_FINDING.rows(sql, OPEN, [analyzerId, resource]),
    ofAccess: (analyzerId, resource, accessKey) => ACCESS_FINDING.row(sql, OF_ACCESS, [analyzerId, resource, accessKey]),
    async put(changes) {
      for (const { before, finding } of changes) await (before === undefined ? ACCESS_FINDING.insert(sql, finding) : PUT_ALL(sql, finding));
      await count(
        changes.flatMap(({ before, finding }) => [...(before === undefined ? [] : [[before, -1] as const]), [finding, 1] as const]),
      );
    },
    touch: async (analyzerId, resource, analyzedAt) => void (await sql.run(TOUCH, [analyzerId, resource, analyzedAt])),
    list: (range, limit) => {
      const values = [range.analyzerId, range.status, range.resource, ...(range.after ?? [])].filter((each) => each !== undefined);
      return ACCESS_FINDING.rows(sql, rangeQuery(range), [...values, limit]);
    },
    resolvedBefore: (before, limit) => ACCESS_FINDING.rows(sql, RESOLVED, [before, limit]),
    excess: (analyzerId, resource, kept) => ACCESS_FINDING.rows(sql, EXCESS, [analyzerId, resource, kept]),
    async remove(removed) {
      for (const { analyzerId, id } of removed) await ACCESS_FINDING.remove(sql, analyzerId, id);
      await count(removed.map((finding) => [finding, -1] as const));
    },
    async totals(analyzerId) {
      const rows = await sql.rows<Readonly<Record<string, SqlValue>>>(TOTALS, [analyzerId]);
      return rows.map((row) => ({
        status: row['status'] as FindingStatus,
        findingType: row['finding_type'] as FoundAccess['findingType'],
        resourceType: row['resource_type'] as ResourceType,
        isPublic: Number(row['is_public']) === 1,
        findings: Number(row['findings']),
      }));
    },
    async topAccounts(analyzerId, limit) {
      const accounts = await sql.rows<{ readonly owner_account: string; readonly findings: SqlValue }>(TOP_ACCOUNTS, [analyzerId, limit]);
      const top = [];
      for (const { owner_account: account, findings: total } of accounts) {
        const types = await sql.rows<{ readonly finding_type: string; readonly findings: SqlValue }>(OF_TOP_ACCOUNT, [analyzerId, account]);
        const ofType = Object.fromEntries(types.map((each) => [each.finding_type, Number(each.findings)]));
        top.push({ account, findings: Number(total), ofType });
      }
      return top;
    },

    resource: (analyzerId, resource) => ACCESS_ANALYZED_RESOURCE.get(sql, analyzerId, resource),
    putResource: (resource) => ACCESS_ANALYZED_RESOURCE.put(sql, resource),
    removeResource: async (analyzerId, resource) => void (await ACCESS_ANALYZED_RESOURCE.remove(sql, analyzerId, resource)),
    resources: (analyzerId, type, after, limit) =>
      type === undefined
        ? ACCESS_ANALYZED_RESOURCE.page(sql, [analyzerId], [after], limit)
        : ACCESS_ANALYZED_RESOURCE.rows(sql, OF_TYPE, [analyzerId, type, after, limit]),
    analyzedBefore: (analyzerId, before, limit) => ACCESS_ANALYZED_RESOURCE.rows(sql, BEFORE, [analyzerId, before, limit]),
    lastAnalyzed: (analyzerId) => ACCESS_ANALYZED_RESOURCE.row(sql, LAST, [analyzerId]),
    async forgetResources(analyzerId, limit) {
      if ((await sql.run(FORGET_RESOURCES, [analyzerId, limit])) === limit) return 'more';
      await sql.run(FORGET_TOTALS, [analyzerId]);
      return 'done';
    },
  };
}
