/**
 * Facts of a request that policy conditions can test: lower-case context keys (`aws:sourceip`, `aws:requesttag/team`)
 * with their values.
 *
 * A key whose value is a list is multivalued, even if the list has one value. A key that the request lacks has no
 * entry.
 */
export type ConditionContext = ReadonlyMap<string, string | readonly string[]>;
