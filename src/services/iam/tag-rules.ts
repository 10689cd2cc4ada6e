/**
 * What tags may be, the same for everything in IAM that is tagged.
 *
 * Source: IAM User Guide, "Tagging IAM resources", rules for tagging. Requirement ERR-5.
 */
import { AwsError } from '#core/aws-error.ts';
import type { Tag } from '#model/generated/iam.ts';
import type { TagRecord } from '#store/identity.ts';
import { QUOTAS } from './quotas.ts';

/**
 * Takes tags of a request as they are to be kept.
 *
 * @throws AwsError InvalidInput two keys are the same but for case, or a key is reserved
 *
 * Assumed: the text about reserved keys.
 */
export function newTags(tags: readonly Tag[] | undefined): TagRecord[] {
  const seen = new Set<string>();
  return (tags ?? []).map((tag) => {
    const key = tag.Key.toLowerCase();
    if (seen.has(key)) {
      throw new AwsError('InvalidInputException', 'Duplicate tag keys found. Please note that Tag keys are case insensitive.');
    }
    if (key.startsWith('aws:')) throw new AwsError('InvalidInputException', 'Tag keys may not begin with aws:, which is reserved.');
    seen.add(key);
    return { key: tag.Key, value: tag.Value };
  });
}

/**
 * Adds tags to those there are: a key that is there, in whatever case, gets the new value and spelling.
 *
 * @throws AwsError InvalidInput  as `newTags`
 * @throws AwsError LimitExceeded more than 50 in all
 */
export function mergedTags(existing: readonly TagRecord[], added: readonly Tag[]): TagRecord[] {
  const merged = new Map(existing.map((tag) => [tag.key.toLowerCase(), tag]));
  for (const tag of newTags(added)) merged.set(tag.key.toLowerCase(), tag);
  if (merged.size > QUOTAS.TagsPerResource) {
    throw new AwsError('LimitExceededException', 'The number of tags has reached the maximum limit.');
  }
  return [...merged.values()];
}

/** Takes tags away; a key that is not there is no error. */
export function tagsWithout(existing: readonly TagRecord[], keys: readonly string[]): TagRecord[] {
  const gone = new Set(keys.map((key) => key.toLowerCase()));
  return existing.filter((tag) => !gone.has(tag.key.toLowerCase()));
}
