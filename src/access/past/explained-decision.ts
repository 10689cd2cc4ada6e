import { isDeepStrictEqual } from 'node:util';
import type { AccountId } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import type { Principal } from '#core/principal.ts';
import type { Denial, OverLimit } from '#policy/decision.ts';
import { type PolicyLayers, trustCallerOf } from '#policy/engine.ts';
import { explain, explainPrincipalPolicy, type LayerTrace, type PrincipalStatementTrace } from '#policy/explain.ts';
import type { ValueTrace } from '#policy/explain-prepare.ts';
import { StepsExceeded } from '#policy/steps.ts';
import type { DecisionContext, DecisionOutcome, OmittedDecisions } from '#store/trail/decision-context.ts';
import { resourcePolicyId } from '../decisions.ts';
import { contextMap } from '../request-context.ts';
import type { Required } from '../required-reading.ts';
import { belongsToOthers } from '../resource-deciding.ts';
import { type Change, changeFor, DECIDING_STEPS } from './change.ts';
import { decidingParts } from './deciding-parts.ts';
import { DENIALS, type Deciding, deciding, type Explaining } from './explaining.ts';
import { decideAgain } from './past-decision.ts';
import { pastReader, type ReadPast } from './past-identity.ts';
import { FactNotKept, type KeptPolicy, requestOf } from './past-request.ts';

/** Decision of the past, with every layer, statement and condition of the policies as they were then. */
export interface ExplainedDecision {
  /** Principal, as the viewer may see it: the principal ID and account of another account's principal, and the ARN of an own one. */
  readonly caller: string;
  /** Outcome as it was recorded. */
  readonly outcome: DecisionOutcome;
  /** First denial as it was repeated, if a policy denied the request. */
  readonly denial: VisibleDenial | undefined;
  /** Whether the same code with the same facts decides the same again. A newer version of Belfry can have other AWS managed policies. */
  readonly reproduced: boolean;
  readonly permissions: readonly ExplainedPermission[];
  /** Permissions for parts of the result that were denied. They do not change the outcome. */
  readonly denied: readonly ExplainedPermission[];
  /** Numbers of decisions about parts of the result that are not stored, and their action. Absent if all are stored. */
  readonly omitted: (OmittedDecisions & { readonly action: string }) | undefined;
  /**
   * What would allow the request, or the denied permissions for parts of its result. Present if it was denied or has such permissions, and the
   * viewer may see the policies of its caller.
   */
  readonly change: Change | undefined;
}

/** One required permission. */
export interface ExplainedPermission {
  readonly action: string;
  /** `not decided`: an earlier permission was denied. `not needed`: the operation requires no permission. */
  readonly state: 'allowed' | 'denied' | 'not decided' | 'not needed';
  /** Resources in the order of their decisions, up to the first denied one. At most `RESOURCES_MAX`. */
  readonly resources: readonly ExplainedResource[];
  /** Number of other resources of the permission. */
  readonly otherResources: number;
}

/** One required action on one resource. */
export interface ExplainedResource {
  readonly resource: string;
  /** Absent if the action is allowed. */
  readonly denial: VisibleDenial | undefined;
  /** Layers of the caller's policies. Absent if the viewer may not see them, or if they are too long to be explained. */
  readonly layers: readonly LayerTrace[] | undefined;
  /** Texts of the policies of `layers` by policy ID, except service control policies. */
  readonly texts: ReadonlyMap<string, string>;
  /** Trust policy or resource-based policy that also decides. Absent if there is none, or if the viewer may not see it. */
  readonly resourcePolicy:
    | {
        readonly policyType: 'trust' | 'resource';
        readonly policyId: string;
        /** Text as stored, with the unique IDs of principals. */
        readonly text: string;
        /** Accounts of the unique IDs in a trust policy. */
        readonly principals: Readonly<Record<string, AccountId>>;
        readonly statements: readonly PrincipalStatementTrace[];
      }
    | undefined;
  /** Condition keys and their values. Facts about another account are omitted. */
  readonly context: ConditionContext;
}

/** Denial by policies that the viewer may not see. `of` is the account that has them: the caller's or the resource's. */
export interface HiddenDenial {
  readonly kind: 'hidden';
  readonly of: 'caller' | 'resource';
}

