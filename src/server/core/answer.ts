/** The path of an HTTP request through the core, from routing to the response. */
import {
  type Authenticate,
  type Authenticated,
  type AuthenticatedRequest,
  type ExpectedScope,
  Unauthenticated,
} from '#access/authenticate.ts';
import { Denied } from '#access/denied.ts';
import type { Federate } from '#access/federate.ts';
import type { AccountId } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Answer, Received, StoredRange } from '#core/exchange.ts';
import { sourceOf } from '#core/source-address.ts';
import { SERVICES } from '#model/services.ts';
import type { SignedPayload } from '#sigv4/payload.ts';
import { verifiedBody } from '#wire/body-verifier.ts';
import { decode } from '#wire/decode.ts';
import { encode, encodeError } from '#wire/encode.ts';
import type { Routed, RoutingRefusal } from '#wire/routed.ts';
import { hasObjectBody, requiresChecksum } from '#wire/s3-route.ts';
import { bodyPlan } from './body-plan.ts';
import { type CallParts, type Calls, calling } from './call.ts';
import type { BodyRefusal, CoreAnswer } from './core-batches.ts';
import { unavailable } from './failures.ts';
import type { Phases } from './phases.ts';
import type { Facts } from './request-records.ts';

/** Parts of the server that requests need. `composeCore` creates them. */
export interface Server extends CallParts {
  readonly route: (received: Received) => Routed | RoutingRefusal;
  readonly authenticate: Authenticate;
  /** Authenticates a caller that presents a token instead of a signature. */
  readonly federate: Federate;
  /** Reports whether the server holds a lease on its identity snapshot (the copy of all identity in memory). */
  readonly holds: () => boolean;
  /** Encrypts the reasons of a denial, so that only callers in the account `accountId` can read them. */
  readonly sealReasons: (reasons: string, accountId: AccountId) => string;
  /** Starts to measure the phases of a request, if the server sends traces. */
  readonly newPhases: () => Phases | undefined;
  /** Receives each request with its answer, and with its error if it failed. Returns the answer for the main thread. */
  readonly ended: (facts: Facts, answer: CoreAnswer, error?: AwsError) => CoreAnswer;
}

/**
 * Maximum size of the encrypted reasons in a response header, in characters. Clients accept about 16 KB of headers. The
 * server omits longer reasons. The policy simulator can explain such a denial.
 */
const REASONS_MAX = 6_000;

/** Response to a request whose head was admitted. It carries the admission to the main thread, which sends it to no client. */
const NOT_FOR_CLIENT = { status: 100, headers: [], body: '' } as const;

/** A request with its authenticated caller and its decoded input. */
interface Callable {
  readonly routed: Routed;
  readonly caller: Authenticated;
  readonly input: unknown;
  /** Facts about the body that the signature of a request to S3 states. */
  readonly payload?: SignedPayload;
}

/** Returns an authenticated caller without the payload, which can contain a secret. Everything after the verification of the body gets this. */
function withoutPayload(authenticated: AuthenticatedRequest): Authenticated {
  // Only requests to S3 have a payload, so all others need no copy.
  if (authenticated.payload === undefined) return authenticated;
  const { payload: _payload, ...caller } = authenticated;
  return caller;
}

/** Returns a request to S3 with its verified and decoded body. @throws AwsError  see `verifiedBody` */
function withVerifiedBody(routed: Routed, received: Received, payload: SignedPayload): Received {
  const needs = { checksumRequired: requiresChecksum(routed), isObject: hasObjectBody(routed) };
  return { ...received, body: verifiedBody(received, payload, needs) };
}

/**
 * Creates the function that answers HTTP requests:
 *
 *     receive → route → authenticate → decode → call → respond
 *
 * Routing precedes authentication, because even the error for a bad signature depends on the service. The service's
 * protocol determines the format of this error, and the trail record (audit log entry) names the service. So routing
 * reads a request that is not verified yet. `call` authorizes the operation's action (`call.ts`). The server responds
 * after the trail record is durable. `refuse` is the error of a request whose body was not read or not accepted. With
 * `admit`, the request is only a head, and the answer says how the main thread reads the body.
 */
