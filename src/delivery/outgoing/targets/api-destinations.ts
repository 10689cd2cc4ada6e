/** Sender to API destinations of EventBridge: HTTP requests with the parameters and the authorization of a connection. */
import { createHash } from 'node:crypto';
import { type LruMap, lruMap } from '#core/lru-map.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ConnectionUse, OutgoingMessage, OutgoingTarget } from '#services/kit/outgoing.ts';
import { type Connections, connections } from '../../targets/connections.ts';
import type { Outcome } from '../outcome.ts';
import { outcomeOfError, outcomeOfStatus, retryAfterMs } from './failures.ts';
import { exchange } from './post.ts';

/** Further members of a request, by name. */
export interface RequestParameters {
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, string>>;
}

export type ConnectionAuthorization =
  | { readonly kind: 'apiKey'; readonly name: string; readonly value: string }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | {
      readonly kind: 'oauth';
      readonly endpoint: string;
      readonly method: string;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly parameters: RequestParameters;
    };

/** API destination with its connection, without encryption. */
export interface ApiDestination {
  /** Each `*` in the path is replaced with a path parameter of the target. */
  readonly url: string;
  readonly method: string;
  readonly ratePerSecond: number;
  /** False while the connection is not authorized. */
  readonly isActive: boolean;
  readonly connection?: ConnectionUse;
  readonly authorization: ConnectionAuthorization;
  /** Parameters of the connection, which replace those of the target. */
  readonly parameters: RequestParameters;
}

type DestinationTarget = Extract<OutgoingTarget, { readonly kind: 'apiDestination' }>;

/** Time of one request. Source: EventBridge User Guide, "API destinations": 5 seconds. */
const REQUEST_MS = 5_000;

/** Headers of each request. Source: EventBridge User Guide, "Headers that are sent for API destination requests". */
const HEADERS = {
  'user-agent': 'Amazon/EventBridge/ApiDestinations',
  'content-type': 'application/json; charset=utf-8',
  range: 'bytes=0-1048575',
  'accept-encoding': 'gzip,deflate',
  connection: 'close',
};
/** Headers that no parameter can set, because they belong to the connection. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'expect',
]);

/** Longest wait for the rate of a destination inside an attempt. Messages that would wait longer return to the queue. */
const RATE_WAIT_MS = 1_000;
/** Destinations whose rate is remembered, and tokens that are remembered. */
const REMEMBERED_MAX = 1_000;
/** Time before the end of a token at which the server gets a new one, and the lifetime of a token without `expires_in`. */
const TOKEN_MARGIN_MS = 10_000;
const TOKEN_DEFAULT_SECONDS = 300;

export interface ApiDestinationParts {
  readonly now: () => number;
  readonly after: (milliseconds: number, fn: () => void) => () => void;
  /** Hosts that may have internal addresses: `hooks.corp.example`, `localhost:8443`. */
  readonly internalHosts: readonly string[];
}

export interface DestinationSender {
  send(destination: ApiDestination, target: DestinationTarget, message: Pick<OutgoingMessage, 'body'>): Promise<Outcome>;
  /** Gets a new token, if the authorization needs one. */
  authorize(authorization: ConnectionAuthorization): Promise<Outcome>;
}

/** Creates the sender. It remembers the rate of each destination, and tokens of OAuth. */
export function apiDestinationSender(parts: ApiDestinationParts): DestinationSender {
  const { now, after, internalHosts } = parts;
  /** Earliest time of the next request, by destination. */
  const nextAt: LruMap<string, number> = lruMap(REMEMBERED_MAX);
  const tokens: LruMap<string, { readonly token: string; readonly until: number }> = lruMap(REMEMBERED_MAX);
  // The requests have the header `Connection: close`, so only their TLS sessions are used again.
  const once = connections('once');
  const allows = (url: URL): boolean => internalHosts.includes(url.host);

  /** Waits until the rate of the destination allows a request. Returns the wait if it is too long. */
  async function reserve(arn: string, ratePerSecond: number): Promise<number | undefined> {
    const at = Math.max(nextAt.get(arn) ?? 0, now());
    const wait = at - now();
    if (wait > RATE_WAIT_MS) return wait;
    nextAt.set(arn, at + 1_000 / ratePerSecond);
    if (wait > 0) await new Promise<void>((resolve) => void after(wait, resolve));
    return undefined;
  }

  /** Returns the headers and query of the authorization. Returns an outcome if the server got no token. */
  async function authorizationOf(authorization: ConnectionAuthorization): Promise<Record<string, string> | Outcome> {
    switch (authorization.kind) {
      case 'apiKey':
        return allowed({ [authorization.name]: authorization.value });
      case 'basic': {
        const { username, password } = authorization;
        return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
      }
      case 'oauth': {
        const key = keyOf(authorization);
        const known = tokens.get(key);
        if (known !== undefined && known.until > now()) return { authorization: `Bearer ${known.token}` };
        const found = await newToken(authorization, allows, once);
        if ('kind' in found) return found;
        tokens.set(key, { token: found.token, until: now() + found.seconds * 1_000 - TOKEN_MARGIN_MS });
        return { authorization: `Bearer ${found.token}` };
      }
    }
  }

  async function authorize(authorization: ConnectionAuthorization): Promise<Outcome> {
    if (authorization.kind === 'oauth') tokens.delete(keyOf(authorization));
    try {
      const found = await authorizationOf(authorization);
      return isOutcome(found) ? found : { kind: 'sent' };
    } catch (error) {
      return outcomeOfError(error);
    }
  }

  /**
   * Returns the outcome of a refused authorization. With OAuth, the next attempt gets a new token. Otherwise the connection is deauthorized.
   *
   * Source: EventBridge User Guide, "Connections": tokens are renewed after 401 and 407; "De-authorizing connections". Assumed: the message
   * is not tried again.
   */
  function refusal({ authorization, connection }: ApiDestination, status: number): Outcome {
    const failure = { code: 'NO_PERMISSIONS' as const, message: `the receiver responded with the status ${status}` };
    if (authorization.kind !== 'oauth') return omitUndefined({ kind: 'failed' as const, ...failure, refused: connection });
    tokens.delete(keyOf(authorization));
    return { kind: 'retry', ...failure };
  }

  async function send(destination: ApiDestination, target: DestinationTarget, { body }: Pick<OutgoingMessage, 'body'>): Promise<Outcome> {
    if (!destination.isActive)
      return { kind: 'retry', code: 'NO_PERMISSIONS', message: 'the connection of the API destination is not authorized' };
    const wait = await reserve(target.arn, destination.ratePerSecond);
    if (wait !== undefined) return { kind: 'later', afterMs: wait };
    try {
      const authorization = await authorizationOf(destination.authorization);
      if (isOutcome(authorization)) return authorization;
      const { headers, query, body: members } = destination.parameters;
      const url = urlOf(destination.url, target.PathParameterValues ?? [], { ...target.QueryStringParameters, ...query });
      if (url === undefined) return { kind: 'failed', code: 'SDK_CLIENT_ERROR', message: 'the address of the API destination is invalid' };
      const { status, headers: received } = await exchange({
        url,
        method: destination.method,
        headers: { ...HEADERS, ...allowed(target.HeaderParameters ?? {}), ...allowed(headers), ...authorization },
        body: withMembers(body, members),
        allowInternal: allows(url),
        timeoutMs: REQUEST_MS,
        connections: once,
      });
      if (status === 401 || status === 407) return refusal(destination, status);
      return outcomeOfStatus(status, '', retryAfterMs(received['retry-after'], now()));
    } catch (error) {
      return outcomeOfError(error);
    }
  }

  return { send, authorize };
}

