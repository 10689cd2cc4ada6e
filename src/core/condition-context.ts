/**
 * What a request says about itself: context keys, lower-cased (`aws:sourceip`, `aws:requesttag/team`), with their values as text.
 * A list stands for a multivalued key, even where it holds one value; an absent key is absent, never empty text.
 */
export type ConditionContext = ReadonlyMap<string, string | readonly string[]>;
