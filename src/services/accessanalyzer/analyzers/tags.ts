/** Tags of analyzers. */
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import type { TagRecord } from '#store/tag-record.ts';
import type { ServiceOperations } from '../../kit/operation.ts';
import {
  mergedTags,
  type RequestTag,
  requestTagKeys,
  requestTags,
  TAG_RULES,
  type TagContext,
  tagsWithout,
  tagValues,
} from '../../kit/tag-rules.ts';
import { type AwsError, invalidField } from '../kit/errors.ts';
import { analyzerOfArn, onAnalyzerArn } from '../kit/lookup.ts';
import { analyzers } from '../tables/analyzers.ts';

type TagMap = Readonly<Record<string, string>>;

const RULES = TAG_RULES.accessanalyzer;
/** Maximum number of tags of an analyzer. Source: AWS General Reference, "Tagging your AWS resources". */
const TAGS_MAX = 50;

/** Returns the tags of a request as condition keys. @throws ValidationException  as `storedTags` */
export function tagKeys(tags: TagMap = {}): TagContext {
  return requestTags(RULES, tagList(tags));
}

/**
 * Adds the tags of a request to the stored tags of an analyzer.
 *
 * @throws ValidationException  a key or value is too long; a key is reserved, or differs only in case from another one; there would be more than
 *   50 tags
 * Source: accessanalyzer 2019-11-01, CreateAnalyzer, tags: 1 to 128 and 0 to 256 characters. Assumed: the messages.
 */
export function storedTags(present: readonly TagRecord[], added: TagMap = {}): readonly TagRecord[] {
  const tags = mergedTags(RULES, present, tagList(added));
  if (tags.length > TAGS_MAX) throw invalid(`An analyzer can have at most ${TAGS_MAX} tags.`);
  return tags;
}

function tagList(tags: TagMap): readonly RequestTag[] {
  return Object.entries(tags).map(([Key, Value]) => {
    if (Key.length < 1 || Key.length > 128) throw invalid('A tag key must have 1 to 128 characters.');
    if (Value.length > 256) throw invalid('A tag value can have at most 256 characters.');
    if (`${Key}${Value}`.includes('\0')) throw invalid('A tag must not contain NUL.');
    return { Key, Value };
  });
}

function invalid(message: string): AwsError {
  return invalidField('tags', message);
}

/** Operations on tags of analyzers. */
export const tagOperations = {
  TagResource: {
    access: ({ resourceArn, tags }, caller) => onAnalyzerArn(resourceArn, caller, tagKeys(tags)),
    async handle(call, { resourceArn, tags }) {
      const analyzer = await analyzerOfArn(call, resourceArn);
      await call.tx.of(analyzers).setTags({ ...analyzer, tags: storedTags(analyzer.tags, tags) });
      return {};
    },
  },

  /** Removes tags. Ignores unknown keys. */
  UntagResource: {
    access: ({ resourceArn, tagKeys: keys }, caller) => onAnalyzerArn(resourceArn, caller, requestTagKeys(keys)),
    async handle(call, { resourceArn, tagKeys: keys }) {
      const analyzer = await analyzerOfArn(call, resourceArn);
      await call.tx.of(analyzers).setTags({ ...analyzer, tags: tagsWithout(RULES, analyzer.tags, keys) });
      return {};
    },
  },

  ListTagsForResource: {
    access: ({ resourceArn }, caller) => onAnalyzerArn(resourceArn, caller),
    handle: async (call, { resourceArn }) => ({ tags: tagValues((await analyzerOfArn(call, resourceArn)).tags) }),
  },
} satisfies Partial<ServiceOperations<AccessanalyzerApi>>;
