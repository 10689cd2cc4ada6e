/** The unmodified client of messaging sessions, in Node: its own signatures, its own WebSocket adapter, Node's WebSocket. */
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { ChimeSDKMessagingClient } from '@aws-sdk/client-chime-sdk-messaging';
import NoOpLogger from 'amazon-chime-sdk-js/build/logger/NoOpLogger.js';
import DefaultMessagingSession from 'amazon-chime-sdk-js/build/messagingsession/DefaultMessagingSession.js';
import MessagingSessionConfiguration from 'amazon-chime-sdk-js/build/messagingsession/MessagingSessionConfiguration.js';
import DefaultWebSocketAdapter from 'amazon-chime-sdk-js/build/websocketadapter/DefaultWebSocketAdapter.js';

/** A message as observers get it. */
export interface Received {
  readonly type: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Readonly<Record<string, unknown>> | null;
}

export interface Client {
  /** Everything it was told, oldest first; SESSION_ESTABLISHED too. */
  readonly received: readonly Received[];
  /** Resolves to the first message told, before or after the call, that is wanted. */
  find(wanted: (message: Received) => boolean): Promise<Received>;
  /** Resolves to the code with which it was closed for good. */
  readonly stopped: Promise<number>;
  /** How often it has begun to connect again by itself. */
  reconnects(): number;
  /** Resolves once it is connected again. */
  reconnected(): Promise<void>;
  stop(): void;
}

/** What a client waits for at most; conditions come true long before. */
const PATIENCE_MS = 20_000;

/** Lets everything in this process trust a server's certificate authority. */
export function trust(caFile: string): void {
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(caFile, 'utf8')]);
}

/** For a server on loopback without TLS: the client itself knows `wss` alone, and lets its user give it another adapter. */
class PlainAdapter extends DefaultWebSocketAdapter.default {
  override create(url: string, protocols: string[], isSignedUrl?: boolean): void {
    super.create(url.replace(/^wss:/, 'ws:'), protocols, isSignedUrl);
  }
}

/** Connects, and resolves once the session is established. @throws what the client rejects with */
export async function connect(
  chimeClient: ChimeSDKMessagingClient,
  userArn: string,
  more: { readonly sessionId?: string; readonly url?: string; readonly prefetch?: boolean; readonly plain?: boolean } = {},
): Promise<Client> {
  const configuration = new MessagingSessionConfiguration.default(userArn, more.sessionId ?? null, more.url, chimeClient);
  if (more.prefetch) configuration.prefetchOn = 'connect' as typeof configuration.prefetchOn;
  configuration.reconnectTimeoutMs = PATIENCE_MS;
  configuration.reconnectFixedWaitMs = 0;
  const logger = new NoOpLogger.default();
  const session = new DefaultMessagingSession.default(configuration, logger, more.plain ? new PlainAdapter(logger) : undefined);
  const received: Received[] = [];
  const looking = new Set<() => void>();
  const stopped = Promise.withResolvers<number>();
  let reconnects = 0;
  let starts = 0;
  const look = () => {
    for (const one of looking) one();
  };
  session.addObserver({
    messagingSessionDidStart() {
      starts += 1;
      look();
    },
    messagingSessionDidStartConnecting(again: boolean) {
      if (again) reconnects += 1;
    },
    messagingSessionDidStop: (event: { readonly code: number }) => stopped.resolve(event.code),
    messagingSessionDidReceiveMessage({
      type,
      headers,
      payload,
    }: {
      type: string;
      headers: Record<string, string>;
      payload: string | null;
    }) {
      received.push({ type, headers, payload: payload ? JSON.parse(payload) : null });
      look();
    },
  });
  /** Resolves to what `seen` first answers. */
  function until<T>(what: string, seen: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        looking.delete(one);
        reject(new Error(`${what} did not come; received: ${received.map(({ type }) => type).join(', ')}`));
      }, PATIENCE_MS);
      const one = () => {
        const found = seen();
        if (found === undefined) return;
        looking.delete(one);
        clearTimeout(timer);
        resolve(found);
      };
      looking.add(one);
      one();
    });
  }
  await session.start();
  return {
    received,
    find: (wanted) => until('what was wanted', () => received.find(wanted)),
    stopped: stopped.promise,
    reconnects: () => reconnects,
    async reconnected() {
      await until('another start', () => (starts > 1 ? true : undefined));
    },
    stop: () => session.stop(),
  };
}
