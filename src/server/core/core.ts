/** The core: the one thread that owns the store. Joins the parts a request meets and answers what the listeners bring. */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { authenticating } from '#access/authenticate.ts';
import { authorizationMessages } from '#access/authorization-message.ts';
import { authorizing } from '#access/authorize.ts';
import { federating } from '#access/federate.ts';
import { guardedFetch } from '#access/guarded-fetch.ts';
import { issuerKeys } from '#access/issuer-keys.ts';
import { newLease, withdrawing } from '#access/lease.ts';
import { nameDigest } from '#access/name-digest.ts';
import { operatorKeyRing } from '#access/operator-keys.ts';
import { principalsOf } from '#access/principals.ts';
import { newSessionTokens } from '#access/session-token.ts';
import { consoleSignIns } from '#access/sign-in.ts';
import { newSnapshot } from '#access/snapshot.ts';
import { newStacks } from '#access/stacks.ts';
import { isOwnDatabase, openVault, vaultFingerprint } from '#access/vault.ts';
import type { Answer, Received } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import { loadModel } from '#model/load.ts';
import { connectModel, connectOperation, routeConnect } from '#realtime/connect.ts';
import { messagingSessions, SESSION_LIMITS } from '#realtime/messaging-sessions.ts';
import { sessionSubscriptions } from '#realtime/session-events.ts';
import { mfaVerifier } from '#services/iam/mfa.ts';
import { authorizationReference } from '#services/kit/authorization-reference.ts';
import { emitterOf } from '#services/kit/events.ts';
import type { Operation } from '#services/kit/operation.ts';
import { checkServices } from '#services/kit/service.ts';
import { signingKeyCache } from '#sigv4/signing-key.ts';
import { openStore } from '#store/engine/open.ts';
import { openServers } from '#store/engine/open-servers.ts';
import { lastUseRecorder } from '#trail/last-use.ts';
import { trailRecorder } from '#trail/record.ts';
import { route } from '#wire/route.ts';
import { endFirstStart, mayCreateAccount } from '../data-folder.ts';
import { beat } from '../health.ts';
import { listenForControl } from '../operator/control.ts';
import { operatorKeyCommands } from '../operator/operator-key.ts';
import { signInPages } from '../sign-in/pages.ts';
import { siteOf } from '../sign-in/site.ts';
import { answering, type Server } from './answer.ts';
import { newGate } from './aside.ts';
import { inProcessBus, postgresBus } from './bus.ts';
import { systemClock } from './clock.ts';
import { type CoreStart, type Endpoints, type FromCore, serveCore } from './core-link.ts';
import { FINGERPRINT, firstStart } from './first-start.ts';
import { newOffload, OFFLOAD_LIMITS } from './offload.ts';
import { pageTokens } from './page-tokens.ts';
import { allOperations, DECLARED, serviceSweeps } from './services.ts';
import { boundUnproven } from './unproven-summaries.ts';

const port = parentPort;
if (port === null) throw new Error('The core runs as a worker thread of belfry start.');

const { settings, recording } = workerData as CoreStart;
/** How often meetings that ended by themselves give their space back, which reads never find before either, and users that expired go. */
const SWEEP_EVERY_MS = 60_000;
const FORGOTTEN_AT_ONCE = 1_000;
/** Who follows them is milliseconds behind, and closes his sessions before he is many seconds behind. */
const CHANNEL_EVENTS_KEPT_MS = 5 * 60_000;
/** What hints that there are some. */
const CHANNEL_EVENTS = 'channel-events';
/** Tombstones only cost space. */
const TRIM_EVERY_MS = 3_600_000;
const now = () => instant(Date.now());
const hintOfChannelEvents = () => bus.hint(CHANNEL_EVENTS);
checkServices(DECLARED);
/** Adds `emit` to the context of a transaction: the subscribers of services, then those of messaging sessions. */
const addEmit = emitterOf([...DECLARED.flatMap(({ subscriptions = [] }) => subscriptions), ...sessionSubscriptions(hintOfChannelEvents)]);

