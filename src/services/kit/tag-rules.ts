/**
 * Tags of requests: checks, the stored form, and the condition keys of requests that add or remove tags. `TAG_RULES`
 * has the differences between services.
 *
 * The models limit the lengths and characters of tags, and decoding checks these limits. Requirements ERR-5, TAG-5.
 */
import { AwsError } from '#core/aws-error.ts';
import { tagContextOf } from '#core/tag-keys.ts';
import type { TagRecord } from '#store/tag-record.ts';

/** A tag in the shape of all models. */
export interface RequestTag {
  readonly Key: string;
  readonly Value: string;
}

/** Entries of a condition context. */
export type TagContext = readonly (readonly [key: string, value: string | readonly string[]])[];

/**
 * Differences between the tag rules of services. `duplicate` and `reserved` are the errors for duplicate and reserved
 * keys.
 */
export interface TagRules {
  readonly duplicate: () => AwsError;
  readonly reserved: () => AwsError;
  /**
   * Effect of adding a tag if the resource has a tag whose key differs only in case. The new tag replaces the present
   * tag, or the request fails with the error `duplicate`.
   */
  readonly otherCase: 'replaces' | 'is a duplicate';
}

const DUPLICATE = 'Duplicate tag keys found. Please note that Tag keys are case insensitive.';
const RESERVED = 'Tag keys may not begin with aws:, which is reserved.';

/**
 * Tag rules of each service.
 *
 * Source: IAM User Guide, "Tagging IAM resources", rules for tagging: a new tag of a user or role replaces a tag whose
 * key differs only in case. AWS General Reference, "Tagging your AWS resources": `aws:` is reserved in any case.
 * organizations 2016-11-28, InvalidInputExceptionReason. cloudtrail 2013-11-01, InvalidTagParameterException.
 * Assumed: the other services return the same messages as IAM. The messages about reserved keys are also assumed.
 *
 * AWS allows tag keys that differ only in case on the resources of the other services, and on IAM resources other than
 * users and roles. AWS warns against such keys. Conditions cannot distinguish them, so this server never stores two
 * such keys on one resource.
 */
// biome-ignore format: a table
export const TAG_RULES = {
  chime:         { otherCase: 'is a duplicate', duplicate: () => new AwsError('BadRequestException', DUPLICATE),    reserved: () => new AwsError('BadRequestException', RESERVED) },
  iam:           { otherCase: 'replaces',       duplicate: () => new AwsError('InvalidInputException', DUPLICATE),  reserved: () => new AwsError('InvalidInputException', RESERVED) },
  sts:           { otherCase: 'is a duplicate', duplicate: () => new AwsError('InvalidParameterValue', DUPLICATE),  reserved: () => new AwsError('InvalidParameterValue', RESERVED) },
  organizations: {
    otherCase: 'replaces',
    duplicate: () => new AwsError('InvalidInputException', 'Tag keys must be unique among the tags attached to the same entity.', { Reason: 'DUPLICATE_TAG_KEY' }),
    reserved: () => new AwsError('InvalidInputException', RESERVED, { Reason: 'INVALID_SYSTEM_TAGS_PARAMETER' }),
  },
  cloudtrail: {
    otherCase: 'is a duplicate',
    duplicate: () => new AwsError('InvalidTagParameterException', DUPLICATE),
    reserved: () => new AwsError('InvalidTagParameterException', RESERVED),
  },
  events:        { otherCase: 'is a duplicate', duplicate: () => new AwsError('ValidationError', DUPLICATE),        reserved: () => new AwsError('ValidationError', RESERVED) },
  logs:          { otherCase: 'is a duplicate', duplicate: () => new AwsError('InvalidParameterException', DUPLICATE), reserved: () => new AwsError('InvalidParameterException', RESERVED) },
  cloudwatch: {
    otherCase: 'is a duplicate',
    duplicate: () => new AwsError('InvalidParameterValueException', DUPLICATE),
    reserved: () => new AwsError('InvalidParameterValueException', RESERVED),
  },
  accessanalyzer: {
    otherCase: 'is a duplicate',
    duplicate: () => new AwsError('ValidationException', DUPLICATE, { reason: 'fieldValidationFailed' }),
    reserved: () => new AwsError('ValidationException', RESERVED, { reason: 'fieldValidationFailed' }),
  },
} as const satisfies Record<string, TagRules>;

