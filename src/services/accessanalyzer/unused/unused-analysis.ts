/** Analysis of users and roles by an analyzer for unused access. */
import type { AccountId } from '#core/arn.ts';
import type { Work } from '../../kit/events.ts';
import { forgetResource, storeAnalysis } from '../findings/findings.ts';
import type { AnalyzerRecord } from '../tables/analyzers.ts';
import { isExcluded, unusedAccessAge } from './exclusions.ts';
import { type AnalyzedPrincipal, type UnusedReading, unusedAccess } from './unused-access.ts';

/**
 * Analyzes a user or role. The findings of an excluded one are resolved. Returns the number of findings that it compared. Changes nothing and returns
 * `unknown` if policies must be analyzed first.
 */
export async function analyzeUnused(
  work: Work,
  analyzer: AnalyzerRecord,
  accountId: AccountId,
  principal: AnalyzedPrincipal,
  granted: UnusedReading['granted'],
): Promise<number | { readonly unknown: readonly string[] }> {
  const { arn, resourceType, tags } = principal;
  if (isExcluded(analyzer.configuration, accountId, tags)) return await forgetResource(work, analyzer, arn);
  const found = await unusedAccess({ tx: work.tx, granted }, accountId, principal, { now: work.now, ageDays: unusedAccessAge(analyzer) });
  if ('unknown' in found) return found;
  return await storeAnalysis(work, analyzer, { arn, resourceType, ownerAccount: accountId }, found);
}
