/** Requests as decision contexts describe them, so that their decisions can be repeated. Decision 0023. */
import { hash } from 'node:crypto';
import type { AccountId } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import type { Tx } from '#store/store.ts';
import type { DecisionContext, PermissionContext } from '#store/trail/decision-context.ts';
import { trailSessions } from '#store/trail/trail-session.ts';
import type { Asked, AuthorizeRequest } from '../authorize.ts';
import { AlteredFact, principalOfSession, principalOfText } from '../stored-callers.ts';

/**
 * Placeholder for the transaction. A decision that is repeated reads nothing from the store, because the context has all facts.
 */
export const NO_TX = {} as Tx;

/** Fact that is not stored, so that a decision cannot be repeated. */
export class FactNotKept extends Error {}

/** Condition key that the record of a request has only if a policy tested it then. */
export class KeyNotKept extends FactNotKept {
  readonly key: string;
  readonly action: string;

  constructor(key: string, action: string) {
    super(`a policy tests '${key}', which the server did not read for this decision`);
    this.key = key;
    this.action = action;
  }
}

/** Facts of a past request that a proposal changes. */
export interface ProposedFacts {
  /** Returns the proposed resource-based policy of the resources of a permission. Returns `undefined` if the proposal does not change it. */
  readonly resourcePolicyOf: (context: DecisionContext, permission: PermissionContext) => ProposedPolicy | undefined;
  /** Checks that a key has the recorded value also for the proposed policies. @throws KeyNotKept  this is not known */
  readonly requireKept: (key: string, action: string) => void;
}

/** Proposed resource-based policy. Its text is `undefined` if the proposal deletes it. */
export interface ProposedPolicy {
  readonly text: string | undefined;
}

/** Request of the past that can be decided again. */
export interface PastRequest extends AuthorizeRequest {
  readonly requireKept: ProposedFacts['requireKept'] | undefined;
}

/** Returns the text of a resource-based policy by its hash, or `undefined` if it is not kept. */
export type KeptPolicy = (hash: string) => Promise<string | undefined>;

/** Returns a reader of policies that checks their hashes. The reader throws `AlteredFact` if a text does not have its hash. */
export function checkedPolicies(read: KeptPolicy): KeptPolicy {
  return async (id) => {
    const text = await read(id);
    if (text !== undefined && hash('sha256', text, 'hex') !== id)
      throw new AlteredFact(`the stored resource-based policy '${id}' was altered in the database`);
    return text;
  };
}

/**
 * Returns the caller of a decision context.
 *
 * @throws FactNotKept  the session is not stored
 * @throws AlteredFact  someone altered the session in the database
 */
export async function callerOf(tx: Pick<Tx, 'of'>, { caller }: Pick<DecisionContext, 'caller'>): Promise<Principal> {
  if ('principal' in caller) return principalOfText(caller.principal);
  const session = await tx.of(trailSessions).get(caller.session);
  if (session === undefined) throw new FactNotKept(`the session '${caller.session}' is not stored`);
  return principalOfSession(session);
}

/**
 * Returns the authorization request of a context. `proposed` has the facts that a proposal changes. Without it, the request is decided with the
 * policies of then, so a key that the record does not have had no value. `permissions` are the required ones, or others of the context.
 */
export function requestOf(
  context: DecisionContext,
  principal: Principal,
  kept: KeptPolicy,
  proposed?: ProposedFacts,
  permissions = context.permissions,
): PastRequest {
  const { sourceIp, secureTransport, userAgent, referer, region, identityVersion, profile, now } = context;
  const rawHeaders: string[] = [];
  if (userAgent !== undefined) rawHeaders.push('user-agent', userAgent);
  if (referer !== undefined) rawHeaders.push('referer', referer);
  return {
    received: { requestId: '', rawHeaders, sourceIp, secureTransport },
    authenticated: { principal, region, identityVersion },
    profile,
    now,
    asked: permissions.map((permission) => askedOf(permission, kept, proposed?.resourcePolicyOf(context, permission))),
    requireKept: proposed?.requireKept,
  };
}

/** Permission whose members are set one by one, which is faster than object spreads. A replay creates millions. */
type OpenAsked = { -readonly [Member in keyof Asked]: Asked[Member] };

function askedOf(permission: PermissionContext, kept: KeptPolicy, proposed: ProposedPolicy | undefined): Asked {
  const { action, resources, added, tags, trustPolicyOf, resourceOwner, resourcePolicy, always, undecided } = permission;
  const asked: OpenAsked = { action: action as Asked['action'], resources };
  if (added !== undefined) asked.context = added;
  if (trustPolicyOf !== undefined) asked.trustPolicyOf = trustPolicyOf;
  if (always) asked.always = true;
  // `resolve` may return an empty list, which requires no permission.
  else if (resources.length === 0 && !undecided) asked.resolve = async () => resources;
  if (tags === 'not read') asked.resourceTags = notRead;
  else if (tags !== 'none') asked.resourceTags = async () => tags;
  if (resourceOwner !== undefined) asked.resourceOwner = async () => resourceOwner as AccountId;
  if (resourcePolicy !== undefined) asked.resourcePolicy = proposed ? async () => proposed.text : () => policyOf(resourcePolicy, kept);
  return asked;
}

async function notRead(): Promise<never> {
  throw new FactNotKept('a policy tests tags that the server did not read for this decision');
}

async function policyOf(hash: string, kept: KeptPolicy): Promise<string | undefined> {
  if (hash === 'none') return undefined;
  const text = await kept(hash);
  if (text === undefined) throw new FactNotKept(`the resource-based policy '${hash}' is not kept`);
  return text;
}
