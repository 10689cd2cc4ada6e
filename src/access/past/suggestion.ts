/** The least policy that covers the recorded use of a user or role. */
import { type AccountId, parseArn } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import type { Principal } from '#core/principal.ts';
import type { Sql } from '#store/sql.ts';
import type { DecisionContext } from '#store/trail/decision-context.ts';
import { callersOf } from '../caller-facts.ts';
import { contextMap } from '../request-context.ts';
import { requiredReading } from '../required-reading.ts';
import { resourceSetting } from '../resource-deciding.ts';
import type { PastIdentity } from './past-identity.ts';
import { FactNotKept, NO_TX, requestOf } from './past-request.ts';
import { proposal } from './proposal.ts';
import { type ReplayCounts, type ReplayWindow, replayWindow } from './replay-window.ts';

/** Statement of a suggested policy, or a Deny that the principal's policies have today. */
export type SuggestedStatement = Readonly<Record<string, unknown>> & { readonly Effect: string };

/** One request that a suggested policy must allow. */
export interface SuggestedTest {
  readonly action: string;
  readonly resource: string;
  readonly context: ConditionContext;
}

export interface Suggestion {
  readonly policy: { readonly Version: '2012-10-17'; readonly Statement: readonly SuggestedStatement[] };
  /** A request of each action on each listed resource. */
  readonly tests: readonly SuggestedTest[];
  /** Number of recorded requests that the policy covers. */
  readonly requests: number;
  /** Result of deciding all requests of the window again with the policy in place of the principal's policies and groups. */
  readonly check: ReplayCounts;
  /** IDs of the events whose requests the policy would deny, although they were allowed. */
  readonly denied: readonly string[];
}

/** Number of resources with one beginning from which the policy has a wildcard in place of their last part. */
const RESOURCES_MAX = 8;
/** Name of the suggested policy in decisions. */
const NAME = 'suggested';

/** Returns the ARN of the user or role whose policies decide for a caller. */
export function holderOf(principal: Principal): string {
  if (principal.type === 'AssumedRole') return principal.roleArn;
  return principal.type === 'FederatedUser' ? principal.issuerArn : principal.arn;
}

/**
 * Suggests a policy from the requests of a window that were allowed. It lists each used action with its resources, and keeps each Deny of the
 * principal's policies and groups as they are at the end of the window. Returns `undefined` if the principal made no such request.
 *
 * @throws RangeError  identity as of the first decision is not kept any more
 */
export async function suggestPolicy(
  sql: Sql,
  allAccounts: readonly AccountId[],
  window: ReplayWindow,
  holderArn: string,
): Promise<Suggestion | undefined> {
  const used = new Map<string, Map<string, SuggestedTest>>();
  let requests = 0;
  let last: { readonly identity: PastIdentity; readonly principal: Principal } | undefined;
  await replayWindow(
    sql,
    allAccounts,
    window,
    proposal([]),
    () => {},
    (context, principal, identity) => {
      if (context.outcome.effect !== 'Allow' || holderOf(principal) !== holderArn) return;
      requests++;
      last = { identity, principal };
      for (const [action, resource, test] of usesOf(context, principal, identity, used)) {
        const resources = used.get(action) ?? new Map<string, SuggestedTest>();
        used.set(action, resources.set(resource, test()));
      }
    },
  );
  if (last === undefined) return undefined;
  const denies = deniesOf(last.identity, last.principal);
  const policy = { Version: '2012-10-17' as const, Statement: [...statementsOf(used), ...denies] };
  const denied: string[] = [];
  const replaced = proposal([{ kind: 'replace', target: holderArn, name: NAME, document: JSON.stringify(policy) }]);
  const check = await replayWindow(sql, allAccounts, window, replaced, ({ facts, principal, allowed }) => {
    if (!allowed && holderOf(principal) === holderArn) denied.push(facts.eventId);
  });
  return {
    policy,
    tests: [...used.values()].flatMap((resources) => [...resources.values()].slice(0, RESOURCES_MAX)),
    requests,
    check,
    denied,
  };
}

/** Returns the actions and resources of a request that are not collected yet, each with a function that returns its test. */
function* usesOf(
  context: DecisionContext,
  principal: Principal,
  { snapshot, stacks }: PastIdentity,
  known: ReadonlyMap<string, ReadonlyMap<string, unknown>>,
): Generator<readonly [action: string, resource: string, test: () => SuggestedTest]> {
  for (const [index, { action, resources, always }] of context.permissions.entries()) {
    if (always) continue;
    for (const [i, resource] of resources.entries()) {
      if (known.get(action)?.has(resource) === true) continue;
      const test = (): SuggestedTest => {
        const request = requestOf(context, principal, async () => undefined);
        const caller = callersOf(snapshot, stacks)(principal);
        const plain = { ...(request.asked[index] as (typeof request.asked)[number]) };
        for (const name of ['resolve', 'resourceTags', 'resourceOwner', 'resourcePolicy'] as const) delete plain[name];
        const required = requiredReading(snapshot, stacks)(request, plain, caller, NO_TX);
        if (required instanceof Promise) throw new FactNotKept('the context of the request needs facts');
        resourceSetting(snapshot)(required, Math.min(i, required.resources.length - 1));
        return { action, resource, context: contextMap(required.context, true) };
      };
      yield [action, resource, test];
    }
  }
}

/** Returns the Deny statements of the identity policies of a principal. */
function deniesOf({ stacks }: PastIdentity, principal: Principal): readonly SuggestedStatement[] {
  const texts = new Set(stacks.layersOf(principal).identity.map(({ policy }) => policy.text));
  return [...texts].flatMap((text) => {
    const { Statement } = JSON.parse(text) as { readonly Statement: SuggestedStatement | readonly SuggestedStatement[] };
    return [Statement].flat().filter(({ Effect }) => Effect === 'Deny') as readonly SuggestedStatement[];
  });
}

/** Returns statements that allow the used actions. Actions with the same resources share a statement. */
function statementsOf(used: ReadonlyMap<string, ReadonlyMap<string, unknown>>): readonly SuggestedStatement[] {
  const actions = new Map<string, string[]>();
  for (const [action, resources] of [...used].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const key = JSON.stringify(generalized([...resources.keys()]));
    actions.set(key, [...(actions.get(key) ?? []), action]);
  }
  return [...actions].map(([resources, Action]) => ({ Effect: 'Allow', Action, Resource: JSON.parse(resources) as string[] }));
}

/** Replaces the last part of resources by a wildcard if many resources differ only in it. */
export function generalized(resources: readonly string[]): readonly string[] {
  if (resources.includes('*')) return ['*'];
  const groups = new Map<string, string[]>();
  for (const resource of resources) {
    const prefix = prefixOf(resource);
    groups.set(prefix, [...(groups.get(prefix) ?? []), resource]);
  }
  return [...groups].flatMap(([prefix, members]) => (members.length > RESOURCES_MAX ? [`${prefix}*`] : members)).sort();
}

/** Returns an ARN without its last part. The parts of its resource end with a slash or a colon. */
function prefixOf(resource: string): string {
  const start = resource.length - (parseArn(resource)?.resource.length ?? 0);
  const end = Math.max(resource.lastIndexOf('/'), resource.lastIndexOf(':'));
  return resource.slice(0, Math.max(start, end + 1));
}
