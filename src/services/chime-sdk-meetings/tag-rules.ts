import { AwsError } from '#core/aws-error.ts';
import type { Tag } from '#model/generated/chime-sdk-meetings.ts';
import type { TagRecord } from '#store/identity.ts';

/** Source: chime-sdk-meetings 2021-07-15, TagList. */
export const TAGS_MAX = 50;

/**
 * What every list of tags must keep to.
 *
 * Source: AWS General Reference, "Tagging your AWS resources": `aws:` is reserved, whatever its case; keys differ in case.
 * Assumed: the texts.
 * @throws BadRequestException a reserved key, or the same key twice
 */
export function requireTags(tags: readonly Tag[]): void {
  const keys = new Set<string>();
  for (const { Key } of tags) {
    if (Key.toLowerCase().startsWith('aws:')) throw new AwsError('BadRequestException', `Tag keys must not begin with aws: ${Key}`);
    if (keys.has(Key)) throw new AwsError('BadRequestException', `Duplicate tag key: ${Key}`);
    keys.add(Key);
  }
}

/** The tags a resource has after some were given: a key that was there has the new value, and keeps its place. */
export function withTags(present: readonly TagRecord[], given: readonly Tag[]): readonly TagRecord[] {
  const tags = new Map(present.map(({ key, value }) => [key, value]));
  for (const { Key, Value } of given) tags.set(Key, Value);
  return toTagRecords(tags);
}

export function withoutTags(present: readonly TagRecord[], keys: readonly string[]): readonly TagRecord[] {
  return present.filter(({ key }) => !keys.includes(key));
}

function toTagRecords(tags: ReadonlyMap<string, string>): readonly TagRecord[] {
  return Array.from(tags, ([key, value]) => ({ key, value }));
}
