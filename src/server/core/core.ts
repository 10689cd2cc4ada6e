import { authenticating } from '#access/authenticate.ts';
import { authorizationMessages } from '#access/authorization-message.ts';
import { authorizing } from '#access/authorize.ts';
import { federating } from '#access/federate.ts';
import type { FetchJson } from '#access/guarded-fetch.ts';
import { issuerKeys } from '#access/issuer-keys.ts';
import { newLease, withdrawing } from '#access/lease.ts';
import type { LeaseClock } from '#access/lease-parts.ts';
import { nameDigest } from '#access/name-digest.ts';
import type { OperatorKeyRing } from '#access/operator-keys.ts';
import { principalsOf } from '#access/principals.ts';
import { newSessionTokens } from '#access/session-token.ts';
import { consoleSignIns } from '#access/sign-in.ts';
import { newSnapshot } from '#access/snapshot.ts';
import { newStacks } from '#access/stacks.ts';
import { isOwnDatabase, type OperatorVault, vaultFingerprint } from '#access/vault.ts';
import type { Answer, Received } from '#core/exchange.ts';
import type { Part } from '#core/part.ts';
import { loadModel } from '#model/load.ts';
import { connectModel, connectOperation, routeConnect } from '#realtime/connect.ts';
import { SESSION_LIMITS } from '#realtime/limits.ts';
import { type MessagingSessions, messagingSessions } from '#realtime/messaging-sessions.ts';
import type { SocketNews, SocketOrder } from '#realtime/protocol.ts';
import { sessionSubscriptions } from '#realtime/session-events.ts';
import { mfaVerifier } from '#services/iam/mfa.ts';
import { type AddEmit, emitterOf } from '#services/kit/events.ts';
import type { Operation } from '#services/kit/operation.ts';
import { checkServices } from '#services/kit/service.ts';
import { signingKeyCache } from '#sigv4/signing-key.ts';
import type { OpenServers } from '#store/engine/open-servers.ts';
import type { Store } from '#store/store.ts';
import { lastUseRecorder } from '#trail/last-use.ts';
import { trailRecorder } from '#trail/record.ts';
import type { UnprovenRecords } from '#trail/unproven.ts';
import { route } from '#wire/route.ts';
import { beatPart } from '../health.ts';
import { describeBug, type Log } from '../log.ts';
import type { ControlParts } from '../operator/control.ts';
import { operatorKeyCommands } from '../operator/operator-key.ts';
import { presencePart } from '../operator/presence.ts';
import type { Settings } from '../settings.ts';
import { type SignInPages, signInPages } from '../sign-in/pages.ts';
import { siteOf } from '../sign-in/site.ts';
import type { AnalysisThreads } from './analysis-threads.ts';
import { answering, type Server } from './answer.ts';
import type { Bus } from './bus.ts';
import { type Calls, calling } from './call.ts';
import type { CoreReady, CoreRequest, Endpoints } from './core-link.ts';
import { FINGERPRINT, type FirstStartFiles, firstStart } from './first-start.ts';
import { newGate, newSmallAnalyses } from './offload.ts';
import { pageTokens } from './page-tokens.ts';
import { runParts } from './parts.ts';
import type { SamlThreads } from './saml-threads.ts';
import { allOperations, DECLARED } from './services.ts';
import { sweeping, sweepPart, trimPart } from './sweeps.ts';
import { boundUnproven } from './unproven-summaries.ts';

/** Bus topic that announces new channel events. */
const CHANNEL_EVENTS = 'channel-events';

/** Maximum long reads that run at the same time. Each reads in short transactions, which take turns with all others. */
const SURVEYS_MAX = 4;

/**
 * Everything outside the core. The core reads no clock, creates no randomness, and opens no file, socket or thread itself, so a
 * simulation can pass its own.
 */
