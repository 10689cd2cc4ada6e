import type { Denial } from '#policy/decision.ts';
import type { TrustDecision } from '#policy/engine.ts';
import type { Decisions } from './decisions.ts';
import { type Denials, implicitDenial } from './denied.ts';
import { grantLayers } from './grant-layers.ts';
import type { Refusal, RefusalOfRequired } from './refusal.ts';
import { type RequestContext, setAllowedBy } from './request-context.ts';
import type { Required } from './required-reading.ts';
import type { Stacks } from './stacks.ts';

/**
 * Actions that the root user of the bucket's owner can always perform, even if the bucket policy denies them. So an
 * account cannot lock itself out of a bucket.
 *
 * Source: Amazon S3 API Reference, PutBucketPolicy, GetBucketPolicy and DeleteBucketPolicy: only VPC endpoint policies and
 * policies of Organizations can block these calls.
 */
const OWNERS_ROOT_ACTIONS: ReadonlySet<string> = new Set(['s3:GetBucketPolicy', 's3:PutBucketPolicy', 's3:DeleteBucketPolicy']);

/**
 * Creates the function that decides an action with the caller's policies and the resource-based policy of the resource,
 * such as a bucket policy. The function returns `undefined` if the action is allowed.
 *
 * - A Deny in any policy wins.
 * - If the resource is in the caller's account, an Allow of the caller's policies or of the resource's policy is
 *   sufficient. If the resource's policy allows, its principal determines which of the caller's policies still limit the
 *   grant (`grantLayers`). Service control policies always do.
 * - If the resource is in another account, both must allow.
 * - A caller without credentials is never allowed, even by `*`. Requirement INF-4. A resource of no account is never allowed.
 * - The resource's policy may read all facts about the owner. The caller's policies may read the facts about another
 *   account's resource only if the resource's policy allows the caller, as for roles.
 *
 * Requirements RBP-5, EVAL-7, EVAL-8.
 * Source: IAM User Guide, "Policy evaluation logic" and "Cross-account policy evaluation logic".
 * Assumed: which of several denying policies the message names. Explicit denials: service control, resource, boundary, session,
 * identity. Implicit denials: service control, resource (only of another account), identity, boundary, session.
 */
export function resourcePolicyDeciding(decisions: Decisions, stacks: Stacks, denials: Denials): RefusalOfRequired {
  const layersAfterGrant = grantLayers(decisions, stacks);
  return (required, meter) => {
    const { context, stack } = required;
    const { principal, resource, ownerVisibleToCaller } = context;
    const hasCredentials = stack !== undefined && principal.type !== 'AWSService' && principal.type !== 'Unknown';
    if (!hasCredentials || !context.owner.accountId) {
      const denial = implicitDenial(hasCredentials ? 'resource' : 'identity', resource);
      return { denied: denials.generic(context, denial), ownerVisible: false, unexplained: true };
    }
    const granted = decisionOfResource(required, meter);
    const isGranted = granted?.effect === 'Allow';
    const ownerVisible = isGranted || ownerVisibleToCaller;
    const own = decisions.byStack(stack, context, ownerVisible, meter);

    const denial = explicitDenial(granted, resource);
    if (own?.kind === 'explicit') return refusal(context, own.policyType === 'service-control' ? own : (denial ?? own), ownerVisible);
    if (denial !== undefined) return refusal(context, denial, ownerVisible);
    if (context.owner !== context.caller) {
      const missing = own?.missing === 'service-control' || isGranted ? own : implicitDenial('resource', resource);
      if (missing !== undefined) return refusal(context, missing, ownerVisible);
      setAllowedBy(context, granted?.by);
      return undefined;
    }
    if (own === undefined) return undefined;
    const remaining = !isGranted || granted.grantee === 'account' ? own : layersAfterGrant(context, granted.grantee, own, meter);
    if (remaining !== undefined) return refusal(context, remaining, ownerVisible);
    setAllowedBy(context, granted?.by);
    return undefined;
  };

  /** Decides with the policy of the resource. Returns `undefined` if there is none, or if it does not apply. */
  function decisionOfResource({ context, resourcePolicy }: Required, meter: Parameters<RefusalOfRequired>[1]): TrustDecision | undefined {
    const { principal, action, owner, caller } = context;
    if (resourcePolicy === undefined) return undefined;
    if (principal.type === 'Root' && owner === caller && OWNERS_ROOT_ACTIONS.has(action)) return undefined;
    const hasBoundary = (stacks.layersOf(principal).boundary?.length ?? 0) > 0;
    return decisions.byResourcePolicy(resourcePolicy.policy, context, hasBoundary, meter);
  }

  function refusal(context: RequestContext, denial: Denial, ownerVisible: boolean): Refusal {
    return isInOneOrganization(context)
      ? { denied: denials.because(context, denial), ownerVisible }
      : { denied: denials.generic(context, denial), ownerVisible, unexplained: true };
  }
}

/** Returns the explicit denial by the resource's policy, or `undefined` if this policy does not deny explicitly. */
function explicitDenial(granted: TrustDecision | undefined, resource: string): Denial | undefined {
  return granted?.effect === 'Deny' && granted.kind === 'explicit'
    ? { effect: 'Deny', kind: 'explicit', by: granted.by, policyType: 'resource', resource }
    : undefined;
}

/** Reports whether the resource belongs to the caller's account or to another account of its organization. */
function isInOneOrganization({ owner, caller }: RequestContext): boolean {
  if (owner === caller) return true;
  const organization = caller.organization();
  return organization !== undefined && organization.organizationId === owner.organization()?.organizationId;
}
