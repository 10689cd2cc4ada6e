/**
 * Records of requests: which request has one, and its facts. `trail/record.ts` owns their JSON, and `trail/unproven.ts` owns the bound on
 * records without an identity.
 */
import type { Authenticated, Unauthenticated } from '#access/authenticate.ts';
import type { Authorized } from '#access/authorize.ts';
import type { Denied } from '#access/denied.ts';
import { NO_ACCOUNT } from '#core/arn.ts';
import type { AwsError } from '#core/aws-error.ts';
import type { RequestFacts } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import { actionName, SERVICES, type ServiceName } from '#model/services.ts';
import type { Tx } from '#store/store.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import type { Use } from '#trail/last-use.ts';
import type { Recorded } from '#trail/record.ts';
import { otherRecipient } from '#trail/sts-records.ts';
import type { UnprovenRecords } from '#trail/unproven.ts';
import { errorCodeFor } from '#wire/encode.ts';
import type { CalledOperation, RoutingRefusal } from '#wire/routed.ts';

/** `eventSource` of requests that name no service. AWS does not record such requests, so the name is Belfry's own. */
const SERVER_EVENT_SOURCE = 'belfry.server';

/** Dependencies of `requestRecords`. */
export interface RecordParts {
  readonly record: (recorded: Recorded) => TrailRow;
  /** Records the last use of a key and its principal. Returns undefined if it was recorded a short while ago. */
  readonly noteUse: (tx: Tx, use: Use) => Promise<void> | undefined;
  readonly now: () => Instant;
  /** Returns a UUID in lower case. */
  readonly newId: () => string;
  /** False only in the benchmark that measures the cost of recording. */
  readonly recording: boolean;
  /**
   * Region recorded for unproven requests and for services without regions. A region that the caller chooses could hide the record.
   */
  readonly region: string;
  /** Bound on the records of unproven requests. */
  readonly unproven: UnprovenRecords;
}

/** Facts for the record of a request, as far as they are known. Each stage adds its own. */
export interface Facts {
  readonly request: RequestFacts;
  readonly called: CalledOperation | RoutingRefusal;
  authenticated?: Authenticated;
  /** Unverified claims of a request that fails before its signature is verified. */
  claimed?: Unauthenticated['claimed'];
  input?: unknown;
  /** Authorized resources, for the record of an operation that fails afterwards. */
  authorized?: Authorized;
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
   * Reports whether a refused request has its own record. Each request with a verified signature has one. The bound on unproven
   * requests applies to the others, including refused requests with a valid token.
   */
  isRecorded(facts: Facts, outcome: Outcome): boolean;
  /**
   * Appends the record of a request. If it assumed a role of another account, appends a record for that account too.
   *
   * Writes: `tx.trail`, `tx.lastUses`.
   */
  append(tx: Tx, facts: Facts, outcome: Outcome): Promise<void>;
}

/** Creates the records of a server's requests. */
export function requestRecords(server: RecordParts): RequestRecords {
  const { now } = server;

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
      const noted = server.noteUse(tx, { ...authenticated, action: actionName(called.service, operation), now: now() });
      if (noted !== undefined) await noted;
    }
    const recorded: Recorded = {
      received: request,
      ...(service === undefined ? {} : { service }),
      operation,
      eventSource: service === undefined ? SERVER_EVENT_SOURCE : SERVICES[service].eventSource,
      region,
      now: now(),
      eventId: server.newId(),
      recipientAccountId: accountId,
      ...(principal === undefined ? {} : { principal }),
      ...(accessKeyId === undefined ? {} : { accessKeyId }),
      ...(input === undefined ? {} : { input }),
      ...(outcome.output === undefined ? {} : { output: outcome.output }),
      ...(outcome.error === undefined ? {} : { error: { code: errorCodeFor(called, outcome.error).code, message: outcome.error.message } }),
      ...(resources === undefined ? {} : { resources }),
      ...(identityVersion === undefined ? {} : { identityVersion }),
      ...(outcome.denied === undefined ? {} : { decision: outcome.denied.decision }),
    };
    const other = outcome.output === undefined ? undefined : otherRecipient(service, operation, input, accountId);
    if (other === undefined) {
      await tx.trail.append(server.record(recorded));
      return;
    }
    const sharedEventId = server.newId();
    await tx.trail.append(server.record({ ...recorded, sharedEventId }));
    await tx.trail.append(server.record({ ...recorded, sharedEventId, eventId: server.newId(), recipientAccountId: other }));
  }

  /** Returns the caller that a record names, and the account and region of its event history. */
  function callerOf(facts: Facts, outcome: Outcome) {
    const { claimed } = outcome;
    const authenticated = outcome.authenticated ?? facts.authenticated;
    const principal = authenticated?.principal ?? claimed?.principal;
    const known = principal !== undefined && (principal.type !== 'Unknown' || principal.federation !== undefined);
    return {
      authenticated,
      principal,
      // An authenticated access key and a claimed principal exist only after the signature was verified.
      signed: authenticated?.accessKeyId !== undefined || claimed?.principal !== undefined,
      accessKeyId: authenticated?.accessKeyId ?? claimed?.accessKeyId,
      accountId: known ? principal.accountId : (claimed?.accountId ?? NO_ACCOUNT),
      region: principal === undefined ? server.region : (authenticated?.region ?? claimed?.region ?? server.region),
    };
  }

  return { isRecorded, append };
}

/** `eventName` in the record of a request that names no operation. */
const UNKNOWN_OPERATION = 'UnknownOperation';

/** Returns the service and operation that a record names. */
function calledOf(called: CalledOperation | RoutingRefusal): { readonly service: ServiceName | undefined; readonly operation: string } {
  return called.kind === 'routed'
    ? { service: called.service, operation: called.operation.name }
    : { service: called.service ?? called.likelyService, operation: called.operationName ?? UNKNOWN_OPERATION };
}
