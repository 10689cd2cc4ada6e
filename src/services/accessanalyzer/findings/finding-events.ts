/** Events of findings for the event bus of the account that owns the analyzer. */
import { isoSeconds } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { BusEvent } from '../../kit/bus-event.ts';
import type { Work } from '../../kit/events.ts';
import { analyzerArn } from '../kit/lookup.ts';
import type { AnalyzerKey } from '../tables/analyzers.ts';
import type { FindingRecord } from '../tables/findings.ts';
import type { FoundAccess } from '../tables/found-access.ts';

/**
 * Emits the event of a new, changed or deleted finding.
 *
 * Source: IAM User Guide, "Monitoring IAM Access Analyzer with Amazon EventBridge", example findings events.
 * Assumed: `version` is `1.0` also in findings of unused access, where the example has a UUID. AWS sends the events of the findings of a deleted
 * analyzer after a day, and this server sends them when it deletes the findings.
 */
export async function emitFinding(
  { emit }: Pick<Work, 'emit'>,
  analyzer: AnalyzerKey,
  finding: FindingRecord,
  { previousStatus = '', isDeleted = false }: { readonly previousStatus?: string; readonly isDeleted?: boolean } = {},
): Promise<void> {
  const { region } = analyzer;
  const { resource, resourceType, status, createdAt, analyzedAt, updatedAt } = finding;
  const common = {
    ...{ accountId: finding.ownerAccount, region, resource, resourceType, status, isDeleted, version: '1.0' },
    ...{ createdAt: isoSeconds(createdAt), analyzedAt: isoSeconds(analyzedAt), updatedAt: isoSeconds(updatedAt) },
  };
  const [first] = finding.details;
  const isExternal = first?.findingType === 'ExternalAccess';
  await emit<BusEvent>({
    type: 'BusEvent',
    accountId: analyzer.accountId,
    region,
    source: 'aws.access-analyzer',
    detailType: isExternal ? 'Access Analyzer Finding' : 'Unused Access Finding for IAM entities',
    resources: [analyzerArn(analyzer)],
    detail: isExternal
      ? { ...common, id: finding.id, ...externalMembers(first), resourceControlPolicyRestrictionType: 'NOT_APPLICABLE' }
      : { ...common, findingId: finding.id, previousStatus, findingType: finding.findingType, ...unusedNumbers(finding.details) },
  });
}

function externalMembers({ principal, action, condition, isPublic }: Extract<FoundAccess, { readonly findingType: 'ExternalAccess' }>) {
  return { principal, action, condition, isPublic };
}

/** Assumed: a service without any use is counted as a service, and the listed actions of other services as actions. */
function unusedNumbers(details: readonly FoundAccess[]): Readonly<Record<string, number>> {
  const permissions = details.filter((each) => each.findingType === 'UnusedPermission');
  if (permissions.length === 0) return {};
  return omitUndefined({
    numberOfUnusedServices: permissions.filter(({ actions }) => actions === undefined).length,
    numberOfUnusedActions: permissions.reduce((sum, { actions = [] }) => sum + actions.length, 0),
  });
}
