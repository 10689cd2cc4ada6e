/**
 * The main thread of a server. Its parts (components that start and stop) include the listeners, the sockets and the
 * queue of requests to the core.
 */
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { HOUR_MS } from '#core/duration.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Part } from '#core/part.ts';
import { sourceOf } from '#core/source-address.ts';
import { isS3Request } from '#wire/s3-address.ts';
import type { CoreAnswer, CoreRequest } from './core/core-batches.ts';
import type { CoreLink, CoreReady } from './core/core-link.ts';
import { runParts } from './core/parts.ts';
import { openConnections } from './edge/connections.ts';
import { fairQueue } from './edge/fair-queue.ts';
import type { Counts } from './edge/holdings.ts';
import { CONNECTION_LIMITS, type ConnectionLimits, type Listener, type ListenerParts, listen } from './edge/listener.ts';
import { openSockets, type SocketLimits, type Sockets } from './edge/sockets.ts';
import { tlsMaterial } from './edge/tls.ts';
import type { TlsMaterial } from './edge/tls-material.ts';
import { TRANSFER_LIMITS, type TransferLimits } from './edge/transfer-limits.ts';
import { trusting } from './edge/trusted-proxies.ts';
import { updateProfiles } from './first-start-files.ts';
import type { Health } from './health.ts';
import { describeBug, type Log } from './log.ts';
import { metricsPart } from './metrics/metrics-part.ts';
import { NO_CONTENTS, openContents } from './object-contents.ts';
import type { Settings } from './settings.ts';
import type { Tracing } from './tracing/tracing.ts';

/** A server that listens. */
export interface RunningServer {
  readonly ready: { readonly core: CoreReady; readonly listeners: readonly Listener[]; readonly metricsUrl: string | undefined };
  /** Returns the resources that clients hold now. */
  readonly counts: () => Counts & { readonly queued: number };
  /**
   * Drains the server, then stops the server. In the drain, `/_belfry/ready` and `/_belfry/health` respond 503 at once,
   * and the server answers accepted requests. For `drainSeconds` seconds it also accepts new requests.
   */
  readonly stop: () => Promise<void>;
}

/** Options for tests and benchmarks. */
export interface StartOptions {
  /** Whether requests are recorded in the trail, as in CloudTrail. False only in the benchmark of the recording. */
  readonly recording?: boolean;
  /** Limits for tests of slow clients. */
  readonly limits?: Partial<ConnectionLimits>;
  readonly socketLimits?: Partial<SocketLimits>;
  readonly transferLimits?: Partial<TransferLimits>;
}

/**
 * Maximum number of requests that the core works on at once. One source (client address) delays another source by at
 * most this many requests. With a larger number, more requests can share one commit of the database.
 */
const REQUESTS_AT_ONCE = 64;
const AGED_MS = 250;
/**
 * Maximum time that a drain waits for the accepted requests. After this time the listeners stop accepting connections.
 * The server still answers the requests that it has accepted.
 */
const UNDER_WAY_MAX_MS = 5_000;
/**
 * Interval at which the server reads its certificate again. If the server's own CA issued the certificate, the server
 * also renews a certificate that is about to expire.
 */
const RENEW_TLS_EVERY_MS = 12 * HOUR_MS;

/** Server whose core (the worker thread that runs the API operations) is starting. */
export interface Serving {
  readonly sockets: Sockets;
  /**
   * Opens the listeners, waits for the core and serves.
   *
   * @throws Error  an address cannot be used, or the core cannot start. Everything that was started is stopped
   */
  start(): Promise<RunningServer>;
}

/**
 * Creates the parts of the main thread: components that start and stop, such as the listeners and the request queue.
 * `core` is the link to the core's thread, which is starting.
 */
