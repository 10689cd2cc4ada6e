import { type AccountId, accountIdOf, parseArn } from '#core/arn.ts';
import type { ContextValue } from '#policy/engine.ts';
import { type StepBudget, StepsExceeded } from '#policy/steps.ts';
import type { CallerFacts } from './caller-facts.ts';
import { type KeyOwner, NO_OWNER } from './context-keys.ts';
import type { Decisions } from './decisions.ts';
import { type Denials, Denied, implicitDenial, NO_POLICY } from './denied.ts';
import type { Refusal, RefusalOfRequired } from './refusal.ts';
import { type RequestContext, setResource } from './request-context.ts';
import { changesTags, type Required } from './required-reading.ts';
import { belongsToOrganization, isOfAws } from './resource-owner.ts';
import { resourcePolicyDeciding } from './resource-policy-authorization.ts';
import { organizationFacts } from './service-control.ts';
import type { Snapshot } from './snapshot.ts';
import type { Stacks } from './stacks.ts';
import { anyReads, resourceTagsOf } from './tag-facts.ts';
import { assumeDeciding } from './trust-authorization.ts';

/**
 * Creates the function that decides whether a required action on the current resource is allowed. The function is
 * synchronous.
 */
export function resourceDeciding(stacks: Stacks, decisions: Decisions, denials: Denials): RefusalOfRequired {
  const decideAssume = assumeDeciding(decisions, stacks, denials);
  const decideWithResourcePolicy = resourcePolicyDeciding(decisions, stacks, denials);
  return (required, meter) => {
    const { asked, context } = required;
    try {
      if (readsAmbiguousTag(required)) return ambiguity(denials, context, asked.trustPolicyOf !== undefined);
      if (asked.trustPolicyOf !== undefined) return decideAssume(required, meter);
      return asked.resourcePolicy === undefined
        ? refusalByPolicies(decisions, denials, context, meter)
        : decideWithResourcePolicy(required, meter);
    } catch (error) {
      if (!(error instanceof StepsExceeded)) throw error;
      const { resource, ownerVisibleToCaller } = context;
      return { denied: denials.because(context, { effect: 'Deny', kind: 'limit', resource }), ownerVisible: ownerVisibleToCaller };
    }
  };
}

/**
 * Creates the function that sets the current resource of a required action. The function takes the resource's index.
 */
export function resourceSetting(snapshot: Snapshot): (required: Required, index: number) => void {
  return (required, index) => {
    const { context, resources } = required;
    const resource = resources[index] as string;
    const tags = required.tags?.[index];
    const owner = ownerOf(resource, context.caller, required.ownerId);
    const keys = tags && resourceTagsOf(parseArn(resource)?.service, tags, changedKeys(required));
    const isOthers = owner !== context.caller && owner !== NO_OWNER;
    setResource(context, resource, owner, keys, !isOthers || isOfOwnOrganization(resource, owner, context.caller));
  };

  function ownerOf(resource: string, caller: CallerFacts, ownerId: AccountId | undefined): KeyOwner {
    if (resource === '*') return NO_OWNER;
    const accountId = accountIdOf(resource) || (ownerId ?? '');
    if (accountId === caller.accountId) return caller;
    return { accountId, organization: () => organizationFacts(snapshot, accountId as AccountId) };
  }
}

/** Reports whether the current resource of a context belongs to an account other than the caller's account. */
export function belongsToOthers({ owner, caller }: RequestContext): boolean {
  return owner.accountId !== undefined && owner.accountId !== caller.accountId;
}

/** Reports whether a resource is an Organizations resource of the management account of the caller's organization. */
function isOfOwnOrganization(resource: string, owner: KeyOwner, caller: CallerFacts): boolean {
  return parseArn(resource)?.service === 'organizations' && owner.accountId === caller.organization()?.managementAccountId;
}

/** Returns the tag keys that the request changes on the resource. */
function changedKeys(required: Required): ContextValue | undefined {
  return changesTags(required) ? required.context.added?.get('aws:tagkeys') : undefined;
}

/**
 * Reports whether a policy reads an ambiguous tag key. A tag key is ambiguous if the caller or the resource has two
 * tags whose keys differ only in case, such as `Team` and `team`.
 */
function readsAmbiguousTag(required: Required): boolean {
  const { context, asked } = required;
  const ofResource = context.resourceTags?.ambiguousKeys ?? NO_KEYS;
  return anyReads(required, asked.action, context.caller.ambiguousKeys) || anyReads(required, asked.action, ofResource);
}

const NO_KEYS: readonly string[] = [];

/**
 * Returns the denial of a request for which a policy reads an ambiguous tag key (`readsAmbiguousTag`). Requests cannot
 * store two tags whose keys differ only in case, but older data may have them.
 *
 * The policy could mean either tag. If the condition key were absent instead, negated conditions would be satisfied. So
 * the request is denied. Requirement EVAL-12.
 * For another account's role, the error is the same as for an unknown role.
 *
 * Source: IAM User Guide, `aws:ResourceTag`: a condition matches either key "but not both".
 * Assumed: AWS also denies such a request.
 */
function ambiguity(denials: Denials, context: RequestContext, assumesRole: boolean): Refusal {
  const { principal, resource, ownerVisibleToCaller } = context;
  const denied =
    assumesRole && (belongsToOthers(context) || principal.type === 'Unknown')
      ? denials.withoutReason(context)
      : denials.because(context, implicitDenial('identity', resource));
  return { denied, ownerVisible: ownerVisibleToCaller };
}

/**
 * Decides an action: the caller's policies must allow it, and the resource must belong to the caller's account or organization, or to AWS.
 */
function refusalByPolicies(
  decisions: Decisions,
  denials: Denials,
  context: RequestContext,
  meter: StepBudget | undefined,
): Refusal | undefined {
  const { caller, action, resource, owner, ownerVisibleToCaller } = context;
  const denial = caller.stack === undefined ? NO_POLICY : decisions.byStack(caller.stack, context, ownerVisibleToCaller, meter);
  if (denial !== undefined) return { denied: denials.because(context, denial), ownerVisible: ownerVisibleToCaller };
  // Only a resource-based policy could allow access to another account's resource. `assumeDeciding` evaluates the trust
  // policies of roles, and `resourcePolicyDeciding` evaluates all other resource-based policies. So the request is allowed
  // only in the following cases. Requirement EVAL-8.
  if (owner === caller || owner === NO_OWNER || isOfAws(resource) || belongsToOrganization(resource, caller.organization()))
    return undefined;
  const refused = implicitDenial('resource', resource);
  // Source: AWS's message in users' reports, such as serverless/serverless issue 3374.
  const denied =
    action === 'iam:PassRole'
      ? new Denied('Cross-account pass role is not allowed.', refused, [resource])
      : denials.because(context, refused);
  return { denied, ownerVisible: ownerVisibleToCaller };
}
