/**
 * Repeats decisions from their stored contexts, with the code of the server and with identity as of the version of the
 * decision.
 */
import assert from 'node:assert/strict';
import { type Asked, type AuthorizeRequest, authorizing } from '#access/authorize.ts';
import { decisionContextOf, newDecisionTrace } from '#access/decision-trace.ts';
import { Denied } from '#access/denied.ts';
import { newSnapshot, type Snapshot } from '#access/snapshot.ts';
import { newStacks } from '#access/stacks.ts';
import { principalOfSession, principalOfText } from '#access/stored-callers.ts';
import type { AccountId } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Principal } from '#core/principal.ts';
import type { StoredRecord } from '#store/identity/identity.ts';
import { identityAt } from '#store/identity/identity-history.ts';
import type { Store, Tx } from '#store/store.ts';
import type { DecisionContext, PermissionContext } from '#store/trail/decision-context.ts';
import type { DecidedRow } from '#store/trail/trail-pack.ts';
import { trailSessions } from '#store/trail/trail-session.ts';

/** Placeholder for the transaction. A decision that is repeated reads nothing from the store. */
const NO_TX = {} as Tx;

/** Returns all records of a store with their contexts, in the order of commits. */
export async function decisionsOf(store: Store): Promise<readonly DecidedRow[]> {
  const found: DecidedRow[] = [];
  for (let position = 0, more = true; more; ) {
    const page = await store.transaction((tx) => tx.trail.decisionsSince(position, 100));
    found.push(...page.rows);
    more = page.rows.length > 0;
    position = page.position;
  }
  return found;
}

/** Returns the snapshot of all accounts as of a version of identity. */
async function snapshotAt(store: Store, version: number): Promise<Snapshot> {
  const snapshot = newSnapshot();
  const load = snapshot.reload();
  for (const accountId of await store.transaction(({ identity }) => identity.accountIds(1_000))) {
    for (let after: StoredRecord | undefined, more = true; more; ) {
      const page = await store.transaction((tx) => identityAt(tx, version).page(accountId as AccountId, 100, after));
      load.add(page);
      after = page.at(-1);
      more = after !== undefined;
    }
  }
  load.complete(version);
  return snapshot;
}

/** Repeats decisions. */
export interface Replay {
  /** Returns the caller of a context. */
  callerOf(context: DecisionContext): Promise<Principal>;
  /** Decides the request of a context again. Returns the context of the new decision. */
  again(context: DecisionContext): Promise<DecisionContext | undefined>;
}

/** Texts of resource-based policies by hash. The store keeps no former versions of them, so they come from elsewhere. */
export type ResourcePolicies = ReadonlyMap<string, string>;

/**
 * Creates the replay of a store's decisions. It caches the snapshot of each version. A decision by a resource-based policy
 * that `policies` lacks cannot be repeated: `again` throws.
 */
export function replaying(store: Store, policies: ResourcePolicies = new Map()): Replay {
  const snapshots = new Map<number, Promise<Snapshot>>();

  async function callerOf({ caller }: DecisionContext): Promise<Principal> {
    if ('principal' in caller) return principalOfText(caller.principal);
    const session = await store.transaction((tx) => tx.of(trailSessions).get(caller.session));
    return principalOfSession(session ?? assert.fail(`the session '${caller.session}' is not stored`));
  }

  return {
    callerOf,
    async again(context) {
      const { identityVersion } = context;
      if (!snapshots.has(identityVersion)) snapshots.set(identityVersion, snapshotAt(store, identityVersion));
      const snapshot = (await snapshots.get(identityVersion)) as Snapshot;
      const trace = newDecisionTrace();
      const request = { ...requestOf(context, await callerOf(context), policies), trace };
      const thrown = await authorizing({ snapshot, stacks: newStacks(snapshot), holds: () => true })(request, NO_TX).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (thrown !== undefined && !(thrown instanceof AwsError)) throw thrown;
      return decisionContextOf(trace, thrown instanceof Denied ? thrown.decision : undefined, context.caller);
    },
  };
}

/** Returns the authorization request of a context. */
function requestOf(context: DecisionContext, principal: Principal, policies: ResourcePolicies): AuthorizeRequest {
  const { sourceIp, secureTransport, userAgent, referer, region, identityVersion, profile, now, permissions } = context;
  const headers = { 'user-agent': userAgent, referer };
  return {
    received: {
      requestId: '',
      rawHeaders: Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [name, value])),
      sourceIp,
      secureTransport,
    },
    authenticated: { principal, region, identityVersion },
    profile,
    now,
    asked: permissions.map((permission) => askedOf(permission, policies)),
  };
}

function askedOf(
  { action, resources, added, tags, trustPolicyOf, resourceOwner, resourcePolicy, always, undecided }: PermissionContext,
  policies: ResourcePolicies,
): Asked {
  return {
    action: action as Asked['action'],
    resources,
    // `resolve` may return an empty list, which requires no permission.
    ...(!undecided && !always && { resolve: async () => resources }),
    ...(added !== undefined && { context: added }),
    ...(tags !== 'none' && {
      resourceTags: async () => (typeof tags === 'string' ? assert.fail('a policy reads tags that the server did not read') : tags),
    }),
    ...(trustPolicyOf !== undefined && { trustPolicyOf }),
    ...(resourceOwner !== undefined && { resourceOwner: async () => resourceOwner as AccountId }),
    ...(resourcePolicy !== undefined && { resourcePolicy: async () => policyOf(resourcePolicy, policies) }),
    ...(always && { always: true as const }),
  };
}

function policyOf(hash: string, policies: ResourcePolicies): string | undefined {
  if (hash === 'none') return undefined;
  return policies.get(hash) ?? assert.fail(`the resource-based policy '${hash}' is not stored, so the decision cannot be repeated`);
}