/** Nothing is answered after this: what was acknowledged is on disk, and the rest must be tried again by its clients. */
function fatal(error: unknown): void {
  port?.postMessage({ failed: String((error as Error)?.stack ?? error) } satisfies FromCore);
  setImmediate(() => process.exit(1));
}

mkdirSync(settings.dataFolder, { recursive: true, mode: 0o700 });
const ring = operatorKeyRing(join(settings.dataFolder, 'operator.key'));
const vault = openVault(ring.keys);
const kept = await openStore(settings.database, { fatal });

const snapshot = newSnapshot();
const registry = await openServers(settings.database, kept);
const bus = registry.shared ? postgresBus(settings.database) : inProcessBus();
const lease = newLease({
  servers: registry.servers,
  shared: registry.shared,
  hints: bus,
  snapshot,
  clock: systemClock,
  leaseMilliseconds: await registry.servers.leaseMilliseconds(),
  name: `${hostname()} ${process.pid}`,
  newId: randomUUID,
  report: (what) => console.error(`belfry: ${what}`),
});
/** Whoever changes identity through it is answered once no server honours what was before. */
const store = withdrawing(kept, lease);

// A database whose secrets were sealed by another operator key is not started on: every key in it would fail, one by one.
const fingerprint = await kept.transaction(async (tx) => {
  await tx.meta.add(FINGERPRINT, vaultFingerprint(vault));
  return await tx.meta.get(FINGERPRINT);
});
if (fingerprint === undefined || !isOwnDatabase(vault, fingerprint)) {
  throw new Error(
    `the operator key in ${settings.dataFolder} is not the one this database was sealed with; put the right operator.key back`,
  );
}

const made = await firstStart(kept, vault, settings, mayCreateAccount(settings), now());
endFirstStart(settings);
await lease.start();

const sessions = newSessionTokens(ring.keys);
const stacks = newStacks(snapshot);
let endpoints: Endpoints = {};
const federate = federating({ snapshot, keys: issuerKeys(guardedFetch({ allowedInternalHosts: settings.internalIssuers })) });
const report = (requestId: string, error: unknown) =>
  console.error(`belfry: request ${requestId} failed: ${(error as Error)?.stack ?? error}`);
const verifyMfa = mfaVerifier(vault);
const authenticate = authenticating({ snapshot, vault, sessions, keyCache: signingKeyCache(), region: settings.region });
const authorize = authorizing({ snapshot, stacks, holds: lease.holds });
const offload = newOffload(OFFLOAD_LIMITS, (what) => console.error(`belfry: ${what}`));
const bounded = boundUnproven({
  store: kept,
  region: settings.region,
  recordsPerMinute: settings.unprovenRecordsPerMinute,
  now,
  report: (what) => console.error(`belfry: ${what}`),
});
const server: Server = {
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
    publicUrl: () => endpoints.https ?? endpoints.http ?? 'https://localhost',
    serviceControl: stacks.serviceControlOf,
    lookupEventsPerSecond: settings.lookupEventsPerSecond,
  }),
  addEmit,
  pageTokens: pageTokens(ring.keys),
  record: trailRecorder(loadModel),
  noteUse: lastUseRecorder(),
  now,
  route: (received) => route(received, settings),
  recording,
  beside: { gate: newGate(1), offload, reference: authorizationReference },
  region: settings.region,
  unproven: bounded.unproven,
  holds: lease.holds,
  sealReasons: authorizationMessages(ring.keys).encode,
  report,
};
const answer = answering(server);
const messaging = messagingSessions({
  store: kept,
  snapshot,
  authenticate,
  authorize,
  holds: lease.holds,
  guide2021: settings.guide2021,
  now,
  monotonic: systemClock.monotonic,
  onHint: (heard) => bus.on(CHANNEL_EVENTS, heard),
  follow: (orders) => port.postMessage({ orders } satisfies FromCore),
  limits: { ...SESSION_LIMITS, sessionsOfUser: settings.sessionsPerUser, sessionsOfAccount: settings.sessionsPerAccount },
  report: (what) => console.error(`belfry: ${what}`),
});
const connectOperations = { Connect: connectOperation(messaging.reserve) as Operation<unknown, unknown> };
/** A Connect is answered like every call; only what comes of it is another thing. */
const answerConnect = answering({
  ...server,
  route: (received) => routeConnect(received, settings),
  operations: () => connectOperations,
  record: trailRecorder(connectModel),
});

