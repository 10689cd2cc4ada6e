import { isDeepStrictEqual } from 'node:util';
import { type AccountId, accountIdOf } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import type { Principal } from '#core/principal.ts';
import type { Denial, OverLimit } from '#policy/decision.ts';
import { type PolicyLayers, trustCallerOf } from '#policy/engine.ts';
import { explain, explainPrincipalPolicy, type LayerTrace, type PrincipalStatementTrace } from '#policy/explain.ts';
import type { ValueTrace } from '#policy/explain-prepare.ts';
import { type StepBudget, StepsExceeded } from '#policy/steps.ts';
import type { Tx } from '#store/store.ts';
import type { DecisionContext, DecisionOutcome } from '#store/trail/decision-context.ts';
import { trailPolicies } from '#store/trail/trail-policy.ts';
import type { AuthorizeRequest } from '../authorize.ts';
import { resourcePolicyId } from '../decisions.ts';
import { implicitDenial, newDenials } from '../denied.ts';
import { contextMap } from '../request-context.ts';
import type { Required } from '../required-reading.ts';
import { belongsToOthers } from '../resource-deciding.ts';
import { serviceControlTargets } from '../service-control.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Stacks } from '../stacks.ts';
import { type DecidingParts, decidingParts } from './deciding-parts.ts';
import { type Grant, type Missing, missingGrant, stacksWith } from './grants.ts';
import { decideAgain } from './past-decision.ts';
import { pastReader } from './past-identity.ts';
import { callerOf, FactNotKept, NO_TX, requestOf } from './past-request.ts';

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
  /** What would allow the request. Present if the request was denied and the viewer may see the policies of its caller. */
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
        readonly text: string;
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

/** What would allow a denied request. */
export interface Change {
  /** The fewest statements that allow the request. */
  readonly grants: readonly Grant[];
  /** True if the request is allowed with the grants, as the code of the server decides. */
  readonly allows: boolean;
  /** Reason why no more grant helps. Absent if the request is allowed with the grants. */
  readonly blocked:
    | Exclude<Missing, { readonly grant: Grant }>
    | { readonly because: 'session kind' | 'not kept' | 'owner' | 'too many' }
    | undefined;
  /** Another request that the grants also allow and that is denied without them. */
  readonly example: { readonly action: string; readonly resource: string; readonly sourceIp: string } | undefined;
}

/** Largest number of resources of a permission that are explained. */
export const RESOURCES_MAX = 20;

/** Largest number of grants. */
const GRANTS_MAX = 64;

/** Steps of all traces of one explanation. They take tens of milliseconds. */
const TRACE_STEPS = 8_000_000;

/** Explanations read the decisions of denials, and not their messages. */
const DENIALS = newDenials('2026');

/** Addresses for examples. Source: RFC 5737. */
const EXAMPLE_ADDRESSES = ['192.0.2.1', '198.51.100.1'] as const;

/**
 * Explains a decision as it was taken, also if its policies were changed or deleted since then.
 *
 * `viewer` is the account that reads the explanation. It sees the policies of its own principals and resources, and of service control policies only
 * their names and results, because they belong to the management account.
 *
 * @throws RangeError   identity as of the decision is not kept any more
 * @throws FactNotKept  the decision needs a fact that is not stored
 */
export async function explainDecision(tx: Pick<Tx, 'sql' | 'of'>, context: DecisionContext, viewer: AccountId): Promise<ExplainedDecision> {
  const principal = await callerOf(tx, context);
  const request = requestOf(context, principal, tx.of(trailPolicies).text);
  return await pastReader(tx, context.identityVersion).run(async ({ snapshot, stacks }) => {
    const repeated = await decideAgain({ snapshot, stacks }, request, context.caller);
    const parts = decidingParts({ snapshot, stacks }, DENIALS);
    const explaining = { snapshot, stacks, parts, request, context, viewer, principal, budget: { stepsLeft: TRACE_STEPS } };
    const permissions: ExplainedPermission[] = [];
    for (const index of request.asked.keys()) permissions.push(await explainPermission(explaining, index));
    const isOwn = principal.accountId === viewer;
    return {
      caller: isOwn ? principal.arn : `${principal.principalId} of the account ${principal.accountId}`,
      outcome: context.outcome,
      denial: permissions.findLast(({ state }) => state === 'denied')?.resources.at(-1)?.denial ?? (isOwn ? undefined : HIDDEN),
      reproduced: isDeepStrictEqual(repeated?.outcome, context.outcome),
      permissions,
      change: context.outcome.effect === 'Deny' && isOwn ? await changeFor(explaining) : undefined,
    };
  });
}