export function serving(
  settings: Settings,
  core: CoreLink,
  health: Health,
  log: Log,
  { limits, socketLimits, transferLimits }: Required<Omit<StartOptions, 'recording'>>,
): Serving {
  const tracing = tracingPart(settings, log);
  const requests = queuedRequests(tracing.wrap(core.answer));
  const sockets = openSockets({
    ask: (received, socket) => requests.answer({ received, socket }),
    notify: core.notify,
    limits: { sourceSharePercent: settings.sourceSharePercent, ...socketLimits },
  });
  const connectionLimits = connectionLimitsOf(settings, limits);
  const connections = openConnections(connectionLimits);
  const counts = () => ({ ...connections.counts(), queued: requests.waiting() });
  const metrics = metricsPart(settings.metrics, { core, connections: counts, messagingSockets: sockets.count, log });
  const listeners = listenersPart(settings, log, {
    bodyMaxBytes: settings.bodyMaxBytes,
    answer: (received) => requests.answer({ received }),
    refuse: (received, refuse) => requests.answer({ received, refuse }),
    admit: (received) => requests.answer({ received, admit: true }),
    refuseBody: (received, refuse) => requests.answer({ received, refuse }),
    // Uploads begin after the core is ready.
    bodies: openContents(settings, async () => (await core.ready).objectFolder ?? '') ?? NO_CONTENTS,
    transferLimits: { ...TRANSFER_LIMITS, ...transferLimits },
    reportBody: (requestId, error) => log(`request ${requestId} could not store its body: ${describeBug(error)}`, 'error'),
    upgrade: sockets.upgrade,
    probe: (method, target, rawHeaders) => {
      const answer = health.answer(method, target);
      // The path of a probe is also a legal key in a bucket that the host names.
      return answer !== undefined && isS3Request({ rawHeaders, target }, settings) ? undefined : answer;
    },
    limits: connectionLimits,
    connections,
    isTrusted: trusting(settings.trustedProxies),
    proxyProtocol: settings.proxyProtocol,
  });
  const running = runParts([
    // This part has no `start`, because the core's thread already runs. The core loads while the listeners open.
    { name: 'core', stop: core.close },
    tracing.part,
    // The listeners open before the core is ready. If an address is in use, the start fails here, before a first start
    // creates the first account. Requests wait until the core is ready.
    listeners,
    { name: 'core start', start: () => readyCore(core, settings, listeners) },
    { name: 'profiles', start: () => updateEndpoint(settings, listeners) },
    ...(settings.sip === 'child' ? [sipProxy(settings, log)] : []),
    socketsPart(sockets),
    renewalPart(listeners, log),
    metrics,
    requests.part(settings.drainSeconds),
    healthPart(health),
  ]);
  return {
    sockets,
    async start() {
      await running.start();
      return {
        ready: { core: await core.ready, listeners: listeners.open(), metricsUrl: metrics.url() },
        counts,
        async stop() {
          await running.drain();
          await running.stop();
        },
      };
    },
  };
}

function connectionLimitsOf(settings: Settings, limits: Partial<ConnectionLimits>): ConnectionLimits {
  return {
    ...CONNECTION_LIMITS,
    connectionsMax: settings.connectionsMax,
    underWayMaxBytes: settings.underWayMaxBytes,
    requestsOfSourceMax: settings.requestsPerSource,
    sourceSharePercent: settings.sourceSharePercent,
    ...limits,
  };
}

/**
 * Notifies the core that the listeners are open, waits until the core is ready, and sends it the addresses of the
 * listeners.
 */
async function readyCore(core: CoreLink, { publicUrl }: Settings, listeners: ListenersPart): Promise<void> {
  core.opened();
  await core.ready;
  const { http, https } = listeners.endpoints();
  const found = publicUrl ?? https;
  const addresses = listeners
    .open()
    .map(({ endpoint, everyAddress }) => (everyAddress ? endpoint.replace('localhost', hostname()) : endpoint));
  core.listening(omitUndefined({ http, https: found, local: publicUrl === undefined ? http : undefined, listeners: addresses }));
}

/** Updates the endpoint URL in the AWS CLI profiles that the server wrote to its data folder. */
function updateEndpoint(settings: Settings, listeners: ListenersPart): void {
  const [first] = listeners.open();
  if (first !== undefined) updateProfiles(settings, first.endpoint);
}

/** Requests to the core, in a queue that is fair between sources (client addresses). */
interface QueuedRequests {
  /**
   * Answers a request. Requests wait until the part that `part` creates has started. Before that, the core does not
   * know the addresses of the listeners.
   */
  answer(request: CoreRequest): Promise<CoreAnswer>;
  /** Returns the number of requests in the queue. */
  waiting(): number;
  /**
   * Creates the part that starts and drains the queue. Its `drain` takes at least `drainSeconds` seconds. It also
   * waits for the answers to the accepted requests, for at most `UNDER_WAY_MAX_MS`.
   */
  part(drainSeconds: number): Part;
}

function queuedRequests(answer: CoreLink['answer']): QueuedRequests {
  const queue = fairQueue({ runningMax: REQUESTS_AT_ONCE, agedMs: AGED_MS });
  const started = Promise.withResolvers<void>();
  const underWay = newCounter();
  let isStarted = false;
  const inTurn = (request: CoreRequest) => queue.run(sourceOf(request.received.sourceIp), () => answer(request));
  return {
    answer: (request) => underWay.count(isStarted ? inTurn(request) : started.promise.then(() => inTurn(request))),
    waiting: queue.waiting,
    part: (drainSeconds) => ({
      name: 'requests',
      start() {
        isStarted = true;
        started.resolve();
      },
      async drain() {
        const accepted = Promise.race([underWay.none(), delay(UNDER_WAY_MAX_MS, undefined, { ref: false })]);
        await Promise.all([delay(drainSeconds * 1000), accepted]);
      },
    }),
  };
}

