/** Numbers of the findings of an analyzer. */
import type { FindingStatus, FindingsStatistics, ResourceType, ResourceTypeDetails } from '#model/generated/accessanalyzer.ts';
import type { Call } from '../../kit/operation.ts';
import { isExternalType } from '../kit/organizations.ts';
import type { AnalyzerRecord } from '../tables/analyzers.ts';
import { type FindingTotal, findings } from '../tables/findings.ts';

/** Number of accounts with the most findings. Source: accessanalyzer 2019-11-01, UnusedAccessFindingsStatistics: "one to ten". */
const TOP_ACCOUNTS = 10;

type Total = Omit<FindingTotal, 'analyzerId' | 'ownerAccount'>;

/** Returns the numbers of findings of an analyzer. Source: accessanalyzer 2019-11-01, GetFindingsStatistics. */
export async function statisticsOf({ tx }: Pick<Call, 'tx'>, { analyzerId, type }: AnalyzerRecord): Promise<FindingsStatistics> {
  const totals = await tx.of(findings).totals(analyzerId);
  const common = {
    totalActiveFindings: sumOf(totals, 'ACTIVE'),
    totalArchivedFindings: sumOf(totals, 'ARCHIVED'),
    totalResolvedFindings: sumOf(totals, 'RESOLVED'),
  };
  if (isExternalType(type)) return { externalAccessFindingsStatistics: { ...common, resourceTypeStatistics: byResourceType(totals) } };
  const active = totals.filter(({ status, findings: total }) => status === 'ACTIVE' && total > 0);
  const ofType = Map.groupBy(active, ({ findingType }) => findingType);
  const top = await tx.of(findings).topAccounts(analyzerId, TOP_ACCOUNTS);
  return {
    unusedAccessFindingsStatistics: {
      ...common,
      unusedAccessTypeStatistics: [...ofType].map(([unusedAccessType, those]) => ({ unusedAccessType, total: sumOf(those, 'ACTIVE') })),
      topAccounts: top.map(({ account, findings: numberOfActiveFindings, ofType: details }) => ({
        account,
        numberOfActiveFindings,
        details,
      })),
    },
  };
}

function sumOf(totals: readonly Total[], wanted: FindingStatus): number {
  return totals.reduce((sum, { status, findings: total }) => sum + (status === wanted ? total : 0), 0);
}

function byResourceType(totals: readonly Total[]): Partial<Record<ResourceType, ResourceTypeDetails>> {
  const types = Map.groupBy(
    totals.filter(({ status }) => status === 'ACTIVE'),
    ({ resourceType }) => resourceType,
  );
  const detailsOf = (those: readonly Total[]): ResourceTypeDetails => {
    const totalActivePublic = those.reduce((sum, { isPublic, findings: total }) => sum + (isPublic ? total : 0), 0);
    return { totalActivePublic, totalActiveCrossAccount: sumOf(those, 'ACTIVE') - totalActivePublic, totalActiveErrors: 0 };
  };
  return Object.fromEntries([...types].map(([type, those]) => [type, detailsOf(those)]));
}
