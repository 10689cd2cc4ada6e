/**
 * Tags as conditions read them. Condition keys ignore case, so two tags whose keys differ in case only would be one key with two values.
 */

/** Tags by their keys. */
export type Tags = Readonly<Record<string, string>>;

export type TagPrefix = 'aws:requesttag/' | 'aws:resourcetag/' | 'iam:resourcetag/' | 'aws:principaltag/';

/**
 * Returns the condition keys of tags: `[{Team: 'red'}]` is `aws:resourcetag/team` = `red`.
 *
 * Leaves out keys that `ambiguousTagKeys` returns.
 */
export function tagContextOf(prefix: TagPrefix, tags: Tags): readonly (readonly [key: string, value: string])[] {
  const entries = new Map<string, string>();
  const ambiguous = new Set(ambiguousTagKeys(Object.keys(tags)));
  for (const [key, value] of Object.entries(tags)) {
    const lower = key.toLowerCase();
    if (!ambiguous.has(lower)) entries.set(prefix + lower, value);
  }
  return [...entries];
}

/** Returns the keys, in lower case, that occur in several spellings. */
export function ambiguousTagKeys(keys: readonly string[]): readonly string[] {
  if (keys.length < 2) return NONE;
  const seen = new Set<string>();
  const several = new Set<string>();
  for (const key of keys) {
    const lower = key.toLowerCase();
    if (seen.has(lower)) several.add(lower);
    seen.add(lower);
  }
  return [...several];
}

/** Adds the spellings of `present` that equal one of `keys` but for case: the tags that a request with these keys changes. */
export function withStoredSpellings(keys: readonly string[], present: readonly string[]): readonly string[] {
  const wanted = new Set(keys.map((key) => key.toLowerCase()));
  const others = present.filter((key) => wanted.has(key.toLowerCase()) && !keys.includes(key));
  return others.length === 0 ? keys : [...keys, ...others];
}

const NONE: readonly string[] = [];
