/** Shared code of the sign-in pages: responses, the cookies, and the check of a request's origin. */
import { createHash } from 'node:crypto';
import { type Answer, header, type Received } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import { scanJson } from '#core/json-scan.ts';
import type { PageRequest } from './site.ts';
import { STYLE, STYLE_SOURCE } from './style.ts';

/** Default destination after a sign-in. */
export const CONSOLE_PATH = '/';

/** Headers of every page: no cache, no frame, no script or style except `sources`, no reading by pages of other origins. */
function headersOf(referrerPolicy: 'no-referrer' | 'same-origin', sources = ''): readonly string[] {
  const policy = `default-src 'none'; ${sources}form-action 'self'; frame-ancestors 'none'; base-uri 'none'`;
  return [
    ...['cache-control', 'no-store'],
    ...['referrer-policy', referrerPolicy],
    ...['x-content-type-options', 'nosniff'],
    ...['content-security-policy', policy],
    // This header is for browsers that do not support `frame-ancestors`.
    ...['x-frame-options', 'DENY'],
    ...['cross-origin-opener-policy', 'same-origin'],
    ...['cross-origin-resource-policy', 'same-origin'],
  ];
}

const HEADERS = headersOf('no-referrer');

export function jsonAnswer(status: number, content: Readonly<Record<string, unknown>>, ...headers: string[]): Answer {
  return { status, headers: ['content-type', 'application/json', ...HEADERS, ...headers], body: JSON.stringify(content) };
}

/** Returns an error in the format that the console reads. */
export function refusal(status: number, code: string, message: string, ...headers: string[]): Answer {
  return jsonAnswer(status, { code, message }, ...headers);
}

/** Returns an HTML page. `content` is HTML, in which all external text was escaped with `escaped`. */
export function page(status: number, title: string, content: string): Answer {
  return { status, headers: [...HTML, ...PAGE_HEADERS], body: documentOf(title, content) };
}

const HTML: readonly string[] = ['content-type', 'text/html; charset=utf-8'];
const PAGE_HEADERS = headersOf('no-referrer', STYLE_SOURCE);

/**
 * Returns an HTML page with forms. `script` is the only script that the browser runs.
 *
 * The page has the referrer policy `same-origin`. With `no-referrer`, a browser sends its forms with the origin `null`. Source: Fetch
 * standard, "append a request `Origin` header".
 */
export function formPage(status: number, title: string, content: string, script = '', ...headers: string[]): Answer {
  const allowed = script === '' ? '' : `script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'; `;
  const body = documentOf(title, script === '' ? content : `${content}\n<script>${script}</script>`);
  return { status, headers: [...HTML, ...headersOf('same-origin', `${allowed}${STYLE_SOURCE}`), ...headers], body };
}

function documentOf(title: string, content: string): string {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title>${STYLE}`;
  return `<!doctype html>\n<html lang="en"><head>${head}</head><body><main><h1>${escaped(title)}</h1>\n${content}\n</main></body></html>\n`;
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

/** Cookies: of a sign-in to the console, of a session of a person of Amazon Chime, and of a sign-in at an OpenID provider. */
export type CookieName = 'belfry-sign-in' | 'belfry-chime' | 'belfry-openid';

/**
 * Returns the name of a cookie. If the browser uses HTTPS, directly or through a TLS proxy, the name has the
 * prefix `__Host-`. Browsers accept this prefix only if this host set the cookie over HTTPS. Browsers use plain HTTP
 * only on loopback. There, some browsers do not store a `Secure` cookie.
 *
 * Source: draft-ietf-httpbis-rfc6265bis, cookie name prefixes.
 */
function sentName(name: CookieName, { secure }: PageRequest): string {
  return secure ? `__Host-${name}` : name;
}

/** Returns the header that stores a cookie in the browser until the sign-in expires. */
export function setCookie(
  request: PageRequest,
  value: string,
  expiration: Instant,
  now: Instant,
  name: CookieName = 'belfry-sign-in',
): string[] {
  return cookie(request, name, value, Math.max(0, Math.floor((expiration - now) / 1000)));
}

/** Returns the header that deletes a cookie in the browser. */
export function clearCookie(request: PageRequest, name: CookieName = 'belfry-sign-in'): string[] {
  return cookie(request, name, '', 0);
}

function cookie(request: PageRequest, name: CookieName, value: string, maxAgeSeconds: number): string[] {
  const secure = request.secure ? '; Secure' : '';
  return ['set-cookie', `${sentName(name, request)}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure}`];
}

/** Returns the value of a cookie in a request. */
export function readCookie(request: PageRequest, name: CookieName = 'belfry-sign-in'): string | undefined {
  const wanted = `${sentName(name, request)}=`;
  return header(request, 'cookie')
    ?.split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(wanted))
    ?.slice(wanted.length);
}

/**
 * Reports whether a page of this server sent the request. A browser sends the header `Origin`, the header
 * `Sec-Fetch-Site`, or both, and a page cannot change them. Returns false for a client that sends neither header,
 * because such a client is not a browser.
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

/**
 * Maximum size of a form. It is the size of a SAML assertion of 100,000 characters, each escaped to three characters,
 * and of the other fields.
 */
const FORM_MAX_CHARACTERS = 320_000;
const FORM_MAX_FIELDS = 16;

/**
 * Returns the fields of a form or a query.
 *
 * Returns undefined if the text is too long, has more than 16 fields or repeats a field, or if a name or value contains
 * NUL or is not UTF-8. A repeated field is refused, because parsers disagree about which of its values applies.
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
  const counts = json.length > max ? undefined : scanJson(json);
  // JSON.parse needs some 10 ms for 30,000 nested arrays.
  if (counts === undefined || counts.depth > 1) return undefined;
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
  // If a name is repeated, JSON.parse keeps only the last member. An object whose values are strings has one colon for
  // each member, outside its strings. So more colons than members mean a repeated name.
  return counts.colons === read.size ? read : undefined;
}

/**
 * Reports whether the store can store a string. It cannot store NUL and lone surrogates. A string with U+FFFD is also
 * refused, because this character replaces bytes that are not UTF-8.
 */
function isText(text: string): boolean {
  return text.isWellFormed() && !/[\0\ufffd]/.test(text);
}

/**
 * Returns the body as text. Returns undefined if the body has another media type or a content encoding, or is not
 * UTF-8.
 */
export function bodyOf(received: Received, mediaType: string): string | undefined {
  const type = header(received, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== mediaType || header(received, 'content-encoding') !== undefined) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(received.body);
  } catch {
    return undefined;
  }
}
