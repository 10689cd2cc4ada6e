/**
 * What tags may be, the same for everything in an organization that is tagged.
 *
 * Source: AWS Organizations User Guide, "Tagging AWS Organizations resources"; organizations 2016-11-28, reasons of InvalidInputException.
 * Assumed: keys that differ in case only are the same, because a policy's `aws:ResourceTag` cannot tell them apart.
 */
import type { Tag } from '#model/generated/organizations.ts';
import type { TagRecord } from '#store/identity.ts';
import { QUOTAS } from './quotas.ts';
import { constraintViolation, invalidInput } from './refusals.ts';

/**
 * Adds tags to those there are.
 *
 * @throws AwsError InvalidInputException        a key twice, or a reserved one
 * @throws AwsError ConstraintViolationException more than 50 in all
 */
export function mergedTags(existing: readonly TagRecord[], added: readonly Tag[] = []): TagRecord[] {
  const merged = new Map(existing.map((tag) => [tag.key.toLowerCase(), tag]));
  const seen = new Set<string>();
  for (const { Key, Value } of added) {
    const key = Key.toLowerCase();
    if (seen.has(key)) throw invalidInput('DUPLICATE_TAG_KEY', 'Tag keys must be unique among the tags attached to the same entity.');
    if (key.startsWith('aws:')) throw invalidInput('INVALID_SYSTEM_TAGS_PARAMETER', 'Tag keys may not begin with aws:, which is reserved.');
    seen.add(key);
    merged.set(key, { key: Key, value: Value });
  }
  if (merged.size > QUOTAS.tagsPerResource) {
    throw constraintViolation(
      'MAX_TAG_LIMIT_EXCEEDED',
      `You have exceeded the number of tags allowed on this resource: ${QUOTAS.tagsPerResource}.`,
    );
  }
  return [...merged.values()];
}

/** Takes tags away; a key that is not there is no error. */
export function tagsWithout(existing: readonly TagRecord[], keys: readonly string[]): TagRecord[] {
  const gone = new Set(keys.map((key) => key.toLowerCase()));
  return existing.filter((tag) => !gone.has(tag.key.toLowerCase()));
}
