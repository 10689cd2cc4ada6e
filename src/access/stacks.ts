import type { AccountId } from '#core/arn.ts';
import { lruMap } from '#core/lru-map.ts';
import type { Principal, SessionFacts } from '#core/principal.ts';
import { type CompiledPolicy, type PolicyLayers, type PolicyStack, sharedStack } from '#policy/engine.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import { compiledPolicies, hasSessionPolicies } from './compiled-policies.ts';
import { principalLayers } from './principal-layers.ts';
import { serviceControlLevels } from './service-control.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Policies of each principal, by policy type, linked once. A change of identity unlinks only the stacks that contain the changed record, so
 * the next request uses the current policies. Requirement EVAL-10.
 */
export interface Stacks {
  /**
   * Returns the principal's policies, linked, including its session policies.
   *
   * @throws Error  an attached policy does not exist or cannot be compiled. Evaluation fails closed (EVAL-12).
   */
  stackOf(principal: Principal): PolicyStack;
  /** Returns the principal's policies by policy type, for the simulator and for explanations. */
  layersOf(principal: Principal): PolicyLayers;
  /** Returns the service control policies of an account: see `serviceControlLevels`. */
  serviceControlOf(accountId: AccountId): PolicyLayers['serviceControl'];
  /** Returns a role's compiled trust policy. */
  trustOf(role: RoleRecord): CompiledPolicy;
}

/** Maximum number of cached stacks of sessions with session policies. */
const SESSION_STACKS_MAX = 10_000;

/** Creates the stacks of a snapshot and follows its changes. */
export function newStacks(snapshot: Snapshot): Stacks {
  const policies = compiledPolicies(snapshot);
  /** Stacks without session policies. Changed policies are a new object. */
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
    const key = sessionKey(principal, session);
    const known = sessionStacks.get(key);
    // Managed session policies can change during the session, so only stacks with inline session policies are cached.
    if (known !== undefined && known.base === base && session.sessionPolicyArns === undefined) return known.stack;
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
    trustOf: (role) => policies.of(role, 'trust', role.trustPolicy),
  };
}

/** Returns a key of a session's policies, which is the same for all requests of the session. */
function sessionKey({ principalId }: Principal, { sessionPolicyArns, sessionPolicy }: SessionFacts): string {
  return `${principalId}\n${sessionPolicyArns?.join(' ') ?? ''}\n${sessionPolicy ?? ''}`;
}
