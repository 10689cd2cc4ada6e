import { type MessagePort, Worker } from 'node:worker_threads';
import type { Answer } from '#core/exchange.ts';
import type { SocketNews, SocketOrder } from '#realtime/protocol.ts';
import { describeBug, type Log } from '../log.ts';
import { COMPILE_CACHE } from '../module-loading.ts';
import type { Settings } from '../settings.ts';
import {
  type AnswerBatch,
  addAnswer,
  addRequest,
  type CoreAnswer,
  type CoreRequest,
  eachAnswer,
  eachRequest,
  type RequestBatch,
} from './core-batches.ts';
import type { CoreFigures } from './figures.ts';

/**
 * Link between the main thread, which owns the sockets, and the core's thread, which owns the store. The threads
 * exchange messages. One message contains up to `BATCH_MAX` requests that arrived in one turn of the event loop.
 */

/** Parameters of the core's thread. */
export interface CoreStart {
  readonly settings: Settings;
  /** False only in the benchmark that measures the cost of recording. No setting changes it. */
  readonly recording: boolean;
}

/** Result of the core's start. After a first start it contains the new administrator, for the welcome message. */
export interface CoreReady {
  readonly firstStart?: { readonly accountId: string; readonly userName: string; readonly accessKeyId: string };
  /** Folder of this database in the object service. */
  readonly objectFolder?: string;
}

/** Addresses at which clients reach the server, once it listens. The URLs in responses about meetings contain them. */
export interface Endpoints {
  readonly http?: string;
  readonly https?: string;
  /** Address without TLS for clients on this machine. Absent if the operator set a public URL. */
  readonly local?: string;
  /** Addresses of this server's own listeners, for the operator. */
  readonly listeners?: readonly string[];
}
export type ToCore = RequestBatch | { readonly listening: Endpoints } | { readonly news: SocketNews } | 'opened' | 'figures' | 'close';
export type FromCore =
  | AnswerBatch
  | { readonly orders: readonly SocketOrder[] }
  | { readonly ready: CoreReady }
  | { readonly readyUntil: number }
  | { readonly figures: CoreFigures }
  | { readonly failed: string }
  | 'closed';

/** The main thread's side of the link to the core. */
export interface CoreLink {
  /** Resolves when the core can answer requests. Rejects if the core ends before that. */
  readonly ready: Promise<CoreReady>;
  answer(request: CoreRequest): Promise<CoreAnswer>;
  notify(news: SocketNews): void;
  /**
   * Notifies the starting core that every listener is open. In a first start, the core creates the first account after
   * this notification.
   */
  opened(): void;
  listening(endpoints: Endpoints): void;
  /**
   * Returns the figures of the core for metrics. Concurrent calls share one message. Undefined if the core does not answer within
   * `FIGURES_WITHIN_MS`, or has not started.
   */
  figures(): Promise<CoreFigures | undefined>;
  /** Stops the core: at once if it is not ready, otherwise after it has answered the accepted requests. */
  close(): Promise<void>;
}

/**
 * Maximum number of requests in one message. With small messages, the core can start on the first requests while the
 * listeners read further requests.
 */
const BATCH_MAX = 8;
/**
 * Heap for new objects in the core's thread. With the default of 48 MB, a server with 10,000 connections occupies 80 MB
 * more memory, which is garbage. The smaller heap costs no measurable CPU time (`bench/idle-sockets.ts`,
 * `bench/get-meeting.ts`).
 * `bin/belfry.mjs` limits the same heap of the main thread.
 */
const YOUNG_GENERATION_MEGABYTES = 8;
/** Time for which the main thread waits for the figures of the core. It is longer than the core waits for the database. */
const FIGURES_WITHIN_MS = 4_000;
/**
 * Values of `name` in start-up errors whose message is for the operator. Errors of the operating system and of
 * databases have these names. A bug usually has another name, such as `TypeError`.
 */
const REFUSALS: ReadonlySet<string> = new Set(['Error', 'error']);

/** Receivers of the core's messages that are not answers. */
export interface CoreEvents {
  readonly onOrders: (orders: readonly SocketOrder[]) => void;
  /** Receives the time, on the clock `machineClock`, until which the core can serve requests. */
  readonly onReadyUntil: (time: number) => void;
  /** Called once if the core was ready and then ends without a call of `close`. */
  readonly onDeath: (why: string) => void;
}

