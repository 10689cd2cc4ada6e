/**
 * Cross-origin requests of browsers to the API. The API takes no cookies, so a page of any origin may call it: each request has a signature
 * or a token. The pages of the sign-in take a cookie, and no other origin may read them.
 */
import type { IncomingMessage } from 'node:http';
import type { Answer } from '#core/exchange.ts';
import { signInPath } from '../sign-in/paths.ts';

const METHODS = 'DELETE, GET, HEAD, PATCH, POST, PUT';
const ALLOWED =
  'amz-sdk-invocation-id, amz-sdk-request, authorization, content-type, x-amz-chime-bearer, x-amz-content-sha256, x-amz-date, x-amz-security-token, x-amz-target, x-amz-user-agent';
const EXPOSED = 'x-amzn-errortype, x-amzn-requestid, date, x-belfry-authorization-message';
/**
 * Time for which a browser keeps the answer to a preflight. The value is the maximum that Chromium accepts. Source:
 * Fetch standard, "CORS-preflight cache".
 */
const MAX_AGE_SECONDS = '7200';

const ORIGIN: readonly string[] = ['access-control-allow-origin', '*'];
const RESPONSE: readonly string[] = [...ORIGIN, 'access-control-expose-headers', EXPOSED];
const NONE: readonly string[] = [];

type Request = Pick<IncomingMessage, 'method' | 'url' | 'headers'>;

/** Reports whether a path is part of the API: it is neither a probe nor a page of the sign-in. */
function isApi(target: string): boolean {
  return !target.startsWith('/_belfry/') && signInPath(target) === undefined;
}

/**
 * Returns the headers that let a page of another origin read the response to a request. Returns no headers if the
 * request has no origin or is not for the API.
 */
export function corsHeaders({ url = '/', headers }: Request): readonly string[] {
  return headers.origin !== undefined && isApi(url) ? RESPONSE : NONE;
}

/**
 * Returns the answer to a preflight request of a browser, or undefined for any other request.
 *
 * The answer is the same for every caller, so it needs no authentication, no core and no trail record.
 * Source: Fetch standard, "CORS-preflight request".
 */
export function preflightAnswer({ method, url = '/', headers }: Request): Answer | undefined {
  const isPreflight = method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
  if (!isPreflight || !isApi(url)) return undefined;
  return {
    status: 204,
    headers: ['access-control-allow-methods', METHODS, 'access-control-allow-headers', ALLOWED, 'access-control-max-age', MAX_AGE_SECONDS],
    body: '',
  };
}
