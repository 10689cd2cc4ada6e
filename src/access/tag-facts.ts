import type { ConditionContext } from '#core/condition-context.ts';
import { ambiguousTagKeys, type TagPrefix, type Tags, tagContextOf, withStoredSpellings } from '#core/tag-keys.ts';
import { type CompiledPolicy, type ContextValue, type PolicyStack, trustReadsKey } from '#policy/engine.ts';

/** Policies that decide whether one required action is allowed. If you add a kind of policy, also extend `anyReads`. */
export interface DecidingPolicies {
  /** All policies of the caller: identity, boundary, session, service control. Absent for an unsigned request. */
  readonly stack: PolicyStack | undefined;
  /** The trust policy of the role that the action assumes. */
  readonly trust: CompiledPolicy | undefined;
  /** The resource-based policy of the resources. */
  readonly resourcePolicy: { readonly policy: CompiledPolicy } | undefined;
}

/** Tags of a resource, as condition keys. */
export interface ResourceTags {
  /** Keys `aws:resourcetag/…`, in lower case. */
  readonly keys: ConditionContext;
  /**
   * Condition keys for which the resource has more than one tag, because the keys of these tags differ only in case,
   * such as `Team` and `team`. `keys` does not contain these condition keys.
   */
  readonly ambiguousKeys: readonly string[];
  /**
   * Value of `aws:TagKeys`: the tag keys in the request, and the keys of stored tags that differ from them only in
   * case. Absent if the request does not change tags.
   */
  readonly changed: readonly string[] | undefined;
}

const AWS_RESOURCE_TAGS: readonly TagPrefix[] = ['aws:resourcetag/'];
const RESOURCE_TAGS: readonly TagPrefix[] = ['aws:resourcetag/', 'iam:resourcetag/'];
const PRINCIPAL_TAGS: readonly TagPrefix[] = ['aws:principaltag/'];
const RESOURCE_AND_CHANGED_TAGS: readonly string[] = [...RESOURCE_TAGS, 'aws:tagkeys'];

/**
 * Reports whether any of the policies reads a key with one of the prefixes.
 *
 * Facts that require a lookup are loaded only if this returns true. So it must cover all policies. If it missed a
 * policy, that policy would be evaluated without the key, and its Deny on the key would not apply.
 */
export function anyReads({ stack, trust, resourcePolicy }: DecidingPolicies, action: string, prefixes: readonly string[]): boolean {
  return prefixes.some(
    (prefix) =>
      stack?.readsKey(action, prefix) ||
      (trust !== undefined && trustReadsKey(trust, action, prefix)) ||
      (resourcePolicy !== undefined && trustReadsKey(resourcePolicy.policy, action, prefix)),
  );
}

/**
 * Reports whether the policies read the tags of the resource. If the request changes tags, the value of `aws:TagKeys`
 * also depends on the tags of the resource.
 */
export function readsResourceTags(policies: DecidingPolicies, action: string, changesTags: boolean): boolean {
  return anyReads(policies, action, changesTags ? RESOURCE_AND_CHANGED_TAGS : RESOURCE_TAGS);
}

/**
 * Returns the condition keys of a resource's tags. `changed` is the request's `aws:TagKeys`, or `undefined` if the
 * request does not change the tags.
 */
export function resourceTagsOf(service: string | undefined, tags: Tags, changed: ContextValue | undefined): ResourceTags {
  const prefixes = service === 'iam' ? RESOURCE_TAGS : AWS_RESOURCE_TAGS;
  return {
    ambiguousKeys: ambiguousKeys(RESOURCE_TAGS, tags),
    keys: new Map(prefixes.flatMap((prefix) => tagContextOf(prefix, tags))),
    // A request with the tag key `team` may replace or remove the tag `Team`, so `aws:TagKeys` has `team` and `Team`.
    changed: Array.isArray(changed) ? withStoredSpellings(changed, Object.keys(tags)) : undefined,
  };
}

/** Returns the condition keys for which a caller has more than one tag, because the tag keys differ only in case. */
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
