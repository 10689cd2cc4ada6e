import type { ConditionContext } from '#core/condition-context.ts';
import { ambiguousTagKeys, type TagPrefix, type Tags, tagContextOf, withStoredSpellings } from '#core/tag-keys.ts';
import { type CompiledPolicy, type ContextValue, type PolicyStack, trustReadsKey } from '#policy/engine.ts';

/** Policies that decide one required action. If you add a kind of policy, extend `anyReads` too. */
export interface DecidingPolicies {
  /** All policies of the caller: identity, boundary, session, service control. Absent for an unsigned request. */
  readonly stack: PolicyStack | undefined;
  /** The trust policy of the role that the action assumes. */
  readonly trust: CompiledPolicy | undefined;
}

/** Tags of a resource, as condition keys. */
export interface ResourceTags {
  /** Keys `aws:resourcetag/…`, in lower case. */
  readonly keys: ConditionContext;
  /** Condition keys of tags that differ only in case. They are not in `keys`. */
  readonly ambiguousKeys: readonly string[];
  /** Value of `aws:TagKeys`, with the stored spelling of the tags that the request changes. Absent if it changes none. */
  readonly changed: readonly string[] | undefined;
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
  if (prefixes.length === 0) return false;
  return prefixes.some((prefix) => stack?.readsKey(action, prefix) || (trust !== undefined && trustReadsKey(trust, action, prefix)));
}

/**
 * Reports whether the policies need the tags of the resource. `aws:TagKeys` needs them if the request changes tags.
 */
export function readsResourceTags(policies: DecidingPolicies, action: string, changesTags: boolean): boolean {
  return anyReads(policies, action, changesTags ? RESOURCE_AND_CHANGED_TAGS : RESOURCE_TAGS);
}

/**
 * Returns the condition keys of a resource's tags. `changed` is the request's `aws:TagKeys`, or `undefined` if it does not change the tags.
 */
export function resourceTagsOf(service: string | undefined, tags: Tags, changed: ContextValue | undefined): ResourceTags {
  const prefixes = service === 'iam' ? RESOURCE_TAGS : AWS_RESOURCE_TAGS;
  return {
    ambiguousKeys: ambiguousKeys(RESOURCE_TAGS, tags),
    keys: new Map(prefixes.flatMap((prefix) => tagContextOf(prefix, tags))),
    // A request for `team` may replace or remove the tag `Team`, so `aws:TagKeys` has both spellings.
    changed: Array.isArray(changed) ? withStoredSpellings(changed, Object.keys(tags)) : undefined,
  };
}

/** Returns the condition keys of a caller's tags that differ only in case. */
export function ambiguousPrincipalTags(own: Tags, ofSession: Tags | undefined): readonly string[] {
  const keys = [...ambiguousKeys(PRINCIPAL_TAGS, own), ...ambiguousKeys(PRINCIPAL_TAGS, ofSession)];
  return keys.length === 0 ? NO_KEYS : keys;
}

const NO_KEYS: readonly string[] = [];

function ambiguousKeys(prefixes: readonly TagPrefix[], tags: Tags | undefined): readonly string[] {
  if (tags === undefined) return NO_KEYS;
  const keys = ambiguousTagKeys(Object.keys(tags));
  return keys.length === 0 ? NO_KEYS : prefixes.flatMap((prefix) => keys.map((key) => prefix + key));
}