export interface CoreParts {
  readonly settings: Settings;
  /** False only in the benchmark that measures the cost of recording. */
  readonly recording: boolean;
  /** Open and migrated store. The core closes it. */
  readonly store: Store;
  /** Registry of servers on the same database. The core closes it. */
  readonly registry: OpenServers;
  readonly leaseMilliseconds: number;
  /** Hints between servers. The core closes it. */
  readonly bus: Bus;
  readonly ring: OperatorKeyRing;
  readonly vault: OperatorVault;
  readonly clock: LeaseClock;
  /** Returns a UUID in lower case. */
  readonly newId: () => string;
  /** Returns unpredictable bytes. */
  readonly random: (bytes: number) => Uint8Array;
  /** Name of this server in the registry, for the operator. */
  readonly serverName: string;
  /** Fetches keys of identity providers. */
  readonly fetchJson: FetchJson;
  /** Threads for analyses and for SAML assertions. The core closes them. */
  readonly analysisThreads: AnalysisThreads;
  readonly samlThreads: SamlThreads;
  readonly firstStartFiles: FirstStartFiles;
  /** Listens for the operator's commands. */
  readonly listenForControl: (parts: ControlParts) => Promise<{ close(): void }>;
  /** Receives orders for the sockets of messaging sessions. */
  readonly follow: (orders: readonly SocketOrder[]) => void;
  /** Receives, four times a second, the number of milliseconds for which the core can serve requests. */
  readonly readyForMs: (milliseconds: number) => void;
  /** Logs a line, which starts with lower case and has no prefix. */
  readonly report: Log;
}

/** The core of one server: identity, operations, messaging sessions and sign-in on one store. */
export interface Core {
  /**
   * Starts the parts: database check, first account, lease, control socket, sweeps, health. Resolves when the core can answer.
   *
   * @throws Error  the operator key does not belong to the database, the account of an earlier start is lost, the database is too slow
   */
  start(): Promise<CoreReady>;
  /** Answers a request, a request whose body was too large, or a Connect request. Never rejects for an error of the client. */
  answer(request: CoreRequest): Promise<Answer>;
  /** Receives an event of a socket. */
  receiveNews(news: SocketNews): void;
  /** Receives the addresses of the listeners. Call it before the first `answer`. */
  listening(endpoints: Endpoints): void;
  /** Deletes expired data, now. The running core does so every minute. */
  sweep(): Promise<void>;
  /** Stops the parts in reverse order and closes the store. */
  stop(): Promise<void>;
}

/** Creates the core of one server. Nothing runs before `start`. */
export function composeCore(parts: CoreParts): Core {
  const { settings, clock, report } = parts;
  let endpoints: Endpoints = {};
  const address = () => endpoints.listeners?.join(' ') ?? '';
  const identity = composeIdentity(parts);
  const addEmit = composeEvents(parts);
  const summaries = boundUnproven({
    store: parts.store,
    region: settings.region,
    recordsPerMinute: settings.unprovenRecordsPerMinute,
    clock,
    newId: parts.newId,
    report,
  });
  const server = composeServer(parts, identity, addEmit, summaries.unproven, () => endpoints);
  const calls = calling(server);
  const answer = answering(server, calls);
  const messaging = composeSessions(parts, identity);
  const connect = connecting(settings, server, messaging);
  const signIn = composeSignIn(parts, identity, server, calls);
  const sweep = sweeping({ store: identity.store, now: clock.wall, newId: parts.newId, addEmit });
  const first = firstStartPart(parts);
  const running = runParts([
    { name: 'store', stop: parts.store.close },
    { name: 'registry of servers', stop: parts.registry.close },
    { name: 'bus', stop: parts.bus.close },
    { name: 'threads for analyses', stop: parts.analysisThreads.close },
    { name: 'threads for SAML assertions', stop: parts.samlThreads.close },
    { name: 'operator key', start: () => requireOwnDatabase(parts) },
    first,
    { name: 'lease', start: identity.lease.start, stop: identity.lease.stop },
    summaries.part,
    { name: 'messaging sessions', stop: messaging.stop },
    controlPart(parts, identity, address),
    presencePart({ registry: parts.registry, lease: identity.lease, clock, address }),
    sweepPart(sweep, clock, report),
    trimPart(identity.lease, clock, report),
    beatPart({ lease: identity.lease, clock, check: () => checkDatabase(parts.store), post: parts.readyForMs }),
  ]);

  return {
    async start() {
      await running.start();
      return first.ready();
    },
    answer: ({ received, refuse, socket }) =>
      socket === undefined ? (signIn(received, refuse) ?? answer(received, refuse)) : connect(received, socket),
    receiveNews: messaging.receive,
    listening(at) {
      endpoints = at;
    },
    sweep,
    stop: running.stop,
  };
}

