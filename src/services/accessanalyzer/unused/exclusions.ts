/** Exclusions of analyzers for unused access. */
import type { AccountId } from '#core/arn.ts';
import type { AnalyzerConfiguration } from '#model/generated/accessanalyzer.ts';
import type { TagRecord } from '#store/tag-record.ts';
import { UNUSED_ACCESS_AGE } from '../kit/quotas.ts';
import type { AnalyzerRecord } from '../tables/analyzers.ts';

type Configuration = AnalyzerConfiguration | undefined;

/**
 * Reports whether an analyzer excludes a user or role.
 *
 * Source: accessanalyzer 2019-11-01, AnalysisRuleCriteria: an empty tag value stands for all values. Assumed: an exclusion with accounts and tags excludes the entities of these accounts
 * with one of the maps of tags, and an entity matches a map if it has all of its tags.
 */
export function isExcluded(configuration: Configuration, accountId: AccountId, tags: readonly TagRecord[]): boolean {
  return exclusionsOf(configuration).some(
    ({ accountIds, resourceTags }) =>
      (accountIds !== undefined || resourceTags !== undefined) &&
      (accountIds === undefined || accountIds.includes(accountId)) &&
      (resourceTags === undefined || resourceTags.some((map) => hasAll(tags, map))),
  );
}

function hasAll(tags: readonly TagRecord[], map: Readonly<Record<string, string>>): boolean {
  return Object.entries(map).every(([key, value]) => tags.some((tag) => tag.key === key && (value === '' || tag.value === value)));
}

function exclusionsOf(configuration: Configuration) {
  return configuration?.unusedAccess?.analysisRule?.exclusions ?? [];
}

/** Returns the period in days after which access counts as unused. */
export function unusedAccessAge({ configuration }: Pick<AnalyzerRecord, 'configuration'>): number {
  return configuration?.unusedAccess?.unusedAccessAge ?? UNUSED_ACCESS_AGE.default;
}
