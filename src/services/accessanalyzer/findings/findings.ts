/**
 * Findings of a resource: compares the result of an analysis with the stored findings, and creates, updates and resolves findings. It does
 * not analyze. `analysis.ts` does.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import type { ResourceType } from '#model/generated/accessanalyzer.ts';
import type { Work } from '../../kit/events.ts';
import { RULES_MAX } from '../kit/quotas.ts';
import { type AnalyzerKey, type AnalyzerRecord, analyzers } from '../tables/analyzers.ts';
import { type FindingRecord, findings } from '../tables/findings.ts';
import type { FoundAccess, UnusedPermission } from '../tables/found-access.ts';
import { matches } from './filters.ts';
import { emitFinding } from './finding-events.ts';

/** Resource that was analyzed. */
export interface AnalyzedSubject {
  readonly arn: string;
  readonly resourceType: ResourceType;
  readonly ownerAccount: AccountId;
}

/** Accesses that are one finding. */
interface Access {
  readonly findingType: FoundAccess['findingType'];
  readonly isPublic: boolean;
  readonly details: readonly FoundAccess[];
}

/**
 * Returns what an analysis found, by the key of its finding.
 *
 * A finding of external access is identified by its principal, actions and conditions. So other permissions for the same principal are a new
 * finding, and do not inherit the status ARCHIVED. The order of actions and values does not matter, nor does the case of actions. The unused
 * permissions of a user or role are one finding with an element for each service, and other unused permissions are a new finding.
 *
 * Source: IAM User Guide, "Understand how IAM Access Analyzer findings work": "If the updated policy shares a resource that is already identified
 * in a finding, but with different permissions or conditions, a new finding is generated". "Resolve IAM Access Analyzer findings": the same
 * for unused permissions. accessanalyzer 2019-11-01, GetFindingV2: the pages of details.
 */
export function accessesOf(found: readonly FoundAccess[]): ReadonlyMap<string, Access> {
  const accesses = new Map<string, Access>();
  const permissions: UnusedPermission[] = [];
  for (const each of found) {
    const { findingType } = each;
    if (findingType === 'UnusedPermission') permissions.push(each);
    else accesses.set(keyOf(each), { findingType, isPublic: findingType === 'ExternalAccess' && each.isPublic, details: [each] });
  }
  if (permissions.length > 0)
    accesses.set(keyOfPermissions(permissions), { findingType: 'UnusedPermission', isPublic: false, details: permissions });
  return accesses;
}

function keyOfPermissions(permissions: readonly UnusedPermission[]): string {
  return `UnusedPermission ${hashOf(permissions.map(namesIn).sort())}`;
}

function namesIn({ serviceNamespace, actions }: UnusedPermission): string {
  return [serviceNamespace, ...(actions ?? []).map(({ action }) => action).sort()].join(' ');
}

function hashOf(facts: unknown): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('base64url');
}

function keyOf(found: Exclude<FoundAccess, UnusedPermission>): string {
  switch (found.findingType) {
    case 'ExternalAccess': {
      const { principal, action, condition, isPublic } = found;
      const actions = new Set(action.map((each) => each.toLowerCase()));
      const values = sorted(condition).map(([key, list]) => [key, list.split(',').sort()]);
      const facts = [sorted(principal), [...actions].sort(), values, isPublic];
      return hashOf(facts);
    }
    case 'UnusedIAMUserAccessKey':
      return `${found.findingType} ${found.accessKeyId}`;
    case 'UnusedIAMRole':
    case 'UnusedIAMUserPassword':
      return found.findingType;
  }
}

