import { randomBytes, randomUUID } from 'node:crypto';
import { type Authenticate, type Authenticated, type ExpectedScope, Unauthenticated } from '#access/authenticate.ts';
import { type Authorize, type Authorized, Denied } from '#access/authorize.ts';
import type { Federate } from '#access/federate.ts';
import type { Snapshot } from '#access/snapshot.ts';
import type { AccountId } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Answer, Received } from '#core/exchange.ts';
import { SERVICES } from '#model/services.ts';
import type { Work } from '#services/kit/events.ts';
import { isNotYet } from '#services/kit/not-yet.ts';
import { type Call, LastingRefusal, type Operation } from '#services/kit/operation.ts';
import type { Store, Tx } from '#store/store.ts';
import { decode } from '#wire/decode.ts';
import { encode, encodeError } from '#wire/encode.ts';
import type { Routed, RoutingRefusal } from '#wire/routed.ts';
import { type AsideParts, type Beside, withAside } from './aside.ts';
import type { PageTokens } from './page-tokens.ts';
import { type Facts, type Outcome, type RecordParts, requestRecords } from './request-records.ts';
import type { OperationTables } from './services.ts';

/** Everything a request meets on its way; made once, in `core.ts`. */
export interface Server extends RecordParts {
  readonly store: Store;
  readonly snapshot: Snapshot;
  readonly authenticate: Authenticate;
  /** Who brings a token in place of a signature. */
  readonly federate: Federate;
  readonly authorize: Authorize;
  readonly operations: OperationTables;
  /** Adds `emit` to the context of a transaction. */
  readonly addEmit: (context: Omit<Work, 'emit'>) => Work;
  readonly pageTokens: PageTokens;
  readonly route: (received: Received) => Routed | RoutingRefusal;
  /** Runs the work of handlers outside the transaction. */
  readonly beside: AsideParts;
  /** Whether the lease on the snapshot holds; what a request changes of identity is withdrawn everywhere by `store`, before it answers. */
  readonly holds: () => boolean;
  /** Seals the reasons of a denial for an account. */
  readonly sealReasons: (reasons: string, accountId: AccountId) => string;
  /** Bugs of ours, with the request id the client was given. */
  readonly report: (requestId: string, error: unknown) => void;
}

/** Clients read headers of 16 KB and more in all; a longer explanation is left to the simulator. */
const REASONS_MAX = 6_000;

/**
 * The whole path of a request, on one page:
 *
 *     receive → route → authenticate → decode → [ transaction: authorize → handle → encode → record ] → respond
 *
 * Routing is first because the error of a bad signature is formatted in the service's protocol and named in the trail; it
 * trusts nothing. The action authorized is that of the operation executed. A change and its record commit together. A refusal or
 * failure is recorded in a transaction of its own. The server responds after the record is durable.
 *
 * A request that proves no identity may be counted in a summary record instead (Decision 0015).
 */
