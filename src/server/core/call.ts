/**
 * Calls of operations, independent of HTTP. This module owns the transaction, the retries and the trail record of a
 * call.
 */

import type { Authenticated } from '#access/authenticate.ts';
import type { Authorized } from '#access/authorize.ts';
import type { AwsError } from '#core/aws-error.ts';
import type { RequestFacts, StoredRange } from '#core/exchange.ts';
import { loadModel } from '#model/load.ts';
import type { ServiceName } from '#model/services.ts';
import { isNotYet, isRefused } from '#services/kit/not-yet.ts';
import type { Call } from '#services/kit/operation.ts';
import type { Store, TransactionOptions, Tx } from '#store/store.ts';
import { readDocument } from '#wire/decode.ts';
import type { CalledOperation } from '#wire/routed.ts';
import { failureRecorder } from './failures.ts';
import { type Offloading, type OffloadParts, withOffload } from './offload.ts';
import type { PageTokens } from './page-tokens.ts';
import { type AnyOperation, type PrepareParts, prepare, type RequestOfCall } from './prepared-call.ts';
import { type Facts, type RecordParts, requestRecords } from './request-records.ts';
import type { OperationTables } from './services.ts';
import { answerUnrecorded, requireTrail, type UnrecordedParts } from './unrecorded-reads.ts';

/** Parts of the server that calls need. */
export interface CallParts extends PrepareParts, RecordParts, UnrecordedParts {
  /**
   * Store of the server. If a transaction changes identity (users, roles, keys, policies), its promise resolves after
   * every server has applied the change.
   */
  readonly store: Store;
  readonly operations: OperationTables;
  readonly pageTokens: PageTokens;
  /** Runs slow work of handlers outside the transaction. */
  readonly offload: Omit<OffloadParts, 'store'>;
}

/** Facts of a call other than operation, input and caller. */
export interface CallFacts<Response> extends RequestOfCall {
  /**
   * Converts the output to the response. Runs in the transaction, so the transaction commits nothing if the output
   * cannot be encoded.
   */
  readonly respond: (output: unknown, file: StoredRange | undefined) => Response;
}

/** Calls operations and records the calls in the trail. */
export interface Calls {
  /**
   * Authorizes and runs an operation, and returns its response. The output and the trail record are then durable.
   *
   * In a gap, a read may be answered without a record (`answerUnrecorded`), if the operator allows it.
   *
   * @throws AwsError  the error for the client; it is recorded
   * @throws AwsError ServiceUnavailable  the call or its error could not be recorded
   */
  call<Response>(operation: CalledOperation, input: unknown, caller: Authenticated, facts: CallFacts<Response>): Promise<Response>;
  /**
   * Decides whether the server may read the streamed body of a request. Authorizes the request and runs the operation's `admit`. Returns
   * false, and does neither, if the operation has no streamed body. Records only a refusal, because `call` follows after the body.
   *
   * @throws AwsError  the error for the client; it is recorded
   */
  admit(operation: CalledOperation, input: unknown, caller: Authenticated, facts: RequestOfCall): Promise<boolean>;
  /**
   * Calls an operation for the server itself. Decodes `document` with the service model, then authorizes, runs and
   * records the operation. Returns the output.
   *
   * @throws AwsError  the document is invalid, or the operation failed; the error is recorded
   * @throws AwsError ServiceUnavailable  the error could not be recorded
   */
  callWithDocument(operation: CalledOperation, document: unknown, caller: Authenticated, request: RequestFacts): Promise<unknown>;
  /**
   * Records a request that failed. Returns the error for the client: the thrown AwsError, InternalFailure for a bug of
   * this server, or ServiceUnavailable if the failure could not be recorded.
   */
  recordFailure(facts: Facts, thrown: unknown): Promise<AwsError>;
}

