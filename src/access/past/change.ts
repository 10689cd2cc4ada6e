/** What would allow a denied request of the past. Decision 0044. */
import { isDeepStrictEqual } from 'node:util';
import { accountIdOf } from '#core/arn.ts';
import { isPolicyTextError } from '#policy/compile.ts';
import type { Denial, OverLimit } from '#policy/decision.ts';
import type { PolicyLayers } from '#policy/engine.ts';
import { explain } from '#policy/explain.ts';
import { StepsExceeded, takeSteps } from '#policy/steps.ts';
import type { Tx } from '#store/store.ts';
import type { AuthorizeRequest } from '../authorize.ts';
import { implicitDenial } from '../denied.ts';
import { contextMap } from '../request-context.ts';
import type { Required } from '../required-reading.ts';
import { belongsToOthers } from '../resource-deciding.ts';
import { serviceControlTargets } from '../service-control.ts';
import type { Stacks } from '../stacks.ts';
import { decidingParts } from './deciding-parts.ts';
import { DENIALS, deciding, type Explaining } from './explaining.ts';
import { type Grant, type Missing, missingGrant, stacksWith } from './grants.ts';
import { FactNotKept } from './past-request.ts';

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

/** Largest number of grants. */
const GRANTS_MAX = 64;

/**
 * Steps of all other decisions of one explanation, with compiling and combining the policies. They take about a second. An explanation that needs
 * more has no proposed grants.
 */
export const DECIDING_STEPS = 2 ** 29;

/** Addresses for examples. Source: RFC 5737. */
const EXAMPLE_ADDRESSES = ['192.0.2.1', '198.51.100.1'] as const;

/** Denial of one required action on one resource, with the facts that determine the missing grant. */
interface FirstDenial {
  readonly required: Required;
  readonly denial: Denial | OverLimit;
  readonly stacks: Stacks;
}

/** Returns the first denial of a request. @throws StepsExceeded  `meter` has too few steps left */
async function firstDenial(
  { snapshot, principal, meter }: Pick<Explaining, 'snapshot' | 'principal' | 'meter'>,
  stacks: Stacks,
  request: AuthorizeRequest,
): Promise<FirstDenial | undefined> {
  // The policies are combined again for each stack, in about a step for each character.
  takeSteps(meter, charactersOf(stacks.layersOf(principal)));
  const parts = decidingParts({ snapshot, stacks }, DENIALS);
  for (const [index, { always }] of request.asked.entries()) {
    if (always) continue;
    const { required, decide } = await deciding(parts, request, index, meter);
    for (const i of required.resources.keys()) {
      const { denial } = decide(i);
      if (denial !== undefined) return { required, denial, stacks };
    }
  }
  return undefined;
}

function charactersOf({ identity, boundary = [], session = [], serviceControl = [] }: PolicyLayers): number {
  return [...identity, ...boundary, ...session, ...serviceControl.flat()].reduce((sum, { policy }) => sum + policy.text.length, 0);
}

/**
 * Returns what would allow a denied request. Adds the statement that the first denial lacks, decides again, and continues until the request is
 * allowed or no statement helps. So each grant is necessary, and the result is what the code of the server decides.
 */
export async function changeFor(explaining: Explaining): Promise<Change> {
  const { request, context } = explaining;
  const grants: Grant[] = [];
  const blockedBy = (blocked: Change['blocked'], all = grants): Change => ({ grants: all, allows: false, blocked, example: undefined });
  if (context.outcome.effect === 'Deny' && context.outcome.kind === 'session-kind') return blockedBy({ because: 'session kind' });
  try {
    for (let denial = await firstDenial(explaining, explaining.stacks, request); denial !== undefined; ) {
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
      denial = await firstDenial(explaining, stacksWith(explaining.stacks, grants), withPolicies(request, grants));
    }
  } catch (error) {
    if (error instanceof StepsExceeded) return blockedBy({ because: 'limit' });
    // A record that someone altered can have an action or a resource that no policy can name.
    if (isPolicyTextError(error)) return blockedBy({ because: 'not kept' }, []);
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
async function exampleFor(explaining: Explaining, grants: readonly Grant[]): Promise<Change['example']> {
  const { stacks, request, context } = explaining;
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
  let isDenied: boolean;
  let isAllowed: boolean;
  try {
    isDenied = (await firstDenial(explaining, stacks, other)) !== undefined;
    isAllowed = (await firstDenial(explaining, stacksWith(stacks, grants), withPolicies(other, grants))) === undefined;
  } catch (error) {
    if (error instanceof StepsExceeded) return undefined;
    throw error;
  }
  const { Action: action, Resource: resource = first.target } = first.statement;
  return isDenied && isAllowed ? { action, resource, sourceIp } : undefined;
}
