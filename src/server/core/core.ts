import { authorizationMessages } from '#access/authorization-message.ts';
import type { DecideRole } from '#access/service-role.ts';
import { NO_ACCOUNT } from '#core/arn.ts';
import { deliveredPositions } from '#delivery/delivered-positions.ts';
import { ownLogGroups } from '#delivery/log-groups/own-log-groups.ts';
import { endpointTopics } from '#delivery/outgoing/log-topics.ts';
import { jsonPoster } from '#delivery/outgoing/targets/post-json.ts';
import { boundLogBuckets } from '#delivery/targets/bound-targets.ts';
import { ownLogBuckets } from '#delivery/targets/own-buckets.ts';
import { modelOfOperation } from '#model/load.ts';
import type { SocketNews } from '#realtime/protocol.ts';
import { recordingSessions } from '#services/iam/service-sessions.ts';
import type { AddEmit } from '#services/kit/events.ts';
import { newLosses } from '#services/kit/losses.ts';
import type { TaskParts } from '#services/kit/service.ts';
import { StoreUnwritable } from '#store/unwritable.ts';
import { lastUseRecorder } from '#trail/last-use.ts';
import { trailRecorder } from '#trail/record.ts';
import type { UnprovenRecords } from '#trail/unproven.ts';
import { route } from '#wire/route.ts';
import { beatPart } from '../health.ts';
import { describeBug } from '../log.ts';
import { presencePart } from '../operator/presence.ts';
import type { SignInPages } from '../sign-in/pages.ts';
import { answering, type Server } from './answer.ts';
import { apiUsage } from './api-usage.ts';
import { calling } from './call.ts';
import { contentsParts } from './contents.ts';
import type { CoreAnswer, CoreRequest } from './core-batches.ts';
import { controlPart } from './core-control.ts';
import { composeIdentity, type Identity } from './core-identity.ts';
import type { CoreReady, Endpoints } from './core-link.ts';
import { composeEvents, composeSessions, connecting } from './core-messaging.ts';
import type { CoreParts } from './core-parts.ts';
import { composeSignIn } from './core-sign-in.ts';
import { sipParts } from './core-sip.ts';
import { selectsDataEvents } from './data-events.ts';
import { type CoreFigures, coreFigures, type FigureParts, newDecisionCounts } from './figures.ts';
import { logMetrics } from './log-metrics.ts';
import { newContacts, newGate, newSmallAnalyses } from './offload.ts';
import { composeOutgoing, outgoingPart, withAnnouncements } from './outgoing.ts';
import { pageTokens } from './page-tokens.ts';
import { runParts } from './parts.ts';
import { policyGenerationParts } from './policy-generation.ts';
import { newRequestCounts } from './request-counts.ts';
import { requestEnds } from './request-ends.ts';
import type { RecordParts } from './request-records.ts';
import { serverFacts } from './server-facts.ts';
import { allOperations, loadChimeImport, NO_LOG_BUCKETS, type ServiceParts } from './services.ts';
import { checkDatabase, firstStartPart, requireOwnDatabase } from './start-steps.ts';
import { newSurveyGate } from './survey-gate.ts';
import { sweeping, sweepPart, taskParts, tasksOf, trimPart } from './sweeps.ts';
import { composeDelivery, dataExportsPart, deliveryPart, usageReportsPart } from './trail-delivery.ts';
import { type TrailGap, trailGap } from './trail-gap.ts';
import { type ServerTrailLog, serverTrailLog } from './trail-log.ts';
import { retention, retentionPart } from './trail-retention.ts';
import { boundUnproven } from './unproven-summaries.ts';

/** Exchanges with other hosts that requests wait for. Each takes up to two seconds, or ten with an endpoint of the operator. */
const CONTACTS = { most: 32, mostOfAccount: 2 };