function sorted(map: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * Stores the result of an analysis of one resource. A new access becomes a finding, which an archive rule can archive. A finding whose access
 * vanished is resolved. It is active again, with the same ID, when the access returns. A bucket with the same name can have another owner then.
 *
 * Returns the number of findings that it compared.
 * Emits: BusEvent for each new finding and each change of a status.
 */
export async function storeAnalysis(
  work: Work,
  analyzer: AnalyzerRecord,
  { arn, resourceType, ownerAccount }: AnalyzedSubject,
  found: readonly FoundAccess[],
): Promise<number> {
  const { tx, now } = work;
  const { analyzerId } = analyzer;
  const repository = tx.of(findings);
  const accesses = accessesOf(found);
  const open = new Map((await repository.open(analyzerId, arn)).map((finding) => [finding.accessKey, finding]));
  const changes: { before?: FindingRecord | undefined; finding: FindingRecord }[] = [];
  const settled = archivedBy(work, analyzer);

  for (const [accessKey, access] of accesses) {
    const before = open.get(accessKey) ?? (await repository.ofAccess(analyzerId, arn, accessKey));
    const seen = { ...access, ownerAccount, analyzedAt: now, updatedAt: now };
    if (before === undefined) {
      const facts = { analyzerId, id: work.newId(), resource: arn, accessKey, resourceType, createdAt: now };
      changes.push({ finding: await settled({ ...facts, ...seen, status: 'ACTIVE' }) });
    } else if (before.status === 'RESOLVED') {
      changes.push({ before, finding: await settled({ ...before, ...seen, status: 'ACTIVE' }) });
    } else if (before.ownerAccount !== ownerAccount || !isDeepStrictEqual(comparable(before.details), comparable(stored(access.details)))) {
      changes.push({ before, finding: { ...before, ...seen } });
    }
  }
  for (const [accessKey, before] of open) {
    if (!accesses.has(accessKey)) changes.push({ before, finding: { ...before, status: 'RESOLVED', analyzedAt: now, updatedAt: now } });
  }
  await storeChanges(work, analyzer, changes);
  if (changes.some(({ finding }) => finding.status === 'RESOLVED')) await deleteExcess(work, analyzer, arn);
  if (open.size > 0) await repository.touch(analyzerId, arn, now);
  const known = await repository.resource(analyzerId, arn);
  const updatedAt = changes.length > 0 || known === undefined ? now : known.updatedAt;
  await repository.putResource({
    ...{ analyzerId, resource: arn, resourceType, ownerAccount, createdAt: known?.createdAt ?? now, analyzedAt: now, updatedAt },
  });
  return new Set([...open.keys(), ...accesses.keys()]).size;
}

/**
 * Maximum number of resolved findings of a resource. Assumed: AWS documents none. It limits what a policy that changes again and again can store.
 */
const RESOLVED_MAX = 500;

async function deleteExcess(work: Work, analyzer: AnalyzerRecord, arn: string): Promise<void> {
  const excess = await work.tx.of(findings).excess(analyzer.analyzerId, arn, RESOLVED_MAX);
  if (excess.length > 0) await deleteFindings(work, excess, () => analyzer);
}

/** Deletes findings. `ownerOf` returns their analyzer. Emits: BusEvent with `isDeleted` for each. */
export async function deleteFindings(
  work: Work,
  removed: readonly FindingRecord[],
  ownerOf: (finding: FindingRecord) => AnalyzerKey | undefined,
): Promise<void> {
  await work.tx.of(findings).remove(removed);
  for (const finding of removed) {
    const owner = ownerOf(finding);
    if (owner !== undefined) await emitFinding(work, owner, finding, { previousStatus: finding.status, isDeleted: true });
  }
}

/** Returns details as the store returns them, without undefined members. */
function stored(details: readonly FoundAccess[]): readonly FoundAccess[] {
  return JSON.parse(JSON.stringify(details)) as readonly FoundAccess[];
}

/**
 * Returns details for a comparison, with the day of the last use of a service that is in use. So the finding of a user that works all day changes
 * once a day.
 *
 * Assumed: AWS analyzes unused access once a day, so its findings have the last use as of that time.
 */
function comparable(details: readonly FoundAccess[]): readonly unknown[] {
  return details.map((each) =>
    each.findingType === 'UnusedPermission' && each.actions !== undefined && each.lastAccessed !== undefined
      ? { ...each, lastAccessed: Math.floor(each.lastAccessed / DAY_MS) }
      : each,
  );
}

/** Resolves the findings of a resource that no longer exists, or that the analyzer no longer covers. Returns their number. */
export async function forgetResource(work: Work, analyzer: AnalyzerRecord, arn: string): Promise<number> {
  const { tx, now } = work;
  const repository = tx.of(findings);
  const open = await repository.open(analyzer.analyzerId, arn);
  await storeChanges(
    work,
    analyzer,
    open.map((before) => ({ before, finding: { ...before, status: 'RESOLVED', analyzedAt: now, updatedAt: now } })),
  );
  await repository.removeResource(analyzer.analyzerId, arn);
  return open.length;
}

/** Stores changed findings and emits the events of those that are new or have another status. */
export async function storeChanges(
  work: Work,
  analyzer: Pick<AnalyzerRecord, 'accountId' | 'region' | 'name'>,
  changes: readonly { readonly before?: FindingRecord | undefined; readonly finding: FindingRecord }[],
): Promise<void> {
  if (changes.length === 0) return;
  await work.tx.of(findings).put(changes);
  for (const { before, finding } of changes) {
    if (before?.status !== finding.status) await emitFinding(work, analyzer, finding, { previousStatus: before?.status ?? '' });
  }
}

/** Returns the function that archives a new finding if an archive rule matches it. It reads the rules when the first finding is new. */
function archivedBy({ tx }: Work, { analyzerId }: AnalyzerRecord): (finding: FindingRecord) => Promise<FindingRecord> {
  let rules: ReturnType<ReturnType<typeof analyzers>['rules']> | undefined;
  return async (finding) => {
    rules ??= tx.of(analyzers).rules(analyzerId, '', RULES_MAX);
    return (await rules).some(({ filter }) => matches(filter, finding)) ? { ...finding, status: 'ARCHIVED' } : finding;
  };
}
