/** What tags may be, the same for everything in an organization that is tagged. */
import type { Tag } from '#model/generated/organizations.ts';
import type { TagRecord } from '#store/identity.ts';
import * as rules from '../tag-rules.ts';
import { QUOTAS } from './quotas.ts';
import { constraintViolation } from './refusals.ts';

const { organizations } = rules.TAG_RULES;

/**
 * Adds tags to those there are.
 *
 * @throws AwsError InvalidInputException        a key twice, or a reserved one
 * @throws AwsError ConstraintViolationException more than 50 in all
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

/** Removes tags, whatever the case of their keys; a key that is not there is no error. */
export function tagsWithout(existing: readonly TagRecord[], keys: readonly string[]): TagRecord[] {
  return [...rules.tagsWithout(organizations, existing, keys)];
}
