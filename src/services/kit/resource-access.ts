/** Permissions for resources of a kind: the action of the operation on an ARN, with the tags of the resource. */
import { actionName } from '#model/services.ts';
import type { ResourceKey } from '#store/resources.ts';
import type { Access, Caller } from './operation.ts';
import { arnIn, find, type Kind, type Members, patternIn } from './resource-kind.ts';
import { type GivenTag, requestTags, type TagRules, tagValues } from './tag-rules.ts';

/**
 * Requires the action of an operation on one resource, which may not exist. In the classic profile, on `*` (CHM-1, TAG-2).
 * Requirement CHM-3.
 */
export function onResource(caller: Caller, kind: Kind<unknown>, operation: string, input: Members): Access {
  const action = actionName(kind.conventions.service, operation);
  const arn = arnIn(kind, caller, input);
  if (caller.profile === 'classic' || arn === '*') return { action, resources: ['*'] };
  const tagged = taggedKind(kind);
  return {
    action,
    resources: [arn],
    async resourceTags(tx) {
      const found = await find(tx, caller, tagged, input);
      return [found && tagValues(found.tags)];
    },
  };
}

/** Requires the action of an operation on all resources of a kind, or on all in the parent that an input names. Requirement CHM-3. */
export function onAll(caller: Caller, kind: Kind<unknown>, operation: string, input: Members = {}): Access {
  if (kind.arn === undefined && kind.parent !== undefined) return onResource(caller, kind.parent, operation, input);
  const resource = caller.profile === 'classic' ? '*' : patternIn(kind, caller, input);
  return { action: actionName(kind.conventions.service, operation), resources: [resource] };
}

/** Requires the action of an operation that creates a resource, and `TagResource` if the request has tags. */
export function onCreate(caller: Caller, kind: Kind<unknown>, operation: string, input: Members): readonly Access[] {
  const { Tags } = input;
  const all = onAll(caller, kind, operation, input);
  if (all.resourceTags) return [all];
  return withTagAccess(kind.conventions.tagRules, caller, all, Tags as readonly GivenTag[] | undefined);
}

/**
 * Adds the request's tags to the permission to create a resource, and requires `chime:TagResource` for them on the same pattern.
 * The classic profile has no tags.
 *
 * Assumed: tags at creation need chime:TagResource on the same pattern (TAG-5).
 * @throws AwsError as `newTags`: policies never evaluate ambiguous tags
 */
export function withTagAccess(
  rules: TagRules,
  { profile }: Caller,
  access: Pick<Access, 'action' | 'resources'>,
  tags: readonly GivenTag[] | undefined,
): readonly Access[] {
  const { action, resources } = access;
  if (profile === 'classic') return [{ action, resources: ['*'] }];
  if (tags === undefined || tags.length === 0) return [{ action, resources }];
  const context = new Map(requestTags(rules, tags));
  return [
    { action, resources, context },
    { action: 'chime:TagResource', resources, context },
  ];
}

/** Returns the ARN of a stored resource. */
export function arnOf({ name, arn }: Kind<unknown>, key: ResourceKey): string {
  if (arn === undefined) throw new Error(`${name} has no ARN`);
  return arn.of(key);
}

/** Returns the kind whose tags decide: the kind itself, or the nearest parent that has an ARN. */
function taggedKind(kind: Kind<unknown>): Kind<unknown> {
  return kind.arn === undefined && kind.parent !== undefined ? taggedKind(kind.parent) : kind;
}
