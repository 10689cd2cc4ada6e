// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables
/** Searches records for the use of a user or role. Runs in a thread, so it reads nothing from the store. */
import type { AllowedUse, FoundUse, PartUse, UseJob, UseOutcome, UsePart, UseRange, UseToAllow } from '#core/recorded-use.ts';
import { compilePolicy, decide, linkStack } from '#policy/engine.ts';
import type { DecisionContext } from '#store/trail/decision-context.ts';
import { decidedRecords } from '#store/trail/trail-decisions.ts';
import { principalOfText } from '../stored-callers.ts';
import { literalResource } from './literal-resource.ts';
import { denialsOf, type PolicyStatement } from './present-policies.ts';
import { holderOf } from './used-access.ts';

/** Runs a job of a thread: `findUse` or `allowedUse`. */
export async function run(job: UseJob): Promise<UseOutcome> {
  return job.kind === 'search' ? findUse(job) : allowedUse(job);
}

/** Returns the use of a principal in some packs. Only allowed requests are uses. Sessions are returned by their IDs. */
export function findUse({ packs, accountId, holderArn, ranges }: UsePart): PartUse {
  const own = newUse();
  const ofSessions = new Map<string, ReturnType<typeof newUse>>();
  const isHolder = new Map<string, boolean>();
  let omitted = 0;
  for (const pack of packs) {
    const { facts, contexts } = decidedRecords(pack);
    for (const [i, context] of contexts.entries()) {
      const record = facts[i] as (typeof facts)[number];
      if (context === undefined || record.accountId !== accountId || !ranges.some((range) => isIn(range, record))) continue;
      const isWhole = !('omittedBytes' in context) && (context.omitted?.allowed ?? 0) === 0;
      if (!isWhole) omitted++;
      if (!('omittedBytes' in context)) add(context);
    }
  }
  return { own: own.found(), ofSessions: [...ofSessions].map(([id, use]) => [id, use.found()]), omitted };

  function add(context: DecisionContext): void {
    const { caller } = context;
    if ('session' in caller) {
      const use = ofSessions.get(caller.session) ?? newUse();
      ofSessions.set(caller.session, use);
      use.add(context);
      return;
    }
    let isOwn = isHolder.get(caller.principal);
    if (isOwn === undefined) isHolder.set(caller.principal, (isOwn = holderOf(principalOfText(caller.principal)) === holderArn));
    if (isOwn) own.add(context);
  }
}

function isIn({ from, to, regions }: UseRange, { at, region }: { readonly at: number; readonly region: string }): boolean {
  return at >= from && at <= to && regions?.includes(region) !== false;
}

function newUse() {
  let requests = 0;
  const used = new Map<string, Set<string>>();
  const denied = new Set<string>();
  return {
    add({ permissions, outcome }: DecisionContext): void {
      if (outcome.effect !== 'Allow') {
        for (const { action } of permissions) denied.add(action);
        return;
      }
      requests++;
      for (const { action, resources, always } of permissions) {
        if (always) continue;
        const known = used.get(action) ?? new Set();
        used.set(action, known);
        for (const resource of resources) known.add(literalResource(resource));
      }
    },
    found: (): FoundUse => ({
      requests,
      used: [...used].flatMap(([action, resources]) => [...resources].map((resource) => [action, resource] as const)),
      denied: [...denied],
    }),
  };
}

const ALLOW_ALL: PolicyStatement = { Effect: 'Allow', Action: '*', Resource: '*' };

/**
 * Returns the content of a policy that allows use and keeps each Deny of the present policies. Omits the access that a Deny without conditions and
 * variables forbids. The rest is allowed only as far as the Deny statements with conditions let it.
 */
export function allowedUse({ used, present }: UseToAllow): AllowedUse {
  const denials = denialsOf(present);
  const certain = denials.filter((denial) => denial['Condition'] === undefined && !JSON.stringify(denial).includes('${'));
  const policy = compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: [ALLOW_ALL, ...certain] }));
  const stack = linkStack({ identity: [{ policyId: 'generated', policy }] });
  const context = new Map<string, string>();
  const isAllowed = (action: string, resource: string) => decide(stack, { action, resources: [resource], context }).effect === 'Allow';
  const allowed = used.flatMap(([action, resources]) => {
    const left = resources.filter((resource) => isAllowed(action, resource));
    return left.length === 0 ? [] : [[action, left] as const];
  });
  return { used: allowed, denials };
}