export function answering(server: Server): (received: Received, refuse?: 'RequestTooLarge') => Promise<Answer> {
  const { store, now } = server;
  const { isRecorded, append } = requestRecords(server);

  return async (received, refuse) => {
    const routed = server.route(received);
    // Without a lease the identity snapshot may be stale, and the database is probably unreachable: nothing is recorded.
    if (!server.holds()) return encodeError(routed, unavailable(), received.requestId);

    const facts: Facts = { received, routed };
    try {
      // The body was not read, so no signature can be verified.
      if (refuse !== undefined) throw new AwsError(refuse, 'Request body is too large.');
      if (routed.kind === 'refused') {
        identify(facts, routed);
        throw routed.error;
      }
      facts.authenticated = server.authenticate(received, expectedOf(routed), now());
      facts.input = decode(routed, received);
      const brought = routed.operation.unsigned ? await server.federate(routed.operation.name, facts.input, now()) : undefined;
      if (brought !== undefined) facts.authenticated = { ...facts.authenticated, principal: brought };
      return await perform(routed, facts, facts.authenticated);
    } catch (error) {
      return await refused(facts, error);
    }
  };

  /** Finds out who signed a request that names no operation. Only its record depends on it: the request is refused in any case. */
  function identify(facts: Facts, { service }: RoutingRefusal): void {
    const expected =
      service === undefined
        ? { unsigned: true }
        : {
            signingName: SERVICES[service].signingName,
            unsigned: true,
            ...(SERVICES[service].global && { onlyRegion: server.region }),
          };
    try {
      facts.authenticated = server.authenticate(facts.received, expected, now());
    } catch (error) {
      if (!(error instanceof Unauthenticated)) throw error;
      facts.claimed = error.claimed;
    }
  }

  async function perform(routed: Routed, facts: Facts, proven: Authenticated): Promise<Answer> {
    const { received, input } = facts;
    const table = server.operations(routed.service);
    const operation = (table instanceof Promise ? await table : table)[routed.operation.name] as Operation<unknown, unknown>;
    const once = async (tx: Tx, { aside, offloadFor }: Beside): Promise<Answer> => {
      // Identity may have changed since: who it was then is asked again. Of who brings a token the operation itself asks.
      const still = proven.identityVersion === server.snapshot.version() || proven.principal.type === 'Unknown';
      const authenticated = still ? proven : server.authenticate(received, expectedOf(routed), now());
      const at = now();
      const caller = {
        principal: authenticated.principal,
        accountId: authenticated.principal.accountId,
        region: authenticated.region,
        profile: routed.profile,
      };
      const access = operation.access(input, caller);
      const asked = Array.isArray(access) ? access : [access];
      const authorized = await server.authorize({ received, authenticated, profile: routed.profile, asked, now: at }, tx);
      facts.authorized = authorized;
      const pages = { ...routed, ...caller };
      const paged = isNotYet(operation) ? input : server.pageTokens.open(pages, input);
      const made = await run(
        operation,
        {
          ...caller,
          ...server.addEmit({ tx, now: at, newId: randomUUID }),
          random: randomBytes,
          requestId: received.requestId,
          aside,
          offload: offloadFor(caller.accountId),
        },
        paged,
        authorized,
      );
      const output = server.pageTokens.seal(pages, made);
      const encoded = encode(routed, output as Record<string, unknown>, received.requestId);
      await append(tx, facts, { authenticated, output });
      return encoded;
    };
    return withAside(server.beside, (beside) => store.transaction((tx) => once(tx, beside)));
  }

  function expectedOf({ service, model, operation }: Routed): ExpectedScope {
    const scope = { signingName: model.signingName, unsigned: operation.unsigned === true };
    return SERVICES[service].global ? { ...scope, onlyRegion: server.region } : scope;
  }

  /** Only what was authorized runs: without the proof there is no call. */
  function run(operation: Operation<unknown, unknown>, call: Call, input: unknown, _authorized: Authorized): Promise<unknown> {
    return operation.handle(call, input);
  }

  async function refused(facts: Facts, thrown: unknown): Promise<Answer> {
    const { received, routed } = facts;
    const error =
      thrown instanceof AwsError
        ? thrown
        : new AwsError('InternalFailure', 'The request processing has failed because of an unknown error, exception or failure.');
    if (error !== thrown) server.report(received.requestId, thrown);
    const answer = explained(encodeError(routed, error, received.requestId), thrown, facts);
    const outcome: Outcome = {
      error,
      denied: thrown instanceof Denied ? thrown : undefined,
      claimed: thrown instanceof Unauthenticated ? thrown.claimed : facts.claimed,
    };
    const lasting = thrown instanceof LastingRefusal ? thrown.lasting : undefined;
    // A request that is counted only costs no transaction.
    const recorded = isRecorded(facts, outcome);
    if (!recorded && lasting === undefined) return answer;
    try {
      await store.transaction(async (tx) => {
        await lasting?.(tx);
        if (recorded) await append(tx, facts, outcome);
      });
    } catch (failure) {
      // A request that cannot be recorded is not answered as if it had been.
      server.report(received.requestId, failure);
      return encodeError(routed, unavailable(), received.requestId);
    }
    return answer;
  }

  /** A denial carries its whole explanation, sealed: `sts:DecodeAuthorizationMessage` opens it for who may ask. */
  function explained(answer: Answer, thrown: unknown, { authenticated }: Facts): Answer {
    if (!(thrown instanceof Denied) || thrown.reasons === undefined || authenticated === undefined) return answer;
    const message = server.sealReasons(thrown.reasons, authenticated.principal.accountId);
    return message.length > REASONS_MAX ? answer : { ...answer, headers: [...answer.headers, 'x-belfry-authorization-message', message] };
  }
}

function unavailable(): AwsError {
  return new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.');
}