const HIDDEN: HiddenDenial = { kind: 'hidden', of: 'caller' };

/** Denial as the viewer sees it. */
export type VisibleDenial = Denial | OverLimit | HiddenDenial;

/** Largest number of resources of a permission that are explained. */
export const RESOURCES_MAX = 20;

/** Steps of all traces of one explanation. They take tens of milliseconds. */
const TRACE_STEPS = 8_000_000;

/** A decision to explain. */
export interface DecisionToExplain {
  readonly context: DecisionContext;
  readonly principal: Principal;
  /**
   * Account that reads the explanation. It sees the policies of its own principals and resources, and of service control policies only their
   * names and results, because they belong to the management account.
   */
  readonly viewer: AccountId;
}

/** Reads the stored facts of a decision: identity records as of its version, and resource-based policies. */
export interface PastFacts {
  readonly records: ReadPast;
  readonly policyText: KeptPolicy;
}

/**
 * Explains a decision as it was taken, also if its policies were changed or deleted since then.
 *
 * Compiles and evaluates all policies of the caller, which can take a second. So the server runs it outside of the core's thread.
 *
 * @throws RangeError     identity as of the decision is not kept any more
 * @throws FactNotKept    the decision needs a fact that is not stored
 * @throws StepsExceeded  the explanation takes too many steps
 */
export async function explainDecision(
  { records, policyText }: PastFacts,
  { context, principal, viewer }: DecisionToExplain,
): Promise<ExplainedDecision> {
  const request = requestOf(context, principal, policyText);
  return await pastReader(context.identityVersion, records).run(async ({ snapshot, stacks }) => {
    const repeated = await decideAgain({ snapshot, stacks }, request, context.caller);
    const parts = decidingParts({ snapshot, stacks }, DENIALS);
    const budgets = { budget: { stepsLeft: TRACE_STEPS }, meter: { stepsLeft: DECIDING_STEPS } };
    const explaining = { snapshot, stacks, parts, request, context, viewer, principal, ...budgets };
    const permissions: ExplainedPermission[] = [];
    for (const index of request.asked.keys()) permissions.push(await explainPermission(explaining, index));
    const ofParts = explainingParts(explaining, policyText);
    const denied: ExplainedPermission[] = [];
    for (const index of ofParts.request.asked.keys()) denied.push(await explainPermission(ofParts, index));
    const lacking = context.outcome.effect === 'Deny' ? explaining : denied.length === 0 ? undefined : ofParts;
    const isOwn = principal.accountId === viewer;
    return {
      caller: isOwn ? principal.arn : `${principal.principalId} of the account ${principal.accountId}`,
      outcome: context.outcome,
      denial: permissions.findLast(({ state }) => state === 'denied')?.resources.at(-1)?.denial ?? (isOwn ? undefined : HIDDEN),
      reproduced: isDeepStrictEqual(repeated?.outcome, context.outcome) && denied.every(({ state }) => state === 'denied'),
      permissions,
      denied,
      omitted: context.omitted && { ...context.omitted, action: (context.denied?.[0] ?? context.permissions.at(-1))?.action ?? '' },
      change: lacking !== undefined && isOwn ? await changeFor(lacking) : undefined,
    };
  });
}

/** Returns the facts of an explanation of the permissions for parts of the result that were denied. */
function explainingParts(explaining: Explaining, policyText: KeptPolicy): Explaining {
  const { context, principal } = explaining;
  const { denied = [] } = context;
  return {
    ...explaining,
    request: requestOf(context, principal, policyText, undefined, denied),
    context: { ...context, permissions: denied },
  };
}

async function explainPermission(explaining: Explaining, index: number): Promise<ExplainedPermission> {
  const { parts, request, context, meter } = explaining;
  const { action, always, undecided, resources: asked } = context.permissions[index] as DecisionContext['permissions'][number];
  if (always) return { action, state: 'not needed', resources: [], otherResources: 0 };
  let decidingOne: Deciding;
  try {
    decidingOne = await deciding(parts, request, index, meter);
  } catch (error) {
    if (!(undecided && error instanceof FactNotKept)) throw error;
    return { action, state: 'not decided', resources: [], otherResources: asked.length };
  }
  const { required, decide } = decidingOne;
  const resources: ExplainedResource[] = [];
  let decided = 0;
  for (let isDenied = false; decided < required.resources.length && !isDenied; decided++) {
    const { denial, ownerVisible } = decide(decided);
    isDenied = denial !== undefined;
    if (isDenied || resources.length < RESOURCES_MAX - 1) resources.push(explainResource(explaining, required, denial, ownerVisible));
  }
  const isDenied = resources.at(-1)?.denial !== undefined;
  return {
    action,
    state: undecided ? 'not decided' : isDenied ? 'denied' : 'allowed',
    resources,
    otherResources: required.resources.length - resources.length,
  };
}

