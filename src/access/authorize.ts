import { type AccountId, parseArn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { RequestFacts } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import type { RequiredAccess } from '#core/required-access.ts';
import { DECISION_STEPS } from '#policy/engine.ts';
import { type StepBudget, StepsExceeded } from '#policy/steps.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import type { Authenticated } from './authenticate.ts';
import { type CallerFacts, callersOf } from './caller-facts.ts';
import { addOperationContext, addOwnerFacts, requestContext, type WritableContext } from './context.ts';
import { type Decisions, newDecisions } from './decisions.ts';
import { type Attempt, Denied, deniedBecause, deniedWithoutReason, implicitDenial, NO_POLICY } from './denied.ts';
import { explanationOf, type Refusal, type VisibleFacts } from './refusal.ts';
import { belongsToCaller, belongsToOrganization } from './resource-owner.ts';
import { organizationFacts } from './service-control.ts';
import { refuseBySessionKind } from './session-kind.ts';
import type { Snapshot } from './snapshot.ts';
import type { Stacks } from './stacks.ts';
import { addResourceTags, ambiguousResourceTags, anyReads, type DecidingPolicies, readsResourceTags } from './tag-facts.ts';
import { assumeDeciding } from './trust-authorization.ts';

/** Permission that an operation requires, as its table declares it. */
export type Asked = RequiredAccess<Tx>;

/** Request to authorize. */
export interface AuthorizeRequest {
  readonly received: RequestFacts;
  readonly authenticated: Authenticated;
  readonly profile: 'classic' | 'sdk';
  readonly asked: readonly Asked[];
  readonly now: Instant;
  /**
   * Step budget that several consecutive authorizations share. Each must start with at least `DECISION_STEPS` left. Their denials are not
   * explained.
   */
  readonly meter?: StepBudget;
}

declare const proof: unique symbol;

/** Request that all applicable policies allow. Only `authorize` creates one, so no operation runs without authorization. */
export interface Authorized {
  readonly [proof]: true;
  readonly principal: Principal;
  /** ARNs of the allowed resources, without `*`. */
  readonly resources: readonly string[];
  readonly identityVersion: number;
}

/**
 * Authorizes a request inside the transaction that executes it, so that a permission withdrawn before the transaction is not honored.
 * Decision 0003.
 *
 * @throws ServiceUnavailable    the server has no lease, so its identity snapshot may be stale
 * @throws InvalidClientTokenId  this kind of session cannot call the service
 * @throws Denied                AccessDenied: a policy denies the request with AWS's message, or the evaluation exceeds its step budget
 */
export type Authorize = (request: AuthorizeRequest, tx: Tx) => Promise<Authorized>;

/** Dependencies of `authorizing`. */
export interface AuthorizeParts {
  readonly snapshot: Snapshot;
  readonly stacks: Stacks;
  /** Reports whether the lease on the snapshot holds. */
  readonly holds: () => boolean;
  /** Maximum steps of one decision. Default: `DECISION_STEPS`, which no valid set of policies reaches. */
  readonly decisionSteps?: number;
}

/** Creates the stage that authorizes each action on each resource with all policy types. Requirements EVAL-1 to EVAL-10. */
export function authorizing({ snapshot, stacks, holds, decisionSteps = DECISION_STEPS }: AuthorizeParts): Authorize {
  const decisions = newDecisions(decisionSteps);
  const decideAssume = assumeDeciding(decisions, stacks);
  const callerOf = callersOf(snapshot, stacks);

  return async (request, tx) => {
    // No await separates this check from the caller's policies below, so the lease covers the policies that decide.
    if (!holds()) throw new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.');
    const { principal } = request.authenticated;
    const identityVersion = snapshot.version();
    const caller = callerOf(principal);
    const allowed: string[] = [];
    let decided = 0;

    // Checks only the operation itself, which is first. Additional actions (iam:PassRole, iam:CreateServiceLinkedRole) are permissions
    // and not calls of IAM. Source: IAM User Guide, "Grant a user permissions to pass a role to an AWS service".
    // Assumed: the same applies if a feature creates the service-linked role that it needs.
    const [operation] = request.asked;
    if (operation !== undefined) refuseBySessionKind(principal, operation.action);
    for (const asked of request.asked) {
      if (asked.always) {
        decided += 1;
        continue;
      }
      const required = await readRequired(request, asked, caller, tx);
      decided += required.resources.length;
      required.resources.forEach((resource, index) => {
        authorizeResource(request, caller, required, resource, index);
        if (resource !== '*') allowed.push(resource);
      });
    }
    // An operation that requires no permission is a bug, and must not be allowed.
    if (decided === 0) throw new Error('the operation requires no permission');
    return { principal, resources: allowed, identityVersion } as unknown as Authorized;
  };

  /** Reads what decides one required action, in the transaction of the operation. */
  async function readRequired(request: AuthorizeRequest, asked: Asked, caller: CallerFacts, tx: Tx): Promise<Required> {
    const { received, authenticated, profile, now } = request;
    const resources = await resourcesOf(asked, profile, tx);
    const context = requestContext(received, caller, authenticated.region, now);
    addOperationContext(context, asked.context, profile);
    if (asked.resolveContext) addOperationContext(context, await asked.resolveContext(tx, now), profile);
    const role = asked.trustPolicyOf === undefined ? undefined : roleOf(snapshot, asked.trustPolicyOf);
    const policies = { stack: caller.stack, trust: role && stacks.trustOf(role) };
    // Session tags are no tags of the role.
    const changesTags = asked.trustPolicyOf === undefined && context.has('aws:tagkeys');
    const needsTags = asked.resourceTags && profile === 'sdk' && readsResourceTags(policies, asked.action, changesTags);
    const tags = needsTags ? await asked.resourceTags?.(tx) : undefined;
    return { asked, resources, context, role, policies, changesTags, tags };
  }

  /** Throws the denial of one resource, if the policies deny it. */
  function authorizeResource({ meter }: AuthorizeRequest, caller: CallerFacts, required: Required, resource: string, index: number): void {
    const { principal } = caller;
    const { action, called, trustPolicyOf } = required.asked;
    const attempt: Attempt = { principal, action, resource, called };
    const owned = ownedFacts(snapshot, caller, required, resource, index);
    const ambiguous = [...caller.ambiguousKeys, ...ambiguousResourceTags(required.tags?.[index])];
    const refusal = withinSteps(attempt, () => {
      if (anyReads(required.policies, action, ambiguous))
        return ambiguity(attempt, trustPolicyOf !== undefined && (owned.byOthers || principal.type === 'Unknown'));
      if (trustPolicyOf === undefined) return byPolicies(decisions, attempt, caller, owned, meter);
      return decideAssume({ ...attempt, ...required, facts: owned.facts, meter });
    });
    if (refusal === undefined) return;
    const { denied, context = owned.facts.known } = refusal;
    const { decision } = denied;
    if (caller.stack !== undefined && meter === undefined && decision.effect === 'Deny' && decision.kind !== 'limit') {
      denied.reasons = explanationOf({
        principal: messagePrincipalOf(principal),
        action,
        resource,
        decision,
        layers: stacks.layersOf(principal),
        context,
        shown: owned.shown,
        ...(required.policies.trust !== undefined && { trust: required.policies.trust }),
      });
    }
    throw denied;
  }
}

/** One required action with everything that decides it. */
interface Required {
  readonly asked: Asked;
  readonly resources: readonly string[];
  /** Facts of the request, without those of a resource. */
  readonly context: WritableContext;
  /** Role that the action assumes. */
  readonly role: RoleRecord | undefined;
  readonly policies: DecidingPolicies;
  /** Whether the request changes the tags of the resources. */
  readonly changesTags: boolean;
  /** Tags of the resources, if a policy reads them. */
  readonly tags: readonly (Readonly<Record<string, string>> | undefined)[] | undefined;
}

/** Contexts of one resource. */
interface OwnedFacts {
  /** Account in the ARN. Empty without one, and absent for `*`. */
  readonly owner: string | undefined;
  /** Whether the resource belongs to another account. */
  readonly byOthers: boolean;
  readonly facts: VisibleFacts;
  /** Context that the explanation of a denial contains. */
  readonly shown: WritableContext;
}

/** Returns the contexts of one resource with the facts of its owner. */
function ownedFacts(snapshot: Snapshot, caller: CallerFacts, required: Required, resource: string, index: number): OwnedFacts {
  const { resources, context, changesTags, tags } = required;
  const { organization } = caller;
  const parts = resource === '*' ? undefined : parseArn(resource);
  const owner = resource === '*' ? undefined : (parts?.accountId ?? '');
  // Copies the context because the facts of one resource do not apply to another. The last resource can use the original.
  const base = index + 1 < resources.length ? new Map(context) : context;
  if (owner) base.set('aws:resourceaccount', owner);
  const isOwn = owner === caller.principal.accountId;
  const byOthers = owner !== undefined && !isOwn;
  const whole = byOthers ? new Map(base) : base;
  addOwnerFacts(whole, isOwn ? organization : organizationFacts(snapshot, owner as AccountId));
  const ownTags = tags?.[index];
  if (ownTags !== undefined) addResourceTags(whole, parts?.service, ownTags, changesTags);
  const isManaged = parts?.service === 'organizations' && owner === organization?.managementAccountId;
  const facts = { whole, known: byOthers && !isManaged ? base : whole };
  return { owner, byOthers, facts, shown: byOthers ? base : whole };
}

/** Decides an action with the caller's policies and the owner of the resource. */
function byPolicies(
  decisions: Decisions,
  attempt: Attempt,
  { stack, principal, organization }: CallerFacts,
  { owner, facts }: OwnedFacts,
  meter: StepBudget | undefined,
): Refusal | undefined {
  const { action, resource } = attempt;
  if (stack === undefined) return { denied: deniedBecause(attempt, NO_POLICY) };
  const denial = decisions.byStack(stack, action, resource, facts.known, meter);
  if (denial !== undefined) return { denied: deniedBecause(attempt, denial) };
  // No policy of the owner can allow the request, because resources have no resource policies. Requirement EVAL-8.
  if (belongsToCaller(resource, owner, principal) || belongsToOrganization(resource, organization)) return undefined;
  const refused = implicitDenial('resource', resource);
  // Source: the message of the real service in users' reports, such as serverless/serverless issue 3374.
  if (action === 'iam:PassRole') return { denied: new Denied('Cross-account pass role is not allowed.', refused, [resource]) };
  return { denied: deniedBecause(attempt, refused) };
}

/** Returns a role by its ARN. */
function roleOf(snapshot: Snapshot, roleArn: string): RoleRecord | undefined {
  const parts = parseArn(roleArn);
  if (parts === undefined || parts.service !== 'iam' || !parts.resource.startsWith('role/')) return undefined;
  const role = snapshot.role(parts.accountId as AccountId, parts.resource.slice(parts.resource.lastIndexOf('/') + 1));
  return role?.arn === roleArn ? role : undefined;
}

const ANY: readonly string[] = ['*'];

/** Returns the resources of a required action. */
async function resourcesOf({ action, resources, resolve }: Asked, profile: 'classic' | 'sdk', tx: Tx): Promise<readonly string[]> {
  if (profile === 'classic' && action.startsWith('chime:')) return ANY;
  // `resolve` may return no resources, which requires nothing more. An empty `resources` list means `*`.
  if (resolve) return await resolve(tx);
  return resources.length === 0 ? ANY : resources;
}

/** Runs a decision. Returns a denial if it exceeds its step budget. */
function withinSteps(attempt: Attempt, decide: () => Refusal | undefined): Refusal | undefined {
  try {
    return decide();
  } catch (error) {
    if (!(error instanceof StepsExceeded)) throw error;
    return { denied: deniedBecause(attempt, { effect: 'Deny', kind: 'limit', resource: attempt.resource }) };
  }
}

/**
 * Denies a request whose decision reads a tag with several spellings of its key. Requests cannot store such tags, but older data may have
 * them.
 *
 * A policy could mean either value, and an absent key would satisfy negated tests. So evaluation fails closed. Requirement EVAL-12.
 * For another account's role, the response is that of an unknown role.
 *
 * Source: IAM User Guide, `aws:ResourceTag`: a condition matches either key "but not both".
 * Assumed: AWS does the same.
 */
function ambiguity(attempt: Attempt, assumesRoleOfOthers: boolean): Refusal {
  if (assumesRoleOfOthers) return { denied: deniedWithoutReason(attempt) };
  return { denied: deniedBecause(attempt, implicitDenial('identity', attempt.resource)) };
}

function messagePrincipalOf({ principalId: id, arn }: Principal): { readonly id: string; readonly name: string; readonly arn: string } {
  return { id, name: arn.slice(arn.lastIndexOf('/') + 1), arn };
}
