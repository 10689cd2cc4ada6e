/**
 * Background task that scans the resources of analyzers. It also applies archive rules to existing findings, because a request may take only a
 * part of them. Of several servers, one does the work.
 */
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { type AnalyzedKind, isInRegion } from '../../kit/analyzed-resources.ts';
import type { Work } from '../../kit/events.ts';
import type { TaskSteps } from '../../kit/service.ts';
import { takeTurn } from '../../kit/task-turn.ts';
import { externalAccessFor } from '../external/analysis.ts';
import { type PermissionCache, permissionCache } from '../external/permission-cache.ts';
import { zonesOf } from '../external/zones.ts';
import { applyRulePart } from '../findings/apply-rule.ts';
import { forgetResource } from '../findings/findings.ts';
import { type AnalyzerZone, isExternalType, nextMember } from '../kit/organizations.ts';
import { type AnalyzerRecord, analyzers, type ScanPlace } from '../tables/analyzers.ts';
import { findings } from '../tables/findings.ts';
import { principalsAfter } from '../unused/unused-access.ts';
import { analyzeUnused } from '../unused/unused-analysis.ts';

/** Name of the turn in the table `meta`. */
const TURN = 'access-analysis';

/** Resources that one step analyzes, and the number of findings after which it analyzes no further resource. */
const RESOURCES_AT_ONCE = 20;
const FINDINGS_AT_ONCE = 200;

/**
 * Time between two scans of an analyzer for external access. Findings follow each change at once, so a scan only repeats what a change missed.
 *
 * Source: IAM User Guide, "Understand how IAM Access Analyzer findings work": the next periodic scan is "within 24 hours".
 */
const EXTERNAL_EVERY_MS = DAY_MS;
/** Time between two scans of an analyzer for unused access. Assumed: AWS scans once a day. A shorter time also resolves findings sooner. */
const UNUSED_EVERY_MS = 10 * 60_000;

/** Source of resources: reads and analyzes a page of the resources of an account. */
type Source = (
  work: Work,
  analyzer: AnalyzerRecord,
  accountId: AccountId,
  after: string | undefined,
) => Promise<{ readonly after: string | undefined } | 'end'>;

/**
 * Returns the steps of the task. A step is one transaction: it analyzes some resources of the analyzer that has waited longest. At the end of a
 * scan, the findings of resources that no longer exist are resolved.
 */
export function scanAnalyzers(kinds: readonly AnalyzedKind[]): TaskSteps {
  return () => {
    let serverId: string | undefined;
    const permissions = permissionCache();
    return async (transact) => {
      const outcome = await transact(async (work) => {
        serverId ??= work.newId();
        const repository = work.tx.of(analyzers);
        const due = await repository.due(work.now);
        const rule = due === undefined ? await repository.nextApplied() : undefined;
        if ((due === undefined && rule === undefined) || !(await takeTurn(work, TURN, serverId))) return 'done';
        if (due !== undefined) await step(work, due, sourcesOf(due, kinds, permissions));
        else if (rule !== undefined) await applyRulePart(work, rule);
        return 'more';
      });
      await permissions.analyzeMissing();
      return outcome;
    };
  };
}

function sourcesOf({ type }: AnalyzerRecord, kinds: readonly AnalyzedKind[], permissions: PermissionCache): readonly Source[] {
  return isExternalType(type) ? kinds.map(externalSource) : [unusedSource(permissions)];
}

async function step(work: Work, analyzer: AnalyzerRecord, sources: readonly Source[]): Promise<void> {
  const { tx, now } = work;
  const zone = await zonesOf(tx)(analyzer);
  const place = zone.kind === 'disabled' ? undefined : await nextPlace(work, analyzer, zone, sources);
  const key = { accountId: analyzer.accountId, region: analyzer.region, name: analyzer.name };
  const everyMs = isExternalType(analyzer.type) ? EXTERNAL_EVERY_MS : UNUSED_EVERY_MS;
  const again = analyzer.scan?.again;
  const next =
    place === undefined ? { scanAt: again ? now : instant(now + everyMs) } : { scanAt: now, scan: omitUndefined({ ...place, again }) };
  await tx.of(analyzers).setScan({ ...key, ...next });
}

