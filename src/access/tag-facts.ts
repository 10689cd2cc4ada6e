import { ambiguousTagKeys, type TagPrefix, type Tags, tagContextOf, withStoredSpellings } from '#core/tag-keys.ts';
import { type CompiledPolicy, type PolicyStack, trustReadsKey } from '#policy/engine.ts';
import type { WritableContext } from './context.ts';

/** Policies that decide one required action. If you add a kind of policy, extend `anyReads` too. */
export interface DecidingPolicies {
  /** All policies of the caller: identity, boundary, session, service control. Absent for an unsigned request. */
  readonly stack: PolicyStack | undefined;
  /** The trust policy of the role that the action assumes. */
  readonly trust: CompiledPolicy | undefined;
}

const AWS_RESOURCE_TAGS: readonly TagPrefix[] = ['aws:resourcetag/'];
const RESOURCE_TAGS: readonly TagPrefix[] = ['aws:resourcetag/', 'iam:resourcetag/'];
const PRINCIPAL_TAGS: readonly TagPrefix[] = ['aws:principaltag/'];
const RESOURCE_AND_CHANGED_TAGS: readonly string[] = [...RESOURCE_TAGS, 'aws:tagkeys'];

/**
 * Reports whether any of the policies reads a key with one of the prefixes.
 *
 * Facts that require a lookup are loaded only if this returns true. So it must cover all policies: if it missed one, the key would be
 * absent there, and a Deny on the key would not apply.
 */
export function anyReads({ stack, trust }: DecidingPolicies, action: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => stack?.readsKey(action, prefix) || (trust !== undefined && trustReadsKey(trust, action, prefix)));
}

/**
 * Reports whether the policies need the tags of the resource. `aws:TagKeys` needs them if the request changes tags.
 */
export function readsResourceTags(policies: DecidingPolicies, action: string, changesTags: boolean): boolean {
  return anyReads(policies, action, changesTags ? RESOURCE_AND_CHANGED_TAGS : RESOURCE_TAGS);
}

/** Adds the tags of a resource to a context. `changesTags` tells whether the request changes them. */
export function addResourceTags(context: WritableContext, service: string | undefined, tags: Tags, changesTags: boolean): void {
  for (const prefix of service === 'iam' ? RESOURCE_TAGS : AWS_RESOURCE_TAGS) {
    for (const [key, value] of tagContextOf(prefix, tags)) context.set(key, value);
  }
  const changed = context.get('aws:tagkeys');
  // A request for `team` may replace or remove the tag `Team`, so a Deny on either key must see it.
  if (changesTags && Array.isArray(changed)) context.set('aws:tagkeys', withStoredSpellings(changed, Object.keys(tags)));
}

/** Returns the condition keys of a caller's tags that differ only in case. */
export function ambiguousPrincipalTags(own: Tags, ofSession: Tags | undefined): readonly string[] {
  return [...ambiguousKeys(PRINCIPAL_TAGS, own), ...ambiguousKeys(PRINCIPAL_TAGS, ofSession)];
}

/** Returns the condition keys of a resource's tags that differ only in case. */
export function ambiguousResourceTags(tags: Tags | undefined): readonly string[] {
  return ambiguousKeys(RESOURCE_TAGS, tags);
}

const NO_KEYS: readonly string[] = [];

function ambiguousKeys(prefixes: readonly TagPrefix[], tags: Tags = {}): readonly string[] {
  const keys = ambiguousTagKeys(Object.keys(tags));
  return keys.length === 0 ? NO_KEYS : prefixes.flatMap((prefix) => keys.map((key) => prefix + key));
}