/**
 * Creates the calls of a server:
 *
 *     [ transaction: authorize → handle → respond → record ]
 *
 * A change and its record commit together. A denial or failure is recorded in a transaction of its own. A failed
 * request that proves no identity may get no record of its own. Then only a summary record counts it (Decision 0015).
 * While the trail cannot be written, the server refuses requests and counts them (Decision 0030).
 */
export function calling(server: CallParts): Calls {
  const { store, gap } = server;
  const offloadParts = { ...server.offload, store };
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
      const run = (isRecorded: boolean, options: TransactionOptions): Promise<Response> =>
        withOffload(offloadParts, (offloading) =>
          store.transaction((tx) => attemptOf(tx, offloading, operation, called, facts, caller, callFacts, isRecorded), options),
        );
      const name = `${called.service} ${called.operation.name}`;
      try {
        requireTrail(gap);
        return await run(true, { name });
      } catch (thrown) {
        return await answerUnrecorded(server, facts, called, caller, thrown, () => run(false, { name, readOnly: true }));
      }
    } catch (thrown) {
      throw await recordFailure(facts, thrown);
    }
  }

  async function admit(called: CalledOperation, input: unknown, caller: Authenticated, callFacts: RequestOfCall): Promise<boolean> {
    const facts: Facts = { request: callFacts.request, called, authenticated: caller, input };
    try {
      const operation = (await server.operations(called.service))[called.operation.name] as AnyOperation;
      const { admit: admitted } = operation;
      if (admitted === undefined) return false;
      requireTrail(gap);
      await withOffload(offloadParts, (offloading) =>
        store.transaction(async (tx) =>
          admitted((await prepare(server, tx, offloading, operation, called, facts, caller, callFacts)).context, input),
        ),
      );
      return true;
    } catch (thrown) {
      throw await recordFailure(facts, thrown);
    }
  }

  async function attemptOf<Response>(
    tx: Tx,
    offloading: Offloading,
    operation: AnyOperation,
    called: CalledOperation,
    facts: Facts,
    proven: Authenticated,
    callFacts: CallFacts<Response>,
    isRecorded: boolean,
  ): Promise<Response> {
    const { authenticated, authorized, caller, context, sent } = await prepare(
      server,
      tx,
      offloading,
      operation,
      called,
      facts,
      proven,
      callFacts,
    );
    callFacts.phases?.end('authorize');
    const scope = { ...called, ...caller };
    const paged = isNotYet(operation) && !isRefused(operation) ? facts.input : server.pageTokens.open(scope, facts.input);
    const output = server.pageTokens.seal(scope, await handle(operation, context, paged, authorized));
    callFacts.phases?.end('handle');
    const response = callFacts.respond(output, sent.file);
    if (isRecorded) await records.append(tx, facts, { authenticated, output });
    return response;
  }

  /** Runs the handler. Requires an `Authorized`, which only `authorize` creates. */
  function handle(operation: AnyOperation, context: Call, input: unknown, _authorized: Authorized): Promise<unknown> {
    return operation.handle(context, input);
  }

  return {
    call,
    admit,
    async callWithDocument(called, document, caller, request) {
      let input: unknown;
      try {
        input = readDocument(called, document);
      } catch (thrown) {
        throw await recordFailure({ request, called, authenticated: caller }, thrown);
      }
      // The server itself authenticated the caller just now, so `authenticateAgain` returns the same caller.
      return await call(called, input, caller, { request, authenticateAgain: () => caller, respond: (output) => output });
    },
    recordFailure,
  };
}

/**
 * Returns an operation that the server itself can call. Its errors have the error codes of the service's default
 * protocol.
 */
export function calledOperation(service: Exclude<ServiceName, 'chime'>, name: string): CalledOperation {
  const model = loadModel(service);
  const operation = model.operations[name];
  const [protocol] = model.protocols;
  if (operation === undefined || protocol === undefined) throw new Error(`The model of ${service} has no operation ${name}.`);
  return { kind: 'routed', service, model, operation, protocol, profile: 'sdk' };
}
