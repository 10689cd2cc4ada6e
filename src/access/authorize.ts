import { AwsError } from '#core/aws-error.ts';
import type { RequestFacts } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import type { RequiredAccess } from '#core/required-access.ts';
import { DECISION_STEPS, type DenialWording } from '#policy/engine.ts';
import type { StepBudget } from '#policy/steps.ts';
import type { Tx } from '#store/store.ts';
import type { Authenticated } from './authenticate.ts';
import { callersOf } from './caller-facts.ts';
import { newDecisions } from './decisions.ts';
import { type Denied, newDenials } from './denied.ts';
import { explanationOf, type Refusal } from './refusal.ts';
import { contextMap } from './request-context.ts';
import { type Required, requiredReading } from './required-reading.ts';
import { belongsToOthers, resourceDeciding, resourceSetting } from './resource-deciding.ts';
import { refuseBySessionKind } from './session-kind.ts';
import type { Snapshot } from './snapshot.ts';
import type { Stacks } from './stacks.ts';

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
   * Step budget that several consecutive authorizations share. Each of them must start with at least `DECISION_STEPS` left. Their denials
   * have no explanation.
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
  /** Version of AWS's denial messages. Default: 2026. */
  readonly denialWording?: DenialWording;
}

/** Creates the stage that authorizes each action on each resource with all policy types. Requirements EVAL-1 to EVAL-10. */
export function authorizing(parts: AuthorizeParts): Authorize {
  const { snapshot, stacks, holds, decisionSteps = DECISION_STEPS, denialWording = '2026' } = parts;
  const callerOf = callersOf(snapshot, stacks);
  const readRequired = requiredReading(snapshot, stacks);
  const setResourceOf = resourceSetting(snapshot);
  const refusalOf = resourceDeciding(stacks, newDecisions(decisionSteps), newDenials(denialWording));

  return async (request, tx) => {
    // No await separates this check from the caller's policies below, so the lease covers the policies that decide.
    if (!holds()) throw new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.');
    const { principal } = request.authenticated;
    const identityVersion = snapshot.version();
    const caller = callerOf(principal);
    const allowed: string[] = [];
    let decided = 0;

    // Checks only the operation's own action, which is the first. Additional actions (iam:PassRole, iam:CreateServiceLinkedRole) are
    // permissions and not calls to IAM. Source: IAM User Guide, "Grant a user permissions to pass a role to an AWS service".
    // Assumed: the same applies if a feature creates the service-linked role that it needs.
    const [operation] = request.asked;
    if (operation !== undefined) refuseBySessionKind(principal, operation.action);
    for (const asked of request.asked) {
      if (asked.always) {
        decided += 1;
        continue;
      }
      const reading = readRequired(request, asked, caller, tx);
      const required = reading instanceof Promise ? await reading : reading;
      decided += required.resources.length;
      for (let i = 0; i < required.resources.length; i++) {
        setResourceOf(required, i);
        const refusal = refusalOf(required, request.meter);
        if (refusal !== undefined) throw explained(refusal, required, request.meter);
        const { resource } = required.context;
        if (resource !== '*') allowed.push(resource);
      }
    }
    // An operation that requires no permission is a bug, and must not be allowed.
    if (decided === 0) throw new Error('the operation requires no permission');
    return { principal, resources: allowed, identityVersion } as unknown as Authorized;
  };

  /** Adds the explanation to a denial, and returns it. */
  function explained({ denied, ownerVisible }: Refusal, { context, stack, trust }: Required, meter: StepBudget | undefined): Denied {
    const { decision } = denied;
    const { principal, action, resource } = context;
    if (stack === undefined || meter !== undefined || decision.effect !== 'Deny' || decision.kind === 'limit') return denied;
    denied.reasons = explanationOf({
      principal: messagePrincipalOf(principal),
      action,
      resource,
      decision,
      layers: stacks.layersOf(principal),
      context: contextMap(context, ownerVisible),
      shown: contextMap(context, !belongsToOthers(context)),
      ...(trust !== undefined && { trust }),
    });
    return denied;
  }
}

function messagePrincipalOf({ principalId: id, arn }: Principal): { readonly id: string; readonly name: string; readonly arn: string } {
  return { id, name: arn.slice(arn.lastIndexOf('/') + 1), arn };
}