export function answering(
  server: Server,
  calls: Calls = calling(server),
): (received: Received, refuse?: BodyRefusal, admit?: true) => Promise<CoreAnswer> {
  const { now } = server;

  return async (received, refuse, admit) => {
    const routed = server.route(received);
    // Without a lease the identity snapshot may be stale, and the database is probably unreachable. So the server
    // rejects the request and records nothing.
    if (!server.holds()) {
      const error = unavailable();
      return server.ended({ request: received, called: routed }, encodeError(routed, error, received.requestId), error);
    }

    // Only the body of an object is streamed. Any other request is decided with its body.
    if (admit === true && !(routed.kind === 'routed' && hasObjectBody(routed))) return { ...NOT_FOR_CLIENT, admission: 'buffer' };

    const phases = server.newPhases();
    const facts: Facts = { request: received, called: routed, phases };
    let callable: Callable;
    try {
      callable = await requireCallable(received, routed, facts, { refuse, admit });
    } catch (thrown) {
      return errorAnswer(facts, await calls.recordFailure(facts, thrown));
    }
    const { input, caller } = callable;
    const request = {
      request: received,
      stored: received.stored,
      phases,
      authenticateAgain: () => withoutPayload(server.authenticate(received, expectedOf(callable.routed), now())),
    };
    try {
      if (admit === true) {
        const isStreamed = await calls.admit(callable.routed, input, caller, request);
        return await admissionAnswer(facts, isStreamed ? callable.payload : undefined);
      }
      const answer = await calls.call(callable.routed, input, caller, {
        ...request,
        respond: (output, file) => withFile(encode(callable.routed, output, received.requestId), file),
      });
      return server.ended(facts, answer);
    } catch (error) {
      return errorAnswer(facts, error as AwsError);
    }
  };

  /** Returns the answer to an admitted head: the plan for its body. */
  async function admissionAnswer(facts: Facts, payload: SignedPayload | undefined): Promise<CoreAnswer> {
    if (payload === undefined) return { ...NOT_FOR_CLIENT, admission: 'buffer' };
    try {
      return {
        ...NOT_FOR_CLIENT,
        admission: bodyPlan(facts.request as Received, payload, {
          isPart: 'operation' in facts.called && facts.called.operation.name === 'UploadPart',
        }),
      };
    } catch (thrown) {
      throw await calls.recordFailure(facts, thrown);
    }
  }

  /** Authenticates and decodes a request. Adds each result to `facts`, for the trail record if the request fails. */
  async function requireCallable(
    received: Received,
    routed: Routed | RoutingRefusal,
    facts: Facts,
    { refuse, admit }: { readonly refuse: BodyRefusal | undefined; readonly admit: true | undefined },
  ): Promise<Callable> {
    // The body was not read, so no signature can be verified.
    if (refuse === 'RequestTooLarge') throw new AwsError(refuse, 'Request body is too large.');
    if (routed.kind === 'refused') {
      identify(received, routed, facts);
      throw routed.error;
    }
    const authenticated = server.authenticate(received, expectedOf(routed), now());
    const { payload } = authenticated;
    let caller = withoutPayload(authenticated);
    facts.authenticated = caller;
    // The main thread has verified a stored body, and has reported a refused one. An admitted head has no body yet.
    const isInMemory = received.stored === undefined && refuse === undefined && admit === undefined;
    const input = decode(routed, payload === undefined || !isInMemory ? received : withVerifiedBody(routed, received, payload));
    facts.input = input;
    if (routed.operation.unsigned) {
      const principal = await server.federate(routed.operation.name, input, now(), sourceOf(received.sourceIp));
      if (principal !== undefined) facts.authenticated = caller = { ...caller, principal };
    }
    if (refuse !== undefined) throw new AwsError(refuse.code, refuse.message, refuse.members);
    return { routed, caller, input, ...(payload !== undefined && { payload }) };
  }

  /**
   * Identifies the signer of a request that names no operation. The result is only for the trail record, because the
   * request fails in any case.
   *
   * @throws Unauthenticated  the refusal requires an authenticated caller
   */
  function identify(received: Received, { service, authenticated }: RoutingRefusal, facts: Facts): void {
    const expected =
      service === undefined
        ? { unsigned: true }
        : {
            signingName: SERVICES[service].signingName,
            unsigned: true,
            ...(SERVICES[service].global && { onlyRegion: server.region }),
          };
    try {
      facts.authenticated = withoutPayload(server.authenticate(received, expected, now()));
    } catch (error) {
      if (!(error instanceof Unauthenticated) || authenticated) throw error;
      facts.claimed = error.claimed;
    }
  }

  function expectedOf({ service, model, operation }: Routed): ExpectedScope {
    const scope = { signingName: model.signingName, unsigned: operation.unsigned === true };
    return SERVICES[service].global ? { ...scope, onlyRegion: server.region } : scope;
  }

  function errorAnswer(facts: Facts, error: AwsError): CoreAnswer {
    return server.ended(facts, encodedError(facts, error), error);
  }

  /**
   * Encodes an error. For a denial, adds a header with the encrypted reasons. `sts:DecodeAuthorizationMessage` decrypts
   * them.
   */
  function encodedError({ request, called, authenticated }: Facts, error: AwsError): Answer {
    const answer = encodeError(called, error, request.requestId);
    if (!(error instanceof Denied) || error.reasons === undefined || authenticated === undefined) return answer;
    const message = server.sealReasons(error.reasons, authenticated.principal.accountId);
    return message.length > REASONS_MAX ? answer : { ...answer, headers: [...answer.headers, 'x-belfry-authorization-message', message] };
  }
}

function withFile(answer: Answer, file: StoredRange | undefined): Answer {
  return file === undefined ? answer : { ...answer, file };
}
