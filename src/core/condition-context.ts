/**
 * What a request says about itself: context keys, lower-cased (`aws:sourceip`, `aws:requesttag/team`), with their values as text.
 * A list stands for a multivalued key, even where it holds one value; an absent key is absent, never empty text.
 */
export type ConditionContext = ReadonlyMap<string, string | readonly string[]>;

/** Returns the keys of a resource's tags: `aws:ResourceTag/…`, and `iam:ResourceTag/…` as well for a resource of IAM. */
export function resourceTagKeys(
  tags: Readonly<Record<string, string>>,
  service: string | undefined,
): readonly (readonly [string, string])[] {
  return Object.entries(tags).flatMap(([key, value]) => {
    const ending = `resourcetag/${key.toLowerCase()}`;
    return [[`aws:${ending}`, value] as const, ...(service === 'iam' ? [[`iam:${ending}`, value] as const] : [])];
  });
}
