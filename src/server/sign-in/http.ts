/** Shared code of the sign-in pages: responses, the cookie, and the check of a request's origin. */
import { type Answer, header, type Received } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import { scanJson } from '#core/json-scan.ts';
import type { PageRequest } from './site.ts';

/** Default destination after a sign-in. */
export const CONSOLE_PATH = '/';

/** Headers of every page: no cache, no referrer, no frame, no script, no reading by pages of other origins. */
const HEADERS: readonly string[] = [
  ...['cache-control', 'no-store'],
  ...['referrer-policy', 'no-referrer'],
  ...['x-content-type-options', 'nosniff'],
  ...['content-security-policy', "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"],
  // This header is for browsers that do not support `frame-ancestors`.
  ...['x-frame-options', 'DENY'],
  ...['cross-origin-opener-policy', 'same-origin'],
  ...['cross-origin-resource-policy', 'same-origin'],
];

export function jsonAnswer(status: number, content: Readonly<Record<string, unknown>>, ...headers: string[]): Answer {
  return { status, headers: ['content-type', 'application/json', ...HEADERS, ...headers], body: JSON.stringify(content) };
}

/** Returns an error in the format that the console reads. */
export function refusal(status: number, code: string, message: string, ...headers: string[]): Answer {
  return jsonAnswer(status, { code, message }, ...headers);
}

/** Returns an HTML page. `content` is HTML, in which all external text was escaped with `escaped`. */
export function page(status: number, title: string, content: string): Answer {
  const body = `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title></head><body><h1>${escaped(title)}</h1>\n${content}\n</body></html>\n`;
  return { status, headers: ['content-type', 'text/html; charset=utf-8', ...HEADERS], body };
}

/** Redirects the browser to a path of this server that `ownPath` returned. */
export function redirect(status: 302 | 303, path: string, ...headers: string[]): Answer {
  return { status, headers: ['location', path, ...HEADERS, ...headers], body: '' };
}

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const DESTINATION_MAX = 2048;

/** Returns a path of this server with its query. Undefined for text that a browser could resolve to another server. */
export function ownPath(text: string | undefined): string | undefined {
  return text !== undefined && text.length <= DESTINATION_MAX && /^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/.test(text) ? text : undefined;
}

/**
 * Returns the name of the cookie. Over HTTPS, also behind a TLS proxy, the prefix `__Host-` ensures that this host set the cookie over
 * HTTPS. Plain HTTP is used only on loopback, where some browsers do not store a `Secure` cookie.
 *
 * Source: draft-ietf-httpbis-rfc6265bis, cookie name prefixes.
 */
function cookieName({ secure }: PageRequest): string {
  return secure ? '__Host-belfry-sign-in' : 'belfry-sign-in';
}

/** Returns the header that stores a sign-in in the browser until the sign-in expires. */
export function setCookie(request: PageRequest, value: string, expiration: Instant, now: Instant): string[] {
  return cookie(request, value, Math.max(0, Math.floor((expiration - now) / 1000)));
}

/** Returns the header that deletes the sign-in in the browser. */
export function clearCookie(request: PageRequest): string[] {
  return cookie(request, '', 0);
}

function cookie(request: PageRequest, value: string, maxAgeSeconds: number): string[] {
  const secure = request.secure ? '; Secure' : '';
  return ['set-cookie', `${cookieName(request)}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure}`];
}

/** Returns the sign-in that the browser stores. */
export function readCookie(request: PageRequest): string | undefined {
  const wanted = `${cookieName(request)}=`;
  return header(request, 'cookie')
    ?.split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(wanted))
    ?.slice(wanted.length);
}

/**
 * Reports whether a page of this server sent the request. A browser sends the origin in one header or both, and a page cannot change
 * either. Returns false for a client that sends neither header, because it is not a browser.
 *
 * Source: Fetch standard, "Origin header"; W3C Fetch Metadata, `Sec-Fetch-Site`.
 */
export function fromOwnPage(request: PageRequest): boolean {
  const site = header(request, 'sec-fetch-site');
  const origin = header(request, 'origin');
  if (site !== undefined && site !== 'same-origin') return false;
  if (origin === undefined) return site === 'same-origin';
  const host = header(request, 'host') ?? '';
  // A proxy on this machine may end TLS for a loopback name, so the page may use HTTPS although the request does not.
  return origin === `https://${host}` || (!request.secure && origin === `http://${host}`);
}

/**
 * Reports whether the browser opens the response as a top-level page. An image, frame or script on another site can therefore neither sign
 * in nor sign out a browser. Returns true for a client that does not send Fetch Metadata.
 */
export function isNavigation(request: Received): boolean {
  const [mode = 'navigate', dest = 'document'] = [header(request, 'sec-fetch-mode'), header(request, 'sec-fetch-dest')];
  return mode === 'navigate' && dest === 'document';
}

/** Maximum size of a form: a SAML assertion of 100,000 characters, all of which are escaped, and the other fields. */
const FORM_MAX_CHARACTERS = 320_000;
const FORM_MAX_FIELDS = 16;

/**
 * Returns the fields of a form or a query.
 *
 * Undefined if there are more than 16 fields, if a name or value contains NUL or is not UTF-8, or if a field is repeated. Two parsers
 * may read a repeated field differently.
 */
export function readParameters(text: string): ReadonlyMap<string, string> | undefined {
  if (text.length > FORM_MAX_CHARACTERS || text.split('&', FORM_MAX_FIELDS + 1).length > FORM_MAX_FIELDS) return undefined;
  const read = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (read.has(name) || !isText(name) || !isText(value)) return undefined;
    read.set(name, value);
  }
  return read;
}

/**
 * Returns the members of a JSON object whose values are all strings.
 *
 * Undefined if a member is repeated, has another type, contains NUL or a lone surrogate, or if the JSON is longer than `max`.
 */
export function readStrings(json: string, max: number): ReadonlyMap<string, string> | undefined {
  if (json.length > max) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  const read = new Map<string, string>();
  for (const [name, value] of Object.entries(parsed)) {
    if (typeof value !== 'string' || !isText(name) || !isText(value)) return undefined;
    read.set(name, value);
  }
  // JSON.parse keeps the last of two members with one name. An object of strings has one colon outside its strings for each member.
  return scanJson(json)?.colons === read.size ? read : undefined;
}

/** Reports whether the store can store a string: without NUL, lone surrogates, and U+FFFD, which replaces bytes that are not UTF-8. */
function isText(text: string): boolean {
  return text.isWellFormed() && !/[\0\ufffd]/.test(text);
}

/** Returns the body as text, if it has this media type, no further encoding and is UTF-8. */
export function bodyOf(received: Received, mediaType: string): string | undefined {
  const type = header(received, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== mediaType || header(received, 'content-encoding') !== undefined) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(received.body);
  } catch {
    return undefined;
  }
}