/**
 * Returns the tags of a request as they are stored.
 *
 * @throws AwsError `duplicate` of the rules: two keys are equal ignoring case · `reserved`: a key begins with `aws:`
 */
export function newTags(rules: TagRules, tags: readonly RequestTag[] = []): readonly TagRecord[] {
  const seen = new Set<string>();
  return tags.map(({ Key, Value }) => {
    const lower = Key.toLowerCase();
    if (seen.has(lower)) throw rules.duplicate();
    if (lower.startsWith('aws:')) throw rules.reserved();
    seen.add(lower);
    return { key: Key, value: Value };
  });
}

/**
 * Adds tags to the tags of a resource. The caller checks the number of tags.
 *
 * @throws AwsError in the same cases as `newTags` · `duplicate`: a key differs only in case from the key of a present
 *   tag, and `otherCase` of the rules is 'is a duplicate'
 */
export function mergedTags(rules: TagRules, present: readonly TagRecord[], added: readonly RequestTag[] | undefined): readonly TagRecord[] {
  const tags = [...present];
  for (const tag of newTags(rules, added)) {
    const lower = tag.key.toLowerCase();
    const exact = tags.findIndex(({ key }) => key === tag.key);
    const alike = exact >= 0 ? exact : tags.findIndex(({ key }) => key.toLowerCase() === lower);
    if (alike < 0) tags.push(tag);
    else if (exact < 0 && rules.otherCase === 'is a duplicate') throw rules.duplicate();
    else tags[alike] = tag;
  }
  return tags;
}

/**
 * Removes the tags with the keys `keys`. Ignores unknown keys. Compares keys ignoring case in services where a new tag
 * replaces a tag whose key differs only in case.
 */
export function tagsWithout(rules: TagRules, present: readonly TagRecord[], keys: readonly string[]): readonly TagRecord[] {
  if (rules.otherCase === 'is a duplicate') return present.filter(({ key }) => !keys.includes(key));
  const gone = new Set(keys.map((key) => key.toLowerCase()));
  return present.filter(({ key }) => !gone.has(key.toLowerCase()));
}

/**
 * Returns `aws:RequestTag/…` and `aws:TagKeys` of a request that adds tags.
 *
 * Source: IAM User Guide, "Controlling access during AWS requests".
 * @throws AwsError in the same cases as `newTags`. So policies never evaluate two tags whose keys are equal ignoring
 *   case.
 */
export function requestTags(rules: TagRules, tags: readonly RequestTag[] | undefined): TagContext {
  return tagContext(Object.fromEntries(newTags(rules, tags).map(({ key, value }) => [key, value])));
}

/** Returns `aws:TagKeys` of a request that removes tags. */
export function requestTagKeys(keys: readonly string[]): TagContext {
  return keys.length === 0 ? [] : [['aws:tagkeys', keys]];
}

/** Returns `aws:RequestTag/…` and `aws:TagKeys` of tags. No two of their keys may be equal ignoring case. */
export function tagContext(tags: Readonly<Record<string, string>>): TagContext {
  const keys = Object.keys(tags);
  return keys.length === 0 ? [] : [...tagContextOf('aws:requesttag/', tags), ['aws:tagkeys', keys]];
}

/** Returns the tags of a resource in the form that `Access.resourceTags` passes to the policy decision. */
export function tagValues(tags: readonly TagRecord[]): Readonly<Record<string, string>> {
  return Object.fromEntries(tags.map(({ key, value }) => [key, value]));
}
