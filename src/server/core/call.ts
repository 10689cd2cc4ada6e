/** Calls of operations, below HTTP. Owns the transaction, its repetition, and the records of calls. */

import { type Authenticated, Unauthenticated } from '#access/authenticate.ts';
import type { Authorize, Authorized } from '#access/authorize.ts';
import { Denied } from '#access/denied.ts';
import type { Snapshot } from '#access/snapshot.ts';
import { AwsError } from '#core/aws-error.ts';
import type { RequestFacts } from '#core/exchange.ts';
import { isLoopbackAddress } from '#core/source-address.ts';
import { loadModel } from '#model/load.ts';
import type { ServiceName } from '#model/services.ts';
import type { AddEmit } from '#services/kit/events.ts';
import { isNotYet } from '#services/kit/not-yet.ts';
import { type Call, LastingRefusal, type Operation } from '#services/kit/operation.ts';
import type { Store, Tx } from '#store/store.ts';
import { readDocument } from '#wire/decode.ts';
import type { CalledOperation } from '#wire/routed.ts';
import { type Offloading, type OffloadParts, withOffload } from './offload.ts';
import type { PageTokens } from './page-tokens.ts';
import { type Facts, type Outcome, type RecordParts, type RequestRecords, requestRecords } from './request-records.ts';
import type { OperationTables } from './services.ts';

/** Parts of the server that calls need. */
export interface CallParts extends RecordParts {
  /** Store whose transactions return after every server has applied their changes of identity. */
  readonly store: Store;
  readonly snapshot: Pick<Snapshot, 'version'>;
  readonly authorize: Authorize;
  readonly operations: OperationTables;
  readonly pageTokens: PageTokens;
  /** Adds `emit` to the context of a transaction. */
  readonly addEmit: AddEmit;
  /** Returns unpredictable bytes. */
  readonly random: (bytes: number) => Uint8Array;
  /** Runs slow work of handlers outside the transaction. */
  readonly offload: Omit<OffloadParts, 'store'>;
  /** Logs a bug of this server, with the request ID in the response. */
  readonly report: (requestId: string, error: unknown) => void;
}

/** Facts of a call other than operation, input and caller. */
export interface CallFacts<Response> {
  readonly request: RequestFacts;
  /**
   * Authenticates the request again. It runs if identity changed since the caller was authenticated.
   *
   * @throws AwsError  the credentials are not valid any more
   */
  readonly authenticateAgain: () => Authenticated;
  /** Converts the output in the transaction, so an output that cannot be encoded commits nothing. */
  readonly respond: (output: unknown) => Response;
}

/** Calls operations and records them. */
export interface Calls {
  /**
   * Authorizes and runs an operation, and returns its response. The output and the trail record are then durable.
   *
   * @throws AwsError  the error for the client, which is recorded. ServiceUnavailable: the error could not be recorded
   */
  call<Response>(operation: CalledOperation, input: unknown, caller: Authenticated, facts: CallFacts<Response>): Promise<Response>;
  /**
   * Calls an operation for the server itself: reads `document` by the model, then continues as `call`. Returns the output.
   *
   * @throws AwsError  as `call`
   */
  callWithDocument(operation: CalledOperation, document: unknown, caller: Authenticated, request: RequestFacts): Promise<unknown>;
  /**
   * Records a request that failed. Returns the error for the client: the thrown one, InternalFailure for a bug of this server, or
   * ServiceUnavailable if the failure could not be recorded.
   */
  recordFailure(facts: Facts, thrown: unknown): Promise<AwsError>;
}

type AnyOperation = Operation<unknown, unknown>;

/**
 * Creates the calls of a server:
 *
 *     [ transaction: authorize → handle → respond → record ]
 *
 * A change and its record commit together. A denial or failure is recorded in a transaction of its own. A request that proves no
 * identity may be counted in a summary record instead (Decision 0015).
 */
