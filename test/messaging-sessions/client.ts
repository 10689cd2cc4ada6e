/**
 * Messaging session with the unmodified `amazon-chime-sdk-js` client in Node. The client itself signs its requests and
 * reconnects.
 */
import { after } from 'node:test';
import type { ChimeSDKMessagingClient } from '@aws-sdk/client-chime-sdk-messaging';
import NoOpLogger from 'amazon-chime-sdk-js/build/logger/NoOpLogger.js';
import DefaultMessagingSession from 'amazon-chime-sdk-js/build/messagingsession/DefaultMessagingSession.js';
import MessagingSessionConfiguration from 'amazon-chime-sdk-js/build/messagingsession/MessagingSessionConfiguration.js';
import DefaultWebSocketAdapter from 'amazon-chime-sdk-js/build/websocketadapter/DefaultWebSocketAdapter.js';

/** A message as observers of the client receive it. */
export interface Received {
  readonly type: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Readonly<Record<string, unknown>> | null;
}

/** A connected client. */
export interface Client {
  /** All received messages, oldest first, including SESSION_ESTABLISHED. */
  readonly received: readonly Received[];
  /** Resolves to the first matching message, received before or after the call. */
  find(wanted: (message: Received) => boolean): Promise<Received>;
  /** Resolves to the WebSocket close code when the client stops and does not reconnect. */
  readonly stopped: Promise<number>;
  /** Returns the number of times that the client has started to reconnect. */
  reconnects(): number;
  /** Resolves when the client has reconnected. */
  reconnected(): Promise<void>;
  stop(): void;
}

/** Time limit of each wait, in milliseconds. Conditions are normally met much earlier. */
const WAIT_MAX_MS = 60_000;

/** WebSocket adapter for a server on loopback without TLS. The client itself supports only `wss`, but accepts another adapter. */
class PlainAdapter extends DefaultWebSocketAdapter.default {
  override create(url: string, protocols: string[], isSignedUrl?: boolean): void {
    super.create(url.replace(/^wss:/, 'ws:'), protocols, isSignedUrl);
  }
}

/**
 * Connects a client, and stops it after the test, because a client whose server has stopped tries to reconnect for a minute. Resolves when the
 * session is established.
 *
 * @throws  the error with which the client fails
 */
export async function connect(
  chimeClient: ChimeSDKMessagingClient,
  userArn: string,
  more: { readonly sessionId?: string; readonly url?: string; readonly prefetch?: boolean; readonly plain?: boolean } = {},
): Promise<Client> {
  const configuration = new MessagingSessionConfiguration.default(userArn, more.sessionId ?? null, more.url, chimeClient);
  if (more.prefetch) configuration.prefetchOn = 'connect' as typeof configuration.prefetchOn;
  configuration.reconnectTimeoutMs = WAIT_MAX_MS;
  configuration.reconnectFixedWaitMs = 0;
  const logger = new NoOpLogger.default();
  const session = new DefaultMessagingSession.default(configuration, logger, more.plain ? new PlainAdapter(logger) : undefined);
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const stopped = Promise.withResolvers<number>();
  let reconnects = 0;
  let starts = 0;
  const checkWaiting = () => {
    for (const one of waiting) one();
  };
  session.addObserver({
    messagingSessionDidStart() {
      starts += 1;
      checkWaiting();
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
      checkWaiting();
    },
  });
  /** Calls `seen` after each event. Resolves to the first result that is not undefined. */
  function until<T>(what: string, seen: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(one);
        reject(new Error(`timeout while waiting for ${what}; received: ${received.map(({ type }) => type).join(', ')}`));
      }, WAIT_MAX_MS);
      const one = () => {
        const found = seen();
        if (found === undefined) return;
        waiting.delete(one);
        clearTimeout(timer);
        resolve(found);
      };
      waiting.add(one);
      one();
    });
  }
  after(() => session.stop());
  await session.start();
  return {
    received,
    find: (wanted) => until('a message', () => received.find(wanted)),
    stopped: stopped.promise,
    reconnects: () => reconnects,
    async reconnected() {
      await until('a reconnection', () => (starts > 1 ? true : undefined));
    },
    stop: () => session.stop(),
  };
}
