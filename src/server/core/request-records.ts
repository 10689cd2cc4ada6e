/**
 * Trail records of requests. Decides which requests are recorded, and collects the facts for the record.
 * `trail/record.ts` owns the JSON of a record. `trail/unproven.ts` owns the limit on records of requests without a
 * proven identity.
 */
import type { Authenticated, Unauthenticated } from '#access/authenticate.ts';
import type { Authorized } from '#access/authorize.ts';
import { type DecisionTrace, decisionContextOf } from '#access/decision-trace.ts';
import type { Denied } from '#access/denied.ts';
import { storedCallers } from '#access/stored-callers.ts';
import { storedPolicies } from '#access/stored-policies.ts';
import { type AccountId, NO_ACCOUNT } from '#core/arn.ts';
import type { AwsError } from '#core/aws-error.ts';
import { eventIdOf } from '#core/event-id.ts';
import type { RequestFacts } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import { actionName, SERVICES, type ServiceName } from '#model/services.ts';
import type { Tx } from '#store/store.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import type { Use } from '#trail/last-use.ts';
import type { DataFacts, Recorded } from '#trail/record.ts';
import { otherRecipient } from '#trail/sts-records.ts';
import type { UnprovenRecords } from '#trail/unproven.ts';
import { errorCodeFor } from '#wire/encode.ts';
import type { CalledOperation, RoutingRefusal } from '#wire/routed.ts';
import type { Phases } from './phases.ts';
import { isDataEvent } from './services.ts';

/** `eventSource` of requests that name no service. AWS does not record such requests, so the name is Belfry's own. */
const SERVER_EVENT_SOURCE = 'belfry.server';

/** Dependencies of `requestRecords`. */
export interface RecordParts {
  readonly record: (recorded: Recorded) => TrailRow;
  /**
   * Stores the last use of an access key and of its principal. Returns undefined if a use was stored a short while ago.
   */
  readonly noteUse: (tx: Tx, use: Use) => Promise<void> | undefined;
  readonly now: () => Instant;
  /** Returns a UUID in lower case. */
  readonly newId: () => string;
  /** False only in the benchmark that measures the cost of recording. */
  readonly recording: boolean;
  /**
   * Region recorded for requests without a proven identity, and for services without regions. Each region has its own
   * event history. So if the caller chose the recorded region, the caller could hide the record.
   */
  readonly region: string;
  /** Limit on the records of requests without a proven identity. */
  readonly unproven: UnprovenRecords;
  /** Returns what a trail selects of a data event. The server records no other data events, not even denied ones. */
  readonly selectsDataEvents: SelectsDataEvents;
}

/** Call on data, such as an object of S3. */
export interface DataEvent {
  /** Account whose event history would receive the record: the caller's, if it is known. */
  readonly accountId: AccountId;
  readonly region: string;
  readonly service: ServiceName;
  readonly operation: string;
  readonly input: unknown;
  readonly principal: Principal | undefined;
  /** ARNs of the authorized or denied resources. */
  readonly resources: readonly string[];
  /** Error code of a failed call. */
  readonly errorCode: string | undefined;
}

/**
 * Returns the facts for the record of a data event, or `undefined` if no trail selects it. The event belongs to the account of the bucket.
 * Reads only `tx`.
 */
export type SelectsDataEvents = (tx: Tx, event: DataEvent) => Promise<DataFacts | undefined>;

/** Facts for the record of a request, as far as they are known. Each step of handling the request adds facts. */
export interface Facts {
  readonly request: RequestFacts;
  readonly called: CalledOperation | RoutingRefusal;
  /** Times of the phases, if the server sends traces. */
  readonly phases?: Phases | undefined;
  authenticated?: Authenticated;
  /**
   * Claims of a request whose authentication failed. `claimed.principal` is verified, because it is present only after
   * a correct signature. All other claims are unverified.
   */
  claimed?: Unauthenticated['claimed'];
  input?: unknown;
  /** Authorized resources, for the record of an operation that fails after its authorization. */
  authorized?: Authorized;
  /** Facts of the last authorization, for the decision context. */
  trace?: DecisionTrace;
  /** Account whose data the operation used, if it is not the caller's (`Call.actsFor`). */
  owner?: AccountId;
}

/** Outcome of a request. */
export interface Outcome {
  readonly authenticated?: Authenticated;
  readonly output?: unknown;
  readonly error?: AwsError;
  readonly denied?: Denied | undefined;
  readonly claimed?: Unauthenticated['claimed'] | undefined;
}

/** Records the requests of one server. */
export interface RequestRecords {
  /**
   * Reports whether a failed request gets its own record in the trail. A request with a verified signature always gets
   * one. Any other failed request, even if it has a valid token, counts toward the limit on unproven requests. It gets
   * a record only within this limit.
   */
  isRecorded(facts: Facts, outcome: Outcome): boolean;
  /** Returns the account whose event history receives the record of a request. */
  accountOf(facts: Facts, outcome: Outcome): AccountId;
  /**
   * Appends the record of a request. If the request assumed a role of another account, or used its data, appends a record for that account
   * too.
   *
   * Writes: `tx.trail`, `tx.lastUses`.
   */
  append(tx: Tx, facts: Facts, outcome: Outcome): Promise<void>;
}

