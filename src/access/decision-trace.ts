import type { RequestFacts } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import type { RequiredAccess } from '#core/required-access.ts';
import type { Decision, OverLimit } from '#policy/decision.ts';
import type { Tx } from '#store/store.ts';
import { withFittingParts } from '#store/trail/context-writer.ts';
import type { DecisionContext, DecisionOutcome, PermissionContext } from '#store/trail/decision-context.ts';
import type { Authenticated } from './authenticate.ts';
import { headerValue } from './context-keys.ts';
import type { Required } from './required-reading.ts';

/** Members of an authorization request that a decision context contains. */
interface TracedRequest {
  readonly received: RequestFacts;
  readonly authenticated: Authenticated;
  readonly profile: 'classic' | 'sdk';
  readonly asked: readonly RequiredAccess<Tx>[];
  readonly now: Instant;
}

/** A permission that the handler checked. */
interface CheckedAlso {
  readonly asked: RequiredAccess<Tx>;
  readonly required: Required;
  readonly isAllowed: boolean;
}

/** List of most requests, whose handlers check no permission. */
const NONE: CheckedAlso[] = [];

/**
 * Facts of one authorization, which `authorize` collects for the decision context in the trail. They are references, so
 * that collecting them costs little.
 */
export interface DecisionTrace {
  /** Absent until the authorization begins. */
  request: TracedRequest | undefined;
  identityVersion: number;
  identityChanged: boolean;
  /** Progress of the authorization. `session-kind`: the server checks whether the kind of session can call the operation. */
  stage: 'session-kind' | 'deciding' | 'allowed';
  /** Permissions that were decided or whose decision has begun. */
  readonly required: Required[];
  /** Permissions that the handler checked for parts of its result, such as `s3:DeleteObject` for each object of DeleteObjects. */
  readonly also: readonly CheckedAlso[];
  begin(request: TracedRequest, identityVersion: number): void;
  /** Adds a permission that the handler checked. `checked` is the trace of its authorization. */
  checksAlso(asked: RequiredAccess<Tx>, checked: DecisionTrace, isAllowed: boolean): void;
  /** Adds a permission whose decision begins. `version` is the current identity version. */
  decides(required: Required, version: number): void;
}

/** Class of traces. All instances have one hidden class, which keeps the code that reads them fast. */
class Trace implements DecisionTrace {
  request: TracedRequest | undefined = undefined;
  identityVersion = 0;
  identityChanged = false;
  stage: DecisionTrace['stage'] = 'session-kind';
  readonly required: Required[] = [];
  also = NONE;

  checksAlso(asked: RequiredAccess<Tx>, checked: DecisionTrace, isAllowed: boolean): void {
    const [required] = checked.required;
    if (required !== undefined) {
      if (this.also === NONE) this.also = [];
      this.also.push({ asked, required, isAllowed });
    }
    if (checked.identityChanged || checked.identityVersion !== this.identityVersion) this.identityChanged = true;
  }

  begin(request: TracedRequest, identityVersion: number): void {
    this.request = request;
    this.identityVersion = identityVersion;
  }

  decides(required: Required, version: number): void {
    if (version !== this.identityVersion) this.identityChanged = true;
    this.required.push(required);
  }
}

/** Creates the trace of one authorization. */
export function newDecisionTrace(): DecisionTrace {
  return new Trace();
}

/**
 * Returns the decision context of an authorization. `denied` is the decision that denied the request, if any. `caller` is
 * the reference to the principal. Returns `undefined` if the authorization did not begin, or failed without a decision.
 */
export function decisionContextOf(
  trace: DecisionTrace,
  denied: Decision | OverLimit | undefined,
  caller: DecisionContext['caller'],
): DecisionContext | undefined {
  const { request, identityVersion, identityChanged } = trace;
  const outcome = outcomeOf(trace, denied);
  if (request === undefined || outcome === undefined) return undefined;
  const { received, authenticated, profile, now } = request;
  const context: DecisionContext = {
    identityVersion,
    identityChanged,
    now,
    profile,
    caller,
    region: authenticated.region,
    sourceIp: received.sourceIp,
    secureTransport: received.secureTransport === true,
    userAgent: headerValue(received, 'user-agent'),
    referer: headerValue(received, 'referer'),
    permissions: requiredOf(request, trace.required),
    outcome,
    denied: undefined,
    omitted: undefined,
  };
  return trace.also.length === 0 ? context : withParts(context, trace.also, profile);
}

const ALLOW: DecisionOutcome = { effect: 'Allow' };
const SESSION_KIND: DecisionOutcome = { effect: 'Deny', kind: 'session-kind' };

function outcomeOf({ stage }: DecisionTrace, denied: Decision | OverLimit | undefined): DecisionOutcome | undefined {
  if (stage === 'allowed') return ALLOW;
  if (stage === 'session-kind') return SESSION_KIND;
  if (denied === undefined || denied.effect === 'Allow') return undefined;
  const { resource } = denied;
  switch (denied.kind) {
    case 'explicit':
      return { effect: 'Deny', kind: 'explicit', by: denied.by, resource };
    case 'implicit':
      return { effect: 'Deny', kind: 'implicit', missing: denied.missing, resource };
    case 'limit':
      return { effect: 'Deny', kind: 'limit', resource };
  }
}

function requiredOf({ asked, profile }: TracedRequest, required: readonly Required[]): readonly PermissionContext[] {
  let decided = 0;
  return asked.map((each) => permissionOf(each, each.always === true ? undefined : required[decided++], profile));
}

/** Adds the permissions that the handler checked to a context, as many as fit. */
function withParts(context: DecisionContext, also: readonly CheckedAlso[], profile: TracedRequest['profile']): DecisionContext {
  const { permissions } = context;
  const those = (wanted: boolean): readonly PermissionContext[] =>
    also.flatMap(({ asked, required, isAllowed }) => (isAllowed === wanted ? [permissionOf(asked, required, profile)] : []));
  const denied = those(false);
  const whole = { ...context, permissions: [...permissions, ...those(true)], denied: denied.length === 0 ? undefined : denied };
  return withFittingParts(whole, permissions.length);
}

/** Returns the context of a permission. `found` is absent if it was not decided. */
function permissionOf(each: RequiredAccess<Tx>, found: Required | undefined, profile: TracedRequest['profile']): PermissionContext {
  const always = each.always === true;
  return {
    action: each.action,
    resources: found === undefined ? each.resources : found.resources,
    added: found === undefined ? each.context : found.context.added,
    tags: found?.tags ?? (each.resourceTags === undefined || profile !== 'sdk' ? 'none' : 'not read'),
    trustPolicyOf: each.trustPolicyOf,
    resourceOwner: found?.ownerId,
    resourcePolicy: found === undefined || each.resourcePolicy === undefined ? undefined : (found.resourcePolicy?.hash ?? 'none'),
    always,
    undecided: !always && found === undefined,
    allowedBy: found?.context.allowedBy,
  };
}