type Identity = ReturnType<typeof composeIdentity>;

/** Creates authentication and authorization on the identity snapshot, and the store that waits for its withdrawals. */
function composeIdentity({ settings, store, registry, bus, ring, vault, clock, fetchJson, ...parts }: CoreParts) {
  const snapshot = newSnapshot();
  const lease = newLease({
    servers: registry.servers,
    shared: registry.shared,
    hints: bus,
    snapshot,
    clock,
    leaseMilliseconds: parts.leaseMilliseconds,
    name: parts.serverName,
    newId: parts.newId,
    report: parts.report,
  });
  const stacks = newStacks(snapshot);
  const sessions = newSessionTokens(ring.keys);
  return {
    snapshot,
    lease,
    /** A transaction that changes identity returns after every server has applied the change. */
    store: withdrawing(store, lease),
    stacks,
    sessions,
    principals: principalsOf(snapshot),
    authenticate: authenticating({ snapshot, vault, sessions, keyCache: signingKeyCache(), region: settings.region }),
    authorize: authorizing({ snapshot, stacks, holds: lease.holds, denialWording: settings.denialWording }),
    federate: federating({ snapshot, keys: issuerKeys(fetchJson), verifySaml: parts.samlThreads.run }),
    verifyMfa: mfaVerifier(vault),
  };
}

/** Returns the function that adds `emit` to a transaction: the subscribers of services, then those of messaging sessions. */
function composeEvents({ bus }: CoreParts): AddEmit {
  checkServices(DECLARED);
  const hint = () => bus.hint(CHANNEL_EVENTS);
  return emitterOf([...DECLARED.flatMap(({ subscriptions = [] }) => subscriptions), ...sessionSubscriptions(hint)]);
}

/** Creates the parts that handle a request. */
function composeServer(
  parts: CoreParts,
  { snapshot, lease, store, stacks, sessions, authenticate, authorize, federate, verifyMfa }: Identity,
  addEmit: AddEmit,
  unproven: UnprovenRecords,
  endpoints: () => Endpoints,
): Server {
  const { settings, ring, vault, clock, report } = parts;
  return {
    store,
    snapshot,
    authenticate,
    federate,
    authorize,
    operations: allOperations({
      vault,
      verifyMfa,
      sessions,
      operatorKeys: ring.keys,
      publicUrl() {
        const { http, https } = endpoints();
        return https ?? http ?? 'https://localhost';
      },
      localUrl: () => endpoints().local,
      serviceControl: stacks.serviceControlOf,
      lookupEventsPerSecond: settings.lookupEventsPerSecond,
      privateSipPeers: settings.privateSipPeers,
    }),
    addEmit,
    pageTokens: pageTokens(ring.keys),
    record: trailRecorder(loadModel),
    noteUse: lastUseRecorder(),
    now: clock.wall,
    newId: parts.newId,
    random: parts.random,
    route: (received) => route(received, settings),
    recording: parts.recording,
    offload: { gate: newGate(1), surveyGate: newGate(SURVEYS_MAX), threads: parts.analysisThreads, smallAnalyses: newSmallAnalyses() },
    region: settings.region,
    unproven,
    holds: lease.holds,
    sealReasons: authorizationMessages(ring.keys).encode,
    report: (requestId, error) => report(`request ${requestId} failed: ${describeBug(error)}`, 'error'),
  };
}

function composeSessions(parts: CoreParts, { snapshot, authenticate, authorize, lease }: Identity): MessagingSessions {
  const { settings, clock } = parts;
  return messagingSessions({
    store: parts.store,
    snapshot,
    authenticate,
    authorize,
    holds: lease.holds,
    guide2021: settings.guide2021,
    now: clock.wall,
    monotonic: clock.monotonic,
    onHint: (receive) => parts.bus.on(CHANNEL_EVENTS, receive),
    follow: parts.follow,
    limits: { ...SESSION_LIMITS, sessionsOfUser: settings.sessionsPerUser, sessionsOfAccount: settings.sessionsPerAccount },
    report: parts.report,
  });
}