/** Does a step of a scan. Returns the place of the next step, or `undefined` at the end of the scan. */
async function nextPlace(
  work: Work,
  analyzer: AnalyzerRecord,
  zone: AnalyzerZone,
  sources: readonly Source[],
): Promise<ScanPlace | undefined> {
  const { scan } = analyzer;
  const place: ScanPlace = scan ?? { startedAt: work.now, source: 0, ...(await accountAfter(work, analyzer, zone, '')) };
  const { startedAt, accountId, source, after } = place;
  if (accountId === undefined) return (await forgetVanished(work, analyzer, startedAt)) === 'more' ? place : undefined;
  const read = await (sources[source] as Source)(work, analyzer, accountId, after);
  if (read !== 'end') return omitUndefined({ startedAt, accountId, source, after: read.after });
  if (source + 1 < sources.length) return { startedAt, accountId, source: source + 1 };
  return { startedAt, source: 0, ...(await accountAfter(work, analyzer, zone, accountId)) };
}

/** Returns the first account of the zone after another account. */
async function accountAfter(
  { tx }: Work,
  { accountId }: AnalyzerRecord,
  zone: AnalyzerZone,
  after: string,
): Promise<{ readonly accountId?: AccountId }> {
  const next = zone.kind === 'organization' ? await nextMember(tx, zone.organization, after) : after === '' ? accountId : undefined;
  return next === undefined ? {} : { accountId: next };
}

function externalSource(kind: AnalyzedKind): Source {
  return async (work, analyzer, accountId, after) => {
    const readZone = zonesOf(work.tx);
    const page = await kind.list(work, accountId, after, RESOURCES_AT_ONCE);
    return await eachUntilLimit(page, after, async (resource) => {
      if (!isInRegion(resource, analyzer)) return 0;
      return await externalAccessFor(work, kind, resource, readZone)(analyzer, accountId);
    });
  };
}

/** The source stops before a principal whose policies are not analyzed yet. The next step begins with this principal. */
function unusedSource(permissions: PermissionCache): Source {
  return async (work, analyzer, accountId, after) => {
    const page = await principalsAfter(work.tx, accountId, after, RESOURCES_AT_ONCE);
    return await eachUntilLimit(page, after, async (principal) => {
      const analyzed = await analyzeUnused(work, analyzer, accountId, principal, permissions.of);
      if (typeof analyzed === 'number') return analyzed;
      permissions.request(analyzed.unknown);
      return 'stop';
    });
  };
}

/**
 * Analyzes resources until there are many findings, or until `analyze` returns 'stop'. Returns the last one that was analyzed, or 'end' after the
 * last page. `before` is the last resource of the previous page.
 */
async function eachUntilLimit<Item extends { readonly arn: string }>(
  page: readonly Item[],
  before: string | undefined,
  analyze: (item: Item) => Promise<number | 'stop'>,
): Promise<{ readonly after: string | undefined } | 'end'> {
  let compared = 0;
  let done = before;
  for (const item of page) {
    const more = await analyze(item);
    if (more === 'stop') return { after: done };
    done = item.arn;
    compared += more;
    if (compared >= FINDINGS_AT_ONCE) return { after: item.arn };
  }
  const last = page.at(-1);
  return last === undefined || page.length < RESOURCES_AT_ONCE ? 'end' : { after: last.arn };
}

async function forgetVanished(work: Work, analyzer: AnalyzerRecord, startedAt: Instant): Promise<'more' | 'done'> {
  const vanished = await work.tx.of(findings).analyzedBefore(analyzer.analyzerId, startedAt, RESOURCES_AT_ONCE);
  let resolved = 0;
  for (const { resource } of vanished) {
    resolved += await forgetResource(work, analyzer, resource);
    if (resolved >= FINDINGS_AT_ONCE) return 'more';
  }
  return vanished.length < RESOURCES_AT_ONCE ? 'done' : 'more';
}
