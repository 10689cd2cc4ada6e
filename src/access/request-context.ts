import type { ConditionContext } from '#core/condition-context.ts';
import type { RequestFacts } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import type { StatementRef } from '#policy/decision.ts';
import { type ContextValue, type FactSource, TRUTH_KEYS } from '#policy/engine.ts';
import type { CallerFacts } from './caller-facts.ts';
import { type KeyFacts, type KeyOwner, NO_OWNER, OWNER_KEYS, REQUEST_KEYS, readSlot, SESSION_KEYS } from './context-keys.ts';
import type { Attempt } from './denied.ts';
import type { ResourceTags } from './tag-facts.ts';

/**
 * One required action on one resource, with the values of the condition keys. A value is computed only if a policy
 * tests the key, so that unused keys take no time. `contextMap` returns all values, for the explanation of a denial.
 */
export interface RequestContext extends KeyFacts, FactSource, Attempt {
  readonly caller: CallerFacts;
  /** Context keys that the operation sets. They override the keys that are read from the request. */
  readonly added: ConditionContext | undefined;
  /** Tags of the current resource. */
  readonly resourceTags: ResourceTags | undefined;
  /**
   * Whether the caller's policies may read the facts about the owner of the current resource. `ownerVisible` has
   * another meaning: whether the policy that is being evaluated may read these facts. The trust policy of a role is a
   * policy of the owner, so it may always read them.
   */
  readonly ownerVisibleToCaller: boolean;
  /** Statement that allowed the action on the current resource, for the trail. Absent if it is not known. */
  readonly allowedBy: StatementRef | undefined;
}

/** Context whose members this file can change. Other files can only read them. */
type OpenContext = { -readonly [Field in keyof RequestContext]: RequestContext[Field] };

/** Facts of the request for which a context is created. */
export interface ContextRequest {
  readonly received: RequestFacts;
  readonly authenticated: { readonly region: string; readonly signature?: SignatureFacts };
  readonly now: Instant;
  /**
   * Checks that the record of a past request has the value of a key, or that the key had none. Throws if this is not known. Absent for a
   * present request.
   */
  readonly requireKept?: ((key: string, action: string) => void) | undefined;
}

/** Facts about the verified signature of a request. */
export interface SignatureFacts {
  /** Whether the signature was in the query of the URL. */
  readonly presigned: boolean;
  readonly signedAt: Instant;
}

/**
 * Creates the context of a required action. `setResource` then sets the resource. `added` has the context keys that the
 * operation sets (`operationKeys`).
 */
export function newRequestContext(
  { received, authenticated, now }: ContextRequest,
  { action, called }: Pick<Attempt, 'action' | 'called'>,
  caller: CallerFacts,
  added: ConditionContext | undefined,
): RequestContext {
  const truths = received.secureTransport === true ? caller.truthsOverTls : caller.truthsOverHttp;
  return {
    principal: caller.principal,
    action,
    resource: '*',
    called,
    received,
    caller,
    region: authenticated.region,
    now,
    added,
    // `truths` and `moment` are values of boolean and time keys that are computed from the request. If the operation
    // sets one of these keys, the computed value is replaced by 0 or NaN (unknown). Decisions then read the key with
    // `value`.
    truths: added !== undefined && TRUTH_KEYS.some((key) => added.has(key)) ? 0 : truths,
    moment: added?.has('aws:currenttime') ? Number.NaN : Math.floor(now / 1000) * 1000,
    owner: NO_OWNER,
    resourceTags: undefined,
    ownerVisibleToCaller: false,
    ownerVisible: false,
    allowedBy: undefined,
    value,
  };
}

/**
 * Sets the current resource of a context. `ownerVisibleToCaller`: whether the caller's policies may read the facts
 * about the resource's owner and the resource's tags.
 */
export function setResource(
  context: RequestContext,
  resource: string,
  owner: KeyOwner,
  resourceTags: ResourceTags | undefined,
  ownerVisibleToCaller: boolean,
): void {
  const open: OpenContext = context;
  open.resource = resource;
  open.owner = owner;
  open.resourceTags = resourceTags;
  open.ownerVisibleToCaller = ownerVisibleToCaller;
  open.allowedBy = undefined;
}

/** Sets the statement that allowed the action on the current resource of a context. */
export function setAllowedBy(context: RequestContext, allowedBy: StatementRef | undefined): void {
  const open: OpenContext = context;
  open.allowedBy = allowedBy;
}

/**
 * Sets whether the policy that is evaluated next may read the facts about the resource's owner. These facts are the
 * organization of the resource's account, and the resource's tags.
 */
export function setOwnerVisible(context: RequestContext, ownerVisible: boolean): void {
  const open: OpenContext = context;
  open.ownerVisible = ownerVisible;
}

/** Returns the value of a context key. This is the method `FactSource.value` of a context. */
function value(this: RequestContext, slot: number, key: string): ContextValue | undefined {
  const { added } = this;
  if (slot >= 0) return added?.get(key) ?? readSlot(this, slot);
  const tags = this.ownerVisible ? this.resourceTags : undefined;
  if (tags?.changed !== undefined && key === 'aws:tagkeys') return tags.changed;
  return (
    tags?.keys.get(key) ?? added?.get(key) ?? this.caller.principal.session?.federatedContext?.get(key) ?? this.caller.tagKeys().get(key)
  );
}

/**
 * Returns the values of all condition keys of a context, for the explanation of a denial.
 *
 * `ownerVisible`: whether the result includes the facts about the resource's owner.
 */
export function contextMap(context: RequestContext, ownerVisible: boolean): ConditionContext {
  const facts: KeyFacts = { ...context, ownerVisible };
  const { caller, added, resourceTags } = context;
  const { principal } = caller;
  const all = new Map<string, ContextValue>();
  const addGlobal = (readers: typeof REQUEST_KEYS): void => {
    for (const [key, read] of Object.entries(readers)) {
      const fact = read(facts);
      if (fact !== undefined) all.set(key, fact);
    }
  };
  const addAll = (keys: ConditionContext | undefined): void => {
    for (const [key, fact] of keys ?? []) all.set(key, fact);
  };
  addGlobal(REQUEST_KEYS);
  addAll(caller.tagKeys());
  addGlobal(SESSION_KEYS);
  if (principal.type !== 'Unknown') addAll(principal.session?.federatedContext);
  addAll(added);
  addGlobal(OWNER_KEYS);
  if (!ownerVisible || resourceTags === undefined) return all;
  addAll(resourceTags.keys);
  if (resourceTags.changed !== undefined) all.set('aws:tagkeys', resourceTags.changed);
  return all;
}

const TAG_KEYS = /^aws:(?:requesttag\/|resourcetag\/|tagkeys$)/;

/**
 * Returns the context keys that an operation sets: the `declared` keys from its input, and the keys that
 * `resolveContext` read. Operations of the service `chime` have the profile `classic`. For this profile, the function
 * omits the keys for tags. Requirement TAG-2.
 */
export function operationKeys(
  declared: ConditionContext | undefined,
  read: ConditionContext | undefined,
  profile: 'classic' | 'sdk',
): ConditionContext | undefined {
  if (profile === 'sdk' && (declared === undefined || read === undefined)) return declared ?? read;
  const keys = [...(declared ?? []), ...(read ?? [])].filter(([key]) => profile === 'sdk' || !TAG_KEYS.test(key));
  return keys.length === 0 ? undefined : new Map(keys);
}