async function connect(received: Received, socket: number): Promise<Answer> {
  try {
    const answered = await answerConnect(received);
    if (answered.status !== 200) return answered;
    messaging.admit(socket, received);
    return { status: 101, headers: [], body: '' };
  } finally {
    messaging.release(received.requestId);
  }
}

const principals = principalsOf(snapshot);
const signIn = signInPages({
  store,
  snapshot,
  principals,
  sessions,
  signIns: consoleSignIns({ vault, sessions, principals, snapshot }),
  federate,
  verifyMfa,
  // Of its own: whoever is nobody yet does not keep waiting those who are known.
  gate: newGate(2),
  answer,
  now,
  recording,
  region: settings.region,
  unproven: bounded.unproven,
  recorded: new WeakSet(),
  holds: lease.holds,
  site: siteOf(settings),
  nameDigest: nameDigest(ring.keys),
  failuresPerSource: settings.signInFailures,
  report,
});

const operatorKey = operatorKeyCommands({
  ring,
  vault,
  store,
  region: settings.region,
  now,
  lease,
  sealed: DECLARED.flatMap(({ sealed = [] }) => sealed),
});
const control = await listenForControl(settings.dataFolder, { store, vault, region: settings.region, now, lease, operatorKey });
const sweepServices = serviceSweeps(store, (tx) => addEmit({ tx, now: now(), newId: randomUUID }));
/** Other requests run between two transactions. */
async function sweepWhatEnded(): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.idempotency.forgetExpired(now(), FORGOTTEN_AT_ONCE);
    await tx.attempts.forget(now(), FORGOTTEN_AT_ONCE);
  });
  await sweepServices();
  const told = instant(now() - CHANNEL_EVENTS_KEPT_MS);
  while ((await store.transaction((tx) => tx.channelEvents.forget(told, FORGOTTEN_AT_ONCE))) === FORGOTTEN_AT_ONCE);
}
const sweep = setInterval(() => {
  void sweepWhatEnded().catch((error) => console.error(`belfry: what has ended was not swept: ${(error as Error).message}`));
}, SWEEP_EVERY_MS);
const trim = setInterval(() => {
  void lease.trim().catch((error) => console.error(`belfry: what was deleted of identity was not trimmed: ${(error as Error).message}`));
}, TRIM_EVERY_MS);

/** The lease is given up while the database still answers. */
async function closed(): Promise<void> {
  await messaging.stop();
  await bounded.stop();
  await lease.stop();
  await Promise.all([bus.close(), registry.close(), offload.close()]);
  await kept.close();
}

const stopBeat = await beat({
  lease,
  check: () => kept.transaction((tx) => tx.meta.get(FINGERPRINT)),
  post: (readyUntil) => port.postMessage({ readyUntil } satisfies FromCore),
});

serveCore(port, {
  answer: ({ received, refuse, socket }) =>
    socket === undefined ? (signIn(received, refuse) ?? answer(received, refuse)) : connect(received, socket),
  hear: (news) => ('opened' in news ? messaging.opened(news.opened) : messaging.closed(news.closed)),
  listening: (at) => {
    endpoints = at;
  },
  close: () => {
    clearInterval(sweep);
    clearInterval(trim);
    stopBeat();
    control.close();
    return closed();
  },
});
port.postMessage({
  ready: made === undefined ? {} : { firstStart: { accountId: made.accountId, userName: made.userName, accessKeyId: made.accessKeyId } },
} satisfies FromCore);