function isOutcome(value: Record<string, string> | Outcome): value is Outcome {
  return 'kind' in value && 'code' in value && 'message' in value;
}

/** Returns the key of the token of an authorization, which holds no secret. */
function keyOf(authorization: ConnectionAuthorization): string {
  return createHash('sha256').update(JSON.stringify(authorization)).digest('base64');
}

/**
 * Gets a token with the grant of client credentials.
 *
 * Source: RFC 6749, section 4.4. Assumed: the client ID and secret are in the form of the body, or in the query of a GET.
 */
async function newToken(
  { endpoint, method, clientId, clientSecret, parameters }: Extract<ConnectionAuthorization, { readonly kind: 'oauth' }>,
  allows: (url: URL) => boolean,
  once: Connections,
): Promise<{ readonly token: string; readonly seconds: number } | Outcome> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    ...parameters.body,
  }).toString();
  const isGet = method === 'GET';
  const url = urlOf(endpoint, [], { ...parameters.query, ...(isGet ? Object.fromEntries(new URLSearchParams(form)) : {}) });
  if (url === undefined)
    return { kind: 'failed', code: 'SDK_CLIENT_ERROR', message: 'the address of the authorization endpoint is invalid' };
  const { status, body } = await exchange({
    url,
    method,
    headers: { ...allowed(parameters.headers), accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: isGet ? undefined : form,
    allowInternal: allows(url),
    timeoutMs: REQUEST_MS,
    connections: once,
  });
  if (status < 200 || status > 299) {
    const outcome = outcomeOfStatus(status);
    return 'message' in outcome ? { ...outcome, message: `the authorization endpoint responded with the status ${status}` } : outcome;
  }
  const { access_token: token, expires_in: seconds = TOKEN_DEFAULT_SECONDS } = tokenResponse(body);
  if (typeof token !== 'string' || !/^[\x21-\x7e]{1,16384}$/.test(token) || typeof seconds !== 'number')
    return { kind: 'failed', code: 'NO_PERMISSIONS', message: 'the authorization endpoint returned no token' };
  return { token, seconds };
}

function tokenResponse(body: string): { readonly access_token?: unknown; readonly expires_in?: unknown } {
  try {
    return (JSON.parse(body) ?? {}) as object;
  } catch {
    return {};
  }
}

/** Returns the headers that a parameter can set, with names in lower case. */
function allowed(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (OWN_HEADERS.has(name.toLowerCase()) ? [] : [[name.toLowerCase(), value]])),
  );
}

/** Replaces each `*` of the path with a value, and adds the query. Returns `undefined` if the URL is invalid. */
function urlOf(text: string, path: readonly string[], query: Readonly<Record<string, string>>): URL | undefined {
  // A segment of only dots would lead to another path.
  if (!URL.canParse(text) || path.some((value) => value === '.' || value === '..')) return undefined;
  const url = new URL(text);
  let next = 0;
  url.pathname = url.pathname.replace(/\*|%2A/g, () => encodeURIComponent(path[next++] ?? ''));
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

/** Adds the body parameters of a connection to a body that is a JSON object. */
function withMembers(body: string, members: Readonly<Record<string, string>>): string {
  if (Object.keys(members).length === 0) return body;
  try {
    const parsed = JSON.parse(body) as unknown;
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return JSON.stringify({ ...parsed, ...members });
  } catch {
    // The input of a target can be a string.
  }
  return body;
}