/** The core of one server: identity, operations, messaging sessions and sign-in on one store. */
export interface Core {
  /**
   * Starts the parts: database check, first account, lease, control socket, sweeps, health. Resolves when the core can
   * answer.
   *
   * @throws Error  (1) the operator key does not belong to the database, (2) the account of an earlier start is lost,
   *   or (3) the database is too slow
   */
  start(): Promise<CoreReady>;
  /**
   * Answers an API request or a Connect request. If the request is invalid or its body is too large, the promise
   * resolves to an error response and does not reject.
   */
  answer(request: CoreRequest): Promise<CoreAnswer>;
  /** Receives an event of a socket. */
  receiveNews(news: SocketNews): void;
  /** Receives the addresses of the listeners. Call it before the first `answer`. */
  listening(endpoints: Endpoints): void;
  /** Returns the figures for metrics. Never rejects. */
  figures(): Promise<CoreFigures>;
  /** Deletes expired data now, except trail records. After `start`, the core also does so every minute. */
  sweep(): Promise<void>;
  /** Stops the parts in reverse order and closes the store. */
  stop(): Promise<void>;
}

/** Creates the core of one server. Nothing runs before `start`. */
export function composeCore(given: CoreParts): Core {
  const parts = withAnnouncements(given);
  const { settings, clock, report } = parts;
  let endpoints: Endpoints = {};
  const publicUrl = () => endpoints.https ?? endpoints.http ?? 'https://localhost';
  const address = () => endpoints.listeners?.join(' ') ?? '';
  const trailLog = composeTrailLog(parts);
  const requests = newRequestCounts();
  const decisions = newDecisionCounts();
  const identity = composeIdentity(parts, trailLog.gate.isOpen, decisions.count);
  const ofLogs = logMetrics();
  const addEmit = composeEvents(parts, [ofLogs.subscription]);
  const summaries = boundUnproven({
    store: parts.store,
    region: settings.region,
    recordsPerMinute: settings.unprovenRecordsPerMinute,
    clock,
    newId: parts.newId,
    report,
  });
  const { gap, part: gapPart } = composeGap(parts);
  const noteUse = lastUseRecorder();
  const usage = apiUsage({ store: parts.store, clock, report, isOpen: trailLog.gate.isOpen });
  const losses = newLosses();
  const decideRole = recordingSessions(identity.decideRole, parts.newId, noteUse);
  const { delivery: outgoing, tryOutgoing } = composeOutgoing(addEmit, parts, trailLog.gate.isOpen, decideRole, publicUrl, losses);
  const ends = requestEnds({ clock, requests, countCall: usage.count, tracing: settings.traceEndpoint !== undefined });
  const own = { publicUrl, localUrl: () => endpoints.local, tryOutgoing, noteUse };
  const server = {
    ...composeServer(parts, identity, addEmit, summaries.unproven, gap, own),
    ...ends,
  };
  const calls = calling(server);
  const answer = answering(server, calls);
  const messaging = composeSessions(parts, identity);
  const connect = connecting(settings, server, messaging);
  const signIn = composeSignIn(parts, identity, server, calls, publicUrl);
  const sweepParts = { store: identity.store, now: clock.wall, newId: parts.newId, addEmit };
  const sweep = sweeping(sweepParts);
  const oldRecords = retention({
    store: parts.store,
    region: settings.region,
    defaultDays: settings.eventHistoryDays,
    clock,
    newId: parts.newId,
    delivered: deliveredPositions,
    report,
  });
  const first = firstStartPart(parts);
  /** After a loss of trail records, nothing changes the database or other stored data. */
  const whileOpen = (work: () => Promise<void>) => async () => {
    if (trailLog.gate.isOpen()) await work();
  };
  const running = runParts([
    { name: 'store', stop: parts.store.close },
    { name: 'registry of servers', stop: parts.registry.close },
    { name: 'bus', stop: parts.bus.close },
    { name: 'threads for analyses', stop: parts.analysisThreads.close },
    { name: 'threads for SAML assertions', stop: parts.samlThreads.close },
    { name: 'thread for generated policies', stop: parts.generationThreads.close },
    { name: 'thread for the trail log', stop: parts.trailLogThread.close },
    { name: 'operator key', start: () => requireOwnDatabase(parts) },
    trailLog.gatePart,
    first,
    { name: 'lease', start: identity.lease.start, stop: identity.lease.stop },
    gapPart,
    summaries.part,
    { name: 'messaging sessions', stop: messaging.stop },
    controlPart(parts, identity, trailLog, address, {
      addEmit,
      loadChimeImport: () => loadChimeImport(parts.ring.keys, publicUrl, chimeQuotas(settings)),
    }),
    usage.part,
    ofLogs.part(
      async (run) => {
        // Drops the counts while nothing may change the database.
        if (trailLog.gate.isOpen()) await identity.store.transaction((tx) => run(addEmit({ tx, now: clock.wall(), newId: parts.newId })));
      },
      clock,
      report,
    ),
    presencePart({ registry: parts.registry, lease: identity.lease, clock, address }),
    sweepPart(whileOpen(sweep), clock, report),
    ...taskParts(tasksOf(sweepParts, composeTasks(parts, decideRole)), whileOpen, clock, report),
    trimPart(identity.lease, clock, report),
    deliveryPart(composeDelivery(parts), whileOpen, settings.trailDeliverySeconds * 1000, clock),
    usageReportsPart(parts, whileOpen),
    dataExportsPart(parts, whileOpen),
    ...sipParts(parts, whileOpen, { store: identity.store, addEmit, isOpen: trailLog.gate.isOpen, losses }),
    outgoingPart(outgoing, parts),
    retentionPart({ ...oldRecords, run: whileOpen(oldRecords.run) }, clock, report),
    ...contentsParts({ ...parts, isOpen: trailLog.gate.isOpen }),
    trailLog.appenderPart,
    beatPart({
      lease: identity.lease,
      clock,
      check: () => checkDatabase(parts.store),
      refusesAll: () => gap.isOpen() && !settings.readsWithoutTrail,
      post: parts.readyForMs,
    }),
  ]);

  return {
    async start() {
      await running.start();
      return first.ready();
    },
    answer: (request) => answerRequest(request, { answer, connect, signIn }),
    receiveNews: messaging.receive,
    figures: composeFigures(parts, identity, { gap, requests, decisions, deliveries: outgoing.counters, losses }),
    listening(at) {
      endpoints = at;
    },
    sweep,
    stop: running.stop,
  };
}

