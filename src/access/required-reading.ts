import { type AccountId, parseArn } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import type { RequiredAccess } from '#core/required-access.ts';
import type { Tags } from '#core/tag-keys.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import type { CallerFacts } from './caller-facts.ts';
import { type ContextRequest, newRequestContext, operationKeys, type RequestContext } from './request-context.ts';
import type { Snapshot } from './snapshot.ts';
import type { Stacks } from './stacks.ts';
import { type DecidingPolicies, readsResourceTags } from './tag-facts.ts';

/** Required action, with the facts and policies for the decision. */
export interface Required extends DecidingPolicies {
  readonly asked: RequiredAccess<Tx>;
  readonly resources: readonly string[];
  readonly context: RequestContext;
  /** Role that the action assumes. */
  readonly role: RoleRecord | undefined;
  /** Tags of the resources, in their order. Absent if no policy reads them. */
  readonly tags: readonly (Tags | undefined)[] | undefined;
}

/** Request that requires the action. */
export interface ReadingRequest extends ContextRequest {
  readonly profile: 'classic' | 'sdk';
}

/**
 * Reads the facts for the decision on one required action, in the transaction of the operation. Returns a promise only if it must read the
 * store.
 */
export type ReadRequired = (
  request: ReadingRequest,
  asked: RequiredAccess<Tx>,
  caller: CallerFacts,
  tx: Tx,
) => Required | Promise<Required>;

const ANY: readonly string[] = ['*'];

/** Creates the function that reads required actions. */
export function requiredReading(snapshot: Snapshot, stacks: Stacks): ReadRequired {
  return (request, asked, caller, tx) => {
    const resolve = isWithoutResources(request, asked) ? undefined : asked.resolve;
    if (resolve !== undefined || asked.resolveContext !== undefined) return readResolved(request, asked, caller, tx);
    return withTags(assemble(request, asked, caller, resourcesOf(request, asked), undefined), request, tx);
  };

  async function readResolved(request: ReadingRequest, asked: RequiredAccess<Tx>, caller: CallerFacts, tx: Tx): Promise<Required> {
    const { resolve, resolveContext } = asked;
    // `resolve` may return no resources, which requires nothing more.
    const resources = resolve === undefined || isWithoutResources(request, asked) ? resourcesOf(request, asked) : await resolve(tx);
    const read = await resolveContext?.(tx, request.now);
    return await withTags(assemble(request, asked, caller, resources, read), request, tx);
  }

  function assemble(
    request: ReadingRequest,
    asked: RequiredAccess<Tx>,
    caller: CallerFacts,
    resources: readonly string[],
    read: ConditionContext | undefined,
  ): Required {
    const context = newRequestContext(request, asked, caller, operationKeys(asked.context, read, request.profile));
    const role = asked.trustPolicyOf === undefined ? undefined : roleOf(snapshot, asked.trustPolicyOf);
    return { asked, resources, context, role, stack: caller.stack, trust: role && stacks.trustOf(role), tags: undefined };
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

/** Reports whether tags in the request become tags of the resource. Session tags in a request for a role do not become tags of the role. */
export function changesTags({ asked }: Required): boolean {
  return asked.trustPolicyOf === undefined;
}

/** Reports whether an action has no resources in this profile. */
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
