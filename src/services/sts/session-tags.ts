/**
 * Session tags: the tags that a request may pass, and the tags that a session inherits from the calling session.
 * Source: IAM User Guide, "Passing session tags in AWS STS". Requirements STS-6, STS-7.
 */

import type { Principal } from '#core/principal.ts';
import type { Tag } from '#model/generated/sts.ts';
import type { DeclaredAccess } from '../kit/operation.ts';
import { newTags, TAG_RULES } from '../kit/tag-rules.ts';
import { AwsError } from './errors.ts';

/** Tags of a session, and the keys of the tags that chained sessions inherit. */
export interface SessionTags {
  readonly tags: Readonly<Record<string, string>>;
  readonly transitiveTagKeys: readonly string[];
}

/**
 * Returns the tags of the new session: the transitive tags of the calling session, then the passed tags.
 *
 * @throws AwsError InvalidParameterValue  two keys differ only in case; a key is reserved; a transitive key is not the
 *   key of a passed tag; a passed tag has the key of an inherited tag, and a request cannot override inherited tags
 * Source: localstack/localstack, tests/aws/services/sts, recorded on 2025-04-10: error code and messages.
 * Assumed: (1) the message for reserved keys; (2) the message for a passed tag that conflicts with an inherited tag
 * does not depend on whether the passed tag is transitive.
 */
export function sessionTags(principal: Principal, passed: readonly Tag[] = [], transitive: readonly string[] = []): SessionTags {
  const passedKeys = new Map(newTags(TAG_RULES.sts, passed).map(({ key }) => [key.toLowerCase(), key]));
  const inherited = inheritedTags(principal);
  const inheritedKeys = new Set(inherited.transitiveTagKeys.map((key) => key.toLowerCase()));
  const conflicts = [...passedKeys.keys(), ...transitive.map((key) => key.toLowerCase())].some((key) => inheritedKeys.has(key));
  if (conflicts) {
    throw invalid(
      "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    );
  }
  const transitiveTagKeys = new Set(inherited.transitiveTagKeys);
  for (const key of transitive) {
    const passedKey = passedKeys.get(key.toLowerCase());
    if (passedKey === undefined) throw invalid('The specified transitive tag key must be included in the requested tags.');
    transitiveTagKeys.add(passedKey);
  }
  return {
    tags: { ...inherited.tags, ...Object.fromEntries(passed.map(({ Key, Value }) => [Key, Value])) },
    transitiveTagKeys: [...transitiveTagKeys],
  };
}

/**
 * Returns the operation's own permission, and the further permissions for the new session: `sts:TagSession` if it has
 * tags, and `sts:SetSourceIdentity` if it has a source identity.
 */
export function withSessionActions(
  own: DeclaredAccess,
  tags: SessionTags['tags'],
  sourceIdentity: string | undefined,
): readonly DeclaredAccess[] {
  const tagging: DeclaredAccess = { ...own, action: 'sts:TagSession' };
  const naming: DeclaredAccess = { ...own, action: 'sts:SetSourceIdentity' };
  return [own, ...(Object.keys(tags).length > 0 ? [tagging] : []), ...(sourceIdentity !== undefined ? [naming] : [])];
}

/** Returns the transitive tags of the caller's session. A session that the caller creates inherits these tags. */
export function inheritedTags({ session }: Principal): SessionTags {
  if (session === undefined) return { tags: {}, transitiveTagKeys: [] };
  const transitive = new Set(session.transitiveTagKeys);
  return {
    tags: Object.fromEntries(Object.entries(session.tags).filter(([key]) => transitive.has(key))),
    transitiveTagKeys: session.transitiveTagKeys,
  };
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValue', message);
}
