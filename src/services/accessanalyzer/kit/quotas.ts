/** Quotas and limits of IAM Access Analyzer. */
import type { AnalyzerType } from '../tables/analyzers.ts';

/**
 * Maximum number of analyzers of each type, per account and region.
 *
 * Source: IAM User Guide, "IAM Access Analyzer quotas".
 */
export const ANALYZERS_MAX: Readonly<Record<AnalyzerType, number>> = {
  ACCOUNT: 1,
  ORGANIZATION: 5,
  ACCOUNT_UNUSED_ACCESS: 1,
  ORGANIZATION_UNUSED_ACCESS: 5,
};

/** Maximum number of archive rules of an analyzer. Source: IAM User Guide, "IAM Access Analyzer quotas". */
export const RULES_MAX = 100;

/** Maximum number of access previews of an analyzer in one hour. Source: IAM User Guide, "IAM Access Analyzer quotas". */
export const PREVIEWS_MAX = 1_000;

/** Period in days after which access counts as unused. Source: accessanalyzer 2019-11-01, UnusedAccessConfiguration; the default is 90. */
export const UNUSED_ACCESS_AGE = { default: 90, min: 1, max: 365 } as const;

/** Maximum number of excluded accounts. Source: accessanalyzer 2019-11-01, AnalysisRuleCriteria. */
export const EXCLUDED_ACCOUNTS_MAX = 2_000;

/** Maximum numbers of exclusions, of tag maps in an exclusion, and of tags in a map. Assumed: AWS documents no such limits. */
export const EXCLUSIONS_MAX = { criteria: 50, tagMaps: 50, tags: 50 } as const;
