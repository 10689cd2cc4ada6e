/** The main thread of a server: the listeners, the sockets and the requests to the core, as parts. */
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from '#core/exchange.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Part } from '#core/part.ts';
import { sourceOf } from '#core/source-address.ts';
import type { CoreLink, CoreReady, CoreRequest } from './core/core-link.ts';
import { runParts } from './core/parts.ts';
import { openConnections } from './edge/connections.ts';
import { fairQueue } from './edge/fair-queue.ts';
import type { Counts } from './edge/holdings.ts';
import { CONNECTION_LIMITS, type ConnectionLimits, type Listener, type ListenerParts, listen } from './edge/listener.ts';
import { openSockets, type SocketLimits, type Sockets } from './edge/sockets.ts';
import { tlsMaterial } from './edge/tls.ts';
import type { TlsMaterial } from './edge/tls-material.ts';
import { trusting } from './edge/trusted-proxies.ts';
import { updateProfiles } from './first-start-files.ts';
import type { Health } from './health.ts';
import { log } from './log.ts';
import type { Settings } from './settings.ts';

/** A server that listens. */
export interface RunningServer {
  readonly ready: { readonly core: CoreReady; readonly listeners: readonly Listener[] };
  /** Returns the resources that clients hold now. */
  readonly counts: () => Counts & { readonly queued: number };
  /**
   * Drains the server, then stops it. Health probes fail at once. The server answers accepted requests, and new ones for `drainSeconds`.
   */
  readonly stop: () => Promise<void>;
}

/** Options for tests and benchmarks. */
export interface StartOptions {
  /** False only in the benchmark that measures the cost of recording. */
  readonly recording?: boolean;
  /** Limits for tests of slow clients. */
  readonly limits?: Partial<ConnectionLimits>;
  readonly socketLimits?: Partial<SocketLimits>;
}

/**
 * Maximum requests that the core works on at once. One source delays another by at most this many. A larger number lets more requests share
 * a commit.
 */
const REQUESTS_AT_ONCE = 64;
const AGED_MS = 250;
/** Maximum wait for accepted requests before the listeners stop accepting. Accepted requests are still answered afterwards. */
const UNDER_WAY_MAX_MS = 5_000;
/** Interval at which the certificate is read again, and renewed if it is of the local CA and about to end. */
const RENEW_TLS_EVERY_MS = 12 * 3_600_000;

/** Server whose core is starting. */
export interface Serving {
  readonly sockets: Sockets;
  /**
   * Opens the listeners, waits for the core and serves.
   *
   * @throws Error  an address cannot be used, or the core cannot start. Everything that was started is stopped
   */
  start(): Promise<RunningServer>;
}

/** Creates the parts of the main thread for a core that is starting. */
export function serving(
  settings: Settings,
  core: CoreLink,
  health: Health,
  { limits, socketLimits }: Required<Pick<StartOptions, 'limits' | 'socketLimits'>>,
): Serving {
  const requests = queuedRequests(core);
  const sockets = openSockets({
    ask: (received, socket) => requests.answer({ received, socket }),
    notify: core.notify,
    limits: { sourceSharePercent: settings.sourceSharePercent, ...socketLimits },
  });
  const connectionLimits = connectionLimitsOf(settings, limits);
  const connections = openConnections(connectionLimits);
  const listeners = listenersPart(settings, {
    bodyMaxBytes: settings.bodyMaxBytes,
    answer: (received) => requests.answer({ received }),
    refuse: (received, refuse) => requests.answer({ received, refuse }),
    upgrade: sockets.upgrade,
    probe: health.answer,
    limits: connectionLimits,
    connections,
    isTrusted: trusting(settings.trustedProxies),
    proxyProtocol: settings.proxyProtocol,
  });
  const running = runParts([
    // The core's thread is already running, so that it works while the listeners open.
    { name: 'core', stop: core.close },
    // The listeners open before the core is ready, so that a first start whose address is in use creates no account. Requests wait for the
    // core.
    listeners,
    { name: 'core start', start: () => readyCore(core, settings, listeners) },
    { name: 'profiles', start: () => updateEndpoint(settings, listeners) },
    socketsPart(sockets),
    renewalPart(listeners),
    requests.part(settings.drainSeconds),
    healthPart(health),
  ]);
  return {
    sockets,
    async start() {
      await running.start();
      return {
        ready: { core: await core.ready, listeners: listeners.open() },
        counts: () => ({ ...connections.counts(), queued: requests.waiting() }),
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

/** Tells the core that the listeners are open, waits for it, and sends it their addresses. */
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

/** Updates the endpoint of the profiles that the server wrote. */
function updateEndpoint(settings: Settings, listeners: ListenersPart): void {
  const [first] = listeners.open();
  if (first !== undefined) updateProfiles(settings, first.endpoint);
}

/** Requests to the core, queued fairly by their source. */
interface QueuedRequests {
  /** Answers a request. Until the part starts, requests wait, because the core does not know the addresses of the listeners. */
  answer(request: CoreRequest): Promise<Answer>;
  /** Returns the number of requests in the queue. */
  waiting(): number;
  /** Creates the part whose drain waits `drainSeconds` and for the accepted requests. */
  part(drainSeconds: number): Part;
}

function queuedRequests(core: CoreLink): QueuedRequests {
  const queue = fairQueue({ runningMax: REQUESTS_AT_ONCE, agedMs: AGED_MS });
  const started = Promise.withResolvers<void>();
  const underWay = newCounter();
  let isStarted = false;
  const inTurn = (request: CoreRequest) => queue.run(sourceOf(request.received.sourceIp), () => core.answer(request));
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
  /** Serves new connections with the current certificate. */
  readonly renewTls: () => Promise<void>;
}

/** Creates the part that listens for HTTP and HTTPS. Both open and close at the same time. */
function listenersPart(settings: Settings, parts: ListenerParts): ListenersPart {
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

/** Creates the part that renews the certificate. If the certificate cannot be read, the server keeps the previous one. */
function renewalPart(listeners: ListenersPart): Part {
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

/** Creates the part for probes. Load balancers see the drain first and send no new requests. */
function healthPart(health: Health): Part {
  return { name: 'probes', start: health.started, drain: health.drain };
}
