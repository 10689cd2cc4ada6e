import { randomBytes, randomUUID } from 'node:crypto';
import { type Authenticate, type Authenticated, type ExpectedScope, Unauthenticated } from '#access/authenticate.ts';
import { type Authorize, type Authorized, Denied } from '#access/authorize.ts';
import type { Federate } from '#access/federate.ts';
import type { Snapshot } from '#access/snapshot.ts';
import type { AccountId } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Answer, Received } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import { actionName } from '#model/action-prefix.ts';
import { isNotYet } from '#services/not-yet.ts';
import { type Call, LastingRefusal, type Operation } from '#services/operation.ts';
import type { Store, Tx } from '#store/store.ts';
import type { TrailRow } from '#store/trail.ts';
import type { Use } from '#trail/last-use.ts';
import type { Recorded } from '#trail/record.ts';
import { decode } from '#wire/decode.ts';
import { encode, encodeError, errorCodeFor } from '#wire/encode.ts';
import type { Routed, RoutingRefusal } from '#wire/routed.ts';
import { type Gate, withAside } from './aside.ts';
import { eventSourceOf, hasRegions } from './event-source.ts';
import type { OperationTables } from './operations.ts';
import type { PageTokens } from './page-tokens.ts';

/** Everything a request meets on its way; made once, in `core.ts`. */
export interface Server {
  readonly store: Store;
  readonly snapshot: Snapshot;
  readonly authenticate: Authenticate;
  /** Who brings a token in place of a signature. */
  readonly federate: Federate;
  readonly authorize: Authorize;
  readonly operations: OperationTables;
  readonly pageTokens: PageTokens;
  readonly record: (recorded: Recorded) => TrailRow;
  /** Notes the last use of a key and its principal; undefined where it was noted lately. */
  readonly noteUse: (tx: Tx, use: Use) => Promise<void> | undefined;
  readonly now: () => Instant;
  readonly route: (received: Received) => Routed | RoutingRefusal;
  readonly recording: boolean;
  /** Lets through what is done beside the thread. */
  readonly gate: Gate;
  /** Where records stand whose region nobody has proven, and those of services that have none: one that a caller names is one that nobody looks into. */
  readonly region: string;
  /** Whose event history holds what nobody can be made out for. */
  readonly operatorAccount: () => AccountId;
  /** Whether the lease on the snapshot holds; what a request changes of identity is withdrawn everywhere by `store`, before it answers. */
  readonly holds: () => boolean;
  /** Seals the reasons of a denial for an account. */
  readonly sealReasons: (reasons: string, accountId: AccountId) => string;
  /** Bugs of ours, with the request id the client was given. */
  readonly report: (requestId: string, error: unknown) => void;
}

/** Clients read headers of 16 KB and more in all; a longer explanation is left to the simulator. */
const REASONS_MAX = 6_000;

/** Who called what: the facts of a request as far as they are known. */
interface Facts {
  readonly received: Received;
  routed: Routed;
  authenticated?: Authenticated;
  input?: unknown;
  /** What was allowed, kept for the record of an operation that fails after it. */
  authorized?: Authorized;
}

/**
 * The whole path of a request, on one page:
 *
 *     receive → route → authenticate → decode → [ transaction: authorize → handle → encode → record ] → respond
 *
 * Routing is first because the error of a bad signature is spelt in the service's protocol and named in the trail; it
 * trusts nothing. The action authorized is that of the operation executed. What was done and its record commit together;
 * what was refused or failed is recorded in a transaction of its own. No answer leaves before its record is durable.
 */
