/** The least policy that covers the recorded use of a user or role. */
import { type AccountId, accountIdOf } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import type { Principal } from '#core/principal.ts';
import { compilePolicy, decide, linkStack } from '#policy/engine.ts';
import { lastUses } from '#store/identity/last-use.ts';
import type { Sql } from '#store/sql.ts';
import type { DecisionContext } from '#store/trail/decision-context.ts';
import { parsedRecord } from '#store/trail/trail-documents.ts';
import { callersOf } from '../caller-facts.ts';
import { contextMap } from '../request-context.ts';
import { requiredReading } from '../required-reading.ts';
import { resourceSetting } from '../resource-deciding.ts';
import { literalResource } from './literal-resource.ts';
import { type PastIdentity, PRESENT, pastReader, readPast } from './past-identity.ts';
import { FactNotKept, NO_TX, requestOf } from './past-request.ts';
import { allowedConditionKeys, denialsOf, type PolicyStatement, presentPolicies, uniqueIdOf } from './present-policies.ts';
import { proposal } from './proposal.ts';
import { type ReplayCounts, type ReplayWindow, replayWindow } from './replay-window.ts';
import { holderOf, RESOURCES_MAX, statementsOf, withAnyId } from './used-access.ts';

/** One request that a suggested policy must allow. */
export interface SuggestedTest {
  readonly action: string;
  readonly resource: string;
  readonly context: ConditionContext;
}

/** A policy and what it covers. */
export interface Suggestion {
  readonly policy: { readonly Version: '2012-10-17'; readonly Statement: readonly PolicyStatement[] };
  /** A request of each action on each listed resource. */
  readonly tests: readonly SuggestedTest[];
  /** Number of recorded requests that the policy covers. */
  readonly requests: number;
  /** Number of recorded requests that were allowed and that a present Deny forbids. The policy keeps the Deny, and does not list them. */
  readonly forbidden: number;
  /**
   * IDs of the events of other requests whose facts are too large to be stored, so that the policy may not allow them. They are not known to be
   * denied.
   */
  readonly uncovered: readonly string[];
  /**
   * Actions whose last use is in the window, and that no record of the window has: data events that no trail selects, and uses of a role by services. The
   * requests can have been denied.
   */
  readonly unrecorded: readonly string[];
  /** Number of listed resources with a generated ID. The policy does not allow the same actions on new ones, such as new meetings. */
  readonly generatedIds: number;
  /** Listed resources with a wildcard in place of more than `RESOURCES_MAX` used ones. The policy also allows the actions on others. */
  readonly widened: readonly string[];
  /** Whether the user or role exists now. Otherwise its present policies are unknown, and no Deny is kept. */
  readonly exists: boolean;
  /** Condition keys that present Allow statements test. The policy does not test them. */
  readonly conditionKeys: readonly string[];
  /** Result of deciding all requests of the window again with the policy in place of the principal's policies and groups. */
  readonly check: ReplayCounts;
  /** IDs of the events whose requests the policy would deny, although they were allowed and no present Deny forbids them. */
  readonly denied: readonly string[];
}

/** Name of the suggested policy in decisions. */
const NAME = 'suggested';
const IGNORE = (): void => {};
const ALLOW_ALL: PolicyStatement = { Effect: 'Allow', Action: '*', Resource: '*' };

/**
 * Suggests a policy from the requests of a window that were allowed. It lists each used action with its resources, and keeps each Deny of the
 * principal's policies and groups as they are now. So it allows each of these requests, except those that a present Deny forbids. Its Allow
 * statements have no conditions. With `anyId`, a wildcard replaces each generated ID of a resource. Returns `undefined` if the principal made no
 * such request that requires a permission.
 *
 * @throws RangeError  identity as of the first decision is not kept any more
 */
export async function suggestPolicy(
  sql: Sql,
  allAccounts: readonly AccountId[],
  window: ReplayWindow,
  holderArn: string,
  anyId = false,
): Promise<Suggestion | undefined> {
  const records = readPast((read) => read({ sql }), PRESENT);
  const [found, uniqueId] = await pastReader(PRESENT, records).run(
    ({ snapshot }) => [presentPolicies(snapshot, holderArn), uniqueIdOf(snapshot, holderArn)] as const,
  );
  const present = found ?? [];
  const denials = denialsOf(present);
  const replaced = (statements: readonly PolicyStatement[]) =>
    proposal([{ kind: 'replace', target: holderArn, name: NAME, document: JSON.stringify(policyOf(statements)) }]);

  // With a policy that allows everything else, exactly the present Deny statements deny a request that was allowed.
  const used = newUse([ALLOW_ALL, ...denials]);
  const forbidden = new Set<string>();
  const uncovered: string[] = [];
  const lastUsed = uniqueId === undefined ? [] : await lastActions(sql, holderArn, uniqueId, window);
  const recorded = new Set<string>();
  const widest = replaced([ALLOW_ALL, ...denials]);
  await replayWindow(
    sql,
    allAccounts,
    window,
    widest,
    IGNORE,
    ({ facts, context, principal, identity, allowed }) => {
      if (holderOf(principal) !== holderArn) return;
      for (const { action } of context.permissions) recorded.add(action);
      if (context.outcome.effect !== 'Allow') return;
      if (allowed === false) forbidden.add(facts.eventId);
      else used.add(context, principal, allowed === undefined ? undefined : identity);
    },
    async ({ facts, isTooLarge, document }) => {
      const own = isTooLarge ? [] : lastUsed.filter((action) => action.endsWith(`:${facts.eventName}`));
      if (isTooLarge && isUseOf(await document(), holderArn)) uncovered.push(facts.eventId);
      else if (own.some((action) => !recorded.has(action)) && isOf(await document(), holderArn))
        for (const action of own) recorded.add(action);
    },
  );
  if (used.requests() === 0 && forbidden.size === 0 && uncovered.length === 0) return undefined;

  const resources = anyId ? eachWithAnyId(used.resources()) : used.resources();
  const listed = statementsOf(resources);
  const exact = new Set([...resources.values()].flat());
  const named = [...new Set(listed.flatMap(resourcesOf))];
  const statements = [...listed, ...denials];
  if (statements.length === 0) return undefined;
  const denied: string[] = [];
  const check = await replayWindow(sql, allAccounts, window, replaced(statements), ({ facts, principal, allowed }) => {
    if (!allowed && holderOf(principal) === holderArn && !forbidden.has(facts.eventId)) denied.push(facts.eventId);
  });
  return {
    policy: policyOf(statements),
    tests: used.tests(),
    requests: used.requests(),
    forbidden: forbidden.size,
    uncovered,
    unrecorded: lastUsed.filter((action) => !recorded.has(action)),
    generatedIds: named.filter((resource) => withAnyId(resource) !== resource).length,
    widened: named.filter((resource) => !exact.has(resource)),
    exists: found !== undefined,
    conditionKeys: allowedConditionKeys(present),
    check,
    denied,
  };
}

