import { type MessagePort, Worker } from 'node:worker_threads';
import type { Answer, Received } from '#core/exchange.ts';
import type { SocketNews, SocketOrder } from '#realtime/protocol.ts';
import { describeBug, log } from '../log.ts';
import { COMPILE_CACHE } from '../module-loading.ts';
import type { Settings } from '../settings.ts';

/**
 * Link between the main thread, which owns the sockets, and the core's thread, which owns the store. Requests cross as messages. One
 * message contains all requests that arrived in one turn of the event loop.
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
}

/**
 * Request to the core. `refuse`: the error of a request whose body was not read. `socket`: the number of a socket that waits for a
 * messaging session. If the answer has status 101 the socket may be opened, and the main thread sends news about it.
 */
export type CoreRequest = { readonly received: Received; readonly refuse?: 'RequestTooLarge'; readonly socket?: number };

/** Addresses at which clients reach the server, once it listens. The URLs in responses about meetings contain them. */
export interface Endpoints {
  readonly http?: string;
  readonly https?: string;
  /** Address without TLS for clients on this machine. Absent if the operator set a public URL. */
  readonly local?: string;
  /** Addresses of this server's own listeners, for the operator. */
  readonly listeners?: readonly string[];
}
export type ToCore =
  | readonly (readonly [id: number, request: CoreRequest])[]
  | { readonly listening: Endpoints }
  | { readonly news: SocketNews }
  | 'opened'
  | 'close';
export type FromCore =
  | readonly (readonly [id: number, answer: Answer])[]
  | { readonly orders: readonly SocketOrder[] }
  | { readonly ready: CoreReady }
  | { readonly readyUntil: number }
  | { readonly failed: string }
  | 'closed';

/** Main thread's end of the link. */
export interface CoreLink {
  /** Resolves when the core can answer requests. Rejects if the core ends before that. */
  readonly ready: Promise<CoreReady>;
  answer(request: CoreRequest): Promise<Answer>;
  notify(news: SocketNews): void;
  /** Tells the starting core that every listener is open. A first start creates its account only then. */
  opened(): void;
  listening(endpoints: Endpoints): void;
  /** Stops the core: at once if it is not ready, otherwise after the accepted requests. */
  close(): Promise<void>;
}

/** Maximum requests in one message. While the core handles one message, the listeners read further requests. */
const BATCH_MAX = 8;
/**
 * Heap for new objects in the core's thread. With the default of 48 MB, garbage of 10,000 connections occupies 80 MB more. A smaller one
 * costs no measurable CPU time (`bench/idle-sockets.ts`, `bench/get-meeting.ts`).
 */
const YOUNG_GENERATION_MEGABYTES = 24;
/** Names of errors whose message is for the operator. The list includes errors of the system and of databases, but not TypeError. */
const REFUSALS: ReadonlySet<string> = new Set(['Error', 'error']);

/** Receivers of the core's messages that are not answers. */
export interface CoreEvents {
  readonly onOrders: (orders: readonly SocketOrder[]) => void;
  /** Receives the time of `machineClock` until which the core is ready. */
  readonly onReadyUntil: (time: number) => void;
  /** Runs once if the core ends without `close` after it was ready. */
  readonly onDeath: (why: string) => void;
}

/** Starts the core in its thread. */
export function startCore(start: CoreStart, { onOrders, onReadyUntil, onDeath }: CoreEvents): CoreLink {
  // The environment variable enables the cache before the thread reads its first source.
  const env = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_GENERATION_MEGABYTES };
  const worker = new Worker(new URL('./core-thread.ts', import.meta.url), { workerData: start, env, resourceLimits });
  const waiting = new Map<number, (answer: Answer) => void>();
  let nextId = 1;
  let outgoing: (readonly [number, CoreRequest])[] = [];
  let closing = false;
  let why = 'the core thread ended';
  let started = false;
  const ready = Promise.withResolvers<CoreReady>();
  const closed = Promise.withResolvers<void>();

  const flush = () => {
    if (outgoing.length === 0) return;
    const batch = outgoing;
    outgoing = [];
    worker.postMessage(batch satisfies ToCore);
  };
  worker.on('message', (message: FromCore) => {
    if (message === 'closed') closed.resolve();
    else if ('orders' in message) onOrders(message.orders);
    else if ('readyUntil' in message) onReadyUntil(message.readyUntil);
    else if ('ready' in message) {
      started = true;
      ready.resolve(message.ready);
    } else if ('failed' in message) why = message.failed;
    else {
      for (const [id, answer] of message) {
        waiting.get(id)?.(answer);
        waiting.delete(id);
      }
    }
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

  // A later `await` of `ready` gets the rejection. Without a handler, the rejection would end the process.
  ready.promise.catch(() => undefined);
  return {
    ready: ready.promise,
    answer(request) {
      const id = nextId++;
      const answer = new Promise<Answer>((resolve) => waiting.set(id, resolve));
      const length = outgoing.push([id, request]);
      if (length === 1) setImmediate(flush);
      else if (length === BATCH_MAX) flush();
      return answer;
    },
    notify: (news) => worker.postMessage({ news } satisfies ToCore),
    opened: () => worker.postMessage('opened' satisfies ToCore),
    listening: (endpoints) => worker.postMessage({ listening: endpoints } satisfies ToCore),
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

/** Serves the core's end of the link. Answers that become ready in one turn of the event loop are one message. */
export function serveCore(
  port: MessagePort,
  core: {
    readonly answer: (request: CoreRequest) => Promise<Answer>;
    readonly listening: (endpoints: Endpoints) => void;
    readonly receiveNews: (news: SocketNews) => void;
    readonly close: () => Promise<void>;
  },
): void {
  let outgoing: (readonly [number, Answer])[] = [];
  const flush = () => {
    const batch = outgoing;
    outgoing = [];
    port.postMessage(batch satisfies FromCore);
  };
  port.on('message', (message: ToCore) => {
    if (message === 'close') {
      void core
        .close()
        .catch((error: unknown) => log(`the core thread could not stop: ${describeBug(error)}`, 'error'))
        .then(() => port.postMessage('closed' satisfies FromCore));
      return;
    }
    // A core that needed no first start did not wait for it.
    if (message === 'opened') return;
    if ('listening' in message) {
      core.listening(message.listening);
      return;
    }
    if ('news' in message) {
      core.receiveNews(message.news);
      return;
    }
    for (const [id, request] of message) {
      void core
        .answer(request)
        .catch((error) => unanswerable(request.received.requestId, error))
        .then((answered) => {
          if (outgoing.push([id, answered]) === 1) process.nextTick(flush);
        });
    }
  });
}

/** Answers a request whose error could not be encoded. Other requests are not affected. */
function unanswerable(requestId: string, error: unknown): Answer {
  log(`request ${requestId} could not be answered: ${describeBug(error)}`, 'error');
  const headers = ['content-type', 'application/json', 'x-amzn-errortype', 'InternalFailure', 'x-amzn-requestid', requestId];
  return {
    status: 500,
    headers,
    body: '{"__type":"InternalFailure","message":"The request processing has failed because of an unknown error."}',
  };
}
