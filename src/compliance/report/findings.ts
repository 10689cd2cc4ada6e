/** Findings of IAM Access Analyzer: access of principals outside of the zone of trust, and unused access. Requirement COMP-3. */
import type { AccountId } from '#core/arn.ts';
import { isoSeconds } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { analyzerArn } from '#services/accessanalyzer/kit/lookup.ts';
import { isActiveMember, isExternalType, zoneOf } from '#services/accessanalyzer/kit/organizations.ts';
import { type AnalyzerRecord, analyzers } from '#services/accessanalyzer/tables/analyzers.ts';
import { type FindingRecord, findings } from '#services/accessanalyzer/tables/findings.ts';
import type { OrganizationRecord } from '#store/identity/organization-records.ts';
import { identity } from '#store/identity/repository.ts';
import type { Sql } from '#store/sql.ts';
import { described, excerpt, excerptOf, flag, list, type Of, object, optional, text, texts, time, whole } from '../shape.ts';
import type { ReportFolder } from './report-folder.ts';

/** An active or archived finding, in the file of all findings. */
export const FINDING = object({
  accountId: described(text, 'Owner of the analyzer.'),
  analyzer: described(text, 'ARN of the analyzer.'),
  id: text,
  status: described(text, 'ACTIVE or ARCHIVED. Resolved findings are not listed.'),
  type: text,
  resource: text,
  resourceType: text,
  resourceOwner: text,
  isPublic: flag,
  principal: described(optional(texts), 'Principal outside of the zone of trust.'),
  actions: described(list(text), 'Actions of the principal, or services and actions that were not used.'),
  conditions: described(list(text), 'Keys of the conditions of the access.'),
  createdAt: time,
  updatedAt: time,
});

export const FINDINGS = object({
  analyzers: list(
    object({
      accountId: text,
      analyzer: text,
      type: text,
      active: whole,
      archived: whole,
      resolved: whole,
    }),
  ),
  moreAnalyzers: whole,
  accountsWithoutAnalyzer: described(
    object({ total: whole, accountIds: list(text), more: described(whole, 'Number of accounts that are not listed here.') }),
    'Accounts of the report that no analyzer of external access covers: neither one of their own nor one of their organization. External access is not found there.',
  ),
  active: described(
    whole,
    'Active findings of all analyzers. An analyzer of an account and one of its organization can find the same access.',
  ),
  archived: whole,
  findings: described(excerpt(FINDING), 'Active findings of each analyzer first, those that changed last before the others.'),
});
export type Findings = Of<typeof FINDINGS>;

/** Maximum number of analyzers and of findings in the report. The file has all findings. */
export const FINDINGS_MAX = 200;
/** Maximum number of accounts without an analyzer that the report lists. */
export const WITHOUT_ANALYZER_MAX = 100;
/** Maximum number of analyzers of an account that are read. It is above the quota of an account in all regions. */
const ANALYZERS_MAX = 1_000;
const PAGE = 200;
const STATUSES = ['ACTIVE', 'ARCHIVED'] as const;

/** Writes the file about findings, and returns the section of the report. */
export async function findingsSection(sql: Sql, accountIds: readonly AccountId[], folder: ReportFolder): Promise<Findings> {
  const file = folder.lines('findings.jsonl');
  const items: Of<typeof FINDING>[] = [];
  const found: Findings['analyzers'][number][] = [];
  /** Accounts without an analyzer of external access of their own. */
  const others: AccountId[] = [];
  const zones: OrganizationRecord[] = [];
  const counts = { ACTIVE: 0, ARCHIVED: 0, RESOLVED: 0 };
  const reads = { identity: identity(sql) };
  for (const accountId of accountIds) {
    const own = await analyzers(sql).ofAnyType(accountId, ANALYZERS_MAX);
    if (!own.some(({ type }) => isExternalType(type))) others.push(accountId);
    for (const analyzer of own) {
      found.push(await countsOf(sql, analyzer));
      const zone = await zoneOf(reads, analyzer);
      if (isExternalType(analyzer.type) && zone.kind === 'organization') zones.push(zone.organization);
      for await (const finding of findingsOf(sql, analyzer.analyzerId)) {
        const item = toItem(analyzer, finding);
        file.add(item);
        counts[finding.status]++;
        if (items.length < FINDINGS_MAX) items.push(item);
      }
    }
  }
  file.close();
  const uncovered: AccountId[] = [];
  for (const accountId of others) if (!(await isInOneOf(zones, accountId))) uncovered.push(accountId);
  const listed = uncovered.slice(0, WITHOUT_ANALYZER_MAX);
  return {
    analyzers: found.slice(0, FINDINGS_MAX),
    moreAnalyzers: Math.max(0, found.length - FINDINGS_MAX),
    accountsWithoutAnalyzer: { total: uncovered.length, accountIds: listed, more: uncovered.length - listed.length },
    active: counts.ACTIVE,
    archived: counts.ARCHIVED,
    findings: excerptOf(items, file.count(), file),
  };

  async function isInOneOf(organizations: readonly OrganizationRecord[], accountId: AccountId): Promise<boolean> {
    for (const organization of organizations) if (await isActiveMember(reads, organization, accountId)) return true;
    return false;
  }
}

async function countsOf(sql: Sql, analyzer: AnalyzerRecord): Promise<Findings['analyzers'][number]> {
  const counts = { ACTIVE: 0, ARCHIVED: 0, RESOLVED: 0 };
  for (const { status, findings: count } of await findings(sql).totals(analyzer.analyzerId)) counts[status] += Number(count);
  const { ACTIVE: active, ARCHIVED: archived, RESOLVED: resolved } = counts;
  return { accountId: analyzer.accountId, analyzer: analyzerArn(analyzer), type: analyzer.type, active, archived, resolved };
}

/** Yields the findings of an analyzer that are not resolved. */
async function* findingsOf(sql: Sql, analyzerId: string): AsyncGenerator<FindingRecord> {
  for (const status of STATUSES) {
    for (let after: readonly [number, string] | undefined, more = true; more; ) {
      const range = { analyzerId, order: 'updatedAt', descending: true, status, after } as const;
      const page: readonly FindingRecord[] = await findings(sql).list(range, PAGE);
      yield* page;
      const last = page.at(-1);
      after = last && [last.updatedAt, last.id];
      more = page.length === PAGE;
    }
  }
}

function toItem(analyzer: AnalyzerRecord, finding: FindingRecord): Of<typeof FINDING> {
  const { id, status, findingType, resource, resourceType, ownerAccount, isPublic, details, createdAt, updatedAt } = finding;
  const actions: string[] = [];
  const conditions = new Set<string>();
  let principal: Readonly<Record<string, string>> | undefined;
  for (const each of details) {
    if (each.findingType === 'ExternalAccess') {
      principal = each.principal;
      actions.push(...each.action);
      for (const key of Object.keys(each.condition)) conditions.add(key);
    } else if (each.findingType === 'UnusedPermission') {
      const names = each.actions?.map(({ action }) => action);
      actions.push(...(names ?? [`${each.serviceNamespace}:*`]));
    }
  }
  return {
    accountId: analyzer.accountId,
    analyzer: analyzerArn(analyzer),
    ...{ id, status, type: findingType, resource, resourceType, resourceOwner: ownerAccount, isPublic },
    ...omitUndefined({ principal }),
    actions,
    conditions: [...conditions],
    createdAt: isoSeconds(createdAt),
    updatedAt: isoSeconds(updatedAt),
  };
}
