/** What tags may be, the same for everything in IAM that is tagged. Requirement ERR-5. */
import { AwsError } from '#core/aws-error.ts';
import type { Tag } from '#model/generated/iam.ts';
import type { TagRecord } from '#store/identity.ts';
import * as rules from '../tag-rules.ts';
import { QUOTAS } from './quotas.ts';

const { iam } = rules.TAG_RULES;

/** @throws AwsError InvalidInput two keys are the same but for case, or a key is reserved */
export function newTags(tags: readonly Tag[] | undefined): TagRecord[] {
  return [...rules.newTags(iam, tags)];
}

/**
 * Adds tags to those there are: a key that is there, in any case, gets the new value and spelling.
 *
 * @throws AwsError InvalidInput  as `newTags`
 * @throws AwsError LimitExceeded more than 50 in all
 */
export function mergedTags(existing: readonly TagRecord[], added: readonly Tag[]): TagRecord[] {
  const merged = rules.mergedTags(iam, existing, added);
  if (merged.length > QUOTAS.TagsPerResource) {
    throw new AwsError('LimitExceededException', 'The number of tags has reached the maximum limit.');
  }
  return [...merged];
}

/** Removes tags, whatever the case of their keys; a key that is not there is no error. */
export function tagsWithout(existing: readonly TagRecord[], keys: readonly string[]): TagRecord[] {
  return [...rules.tagsWithout(iam, existing, keys)];
}
