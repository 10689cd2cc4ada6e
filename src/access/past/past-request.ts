/** Requests as decision contexts describe them, so that their decisions can be repeated. Decision 0023. */
import type { AccountId } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import type { Tx } from '#store/store.ts';
import type { DecisionContext, PermissionContext } from '#store/trail/decision-context.ts';
import { trailSessions } from '#store/trail/trail-session.ts';
import type { Asked, AuthorizeRequest } from '../authorize.ts';
import { principalOfSession, principalOfText } from '../stored-callers.ts';

/**
 * Placeholder for the transaction. A decision that is repeated reads nothing from the store, because the context has all facts.
 */
export const NO_TX = {} as Tx;

/** Fact that is not stored, so that a decision cannot be repeated. */
export class FactNotKept extends Error {}

/** Returns the text of a resource-based policy by its hash, or `undefined` if it is not kept. */
export type KeptPolicy = (hash: string) => Promise<string | undefined>;

/**
 * Returns the caller of a decision context.
 *
 * @throws FactNotKept  the session is not stored
 */
export async function callerOf(tx: Pick<Tx, 'of'>, { caller }: Pick<DecisionContext, 'caller'>): Promise<Principal> {
  if ('principal' in caller) return principalOfText(caller.principal);
  const session = await tx.of(trailSessions).get(caller.session);
  if (session === undefined) throw new FactNotKept(`the session '${caller.session}' is not stored`);
  return principalOfSession(session);
}

/** Returns the authorization request of a context. */
export function requestOf(context: DecisionContext, principal: Principal, kept: KeptPolicy): AuthorizeRequest {
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
    asked: permissions.map((permission) => askedOf(permission, kept)),
  };
}

function askedOf(
  { action, resources, added, tags, trustPolicyOf, resourceOwner, resourcePolicy, always, undecided }: PermissionContext,
  kept: KeptPolicy,
): Asked {
  return {
    action: action as Asked['action'],
    resources,
    // `resolve` may return an empty list, which requires no permission.
    ...(!undecided && !always && { resolve: async () => resources }),
    ...(added !== undefined && { context: added }),
    ...(tags !== 'none' && {
      async resourceTags() {
        if (typeof tags === 'string') throw new FactNotKept('a policy tests tags that the server did not read for this decision');
        return tags;
      },
    }),
    ...(trustPolicyOf !== undefined && { trustPolicyOf }),
    ...(resourceOwner !== undefined && { resourceOwner: async () => resourceOwner as AccountId }),
    ...(resourcePolicy !== undefined && { resourcePolicy: () => policyOf(resourcePolicy, kept) }),
    ...(always && { always: true as const }),
  };
}

async function policyOf(hash: string, kept: KeptPolicy): Promise<string | undefined> {
  if (hash === 'none') return undefined;
  const text = await kept(hash);
  if (text === undefined) throw new FactNotKept(`the resource-based policy '${hash}' is not kept`);
  return text;
}
