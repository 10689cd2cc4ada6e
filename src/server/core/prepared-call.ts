/** One attempt of a call before its handler runs: authentication, authorization, and the context of the handler. */
import type { Authenticated } from '#access/authenticate.ts';
import type { Authorize, Authorized } from '#access/authorize.ts';
import { newDecisionTrace } from '#access/decision-trace.ts';
import { Denied } from '#access/denied.ts';
import type { Snapshot } from '#access/snapshot.ts';
import type { RequestFacts, StoredBody, StoredRange } from '#core/exchange.ts';
import { isLoopbackAddress } from '#core/source-address.ts';
import type { AddEmit } from '#services/kit/events.ts';
import type { Call, Caller, Operation } from '#services/kit/operation.ts';
import type { Tx } from '#store/store.ts';
import type { CalledOperation } from '#wire/routed.ts';
import type { Offloading } from './offload.ts';
import type { Phases } from './phases.ts';
import type { Facts, RecordParts } from './request-records.ts';

export type AnyOperation = Operation<unknown, unknown>;

/** Parts of the server that `prepare` needs. */
export interface PrepareParts extends Pick<RecordParts, 'now' | 'newId'> {
  readonly snapshot: Pick<Snapshot, 'version'>;
  readonly authorize: Authorize;
  /** Adds `emit`, which runs the subscribers of an event, to the context of a transaction. */
  readonly addEmit: AddEmit;
  /** Returns unpredictable bytes. */
  readonly random: (bytes: number) => Uint8Array;
}

/** Request of a call. */
export interface RequestOfCall {
  readonly request: RequestFacts;
  /**
   * Authenticates the request again. The server calls this function if identity (a user, role, key or policy) changed
   * since the caller was authenticated.
   *
   * @throws AwsError  the credentials are not valid any more
   */
  readonly authenticateAgain: () => Authenticated;
  /** Content of the request that the main thread has stored. */
  readonly stored?: StoredBody | undefined;
  /** Receives the times of the phases, if the server sends traces. */
  readonly phases?: Phases | undefined;
}

/** An authorized attempt of a call, before its handler runs. */
export interface Prepared {
  readonly authenticated: Authenticated;
  readonly authorized: Authorized;
  readonly caller: Caller;
  readonly context: Call;
  /** Receives the file that the handler sends. */
  readonly sent: { file?: StoredRange };
}

/** Authorizes one attempt of a call, and returns the context of its handler. */
export async function prepare(
  server: PrepareParts,
  tx: Tx,
  { offload, contactFor, surveyFor, analyzeFor }: Offloading,
  operation: AnyOperation,
  called: CalledOperation,
  facts: Facts,
  proven: Authenticated,
  { request, authenticateAgain, stored }: RequestOfCall,
): Promise<Prepared> {
  // A caller of the type Unknown did not sign, so no signature is verified again. Operations that accept a token
  // check the token's caller themselves.
  // Each attempt has its own trace, because it decides again.
  const trace = newDecisionTrace();
  facts.trace = trace;
  const isCurrent = proven.identityVersion === server.snapshot.version() || proven.principal.type === 'Unknown';
  const authenticated = isCurrent ? proven : authenticateAgain();
  const at = server.now();
  const { principal, region } = authenticated;
  const caller = { principal, accountId: principal.accountId, region, profile: called.profile };
  const access = operation.access(facts.input, caller);
  const asked = Array.isArray(access) ? access : [access];
  const authorized = await server.authorize({ received: request, authenticated, profile: called.profile, asked, now: at, trace }, tx);
  facts.authorized = authorized;
  delete facts.owner;
  const sent: { file?: StoredRange } = {};
  const { emit } = server.addEmit({ tx, now: at, newId: server.newId });
  // Without spread, V8 creates the object in one step.
  const context: Call = {
    principal,
    accountId: principal.accountId,
    region,
    profile: called.profile,
    tx,
    now: at,
    newId: server.newId,
    emit,
    random: server.random,
    requestId: request.requestId,
    localPlain: request.secureTransport !== true && isLoopbackAddress(request.sourceIp),
    offload,
    contact: contactFor(caller.accountId),
    survey: surveyFor(caller.accountId),
    analyze: analyzeFor(caller.accountId),
    ...(stored !== undefined && { stored }),
    sendFile(file) {
      sent.file = file;
    },
    actsFor(owner) {
      facts.owner = owner;
    },
    async allows(more, notesDenial = false) {
      const { profile } = called;
      const checked = newDecisionTrace();
      try {
        await server.authorize({ received: request, authenticated, profile, asked: [more], now: at, trace: checked }, tx);
        trace.checksAlso(more, checked, true);
        return true;
      } catch (thrown) {
        if (!(thrown instanceof Denied)) throw thrown;
        if (notesDenial) trace.checksAlso(more, checked, false);
        return false;
      }
    },
  };
  return { authenticated, authorized, caller, context, sent };
}
