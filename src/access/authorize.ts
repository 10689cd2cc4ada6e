import { AwsError } from '#core/aws-error.ts';
import type { RequestFacts } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Principal } from '#core/principal.ts';
import type { RequiredAccess } from '#core/required-access.ts';
import type { Decision, OverLimit } from '#policy/decision.ts';
import { DECISION_STEPS, type DenialWording } from '#policy/engine.ts';
import type { StepBudget } from '#policy/steps.ts';
import type { Tx } from '#store/store.ts';
import type { Authenticated } from './authenticate.ts';
import { callersOf } from './caller-facts.ts';
import type { DecisionTrace } from './decision-trace.ts';
import { newDecisions } from './decisions.ts';
import { type Denied, newDenials } from './denied.ts';
import { explanationOf, type Refusal } from './refusal.ts';
import { contextMap, setAllowedBy } from './request-context.ts';
import { type Required, requiredReading } from './required-reading.ts';
import { belongsToOthers, resourceDeciding, resourceSetting } from './resource-deciding.ts';
import { refuseBySessionKind } from './session-kind.ts';
import type { Snapshot } from './snapshot.ts';
import type { Stacks } from './stacks.ts';

/** Permission that an operation requires, as the operation declares it. */
export type Asked = RequiredAccess<Tx>;

/** Request to authorize. */
export interface AuthorizeRequest {
  readonly received: RequestFacts;
  readonly authenticated: Authenticated;
  readonly profile: 'classic' | 'sdk';
  readonly asked: readonly Asked[];
  readonly now: Instant;
  /**
   * Budget of policy evaluation steps that several consecutive authorizations share. Before each of these
   * authorizations, at least `DECISION_STEPS` steps must be left. The denials of these authorizations have no
   * explanation.
   */
  readonly meter?: StepBudget;
  /** Receives the facts of the decision, for the trail. */
  readonly trace?: DecisionTrace;
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
 * @throws Denied                AccessDenied: a policy denies the request, or the evaluation exceeds its step budget
 */
export type Authorize = (request: AuthorizeRequest, tx: Tx) => Promise<Authorized>;

/** Dependencies of `authorizing`. */
export interface AuthorizeParts {
  readonly snapshot: Snapshot;
  readonly stacks: Stacks;
  /** Reports whether the server has a lease. Without a lease, the snapshot may be outdated. */
  readonly holds: () => boolean;
  /** Maximum number of evaluation steps of one decision. Default: `DECISION_STEPS`, which no valid policies reach. */
  readonly decisionSteps?: number;
  /** Version of AWS's denial messages. Default: 2026. */
  readonly denialWording?: DenialWording;
  /** Receives the result of each authorization, for metrics. */
  readonly onDecision?: (decision: Decision | OverLimit) => void;
}

/** Result of an authorization that allows a request, for metrics. */
const ALLOWED: Decision = { effect: 'Allow', by: [] };

/**
 * Creates the function that authorizes a request: each required action on each resource, with all policy types.
 * Requirements EVAL-1 to EVAL-10.
 */
export function authorizing(parts: AuthorizeParts): Authorize {
  const { snapshot, stacks, holds, decisionSteps = DECISION_STEPS, denialWording = '2026', onDecision = () => {} } = parts;
  const callerOf = callersOf(snapshot, stacks);
  const readRequired = requiredReading(snapshot, stacks);
  const setResourceOf = resourceSetting(snapshot);
  const decisions = newDecisions(decisionSteps);
  const refusalOf = resourceDeciding(stacks, decisions, newDenials(denialWording));

  return async (request, tx) => {
    // The caller's policies are read immediately after this check, without an `await` in between. So the lease still
    // holds when they are read.
    if (!holds()) throw new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.');
    const { principal } = request.authenticated;
    const identityVersion = snapshot.version();
    const caller = callerOf(principal);
    const { trace } = request;
    trace?.begin(request, identityVersion);
    const allowed: string[] = [];
    let decided = 0;

    // Checks whether this kind of session may call the operation. Only the first action is checked, which is that of
    // the operation itself. Additional actions, such as iam:PassRole, are permissions and not calls to IAM.
    // Source: IAM User Guide, "Grant a user permissions to pass a role to an AWS service".
    // Assumed: iam:CreateServiceLinkedRole is also not checked, if a feature creates the service-linked role that it
    // needs.
    const [operation] = request.asked;
    if (operation !== undefined) refuseBySessionKind(principal, operation.action);
    if (trace !== undefined) trace.stage = 'deciding';
    for (const asked of request.asked) {
      if (asked.always) {
        decided += 1;
        continue;
      }
      const reading = readRequired(request, asked, caller, tx);
      const required = reading instanceof Promise ? await reading : reading;
      decided += required.resources.length;
      // The rest of the loop is synchronous, so the snapshot has this version in all decisions of the loop.
      trace?.decides(required, snapshot.version());
      for (let i = 0; i < required.resources.length; i++) {
        setResourceOf(required, i);
        const refusal = refusalOf(required, request.meter);
        if (refusal !== undefined) {
          onDecision(refusal.denied.decision);
          throw explained(refusal, required, request.meter);
        }
        if (trace !== undefined) nameStatement(required);
        const { resource } = required.context;
        if (resource !== '*') allowed.push(resource);
      }
    }
    // An operation that requires no permission is a bug, so the request must not be allowed.
    if (decided === 0) throw new Error('the operation does not declare a required permission');
    if (trace !== undefined) trace.stage = 'allowed';
    onDecision(ALLOWED);
    return { principal, resources: allowed, identityVersion } as unknown as Authorized;
  };

  /** Finds the statement that allowed the current resource, if no trust policy allowed it. */
  function nameStatement({ context, stack }: Required): void {
    if (context.allowedBy === undefined && stack !== undefined) setAllowedBy(context, decisions.allowedBy(stack, context));
  }

  /** Adds the explanation to a denial, and returns the denial. */
  function explained(
    { denied, ownerVisible, unexplained }: Refusal,
    { context, stack, trust, resourcePolicy }: Required,
    meter: StepBudget | undefined,
  ): Denied {
    const { decision } = denied;
    const { principal, action, resource } = context;
    if (unexplained || stack === undefined || meter !== undefined || decision.effect !== 'Deny' || decision.kind === 'limit') return denied;
    denied.reasons = explanationOf({
      principal: messagePrincipalOf(principal),
      action,
      resource,
      decision,
      layers: stacks.layersOf(principal),
      context: contextMap(context, ownerVisible),
      shown: contextMap(context, !belongsToOthers(context)),
      ...omitUndefined({ denying: trust ?? (belongsToOthers(context) ? undefined : resourcePolicy?.policy) }),
    });
    return denied;
  }
}

function messagePrincipalOf({ principalId: id, arn }: Principal): { readonly id: string; readonly name: string; readonly arn: string } {
  return { id, name: arn.slice(arn.lastIndexOf('/') + 1), arn };
}
