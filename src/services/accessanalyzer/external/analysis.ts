/** Analysis of one resource by the analyzers that cover it. */
import type { AccountId } from '#core/arn.ts';
import { type AnalyzedKind, type AnalyzedResource, type AnalyzedResourceChanged, isInRegion } from '../../kit/analyzed-resources.ts';
import type { Work } from '../../kit/events.ts';
import { forgetResource, storeAnalysis } from '../findings/findings.ts';
import { type AnalyzerZone, isActiveMember, isExternalType, managementAccountOf } from '../kit/organizations.ts';
import { type AnalyzerRecord, analyzers } from '../tables/analyzers.ts';
import type { ExternalAccess } from '../tables/found-access.ts';
import { externalAccess } from './external-access.ts';
import { zoneOfTrust, zonesOf } from './zones.ts';

type Kind = Pick<AnalyzedKind, 'type'>;

/**
 * Number of findings after which a change starts scans for the other analyzers. It limits the time of a transaction: a trust policy can have some
 * hundred principals, and analyzers of all regions cover a role.
 */
const FINDINGS_MAX = 2_000;

/**
 * Analyzes a changed resource for all analyzers that cover it, in the transaction of the change. So its findings are current when the call
 * returns. If the resource does not exist, its findings are resolved, also those of unused access.
 *
 * The work has a limit: the policy is analyzed once for each zone of trust, and after `FINDINGS_MAX` findings, the remaining analyzers are scanned
 * by the background task. An account without analyzers costs one look-up in an index, if no organization on
 * the server has an analyzer. Otherwise it costs three.
 */
export async function analyzeChange(work: Work, kinds: readonly AnalyzedKind[], { accountId, resourceType, arn }: AnalyzedResourceChanged) {
  const { tx } = work;
  const kind = kinds.find(({ type }) => type === resourceType);
  if (kind === undefined || !(await tx.of(analyzers).mayCover(accountId))) return;
  const covering = await coveringAnalyzers(work, accountId);
  if (covering.length === 0) return;
  const resource = await kind.find(work, accountId, arn);
  const found = resource && externalAccessFor(work, kind, resource);
  const affected = resource === undefined ? covering : covering.filter((each) => isExternalType(each.type) && isInRegion(resource, each));
  let compared = 0;
  for (const analyzer of affected) {
    if (compared >= FINDINGS_MAX) await tx.of(analyzers).rescan(analyzer, work.now);
    else compared += await (found === undefined ? forgetResource(work, analyzer, arn) : found(analyzer, accountId));
  }
}

/** Returns the analyzers that may cover an account: its own, and those of its organization. */
async function coveringAnalyzers({ tx }: Pick<Work, 'tx'>, accountId: AccountId): Promise<readonly AnalyzerRecord[]> {
  const repository = tx.of(analyzers);
  const own = await repository.ofAccount(accountId, false);
  const managementAccountId = await managementAccountOf(tx, accountId);
  return managementAccountId === undefined ? own : [...own, ...(await repository.ofAccount(managementAccountId, true))];
}

/**
 * Returns the function that stores what one analyzer finds about a resource. It analyzes the policy once for each zone of trust. It returns the
 * number of findings that it compared. An analyzer without a zone, whose organization withdrew the trusted access, changes nothing.
 */
export function externalAccessFor(work: Work, { type }: Kind, { arn, policy }: AnalyzedResource, readZone = zonesOf(work.tx)) {
  const results = new Map<string, readonly ExternalAccess[]>();

  async function analyze(analyzer: AnalyzerRecord, zone: Exclude<AnalyzerZone, { readonly kind: 'disabled' }>) {
    const key = `${zone.kind} ${analyzer.accountId}`;
    const known = results.get(key);
    if (known !== undefined) return known;
    const trust = await zoneOfTrust(work.tx, analyzer, zone, policy);
    const found = externalAccess({ resourceType: type, arn, ...(policy !== undefined && { policy }), zone: trust });
    results.set(key, found);
    return found;
  }

  return async (analyzer: AnalyzerRecord, ownerAccount: AccountId): Promise<number> => {
    const zone = await readZone(analyzer);
    if (zone.kind === 'disabled') return 0;
    return await storeAnalysis(work, analyzer, { arn, resourceType: type, ownerAccount }, await analyze(analyzer, zone));
  };
}

/** Reports whether the zone of an analyzer contains the resources of an account. Closed accounts are not analyzed. */
export async function covers(
  { tx }: Pick<Work, 'tx'>,
  analyzer: AnalyzerRecord,
  zone: AnalyzerZone,
  accountId: AccountId,
): Promise<boolean> {
  if (zone.kind === 'organization') return await isActiveMember(tx, zone.organization, accountId);
  return zone.kind === 'account' && accountId === analyzer.accountId;
}
