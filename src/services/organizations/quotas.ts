/**
 * How many of a thing an organization may have.
 *
 * Source: AWS Organizations User Guide, "Quotas for AWS Organizations".
 * Assumed: the most accounts the real service grants on request, because here nobody is there to ask.
 */
// biome-ignore format: a table
export const QUOTAS = {
  accounts:            10_000,
  units:               2000,
  /** Units below one another under the root. */
  unitDepth:           5,
  policies:            10_000,
  /** Five until May 2026. */
  policiesPerTarget:   10,
  /** An entity has at least one, while the policy type is enabled. */
  policiesPerTargetMin: 1,
  tagsPerResource:     50,
  openHandshakes:      20,
} as const;