export function answering(server: Server): (received: Received, refuse?: 'RequestTooLarge') => Promise<Answer> {
  const { store, now } = server;

  return async (received, refuse) => {
    const routed = server.route(received);
    if (refuse !== undefined) return encodeError(routed, new AwsError(refuse, 'Request body is too large.'), received.requestId);
    if (routed.kind === 'refused') return encodeError(routed, routed.error, received.requestId);
    // Nobody is made out by what may have been withdrawn; and without a lease there is hardly a database to record in.
    if (!server.holds())
      return encodeError(routed, new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.'), received.requestId);

    const facts: Facts = { received, routed };
    try {
      facts.authenticated = server.authenticate(received, expectedOf(routed), now());
      facts.input = decode(routed, received);
      const brought = routed.operation.unsigned ? await server.federate(routed.operation.name, facts.input, now()) : undefined;
      if (brought !== undefined) facts.authenticated = { ...facts.authenticated, principal: brought };
      return await perform(facts, facts.authenticated);
    } catch (error) {
      return await refused(facts, error);
    }
  };

  async function perform(facts: Facts, proven: Authenticated): Promise<Answer> {
    const { received, routed, input } = facts;
    const table = server.operations(routed.service);
    const operation = (table instanceof Promise ? await table : table)[routed.operation.name] as Operation<unknown, unknown>;
    const once = async (tx: Tx, aside: Call['aside']): Promise<Answer> => {
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
        { ...caller, now: at, newId: randomUUID, random: randomBytes, tx, requestId: received.requestId, aside },
        paged,
        authorized,
      );
      const output = server.pageTokens.seal(pages, made);
      const encoded = encode(routed, output as Record<string, unknown>, received.requestId);
      await append(tx, facts, { authenticated, output });
      return encoded;
    };
    return withAside(server.gate, (aside) => store.transaction((tx) => once(tx, aside)));
  }

  function expectedOf({ service, model, operation }: Routed): ExpectedScope {
    const scope = { signingName: model.signingName, unsigned: operation.unsigned === true };
    return hasRegions(service) ? scope : { ...scope, onlyRegion: server.region };
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
    try {
      await store.transaction(async (tx) => {
        if (thrown instanceof LastingRefusal) await thrown.lasting(tx);
        await append(tx, facts, {
          error,
          denied: thrown instanceof Denied ? thrown : undefined,
          claimed: thrown instanceof Unauthenticated ? thrown.claimed : undefined,
        });
      });
    } catch (failure) {
      // What cannot be recorded is not answered as if it had been.
      server.report(received.requestId, failure);
      return encodeError(routed, new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.'), received.requestId);
    }
    return answer;
  }

  /** A denial carries its whole explanation, sealed: `sts:DecodeAuthorizationMessage` opens it for who may ask. */
  function explained(answer: Answer, thrown: unknown, { authenticated }: Facts): Answer {
    if (!(thrown instanceof Denied) || thrown.reasons === undefined || authenticated === undefined) return answer;
    const message = server.sealReasons(thrown.reasons, authenticated.principal.accountId);
    return message.length > REASONS_MAX ? answer : { ...answer, headers: [...answer.headers, 'x-belfry-authorization-message', message] };
  }

  interface Outcome {
    readonly authenticated?: Authenticated;
    readonly output?: unknown;
    readonly error?: AwsError;
    readonly denied?: Denied | undefined;
    readonly claimed?: Unauthenticated['claimed'] | undefined;
  }

  async function append(tx: Tx, facts: Facts, outcome: Outcome): Promise<void> {
    if (!server.recording) return;
    const { received, routed, input } = facts;
    const authenticated = outcome.authenticated ?? facts.authenticated;
    const principal = authenticated?.principal ?? outcome.claimed?.principal;
    const accessKeyId = authenticated?.accessKeyId ?? outcome.claimed?.accessKeyId;
    const known = principal !== undefined && (principal.type !== 'Unknown' || principal.federation !== undefined);
    const region = principal === undefined ? server.region : (authenticated?.region ?? outcome.claimed?.region ?? server.region);
    const identityVersion = facts.authorized?.identityVersion ?? authenticated?.identityVersion;
    const resources = outcome.denied?.resources ?? facts.authorized?.resources;
    if (authenticated !== undefined) {
      const noted = server.noteUse(tx, { ...authenticated, action: actionName(routed.service, routed.operation.name), now: now() });
      if (noted !== undefined) await noted;
    }
    await tx.trail.append(
      server.record({
        received,
        service: routed.service,
        operation: routed.operation.name,
        eventSource: eventSourceOf(routed.service),
        region,
        now: now(),
        eventId: randomUUID(),
        recipientAccountId: known ? principal.accountId : (outcome.claimed?.accountId ?? server.operatorAccount()),
        ...(principal === undefined ? {} : { principal }),
        ...(accessKeyId === undefined ? {} : { accessKeyId }),
        ...(input === undefined ? {} : { input }),
        ...(outcome.output === undefined ? {} : { output: outcome.output }),
        ...(outcome.error === undefined
          ? {}
          : { error: { code: errorCodeFor(routed, outcome.error).code, message: outcome.error.message } }),
        ...(resources === undefined ? {} : { resources }),
        ...(identityVersion === undefined ? {} : { identityVersion }),
        ...(outcome.denied === undefined ? {} : { decision: outcome.denied.decision }),
      }),
    );
  }
}
