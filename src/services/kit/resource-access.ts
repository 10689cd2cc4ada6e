/** Permissions for resources of a kind: the operation's own action on an ARN, with the tags of the resource. */
import type { ResourceKey } from '#store/resources.ts';
import type { Caller, DeclaredAccess } from './operation.ts';
import { arnIn, find, type Kind, type Members, patternIn } from './resource-kind.ts';
import { type RequestTag, requestTags, type TagRules, tagValues } from './tag-rules.ts';

/** Function that returns the permissions that a request requires: `access` of a declared operation. */
export type AccessOf<Required extends DeclaredAccess | readonly DeclaredAccess[]> = (input: object, caller: Caller) => Required;

/**
 * Requires the operation's action on one resource, which need not exist. In the older service `chime` (the profile is
 * 'classic'), requires the action on `*` (CHM-1, TAG-2). Requirement CHM-3.
 */
export function onResource(kind: Kind<unknown>): AccessOf<DeclaredAccess> {
  const tagged = taggedKind(kind);
  return (input, caller) => {
    const arn = arnIn(kind, caller, input as Members);
    if (caller.profile === 'classic' || arn === '*') return { resources: ['*'] };
    return {
      resources: [arn],
      async resourceTags(tx) {
        const found = await find(tx, caller, tagged, input as Members);
        return [found && tagValues(found.tags)];
      },
    };
  };
}

/**
 * Requires the operation's action on the ARN pattern that `patternIn` returns. If the kind has no ARN, requires the
 * action on the parent. Requirement CHM-3.
 */
export function onAll(kind: Kind<unknown>): AccessOf<DeclaredAccess> {
  if (kind.arn === undefined && kind.parent !== undefined) return onResource(kind.parent);
  return (input, caller) => ({ resources: [caller.profile === 'classic' ? '*' : patternIn(kind, caller, input as Members)] });
}

/**
 * Requires the operation's action to create a resource. The new resource has no ARN yet, so the action is required on
 * the same ARN pattern as in `onAll`. If the request has tags, also requires `chime:TagResource`.
 */
export function onCreate(kind: Kind<unknown>): AccessOf<readonly DeclaredAccess[]> {
  const all = onAll(kind);
  return (input, caller) => {
    const { Tags } = input as { readonly Tags?: readonly RequestTag[] };
    const access = all(input, caller);
    return access.resourceTags ? [access] : withTagAccess(kind.conventions.tagRules, caller, access.resources, Tags);
  };
}

/**
 * Requires the operation's action on an ARN pattern that represents a new resource. The condition context has the
 * request's tags. If the request has tags, also requires `chime:TagResource` on the same pattern. In the older service
 * `chime` (the profile is 'classic'), requires the action on `*`, without tags.
 *
 * Assumed: a request that creates a resource with tags requires chime:TagResource on the same pattern (TAG-5).
 * @throws AwsError in the same cases as `newTags`. So policies never evaluate two tags whose keys are equal ignoring
 *   case.
 */
export function withTagAccess(
  rules: TagRules,
  { profile }: Caller,
  resources: readonly string[],
  tags: readonly RequestTag[] | undefined,
): readonly DeclaredAccess[] {
  if (profile === 'classic') return [{ resources: ['*'] }];
  if (tags === undefined || tags.length === 0) return [{ resources }];
  const context = new Map(requestTags(rules, tags));
  return [
    { resources, context },
    { action: 'chime:TagResource', resources, context },
  ];
}

/** Returns the ARN of a stored resource. */
export function arnOf({ name, arn }: Kind<unknown>, key: ResourceKey): string {
  if (arn === undefined) throw new Error(`${name} has no ARN`);
  return arn.of(key);
}

/**
 * Returns the kind of the resource whose tags apply to a permission on a resource of `kind`: `kind` itself, or the
 * nearest parent kind that has an ARN.
 */
function taggedKind(kind: Kind<unknown>): Kind<unknown> {
  return kind.arn === undefined && kind.parent !== undefined ? taggedKind(kind.parent) : kind;
}
