/** The path of an HTTP request. */
import { type Authenticate, type Authenticated, type ExpectedScope, Unauthenticated } from '#access/authenticate.ts';
import { Denied } from '#access/denied.ts';
import type { Federate } from '#access/federate.ts';
import type { AccountId } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Answer, Received } from '#core/exchange.ts';
import { sourceOf } from '#core/source-address.ts';
import { SERVICES } from '#model/services.ts';
import { decode } from '#wire/decode.ts';
import { encode, encodeError } from '#wire/encode.ts';
import type { Routed, RoutingRefusal } from '#wire/routed.ts';
import { type CallParts, type Calls, calling, unavailable } from './call.ts';
import type { Facts } from './request-records.ts';

/** Parts of the server that requests need. `composeCore` creates it. */
export interface Server extends CallParts {
  readonly route: (received: Received) => Routed | RoutingRefusal;
  readonly authenticate: Authenticate;
  /** Authenticates a caller that presents a token instead of a signature. */
  readonly federate: Federate;
  /** Reports whether the lease on the identity snapshot holds. */
  readonly holds: () => boolean;
  /** Seals the reasons of a denial for an account. */
  readonly sealReasons: (reasons: string, accountId: AccountId) => string;
}

/** Largest size of sealed reasons, in characters. Clients read 16 KB of headers. The simulator explains longer ones. */
const REASONS_MAX = 6_000;

/** A request with its authenticated caller and its decoded input. */
interface Callable {
  readonly routed: Routed;
  readonly caller: Authenticated;
  readonly input: unknown;
}

/**
 * Creates the function that answers HTTP requests:
 *
 *     receive → route → authenticate → decode → call → respond
 *
 * Routing is first, because the error of a bad signature is formatted in the service's protocol and names the service in the trail.
 * The request is not verified at that point. `call` authorizes the action of the operation that it runs (`call.ts`). The server responds
 * after the record is durable. `refuse` is the error of a request whose body was not read.
 */
export function answering(
  server: Server,
  calls: Calls = calling(server),
): (received: Received, refuse?: 'RequestTooLarge') => Promise<Answer> {
  const { now } = server;

  return async (received, refuse) => {
    const routed = server.route(received);
    // Without a lease the identity snapshot may be stale, and the database is probably unreachable. Nothing is recorded.
    if (!server.holds()) return encodeError(routed, unavailable(), received.requestId);

    const facts: Facts = { request: received, called: routed };
    let callable: Callable;
    try {
      callable = await requireCallable(received, routed, facts, refuse);
    } catch (thrown) {
      return errorAnswer(facts, await calls.recordFailure(facts, thrown));
    }
    try {
      return await calls.call(callable.routed, callable.input, callable.caller, {
        request: received,
        authenticateAgain: () => server.authenticate(received, expectedOf(callable.routed), now()),
        respond: (output) => encode(callable.routed, output, received.requestId),
      });
    } catch (error) {
      return errorAnswer(facts, error as AwsError);
    }
  };

  /** Authenticates and decodes a request, and adds the content of its record to `facts` in case it fails. */
  async function requireCallable(
    received: Received,
    routed: Routed | RoutingRefusal,
    facts: Facts,
    refuse?: 'RequestTooLarge',
  ): Promise<Callable> {
    // The body was not read, so no signature can be verified.
    if (refuse !== undefined) throw new AwsError(refuse, 'Request body is too large.');
    if (routed.kind === 'refused') {
      identify(received, routed, facts);
      throw routed.error;
    }
    let caller = server.authenticate(received, expectedOf(routed), now());
    facts.authenticated = caller;
    const input = decode(routed, received);
    facts.input = input;
    if (routed.operation.unsigned) {
      const principal = await server.federate(routed.operation.name, input, now(), sourceOf(received.sourceIp));
      if (principal !== undefined) facts.authenticated = caller = { ...caller, principal };
    }
    return { routed, caller, input };
  }

  /**
   * Identifies the signer of a request that names no operation. The result is only for the record, because the request fails in any case.
   */
  function identify(received: Received, { service }: RoutingRefusal, facts: Facts): void {
    const expected =
      service === undefined
        ? { unsigned: true }
        : {
            signingName: SERVICES[service].signingName,
            unsigned: true,
            ...(SERVICES[service].global && { onlyRegion: server.region }),
          };
    try {
      facts.authenticated = server.authenticate(received, expected, now());
    } catch (error) {
      if (!(error instanceof Unauthenticated)) throw error;
      facts.claimed = error.claimed;
    }
  }

  function expectedOf({ service, model, operation }: Routed): ExpectedScope {
    const scope = { signingName: model.signingName, unsigned: operation.unsigned === true };
    return SERVICES[service].global ? { ...scope, onlyRegion: server.region } : scope;
  }

  /** Encodes an error. A header has the sealed explanation of a denial, which `sts:DecodeAuthorizationMessage` opens. */
  function errorAnswer({ request, called, authenticated }: Facts, error: AwsError): Answer {
    const answer = encodeError(called, error, request.requestId);
    if (!(error instanceof Denied) || error.reasons === undefined || authenticated === undefined) return answer;
    const message = server.sealReasons(error.reasons, authenticated.principal.accountId);
    return message.length > REASONS_MAX ? answer : { ...answer, headers: [...answer.headers, 'x-belfry-authorization-message', message] };
  }
}