/** Starts the core in its thread. */
export function startCore(start: CoreStart, { onOrders, onReadyUntil, onDeath }: CoreEvents): CoreLink {
  // The environment variable enables the cache before the thread reads its first source.
  const env = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_GENERATION_MEGABYTES };
  const worker = new Worker(new URL('./core-thread.ts', import.meta.url), { workerData: start, env, resourceLimits });
  const waiting = new Map<number, (answer: CoreAnswer) => void>();
  let nextId = 1;
  let outgoing: unknown[] = [];
  let count = 0;
  let closing = false;
  let why = 'the core thread ended';
  let started = false;
  let figures = Promise.withResolvers<CoreFigures>();
  let areRequested = false;
  const ready = Promise.withResolvers<CoreReady>();
  const closed = Promise.withResolvers<void>();

  const flush = () => {
    if (count === 0) return;
    const batch = outgoing;
    outgoing = [];
    count = 0;
    worker.postMessage(batch satisfies ToCore);
  };
  const settle = (id: number, answer: CoreAnswer): void => {
    waiting.get(id)?.(answer);
    waiting.delete(id);
  };
  worker.on('message', (message: FromCore) => {
    if (message === 'closed') closed.resolve();
    else if (isBatch(message)) eachAnswer(message, settle);
    else if ('orders' in message) onOrders(message.orders);
    else if ('readyUntil' in message) onReadyUntil(message.readyUntil);
    else if ('ready' in message) {
      started = true;
      ready.resolve(message.ready);
    } else if ('figures' in message) {
      figures.resolve(message.figures);
      figures = Promise.withResolvers();
      areRequested = false;
    } else why = message.failed;
  });
  worker.on('error', (error) => {
    // Start-up errors that the operator can fix are one line. Bugs have a stack trace.
    const refused = !started && error instanceof Error && REFUSALS.has(error.name);
    why = refused ? error.message : String((error as Error).stack ?? error);
  });
  worker.on('exit', () => {
    closed.resolve();
    onReadyUntil(0);
    if (!started) ready.reject(new Error(why));
    else if (!closing) onDeath(why);
  });

  // `ready` may reject before the caller of `startCore` awaits it. Without this handler, such a rejection would end the
  // process. The caller still receives the rejection.
  ready.promise.catch(() => undefined);
  return {
    ready: ready.promise,
    answer(request) {
      const id = nextId++;
      const answer = new Promise<CoreAnswer>((resolve) => waiting.set(id, resolve));
      addRequest(outgoing, id, request);
      if (++count === 1) setImmediate(flush);
      else if (count === BATCH_MAX) flush();
      return answer;
    },
    notify: (news) => worker.postMessage({ news } satisfies ToCore),
    opened: () => worker.postMessage('opened' satisfies ToCore),
    listening: (endpoints) => worker.postMessage({ listening: endpoints } satisfies ToCore),
    async figures() {
      if (!started) return undefined;
      if (!areRequested) worker.postMessage('figures' satisfies ToCore);
      areRequested = true;
      const late = Promise.withResolvers<undefined>();
      const timer = setTimeout(() => late.resolve(undefined), FIGURES_WITHIN_MS);
      return await Promise.race([figures.promise, late.promise]).finally(() => clearTimeout(timer));
    },
    async close() {
      closing = true;
      if (started) {
        worker.postMessage('close' satisfies ToCore);
        await closed.promise;
      }
      await worker.terminate();
    },
  };
}

/** Serves the core's end of the link. Sends answers that become ready in one turn of the event loop as one message. */
export function serveCore(
  port: MessagePort,
  core: {
    readonly answer: (request: CoreRequest) => Promise<CoreAnswer>;
    readonly listening: (endpoints: Endpoints) => void;
    readonly receiveNews: (news: SocketNews) => void;
    readonly figures: () => Promise<CoreFigures>;
    readonly report: Log;
    readonly close: () => Promise<void>;
  },
): void {
  let outgoing: unknown[] = [];
  const flush = () => {
    const batch = outgoing;
    outgoing = [];
    port.postMessage(batch satisfies FromCore);
  };
  const answer = (id: number, request: CoreRequest): void => {
    void core
      .answer(request)
      .catch((error) => unanswerable(request.received.requestId, error, core.report))
      .then((answered) => {
        if (outgoing.length === 0) process.nextTick(flush);
        addAnswer(outgoing, id, answered);
      });
  };
  port.on('message', (message: ToCore) => {
    if (message === 'close') {
      void core
        .close()
        .catch((error: unknown) => core.report(`the core thread could not stop: ${describeBug(error)}`, 'error'))
        .then(() => port.postMessage('closed' satisfies FromCore));
      return;
    }
    if (message === 'figures') {
      void core.figures().then((figures) => port.postMessage({ figures } satisfies FromCore));
      return;
    }
    // Ignores 'opened'. During a first start, `runCore` waited for this message. No other start needs it.
    if (message === 'opened') return;
    if (isBatch(message)) {
      eachRequest(message, answer);
      return;
    }
    if ('listening' in message) {
      core.listening(message.listening);
      return;
    }
    core.receiveNews(message.news);
  });
}

/** Reports whether a message is a batch. Without this function, TypeScript does not recognize read-only lists. */
function isBatch<Message>(message: Message): message is Extract<Message, readonly unknown[]> {
  return Array.isArray(message);
}

/** Answers a request whose error could not be encoded. Other requests are not affected. */
function unanswerable(requestId: string, error: unknown, report: Log): Answer {
  report(`request ${requestId} could not be answered: ${describeBug(error)}`, 'error', { requestId });
  const headers = ['content-type', 'application/json', 'x-amzn-errortype', 'InternalFailure', 'x-amzn-requestid', requestId];
  return {
    status: 500,
    headers,
    body: '{"__type":"InternalFailure","message":"The request processing has failed because of an unknown error."}',
  };
}