interface Explaining {
  readonly snapshot: Snapshot;
  readonly stacks: Stacks;
  readonly parts: DecidingParts;
  readonly request: AuthorizeRequest;
  readonly context: DecisionContext;
  readonly viewer: AccountId;
  readonly principal: Principal;
  readonly budget: StepBudget;
}

/** A required permission, with the facts of its decision, and the function that decides each of its resources. */
interface Deciding {
  readonly required: Required;
  /** Sets a resource as the current one of `required.context`, and decides it. Returns its denial and whether owner facts were visible. */
  readonly decide: (index: number) => { readonly denial: Denial | OverLimit | undefined; readonly ownerVisible: boolean };
}

async function deciding(parts: DecidingParts, request: AuthorizeRequest, index: number): Promise<Deciding> {
  const { callerOf, read, setResourceOf, refusalOf } = parts;
  const asked = request.asked[index] as AuthorizeRequest['asked'][number];
  const required = await read(request, asked, callerOf(request.authenticated.principal), NO_TX);
  return {
    required,
    decide(i) {
      setResourceOf(required, i);
      const refusal = refusalOf(required, undefined);
      const decision = refusal?.denied.decision;
      return {
        denial: decision?.effect === 'Deny' ? decision : undefined,
        ownerVisible: refusal?.ownerVisible ?? required.context.ownerVisible,
      };
    },
  };
}