/** Returns the actions whose last use by a user or role is in a window. */
async function lastActions(sql: Sql, holderArn: string, uniqueId: string, { from, to }: ReplayWindow): Promise<readonly string[]> {
  const uses = await lastUses(sql).of(accountIdOf(holderArn) as AccountId, uniqueId);
  return uses.flatMap(({ at, service, action }) => (at >= from && at < to ? [`${service}:${action}`] : [])).sort();
}

/** Reports whether the record of a request, as JSON, is of a user or role, or of a session of theirs. */
function isOf(document: string, holderArn: string): boolean {
  const { userIdentity } = parsedRecord(document) ?? {};
  const { arn, sessionContext } = (userIdentity ?? {}) as { readonly arn?: string; readonly sessionContext?: SessionContext };
  return (sessionContext?.sessionIssuer?.arn ?? arn) === holderArn;
}

/** Reports whether the record of a request is of a user or role, or of a session of theirs, and is not a denial. */
function isUseOf(document: string, holderArn: string): boolean {
  return isOf(document, holderArn) && !String(parsedRecord(document)?.['errorCode']).startsWith('AccessDenied');
}

interface SessionContext {
  readonly sessionIssuer?: { readonly arn?: string };
}

function eachWithAnyId(used: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, readonly string[]> {
  return new Map([...used].map(([action, resources]) => [action, [...new Set(resources.map(withAnyId))]]));
}

function resourcesOf({ Resource }: PolicyStatement): readonly string[] {
  return Resource as readonly string[];
}

function policyOf(Statement: readonly PolicyStatement[]): Suggestion['policy'] {
  return { Version: '2012-10-17', Statement };
}

/** Collects the use of one principal. `widest` is a policy that allows everything except what the suggested policy denies. */
function newUse(widest: readonly PolicyStatement[]) {
  const found = new Map<string, Map<string, SuggestedTest | undefined>>();
  const policy = compilePolicy(JSON.stringify(policyOf(widest)));
  const stack = linkStack({ identity: [{ policyId: NAME, policy }] });
  let requests = 0;

  /** Reports whether a test is not denied. `belfry policy test` decides it in the same way. */
  function passes({ action, resource, context }: SuggestedTest): boolean {
    return decide(stack, { action, resources: [resource], context }).effect === 'Allow';
  }

  return {
    /** Adds a request. `identity` is that of its decision. Absent if the decision cannot be repeated, so that it becomes no test. */
    add(context: DecisionContext, principal: Principal, identity: PastIdentity | undefined): void {
      requests++;
      for (const [index, { action, resources, always }] of context.permissions.entries()) {
        if (always) continue;
        const known = found.get(action) ?? new Map<string, SuggestedTest | undefined>();
        found.set(action, known);
        for (const [i, resource] of resources.entries()) {
          if (known.get(resource) !== undefined || (known.has(resource) && known.size > RESOURCES_MAX)) continue;
          const test = identity === undefined || known.size > RESOURCES_MAX ? undefined : testOf(context, principal, identity, index, i);
          known.set(resource, test !== undefined && passes(test) ? test : undefined);
        }
      }
    },
    requests: () => requests,
    resources: () => new Map([...found].map(([action, resources]) => [action, [...resources.keys()].map(literalResource)])),
    tests: () => [...found.values()].flatMap((resources) => [...resources.values()].filter((test) => test !== undefined)),
  };
}

/** Returns the test of a permission of a request on its resource `i`. */
function testOf(
  context: DecisionContext,
  principal: Principal,
  { snapshot, stacks }: PastIdentity,
  index: number,
  i: number,
): SuggestedTest {
  const { action, resources, tags, resourceOwner } = context.permissions[index] as DecisionContext['permissions'][number];
  const request = requestOf(context, principal, async () => undefined);
  const caller = callersOf(snapshot, stacks)(principal);
  const plain = { ...(request.asked[index] as (typeof request.asked)[number]) };
  for (const name of ['resolve', 'resourceTags', 'resourceOwner', 'resourcePolicy'] as const) delete plain[name];
  const required = requiredReading(snapshot, stacks)(request, plain, caller, NO_TX);
  if (required instanceof Promise) throw new FactNotKept('the context of the request needs facts');
  const facts = { ...required, tags: typeof tags === 'string' ? undefined : tags, ownerId: resourceOwner as AccountId | undefined };
  resourceSetting(snapshot)(facts, Math.min(i, required.resources.length - 1));
  return { action, resource: resources[i] as string, context: contextMap(required.context, true) };
}