/** Counts promises that are not settled. */
function newCounter() {
  let pending = 0;
  let waiting: (() => void)[] = [];
  return {
    count<T>(promise: Promise<T>): Promise<T> {
      pending++;
      return promise.finally(() => {
        if (--pending > 0) return;
        for (const resolve of waiting) resolve();
        waiting = [];
      });
    },
    /** Resolves once no promise is pending. */
    none: () => (pending === 0 ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve))),
  };
}

interface ListenersPart extends Part {
  readonly open: () => readonly Listener[];
  readonly endpoints: () => { readonly http?: string | undefined; readonly https?: string | undefined };
  /** Reads the certificate again, renews it if necessary, and uses it for new connections. */
  readonly renewTls: () => Promise<void>;
}

/**
 * Creates the part that listens for HTTP and HTTPS. The two listeners open at the same time, and close at the same
 * time.
 */
function listenersPart(settings: Settings, log: Log, parts: ListenerParts): ListenersPart {
  const { http, https } = settings;
  const material = (): Promise<TlsMaterial> => tlsMaterial(settings, Date.now(), log);
  let plain: Listener | undefined;
  let secure: Listener | undefined;
  const open = () => [plain, secure].filter((listener) => listener !== undefined);
  const stop = async (): Promise<void> => {
    await Promise.all(open().map((listener) => listener.close()));
  };
  return {
    name: 'listeners',
    async start() {
      const opening = await Promise.allSettled([
        (async () => {
          if (http !== 'off') plain = await listen(http, undefined, parts);
        })(),
        (async () => {
          if (https !== 'off') secure = await listen(https, await material(), parts);
        })(),
      ]);
      const failed = opening.find((result) => result.status === 'rejected');
      if (failed === undefined) return;
      await stop();
      throw failed.reason;
    },
    stop,
    open,
    endpoints: () => ({ http: plain?.endpoint, https: secure?.endpoint }),
    async renewTls() {
      secure?.renewTls(await material());
    },
  };
}

function socketsPart(sockets: Sockets): Part {
  return { name: 'sockets', stop: sockets.close };
}

/** Creates the part that runs the SIP proxy as a child process. Loads its code only if the operator wants it. */
function sipProxy(settings: Settings, log: Log): Part {
  let proxy: Part | undefined;
  return {
    name: 'SIP proxy',
    async start() {
      proxy = (await import('./sip/proxy-process.ts')).sipProxyPart(settings, log);
      await proxy.start?.();
    },
    stop: () => proxy?.stop?.(),
  };
}

/** Creates the part that renews the certificate. If the certificate cannot be read, the server keeps the previous one. */
function renewalPart(listeners: ListenersPart, log: Log): Part {
  let timer: NodeJS.Timeout | undefined;
  const renew = () =>
    listeners.renewTls().catch((error: unknown) => {
      log(`could not renew or reload the TLS certificate: ${(error as Error).message}`);
    });
  return {
    name: 'certificate renewal',
    start() {
      timer = setInterval(() => void renew(), RENEW_TLS_EVERY_MS).unref();
    },
    stop: () => clearInterval(timer),
  };
}

/**
 * Creates the part that sends traces, if the operator set an endpoint. `wrap` returns a function that also adds the span of each request.
 * Without an endpoint, it returns its argument.
 */
function tracingPart({ traceEndpoint: endpoint, continueTraces: continues }: Settings, log: Log) {
  let tracing: Tracing | undefined;
  const part: Part = {
    name: 'traces',
    async start() {
      if (endpoint !== undefined) tracing = (await import('./tracing/tracing.ts')).startTracing({ endpoint, continues, log });
    },
    stop: () => tracing?.stop(),
  };
  function wrap(answer: CoreLink['answer']): CoreLink['answer'] {
    if (endpoint === undefined) return answer;
    return async (request) => {
      const answered = await answer(request);
      tracing?.add(request.received, answered);
      return answered;
    };
  }
  return { part, wrap };
}

/** Creates the part for probes. During a drain the probes fail, so that load balancers send no new requests. */
function healthPart(health: Health): Part {
  return { name: 'probes', start: health.started, drain: health.drain };
}
