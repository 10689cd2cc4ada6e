import { type MessagePort, Worker } from 'node:worker_threads';
import type { Answer, Received } from '#core/exchange.ts';
import type { SocketNews, SocketOrder } from '#realtime/protocol.ts';
import { COMPILE_CACHE } from '../compile-cache.ts';
import type { Settings } from '../settings.ts';

/**
 * The border between the thread that owns sockets and the core, the one thread that owns the store.
 * One message each way a request, batched: what one turn of the event loop brought crosses together.
 */

/** What the core is started with. */
export interface CoreStart {
  readonly settings: Settings;
  /** False only in the benchmark that asks what recording costs; no setting reaches it. */
  readonly recording: boolean;
}

/** What the core says when it is ready, for the lines a new user reads. */
export interface CoreReady {
  readonly firstStart?: { readonly accountId: string; readonly userName: string; readonly accessKeyId: string };
}

/**
 * `refuse`: refused before it was read, only its error is to be spelt. `socket`: the number of the socket that waits for a messaging session;
 * answered with 101 it may be opened, and what becomes of it is told as news.
 */
export type Wanted = { readonly received: Received; readonly refuse?: 'RequestTooLarge'; readonly socket?: number };

/** Where clients find the server, once it listens: meetings send browsers there. */
export interface Endpoints {
  readonly http?: string;
  readonly https?: string;
}
export type ToCore =
  | readonly (readonly [id: number, wanted: Wanted])[]
  | { readonly listening: Endpoints }
  | { readonly news: SocketNews }
  | 'close';
export type FromCore =
  | readonly (readonly [id: number, answer: Answer])[]
  | { readonly orders: readonly SocketOrder[] }
  | { readonly ready: CoreReady }
  | { readonly readyUntil: number }
  | { readonly failed: string }
  | 'closed';

/** The main thread's end. */
export interface CoreLink {
  readonly ready: Promise<CoreReady>;
  ask(wanted: Wanted): Promise<Answer>;
  tell(news: SocketNews): void;
  listening(endpoints: Endpoints): void;
  close(): Promise<void>;
}

/** Requests that cross together at most: while the core works on some, the listeners read others. */
const BATCH_MAX = 8;

/** Errors that are thrown with a message for the operator, the system's and the databases' among them; never TypeError and its kind. */
const REFUSALS: ReadonlySet<string> = new Set(['Error', 'error']);

/** What the main thread does with messages of the core that answer no request. */
export interface CoreEvents {
  readonly onOrders: (orders: readonly SocketOrder[]) => void;
  /** Receives the time of `machineClock` until which the core is ready. */
  readonly onReadyUntil: (time: number) => void;
  /** Runs once if the core ends without `close`. */
  readonly onDeath: (why: string) => void;
}

/** Starts the core in its thread. */
export function startCore(start: CoreStart, { onOrders, onReadyUntil, onDeath }: CoreEvents): CoreLink {
  // Named in the environment, the cache is there before the thread reads its first source.
  const env = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };
  const worker = new Worker(new URL('./core-thread.ts', import.meta.url), { workerData: start, env });
  const waiting = new Map<number, (answer: Answer) => void>();
  let nextId = 1;
  let outgoing: (readonly [number, Wanted])[] = [];
  let closing = false;
  let why = 'the core ended';
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
    // What keeps a start from being is the operator's to mend, and said in a line; a bug of ours comes with its trace.
    const refused = !started && error instanceof Error && REFUSALS.has(error.name);
    why = refused ? error.message : String((error as Error).stack ?? error);
  });
  worker.on('exit', () => {
    closed.resolve();
    onReadyUntil(0);
    if (!closing) onDeath(why);
  });

  return {
    ready: ready.promise,
    ask(wanted) {
      const id = nextId++;
      const answer = new Promise<Answer>((resolve) => waiting.set(id, resolve));
      const length = outgoing.push([id, wanted]);
      if (length === 1) setImmediate(flush);
      else if (length === BATCH_MAX) flush();
      return answer;
    },
    tell: (news) => worker.postMessage({ news } satisfies ToCore),
    listening: (endpoints) => worker.postMessage({ listening: endpoints } satisfies ToCore),
    async close() {
      closing = true;
      worker.postMessage('close' satisfies ToCore);
      await closed.promise;
      await worker.terminate();
    },
  };
}

/** The core's end: each request is answered, answers that become ready together cross together. */
export function serveCore(
  port: MessagePort,
  core: {
    readonly answer: (wanted: Wanted) => Promise<Answer>;
    readonly listening: (endpoints: Endpoints) => void;
    readonly hear: (news: SocketNews) => void;
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
      void core.close().then(() => port.postMessage('closed' satisfies FromCore));
      return;
    }
    if ('listening' in message) {
      core.listening(message.listening);
      return;
    }
    if ('news' in message) {
      core.hear(message.news);
      return;
    }
    for (const [id, wanted] of message) {
      void core
        .answer(wanted)
        .catch((error) => unanswerable(wanted.received.requestId, error))
        .then((answered) => {
          if (outgoing.push([id, answered]) === 1) process.nextTick(flush);
        });
    }
  });
}

/** A request that cannot even be refused costs its own answer, not everybody's server. */
function unanswerable(requestId: string, error: unknown): Answer {
  console.error(`belfry: request ${requestId} could not be answered: ${(error as Error)?.stack ?? error}`);
  const headers = ['content-type', 'application/json', 'x-amzn-errortype', 'InternalFailure', 'x-amzn-requestid', requestId];
  return {
    status: 500,
    headers,
    body: '{"__type":"InternalFailure","message":"The request processing has failed because of an unknown error."}',
  };
}
