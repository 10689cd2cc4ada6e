/**
 * Quotas of an organization.
 *
 * Source: AWS Organizations User Guide, "Quotas for AWS Organizations".
 * Assumed: the number of accounts is the maximum that AWS grants on request, because Belfry has no requests to raise a
 * quota.
 */
// biome-ignore format: a table
/** Quotas of an organization. */
export const QUOTAS = {
  accounts:            10_000,
  units:               2000,
  /** Maximum depth of nested units under the root. */
  unitDepth:           5,
  policies:            10_000,
  /** Maximum number of policies of one target. AWS allowed five until May 2026. */
  policiesPerTarget:   10,
  /** Minimum number of policies of one target while the policy type is enabled. */
  policiesPerTargetMin: 1,
  tagsPerResource:     50,
  openHandshakes:      20,
} as const;
