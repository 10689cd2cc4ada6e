/** Tag rules of all taggable IAM resources. Requirement ERR-5. */

import type { Tag } from '#model/generated/iam.ts';
import type { TagRecord } from '#store/tag-record.ts';
import * as rules from '../kit/tag-rules.ts';
import { AwsError } from './errors.ts';
import { QUOTAS } from './quotas.ts';

const { iam } = rules.TAG_RULES;

/** Returns the tags of a new resource. @throws InvalidInputException  two keys differ only in case, or a key is reserved */
export function newTags(tags: readonly Tag[] | undefined): TagRecord[] {
  return [...rules.newTags(iam, tags)];
}

/**
 * Adds tags to existing ones. A new tag replaces an existing tag whose key is equal or differs only in upper and lower
 * case.
 *
 * @throws InvalidInputException   two keys differ only in case, or a key is reserved
 * @throws LimitExceededException  the result has more than 50 tags
 */
export function mergedTags(existing: readonly TagRecord[], added: readonly Tag[]): TagRecord[] {
  const merged = rules.mergedTags(iam, existing, added);
  if (merged.length > QUOTAS.TagsPerResource) {
    throw new AwsError('LimitExceededException', 'The number of tags has reached the maximum limit.');
  }
  return [...merged];
}

/** Removes tags, ignoring the case of their keys. Ignores unknown keys. */
export function tagsWithout(existing: readonly TagRecord[], keys: readonly string[]): TagRecord[] {
  return [...rules.tagsWithout(iam, existing, keys)];
}