/** Selects the part that answers a request: Connect, a page of the browser sign-in, or an operation. */
function answerRequest(
  { received, refuse, socket, admit }: CoreRequest,
  { answer, connect, signIn }: { answer: ReturnType<typeof answering>; connect: ReturnType<typeof connecting>; signIn: SignInPages },
): Promise<CoreAnswer> {
  if (socket !== undefined) return connect(received, socket);
  // The names of some sign-in pages are also legal bucket names. A streamed body is always a call of S3.
  const isPage = received.stored === undefined && typeof refuse !== 'object';
  return (isPage ? signIn(received, refuse, admit) : undefined) ?? answer(received, refuse, admit);
}

/** Creates the transparency log of the trail records. */
function composeTrailLog({ settings, store, registry, trailLogThread, ...parts }: CoreParts): ServerTrailLog {
  const { vault, clock, newId, random, report } = parts;
  return serverTrailLog({
    ...{ store, vault, clock, newId, random, report },
    region: settings.region,
    shared: registry.shared,
    publicUrl: settings.publicUrl,
    witnesses: settings.witnesses,
    everySeconds: settings.checkpointSeconds,
    thread: trailLogThread,
    note: parts.trailHeadNote,
  });
}

function chimeQuotas({ chimeRooms, chimeMemberships, chimeBots }: CoreParts['settings']): ServiceParts['quotas'] {
  return { rooms: chimeRooms, memberships: chimeMemberships, bots: chimeBots };
}

function voiceLimits(settings: CoreParts['settings']): ServiceParts['voiceLimits'] {
  return {
    connectors: settings.voiceConnectors,
    groups: settings.voiceGroups,
    connectorsInGroup: settings.voiceConnectorsPerGroup,
    callsPerSecond: settings.voiceCallsPerSecond,
    sipMediaApplications: settings.sipMediaApplications,
    sipRules: settings.sipRules,
    credentials: settings.voiceCredentials,
    profileDomains: settings.voiceProfileDomains,
  };
}

