/** Tag rules of all taggable resources of an organization. */
import type { Tag } from '#model/generated/organizations.ts';
import type { TagRecord } from '#store/tag-record.ts';
import * as rules from '../kit/tag-rules.ts';
import { QUOTAS } from './quotas.ts';
import { constraintViolation } from './refusals.ts';

const { organizations } = rules.TAG_RULES;

/**
 * Adds tags to existing ones.
 *
 * @throws InvalidInputException         a key is repeated or reserved
 * @throws ConstraintViolationException  the result has more than 50 tags
 */
export function mergedTags(existing: readonly TagRecord[], added: readonly Tag[] = []): TagRecord[] {
  const merged = rules.mergedTags(organizations, existing, added);
  if (merged.length > QUOTAS.tagsPerResource) {
    throw constraintViolation(
      'MAX_TAG_LIMIT_EXCEEDED',
      `You have exceeded the number of tags allowed on this resource: ${QUOTAS.tagsPerResource}.`,
    );
  }
  return [...merged];
}

/** Removes tags, ignoring the case of their keys. Ignores unknown keys. */
export function tagsWithout(existing: readonly TagRecord[], keys: readonly string[]): TagRecord[] {
  return [...rules.tagsWithout(organizations, existing, keys)];
}
