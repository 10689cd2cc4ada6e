/**
 * Condition keys of tags, which policy conditions test.
 * Condition keys ignore case, so two tags whose keys differ only in case would be one condition key with two values.
 */

/** Tag values by tag key. */
export type Tags = Readonly<Record<string, string>>;

/** Prefix of the condition keys of tags. */
export type TagPrefix = 'aws:requesttag/' | 'aws:resourcetag/' | 'iam:resourcetag/' | 'aws:principaltag/';

/**
 * Returns condition keys with their values for tags: `{ Team: 'red' }` becomes `['aws:resourcetag/team', 'red']`.
 *
 * Omits tags whose keys differ only in case (`ambiguousTagKeys`).
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

/** Returns the keys, in lower case, that occur several times with different capitalization. */
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

/**
 * Returns `keys`, and each key in `present` that differs only in case from a key in `keys`.
 * IAM ignores the case of tag keys. So a request with `keys` changes the tags of all returned keys.
 */
export function withStoredSpellings(keys: readonly string[], present: readonly string[]): readonly string[] {
  const wanted = new Set(keys.map((key) => key.toLowerCase()));
  const others = present.filter((key) => wanted.has(key.toLowerCase()) && !keys.includes(key));
  return others.length === 0 ? keys : [...keys, ...others];
}

const NONE: readonly string[] = [];
