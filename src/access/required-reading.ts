import { type AccountId, parseArn } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import type { RequiredAccess } from '#core/required-access.ts';
import type { Tags } from '#core/tag-keys.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import type { CallerFacts } from './caller-facts.ts';
import type { ResourcePolicy } from './compiled-policies.ts';
import { type ContextRequest, newRequestContext, operationKeys, type RequestContext } from './request-context.ts';
import { withS3Keys } from './s3-keys.ts';
import type { Snapshot } from './snapshot.ts';
import type { Stacks } from './stacks.ts';
import { type DecidingPolicies, readsResourceTags } from './tag-facts.ts';

/** Required action, with the facts and policies that decide whether it is allowed. */
export interface Required extends DecidingPolicies {
  readonly asked: RequiredAccess<Tx>;
  readonly resources: readonly string[];
  readonly context: RequestContext;
  /** Role that the action assumes. */
  readonly role: RoleRecord | undefined;
  /** Resource-based policy of the resources. Absent if they have none. */
  readonly resourcePolicy: ResourcePolicy | undefined;
  /** Account that owns the resources whose ARNs contain no account. */
  readonly ownerId: AccountId | undefined;
  /** Tags of the resources, in the order of `resources`. Absent if no policy reads them. */
  readonly tags: readonly (Tags | undefined)[] | undefined;
}

/** Request that requires the action. */
export interface ReadingRequest extends ContextRequest {
  readonly profile: 'classic' | 'sdk';
}

/**
 * Reads the facts that decide whether one required action is allowed, in the transaction of the operation. Returns a
 * promise only if it must read the store.
 */
export type ReadRequired = (
  request: ReadingRequest,
  asked: RequiredAccess<Tx>,
  caller: CallerFacts,
  tx: Tx,
) => Required | Promise<Required>;

/** Facts that the operation reads in its transaction. */
interface ReadFacts {
  readonly resources: readonly string[];
  readonly keys?: ConditionContext | undefined;
  readonly ownerId?: AccountId | undefined;
  readonly policyText?: string | undefined;
}

const ANY: readonly string[] = ['*'];

/** Creates the function that reads the facts about required actions. */
export function requiredReading(snapshot: Snapshot, stacks: Stacks): ReadRequired {
  return (request, asked, caller, tx) => {
    const resolve = isWithoutResources(request, asked) ? undefined : asked.resolve;
    if (
      resolve !== undefined ||
      asked.resolveContext !== undefined ||
      asked.resourcePolicy !== undefined ||
      asked.resourceOwner !== undefined
    )
      return readResolved(request, asked, caller, tx);
    return withTags(assemble(request, asked, caller, { resources: resourcesOf(request, asked) }), request, tx);
  };

  async function readResolved(request: ReadingRequest, asked: RequiredAccess<Tx>, caller: CallerFacts, tx: Tx): Promise<Required> {
    const { resolve, resolveContext, resourcePolicy, resourceOwner } = asked;
    // `resolve` may return an empty list. Then the caller needs no permission for this action.
    const resources = resolve === undefined || isWithoutResources(request, asked) ? resourcesOf(request, asked) : await resolve(tx);
    const keys = await resolveContext?.(tx, request.now);
    const ownerId = await resourceOwner?.(tx);
    const policyText = await resourcePolicy?.(tx);
    return await withTags(assemble(request, asked, caller, { resources, keys, ownerId, policyText }), request, tx);
  }

  function assemble(
    request: ReadingRequest,
    asked: RequiredAccess<Tx>,
    caller: CallerFacts,
    { resources, keys, ownerId, policyText }: ReadFacts,
  ): Required {
    const role = asked.trustPolicyOf === undefined ? undefined : roleOf(snapshot, asked.trustPolicyOf);
    const trust = role && stacks.trustOf(role);
    const resourcePolicy = policyText === undefined ? undefined : stacks.resourcePolicyOf(policyText);
    const { stack } = caller;
    const declared = operationKeys(asked.context, keys, request.profile);
    const added = withS3Keys(declared, request, asked.action, { stack, trust, resourcePolicy }, ownerId);
    const context = newRequestContext(request, asked, caller, added);
    return { asked, resources, context, role, stack, trust, resourcePolicy, ownerId, tags: undefined };
  }
}

/** Adds the tags of the resources, if a policy reads them. */
function withTags(required: Required, { profile }: ReadingRequest, tx: Tx): Required | Promise<Required> {
  const { asked, context } = required;
  const { resourceTags } = asked;
  if (resourceTags === undefined || profile !== 'sdk') return required;
  if (!readsResourceTags(required, asked.action, changesTags(required) && context.added?.has('aws:tagkeys') === true)) return required;
  return resourceTags(tx).then((tags) => ({ ...required, tags }));
}

/**
 * Reports whether tags in the request become tags of the resource. If the request assumes a role, they are session tags
 * and do not become tags of the role.
 */
export function changesTags({ asked }: Required): boolean {
  return asked.trustPolicyOf === undefined;
}

/** Reports whether an action supports only the resource `*`, as Chime actions in the profile `classic` do. */
function isWithoutResources({ profile }: ReadingRequest, { action }: RequiredAccess<Tx>): boolean {
  return profile === 'classic' && action.startsWith('chime:');
}

/** Returns the declared resources. An empty list means `*`. */
function resourcesOf(request: ReadingRequest, asked: RequiredAccess<Tx>): readonly string[] {
  return asked.resources.length === 0 || isWithoutResources(request, asked) ? ANY : asked.resources;
}

/** Returns a role by its ARN. */
function roleOf(snapshot: Snapshot, roleArn: string): RoleRecord | undefined {
  const parts = parseArn(roleArn);
  if (parts === undefined || parts.service !== 'iam' || !parts.resource.startsWith('role/')) return undefined;
  const role = snapshot.role(parts.accountId as AccountId, parts.resource.slice(parts.resource.lastIndexOf('/') + 1));
  return role?.arn === roleArn ? role : undefined;
}