export function calling(server: CallParts): Calls {
  const { store, now } = server;
  const records = requestRecords(server);
  const recordFailure = failureRecorder(server, records);

  async function call<Response>(
    called: CalledOperation,
    input: unknown,
    caller: Authenticated,
    callFacts: CallFacts<Response>,
  ): Promise<Response> {
    const facts: Facts = { request: callFacts.request, called, authenticated: caller, input };
    try {
      const table = server.operations(called.service);
      const operation = (table instanceof Promise ? await table : table)[called.operation.name] as AnyOperation;
      const attempt = (tx: Tx, offloading: Offloading) => attemptOf(tx, offloading, operation, called, facts, caller, callFacts);
      const name = `${called.service} ${called.operation.name}`;
      return await withOffload({ ...server.offload, store }, (offloading) => store.transaction((tx) => attempt(tx, offloading), { name }));
    } catch (thrown) {
      throw await recordFailure(facts, thrown);
    }
  }

  async function attemptOf<Response>(
    tx: Tx,
    { offload, survey, analyzeFor }: Offloading,
    operation: AnyOperation,
    called: CalledOperation,
    facts: Facts,
    proven: Authenticated,
    { request, authenticateAgain, respond }: CallFacts<Response>,
  ): Promise<Response> {
    // Operations that accept a token check the token's caller themselves.
    const isCurrent = proven.identityVersion === server.snapshot.version() || proven.principal.type === 'Unknown';
    const authenticated = isCurrent ? proven : authenticateAgain();
    const at = now();
    const { principal, region } = authenticated;
    const caller = { principal, accountId: principal.accountId, region, profile: called.profile };
    const access = operation.access(facts.input, caller);
    const asked = Array.isArray(access) ? access : [access];
    const authorized = await server.authorize({ received: request, authenticated, profile: called.profile, asked, now: at }, tx);
    facts.authorized = authorized;
    const scope = { ...called, ...caller };
    const paged = isNotYet(operation) ? facts.input : server.pageTokens.open(scope, facts.input);
    const context: Call = {
      ...caller,
      ...server.addEmit({ tx, now: at, newId: server.newId }),
      random: server.random,
      requestId: request.requestId,
      localPlain: request.secureTransport !== true && isLoopbackAddress(request.sourceIp),
      offload,
      survey,
      analyze: analyzeFor(caller.accountId),
    };
    const output = server.pageTokens.seal(scope, await handle(operation, context, paged, authorized));
    const response = respond(output);
    await records.append(tx, facts, { authenticated, output });
    return response;
  }

  /** Runs the handler. Requires an `Authorized`, which only `authorize` creates. */
  function handle(operation: AnyOperation, context: Call, input: unknown, _authorized: Authorized): Promise<unknown> {
    return operation.handle(context, input);
  }

  return {
    call,
    async callWithDocument(called, document, caller, request) {
      let input: unknown;
      try {
        input = readDocument(called, document);
      } catch (thrown) {
        throw await recordFailure({ request, called, authenticated: caller }, thrown);
      }
      // The server authenticated the caller itself just now.
      return await call(called, input, caller, { request, authenticateAgain: () => caller, respond: (output) => output });
    },
    recordFailure,
  };
}

function failureRecorder({ store, report }: CallParts, { isRecorded, append }: RequestRecords): Calls['recordFailure'] {
  return async (facts, thrown) => {
    const { requestId } = facts.request;
    const error = thrown instanceof AwsError ? thrown : internalFailure();
    if (error !== thrown) report(requestId, thrown);
    const outcome: Outcome = {
      error,
      denied: thrown instanceof Denied ? thrown : undefined,
      claimed: thrown instanceof Unauthenticated ? thrown.claimed : facts.claimed,
    };
    const lasting = thrown instanceof LastingRefusal ? thrown.lasting : undefined;
    // A request that is only counted needs no transaction.
    const recorded = isRecorded(facts, outcome);
    if (!recorded && lasting === undefined) return error;
    try {
      await store.transaction(async (tx) => {
        await lasting?.(tx);
        if (recorded) await append(tx, facts, outcome);
      });
      return error;
    } catch (failure) {
      report(requestId, failure);
      return unavailable();
    }
  };
}

/** Returns an operation for a call of the server itself. Its errors have the codes of the service's default protocol. */
export function calledOperation(service: Exclude<ServiceName, 'chime'>, name: string): CalledOperation {
  const model = loadModel(service);
  const operation = model.operations[name];
  const [protocol] = model.protocols;
  if (operation === undefined || protocol === undefined) throw new Error(`The model of ${service} has no operation ${name}.`);
  return { kind: 'routed', service, model, operation, protocol, profile: 'sdk' };
}

/** Returns the error of a server that cannot decide or record now. */
export function unavailable(): AwsError {
  return new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.');
}

function internalFailure(): AwsError {
  return new AwsError('InternalFailure', 'The request processing has failed because of an unknown error, exception or failure.');
}
