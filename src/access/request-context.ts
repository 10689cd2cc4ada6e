import type { ConditionContext } from '#core/condition-context.ts';
import type { RequestFacts } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import { type ContextValue, type FactSource, TRUTH_KEYS } from '#policy/engine.ts';
import type { CallerFacts } from './caller-facts.ts';
import { type KeyFacts, type KeyOwner, NO_OWNER, OWNER_KEYS, REQUEST_KEYS, readSlot, SESSION_KEYS } from './context-keys.ts';
import type { Attempt } from './denied.ts';
import type { ResourceTags } from './tag-facts.ts';

/**
 * One required action on one resource, with its condition context. It reads each fact only if a policy tests it, so that unused facts take
 * no time. `contextMap` returns all facts, for the explanation of a denial.
 */
export interface RequestContext extends KeyFacts, FactSource, Attempt {
  readonly caller: CallerFacts;
  /** Context keys of the operation. They override those of the request. */
  readonly added: ConditionContext | undefined;
  /** Tags of the current resource. */
  readonly resourceTags: ResourceTags | undefined;
  /**
   * Whether the caller may know the facts of the current resource's owner. `ownerVisible` is the same for the evaluated policy, which can be
   * a trust policy of the owner.
   */
  readonly ownerVisibleToCaller: boolean;
}

/** Writable form of the context, for this file only. */
type OpenContext = { -readonly [Field in keyof RequestContext]: RequestContext[Field] };

/** Facts of the request for which a context is created. */
export interface ContextRequest {
  readonly received: RequestFacts;
  readonly authenticated: { readonly region: string };
  readonly now: Instant;
}

/** Creates the context of a required action, without a resource. `added` has the context keys of the operation: see `operationKeys`. */
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
    // The numbers are those of the request, so they do not apply to a key that the operation overrides.
    truths: added !== undefined && TRUTH_KEYS.some((key) => added.has(key)) ? 0 : truths,
    moment: added?.has('aws:currenttime') ? Number.NaN : Math.floor(now / 1000) * 1000,
    owner: NO_OWNER,
    resourceTags: undefined,
    ownerVisibleToCaller: false,
    ownerVisible: false,
    value,
  };
}

/** Sets the current resource of a context. `ownerVisibleToCaller`: whether the caller may know the owner's facts. */
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
}

/**
 * Sets whether the next evaluated policy may read the owner's facts. These are the organization of the resource's account, and the
 * resource's tags.
 */
export function setOwnerVisible(context: RequestContext, ownerVisible: boolean): void {
  const open: OpenContext = context;
  open.ownerVisible = ownerVisible;
}

/** Returns the value of a context key: `FactSource.value`. */
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
 * Returns all facts of a context, for an explanation.
 *
 * `ownerVisible`: whether the result includes the facts of the resource's owner.
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
 * Returns the context keys of an operation: the `declared` keys from its input, and the keys that `resolveContext` read. The classic
 * profile has no tag keys.
 * Requirement TAG-2.
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
