/**
 * Facts of a request that policy conditions can test: lower-case context keys (`aws:sourceip`, `aws:requesttag/team`) with their values.
 *
 * A list is a multivalued key, even if it has one value. An absent key has no entry. It is not an empty string.
 */
export type ConditionContext = ReadonlyMap<string, string | readonly string[]>;