async function explainPermission(explaining: Explaining, index: number): Promise<ExplainedPermission> {
  const { parts, request, context } = explaining;
  const { action, always, undecided, resources: asked } = context.permissions[index] as DecisionContext['permissions'][number];
  if (always) return { action, state: 'not needed', resources: [], otherResources: 0 };
  let decidingOne: Deciding;
  try {
    decidingOne = await deciding(parts, request, index);
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

/** Denial of one required action on one resource, with the facts that determine the missing grant. */
interface FirstDenial {
  readonly required: Required;
  readonly denial: Denial | OverLimit;
  readonly stacks: Stacks;
}

/** Returns the first denial of a request. */
async function firstDenial(snapshot: Snapshot, stacks: Stacks, request: AuthorizeRequest): Promise<FirstDenial | undefined> {
  const parts = decidingParts({ snapshot, stacks }, DENIALS);
  for (const [index, { always }] of request.asked.entries()) {
    if (always) continue;
    const { required, decide } = await deciding(parts, request, index);
    for (const i of required.resources.keys()) {
      const { denial } = decide(i);
      if (denial !== undefined) return { required, denial, stacks };
    }
  }
  return undefined;
}

/**
 * Returns what would allow a denied request. Adds the statement that the first denial lacks, decides again, and continues until the request is
 * allowed or no statement helps. So each grant is necessary, and the result is what the code of the server decides.
 */
async function changeFor(explaining: Explaining): Promise<Change> {
  const { snapshot, request, context } = explaining;
  const grants: Grant[] = [];
  const blockedBy = (blocked: Change['blocked'], all = grants): Change => ({ grants: all, allows: false, blocked, example: undefined });
  if (context.outcome.effect === 'Deny' && context.outcome.kind === 'session-kind') return blockedBy({ because: 'session kind' });
  try {
    for (let denial = await firstDenial(snapshot, explaining.stacks, request); denial !== undefined; ) {
      const byOwner = denialByOwner(denial);
      if (byOwner !== undefined) {
        const ofOwner = missingOf(explaining, { ...denial, denial: byOwner });
        return blockedBy({ because: 'owner' }, 'grant' in ofOwner ? [...grants, ofOwner.grant] : grants);
      }
      const missing = missingOf(explaining, denial);
      if (!('grant' in missing)) return blockedBy(missing);
      if (grants.length === GRANTS_MAX) return blockedBy({ because: 'too many' });
      if (grants.some((each) => isDeepStrictEqual(each, missing.grant))) return blockedBy({ because: 'no policies' });
      grants.push(missing.grant);
      denial = await firstDenial(snapshot, stacksWith(explaining.stacks, grants), withPolicies(request, grants));
    }
  } catch (error) {
    if (!(error instanceof FactNotKept)) throw error;
    return blockedBy({ because: 'not kept' });
  }
  return { grants, allows: true, blocked: undefined, example: await exampleFor(explaining, grants) };
}

/**
 * Returns the denial by the policy of another account's role or resource, as a missing Allow. Returns `undefined` if another policy denies. The
 * result is the same if the role does not exist, so that an explanation reveals neither the policy nor the existence of the role.
 */
function denialByOwner({ required: { asked, context }, denial }: FirstDenial): Denial | undefined {
  if (denial.kind === 'limit' || !belongsToOthers(context)) return undefined;
  const policyType = denial.kind === 'explicit' ? denial.policyType : denial.missing;
  if (policyType === 'trust' || (policyType === 'resource' && asked.resourcePolicy !== undefined))
    return implicitDenial(policyType, context.resource);
  return undefined;
}

/** Returns the request as if each resource had a resource-based policy, if a grant is a statement of one. */
function withPolicies(request: AuthorizeRequest, grants: readonly Grant[]): AuthorizeRequest {
  const grant = grants.find(({ policyType }) => policyType === 'resource');
  if (grant === undefined) return request;
  const alone = JSON.stringify({ Version: '2012-10-17', Statement: [grant.statement] });
  const asked = request.asked.map((each) => {
    const { resourcePolicy } = each;
    return resourcePolicy === undefined ? each : { ...each, resourcePolicy: async (tx: Tx) => (await resourcePolicy(tx)) ?? alone };
  });
  return { ...request, asked };
}

function missingOf({ snapshot, principal }: Explaining, { required, denial, stacks }: FirstDenial): Missing {
  const { context, asked } = required;
  const { action, resource } = context;
  const layers = stacks.layersOf(principal);
  const request = { action, resources: [resource], context: contextMap(context, context.ownerVisibleToCaller) };
  const lacksLevel = denial.kind === 'implicit' && denial.missing === 'service-control';
  const silent = lacksLevel
    ? explain(layers, request).resources[0]?.layers.find(({ level, answer }) => level !== undefined && answer === 'silent')
    : undefined;
  return missingGrant({
    ...{ principal, action, resource, denial, layers },
    silentLevel: silent?.level,
    levelTargets: lacksLevel ? serviceControlTargets(snapshot, principal.accountId) : [],
    role: belongsToOthers(context) ? asked.trustPolicyOf : required.role?.arn,
    readsResourcePolicy: asked.resourcePolicy !== undefined,
  });
}

/** Returns another request that grants also allow, and that is denied without them. */
async function exampleFor({ snapshot, stacks, request, context }: Explaining, grants: readonly Grant[]): Promise<Change['example']> {
  const [first] = grants;
  // The policies of other accounts decide only about requests that were really sent.
  const { accountId } = request.authenticated.principal;
  const isOfOthers = context.permissions.some(
    ({ trustPolicyOf, resourceOwner }) => (resourceOwner ?? (trustPolicyOf && accountIdOf(trustPolicyOf)) ?? accountId) !== accountId,
  );
  if (isOfOthers) return undefined;
  const sourceIp = EXAMPLE_ADDRESSES.find((address) => address !== request.received.sourceIp);
  if (first === undefined || sourceIp === undefined) return undefined;
  const other = { ...request, received: { ...request.received, sourceIp } };
  const isDenied = (await firstDenial(snapshot, stacks, other)) !== undefined;
  const isAllowed = (await firstDenial(snapshot, stacksWith(stacks, grants), withPolicies(other, grants))) === undefined;
  const { Action: action, Resource: resource = first.target } = first.statement;
  return isDenied && isAllowed ? { action, resource, sourceIp } : undefined;
}