/** Creates the records of a server's requests. */
export function requestRecords(server: RecordParts): RequestRecords {
  const { now } = server;
  const callers = storedCallers();
  const keptPolicies = storedPolicies();

  function isRecorded(facts: Facts, outcome: Outcome): boolean {
    if (!server.recording) return false;
    const { signed, accountId } = callerOf(facts, outcome);
    return signed || server.unproven.admit(facts.request, accountId, now());
  }

  async function append(tx: Tx, facts: Facts, outcome: Outcome): Promise<void> {
    if (!server.recording) return;
    const { request, called, input } = facts;
    const { authenticated, principal, accessKeyId, accountId, region } = callerOf(facts, outcome);
    const { service, operation } = calledOf(called);
    const identityVersion = facts.authorized?.identityVersion ?? authenticated?.identityVersion;
    const resources = outcome.denied?.resources ?? facts.authorized?.resources;
    if (authenticated !== undefined && called.kind === 'routed') {
      const action = actionName(called.service, operation);
      const noted = server.noteUse(tx, { ...authenticated, action, now: now() });
      if (noted !== undefined) await noted;
      const others = noteOthers(tx, authenticated, action, facts.trace);
      if (others !== undefined) await others;
    }
    let data: DataFacts | undefined;
    if (service !== undefined && isDataEvent(service, operation)) {
      const errorCode = outcome.error && errorCodeFor(called, outcome.error).code;
      const event = { accountId, region, service, operation, input, principal, resources: resources ?? [], errorCode };
      data = await server.selectsDataEvents(tx, event);
      if (data === undefined) return;
    }
    const context = contextOf(facts, outcome);
    const stored = context && callers.note(tx, context.caller);
    if (stored !== undefined) await stored;
    const policies = context && facts.trace && keptPolicies.note(tx, facts.trace, now());
    if (policies !== undefined) await policies;
    // A literal without optional parts is several times faster than one that is put together. Each request creates one.
    const recorded: Recorded = {
      received: request,
      service,
      operation,
      eventSource: service === undefined ? SERVER_EVENT_SOURCE : SERVICES[service].eventSource,
      region,
      now: now(),
      eventId: eventIdOf(request.requestId),
      recipientAccountId: data?.bucketAccountId ?? accountId,
      data,
      resourceOwner: service === 's3' ? facts.trace?.required[0]?.ownerId : undefined,
      principal,
      accessKeyId,
      input,
      output: outcome.output,
      error: outcome.error && { code: errorCodeFor(called, outcome.error).code, message: outcome.error.message },
      resources,
      identityVersion,
      decision: outcome.denied?.decision,
      context: context?.decision,
    };
    const other = outcome.output === undefined ? undefined : (facts.owner ?? otherRecipient(service, operation, input, accountId));
    if (other === undefined) {
      await tx.trail.append(server.record(recorded));
      return;
    }
    const sharedEventId = server.newId();
    await tx.trail.append(server.record({ ...recorded, sharedEventId }));
    await tx.trail.append(
      server.record({ ...recorded, sharedEventId, eventId: eventIdOf(request.requestId, true), recipientAccountId: other }),
    );
  }

  /**
   * Stores the uses of the other permissions that the operation required, such as `chime:TagResource` for CreateMeeting with tags. Returns
   * undefined if there are none.
   */
  function noteOthers(tx: Tx, authenticated: Authenticated, own: string, trace: DecisionTrace | undefined): Promise<void> | undefined {
    const others = trace?.required.filter(({ asked, resources }) => asked.action !== own && resources.length > 0) ?? [];
    if (others.length === 0) return undefined;
    const { principal, region } = authenticated;
    return (async () => {
      for (const { asked } of others) await server.noteUse(tx, { principal, region, action: asked.action, now: now() });
    })();
  }

  /** Returns the decision context of a request, and its caller. Returns `undefined` if the request was not decided. */
  function contextOf({ trace }: Facts, { denied }: Outcome) {
    if (trace?.request === undefined) return undefined;
    const caller = callers.of(trace.request.authenticated.principal);
    const decision = decisionContextOf(trace, denied?.decision, caller.caller);
    return decision && { caller, decision };
  }

  /** Returns the caller that a record names, and the account and region whose event history receives the record. */
  function callerOf(facts: Facts, outcome: Outcome) {
    const { claimed } = outcome;
    const authenticated = outcome.authenticated ?? facts.authenticated;
    const principal = authenticated?.principal ?? claimed?.principal;
    const known = principal !== undefined && (principal.type !== 'Unknown' || principal.federation !== undefined);
    return {
      authenticated,
      principal,
      // The signature was correct in two cases: the access key is authenticated, or the claims of a failed
      // authentication contain a principal.
      signed: authenticated?.accessKeyId !== undefined || claimed?.principal !== undefined,
      accessKeyId: authenticated?.accessKeyId ?? claimed?.accessKeyId,
      accountId: known ? principal.accountId : (claimed?.accountId ?? NO_ACCOUNT),
      region: principal === undefined ? server.region : (authenticated?.region ?? claimed?.region ?? server.region),
    };
  }

  return { isRecorded, accountOf: (facts, outcome) => callerOf(facts, outcome).accountId, append };
}

/** `eventName` in the record of a request that names no operation. */
const UNKNOWN_OPERATION = 'UnknownOperation';

/** Returns the service and operation that a record names. */
function calledOf(called: CalledOperation | RoutingRefusal): { readonly service: ServiceName | undefined; readonly operation: string } {
  return called.kind === 'routed'
    ? { service: called.service, operation: called.operation.name }
    : { service: called.service ?? called.likelyService, operation: called.operationName ?? UNKNOWN_OPERATION };
}