/** Returns the function that answers Connect requests. It handles them as other requests, and a success admits a messaging session. */
function connecting(settings: Settings, server: Server, messaging: MessagingSessions) {
  const operations = { Connect: connectOperation(messaging.reserve) as Operation<unknown, unknown> };
  const answerConnect = answering({
    ...server,
    route: (received) => routeConnect(received, settings),
    operations: () => operations,
    record: trailRecorder(connectModel),
  });

  return async (received: Received, socket: number): Promise<Answer> => {
    try {
      const answer = await answerConnect(received);
      if (answer.status !== 200) return answer;
      messaging.admit(socket, received);
      return { status: 101, headers: [], body: '' };
    } finally {
      messaging.release(received.requestId);
    }
  };
}

function composeSignIn(parts: CoreParts, identity: Identity, server: Server, calls: Calls): SignInPages {
  const { settings, ring, vault } = parts;
  const { store, snapshot, principals, sessions, federate, verifyMfa } = identity;
  return signInPages({
    store,
    snapshot,
    principals,
    sessions,
    signIns: consoleSignIns({ vault, sessions, principals, snapshot }),
    federate,
    verifyMfa,
    // A separate gate, so that unauthenticated sign-ins do not delay authenticated callers.
    gate: newGate(2),
    call: calls.callWithDocument,
    now: server.now,
    newId: parts.newId,
    random: parts.random,
    recording: parts.recording,
    region: settings.region,
    unproven: server.unproven,
    recorded: new WeakSet(),
    holds: server.holds,
    site: siteOf(settings),
    nameDigest: nameDigest(ring.keys),
    failuresPerSource: settings.signInFailures,
    report: server.report,
  });
}

/**
 * Stores the fingerprint of the operator key in a new database. In an existing database, compares the key with the stored fingerprint.
 *
 * @throws Error  another operator key sealed the secrets of the database, so none of its access keys would work
 */
async function requireOwnDatabase({ settings, store, vault }: CoreParts): Promise<void> {
  const fingerprint = await store.transaction(async (tx) => {
    await tx.meta.add(FINGERPRINT, vaultFingerprint(vault));
    return await tx.meta.get(FINGERPRINT);
  });
  if (fingerprint === undefined || !isOwnDatabase(vault, fingerprint)) {
    throw new Error(`the operator key in '${settings.dataFolder}' is not the key of this database; copy the right operator.key back`);
  }
}

function checkDatabase(store: Store): Promise<unknown> {
  return store.transaction((tx) => tx.meta.get(FINGERPRINT));
}

/** Creates the part that creates the first account of an empty database. `ready` returns its administrator without the secret. */
function firstStartPart({ store, vault, firstStartFiles, random, clock }: CoreParts): Part & { readonly ready: () => CoreReady } {
  let ready: CoreReady = {};
  return {
    name: 'first account',
    async start() {
      const administrator = await firstStart({ store, vault, files: firstStartFiles, random, now: clock.wall() });
      firstStartFiles.end();
      if (administrator === undefined) return;
      const { accountId, userName, accessKeyId } = administrator;
      ready = { firstStart: { accountId, userName, accessKeyId } };
    },
    ready: () => ready,
  };
}

/** Creates the part that serves the operator's commands. */
function controlPart(parts: CoreParts, { store, lease }: Identity, address: () => string): Part {
  const { vault, ring, clock, newId, random } = parts;
  const common = { vault, store, region: parts.settings.region, now: clock.wall, newId, lease };
  let control: { close(): void } | undefined;
  return {
    name: 'control socket',
    async start() {
      control = await parts.listenForControl({
        ...common,
        random,
        address,
        operatorKey: operatorKeyCommands({ ...common, ring, sealed: DECLARED.flatMap(({ sealed = [] }) => sealed) }),
      });
    },
    stop: () => control?.close(),
  };
}
