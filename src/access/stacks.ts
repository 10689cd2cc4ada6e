import type { AccountId } from '#core/arn.ts';
import { lruMap } from '#core/lru-map.ts';
import type { Principal, SessionFacts } from '#core/principal.ts';
import { type CompiledPolicy, type PolicyLayers, type PolicyStack, sharedStack } from '#policy/engine.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import { compiledPolicies, hasSessionPolicies, type ResourcePolicy } from './compiled-policies.ts';
import { principalLayers } from './principal-layers.ts';
import { serviceControlLevels } from './service-control.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Stacks of principals. A stack has the policies of one principal by policy type. They are combined ("linked") once, so
 * that decisions are fast. A change of an identity record drops the stacks that it may affect. So the next request uses
 * the current policies. Requirement EVAL-10.
 */
export interface Stacks {
  /**
   * Returns the principal's policies, combined for decisions. Includes its session policies.
   *
   * @throws Error  an attached policy does not exist or cannot be compiled. Evaluation fails closed (EVAL-12).
   */
  stackOf(principal: Principal): PolicyStack;
  /** Returns the principal's policies by policy type, for the simulator and for explanations. */
  layersOf(principal: Principal): PolicyLayers;
  /**
   * Returns the service control policies of an account: one list for each level of its organization
   * (`serviceControlLevels`).
   */
  serviceControlOf(accountId: AccountId): PolicyLayers['serviceControl'];
  /**
   * Returns the compiled form of a resource-based policy.
   *
   * @throws PolicyTextError  the text is not a valid policy, so evaluation fails closed (EVAL-12)
   */
  resourcePolicyOf(text: string): ResourcePolicy;
  /** Returns a role's compiled trust policy. */
  trustOf(role: RoleRecord): CompiledPolicy;
}

/** Maximum number of cached stacks of sessions with session policies. */
const SESSION_STACKS_MAX = 10_000;

/** Creates the stacks of a snapshot's principals. When the snapshot changes, outdated stacks are dropped. */
export function newStacks(snapshot: Snapshot): Stacks {
  const policies = compiledPolicies(snapshot);
  /**
   * Stacks without session policies. When policies change, the key is a new object, so an outdated stack is never used.
   */
  const stacks = new WeakMap<PolicyLayers, PolicyStack>();
  const sessionStacks = lruMap<string, { readonly base: PolicyLayers; readonly stack: PolicyStack }>(SESSION_STACKS_MAX);
  const layers = principalLayers(snapshot, policies, () => sessionStacks.clear());

  function layersOf(principal: Principal): PolicyLayers {
    const base = layers.of(principal);
    const session = policies.ofSession(principal);
    return session === undefined ? base : { ...base, session };
  }

  function withoutSessionPolicies(base: PolicyLayers): PolicyStack {
    let stack = stacks.get(base);
    if (stack === undefined) stacks.set(base, (stack = sharedStack(base)));
    return stack;
  }

  function withSessionPolicies(principal: Principal, session: SessionFacts, base: PolicyLayers): PolicyStack {
    // Managed session policies can change during the session, so the stacks of such sessions are not stored.
    if (session.sessionPolicyArns !== undefined) return sharedStack(layersOf(principal));
    const key = sessionKey(principal, session);
    const known = sessionStacks.get(key);
    if (known !== undefined && known.base === base) return known.stack;
    const stack = sharedStack(layersOf(principal));
    sessionStacks.set(key, { base, stack });
    return stack;
  }

  return {
    layersOf,
    stackOf(principal) {
      const base = layers.of(principal);
      const { session } = principal;
      return session !== undefined && hasSessionPolicies(principal)
        ? withSessionPolicies(principal, session, base)
        : withoutSessionPolicies(base);
    },
    serviceControlOf: (accountId) => serviceControlLevels(snapshot, accountId, policies.of),
    resourcePolicyOf: policies.ofResource,
    trustOf: (role) => policies.of(role, 'trust', role.trustPolicy),
  };
}

/** Returns a key of a session's policies, which is the same for all requests of the session. */
function sessionKey({ principalId }: Principal, { sessionPolicy }: SessionFacts): string {
  return `${principalId}\n${sessionPolicy ?? ''}`;
}