/** Creates the parts that background work of the services uses outside of transactions. */
function composeTasks({ settings, lookUpTxt, vault, generationThreads }: CoreParts, decideRole: DecideRole): TaskParts {
  const { directorySyncSeconds, internalDirectories } = settings;
  return {
    ...{ lookUpTxt, vault, directorySyncSeconds },
    async readPeople(directory, people) {
      const { ldapDirectories } = await import('../sign-in/people/ldap.ts');
      return await ldapDirectories(internalDirectories).readPeople(directory, people);
    },
    policyGeneration: policyGenerationParts(generationThreads, decideRole),
  };
}

function composeGap({ settings, store, clock, newId, gapNote, report }: CoreParts) {
  const { region, readsWithoutTrail } = settings;
  return trailGap({ store, region, clock, newId, readsWithoutTrail, note: gapNote, report });
}

/** Creates the parts that handle a request. */
function composeServer(
  parts: CoreParts,
  { snapshot, lease, store, stacks, sessions, authenticate, authorize, decideRole, federate, verifyMfa }: Identity,
  addEmit: AddEmit,
  unproven: UnprovenRecords,
  gap: TrailGap,
  own: Pick<ServiceParts, 'publicUrl' | 'localUrl' | 'tryOutgoing'> & Pick<RecordParts, 'noteUse'>,
): Omit<Server, 'newPhases' | 'ended'> {
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
      ...own,
      serviceControl: stacks.serviceControlOf,
      lookupEventsPerSecond: settings.lookupEventsPerSecond,
      eventHistoryDays: settings.eventHistoryDays,
      logBuckets: boundLogBuckets(parts.contents === undefined ? NO_LOG_BUCKETS : ownLogBuckets(clock.wall)),
      logTopics: endpointTopics,
      logGroups: ownLogGroups(decideRole, clock.wall),
      privateSipPeers: settings.privateSipPeers,
      sipHostSuffix: `.${settings.sipHostSuffix}`,
      legacyChime: settings.legacyChime,
      supportAddress: settings.supportAddress,
      quotas: chimeQuotas(settings),
      voiceLimits: voiceLimits(settings),
      pipelineLimits: { configurations: settings.insightsConfigurations, pools: settings.videoStreamPools },
      postJson: jsonPoster(settings.outgoingInternalHosts),
      async checkDirectory(directory) {
        const { ldapDirectories } = await import('../sign-in/people/ldap.ts');
        return await ldapDirectories(settings.internalDirectories).check(directory);
      },
      storesBodies: parts.contents !== undefined,
      loadRules: async () => (await import('./configuration-rules.ts')).loadRules(),
      serverFacts: serverFacts(settings),
    }),
    addEmit,
    pageTokens: pageTokens(ring.keys),
    record: trailRecorder((service, operation) => modelOfOperation(service, operation, settings.legacyChime)),
    noteUse: own.noteUse,
    now: clock.wall,
    newId: parts.newId,
    random: parts.random,
    route: (received) => route(received, settings),
    recording: parts.recording,
    offload: {
      gate: newGate(1),
      contacts: newContacts(CONTACTS),
      surveyGate: newSurveyGate(),
      threads: parts.analysisThreads,
      smallAnalyses: newSmallAnalyses(),
    },
    region: settings.region,
    unproven,
    selectsDataEvents,
    holds: lease.holds,
    sealReasons: authorizationMessages(ring.keys).encode,
    gap,
    readsWithoutTrail: settings.readsWithoutTrail,
    report(requestId, error) {
      if (!(error instanceof StoreUnwritable)) return report(`request ${requestId} failed: ${describeBug(error)}`, 'error', { requestId });
      // A page of the browser sign-in could not record its event.
      gap.open(error);
      gap.count(NO_ACCOUNT, 'refused');
    },
  };
}

function composeFigures(
  { store, clock, leaseMilliseconds, syncs }: CoreParts,
  { lease }: Identity,
  { gap, ...counts }: Pick<FigureParts, 'requests' | 'decisions' | 'deliveries' | 'losses'> & { readonly gap: TrailGap },
): () => Promise<CoreFigures> {
  return coreFigures({ store, clock, lease, leaseMilliseconds, isTrailWritable: () => !gap.isOpen(), syncs, ...counts });
}