function explainResource(
  { stacks, viewer, principal, budget }: Explaining,
  required: Required,
  denial: Denial | OverLimit | undefined,
  ownerVisible: boolean,
): ExplainedResource {
  const { context, trust, resourcePolicy } = required;
  const { action, resource } = context;
  const isOwn = principal.accountId === viewer;
  const isOwner = !belongsToOthers(context) ? isOwn : context.owner.accountId === viewer;
  const layers = isOwn && required.stack !== undefined ? stacks.layersOf(principal) : undefined;
  const request = (visible: boolean) => ({ action, resources: [resource], context: contextMap(context, visible) });
  const policy = trust ?? resourcePolicy?.policy;
  const policyType = trust === undefined ? 'resource' : 'trust';
  const policyId = policyType === 'trust' ? (required.role?.arn ?? resource) : resourcePolicyId(resource);
  const caller = { ...trustCallerOf(principal), hasBoundary: (layers?.boundary?.length ?? 0) > 0 };
  return {
    resource,
    denial: denial && visibleDenial(denial, isOwn, isOwner, required.asked.resourcePolicy !== undefined),
    layers: layers && withinSteps(() => explain(layers, request(ownerVisible), budget).resources[0]?.layers),
    texts: textsOf(layers),
    resourcePolicy:
      policy === undefined || !isOwner
        ? undefined
        : withinSteps(() => ({
            policyType,
            policyId,
            text: policy.text,
            principals: required.role?.trustPrincipals ?? {},
            statements: explainPrincipalPolicy(policyType, { policyId, policy }, caller, { request: request(true), resource }, budget).map(
              (statement) => (isOwn ? statement : withoutRequest(statement)),
            ),
          })),
    context: isOwn ? contextMap(context, isOwner) : new Map(),
  };
}

/**
 * Returns a denial as the viewer may see it. The owner of a resource does not see which policy of another account's caller denies. The caller
 * does not see whether a statement of another account's policy denies. The server's error messages show neither.
 */
function visibleDenial(denial: Denial | OverLimit, isOwn: boolean, isOwner: boolean, readsResourcePolicy: boolean): VisibleDenial {
  if (denial.kind === 'limit') return denial;
  const policyType = denial.kind === 'explicit' ? denial.policyType : denial.missing;
  const isOfResource = policyType === 'trust' || policyType === 'resource';
  if (isOfResource) return isOwner || (denial.kind === 'implicit' && !readsResourcePolicy) ? denial : { kind: 'hidden', of: 'resource' };
  return isOwn ? denial : HIDDEN;
}

/** Removes the values of the request from a statement, because they can be facts about another account's caller, such as its tags. */
function withoutRequest(statement: PrincipalStatementTrace): PrincipalStatementTrace {
  const valuesOf = (values: readonly ValueTrace[]) => values.map(({ value, matched }) => ({ value, matched }));
  const { resource, conditions } = statement;
  return {
    ...statement,
    ...(resource !== undefined && { resource: { ...resource, values: valuesOf(resource.values) } }),
    conditions: conditions.map(({ operator, key, holds, values }) => ({ operator, key, holds, values: valuesOf(values) })),
  };
}

/** Returns the texts of policies that the caller's account may see. */
function textsOf(layers: PolicyLayers | undefined): ReadonlyMap<string, string> {
  const { identity = [], boundary = [], session = [] } = layers ?? {};
  return new Map([...identity, ...boundary, ...session].map(({ policyId, policy }) => [policyId, policy.text]));
}

function withinSteps<Result>(trace: () => Result): Result | undefined {
  try {
    return trace();
  } catch (error) {
    if (error instanceof StepsExceeded) return undefined;
    throw error;
  }
}
