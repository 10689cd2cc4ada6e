/** Connections to receivers: TLS sessions are resumed, and connections to endpoints of the operator are kept open for a moment. */
import type { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { createSecureContext } from 'node:tls';

// This is not an import, because an import of node:http also loads a WebSocket client (see `server/edge/listener.ts`).
const http = process.getBuiltinModule('node:http');

/** Time after which an unused connection is closed, and unused connections to one host. */
const IDLE_MS = 4_000;
const IDLE_MAX = 16;
/** Hosts whose TLS session is remembered. */
const SESSIONS_MAX = 256;

export interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

export interface Connections {
  /** Returns the agents of requests. An internal address is reached only by agents that may do so, also on a connection that is open. */
  of(allowInternal: boolean): Agents;
}

/**
 * Creates the connections of one sender. `kept`: a connection is used again for the next request to its host. `once`: each request opens
 * a connection, and resolves and checks the name again. Both resume TLS sessions with a host whose certificate was verified.
 */
export function connections(use: 'kept' | 'once'): Connections {
  const keepAlive = use === 'kept';
  const opened = new Map<boolean, Agents>();
  function open(): Agents {
    const options = { keepAlive, maxFreeSockets: IDLE_MAX, ...(keepAlive && { timeout: IDLE_MS }) };
    // Without a context of its own, each connection reads all certificates of the authorities.
    const https = new HttpsAgent({ ...options, maxCachedSessions: SESSIONS_MAX, secureContext: createSecureContext() });
    return { http: new http.Agent(options), https };
  }
  return {
    of(allowInternal) {
      let found = opened.get(allowInternal);
      if (found === undefined) opened.set(allowInternal, (found = open()));
      return found;
    },
  };
}
