/** What the pages of the sign-in share: their answers, the cookie, and whose page a request comes from. */
import { type Answer, header, type Received } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';

/** Where a browser goes that asked for nothing else. */
export const CONSOLE_PATH = '/';

/** Nothing of a sign-in is kept by anybody on the way, told to another site, or shown inside one. */
const HEADERS: readonly string[] = [
  ...['cache-control', 'no-store'],
  ...['referrer-policy', 'no-referrer'],
  ...['x-content-type-options', 'nosniff'],
  ...['content-security-policy', "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"],
];

export function jsonAnswer(status: number, content: Readonly<Record<string, unknown>>, ...headers: string[]): Answer {
  return { status, headers: ['content-type', 'application/json', ...HEADERS, ...headers], body: JSON.stringify(content) };
}

/** An error as the console's own code reads it. */
export function refusal(status: number, code: string, message: string, ...headers: string[]): Answer {
  return jsonAnswer(status, { code, message }, ...headers);
}

/** A page for a person. `content` is HTML: whatever comes from outside went through `escaped`. */
export function page(status: number, title: string, content: string): Answer {
  const body = `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title></head><body><h1>${escaped(title)}</h1>\n${content}\n</body></html>\n`;
  return { status, headers: ['content-type', 'text/html; charset=utf-8', ...HEADERS], body };
}

/** Sends the browser to a path of this server, which `ownPath` has passed. */
export function redirect(status: 302 | 303, path: string, ...headers: string[]): Answer {
  return { status, headers: ['location', path, ...HEADERS, ...headers], body: '' };
}

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const DESTINATION_MAX = 2048;

/** A path of this server, query included; undefined for anything a browser could take for another. */
export function ownPath(text: string | undefined): string | undefined {
  return text !== undefined && text.length <= DESTINATION_MAX && /^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/.test(text) ? text : undefined;
}

/** On TLS only this host can have set it, and only over TLS. Source: draft-ietf-httpbis-rfc6265bis, cookie name prefixes. */
function cookieName({ secureTransport }: Received): string {
  return secureTransport ? '__Host-belfry-sign-in' : 'belfry-sign-in';
}

/** The header that keeps a sign-in in the browser until it ends. */
export function setCookie(received: Received, value: string, expiration: Instant, now: Instant): string[] {
  return cookie(received, value, Math.max(0, Math.floor((expiration - now) / 1000)));
}

export function clearCookie(received: Received): string[] {
  return cookie(received, '', 0);
}

function cookie(received: Received, value: string, maxAgeSeconds: number): string[] {
  const secure = received.secureTransport ? '; Secure' : '';
  return ['set-cookie', `${cookieName(received)}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure}`];
}

export function readCookie(received: Received): string | undefined {
  const wanted = `${cookieName(received)}=`;
  return header(received, 'cookie')
    ?.split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(wanted))
    ?.slice(wanted.length);
}

/**
 * Whether a page of this server sent the request. A browser says so in one header or both, and a page cannot change either; who
 * says nothing is no browser, and has no business with a cookie.
 *
 * Source: Fetch standard, "Origin header"; W3C Fetch Metadata, `Sec-Fetch-Site`.
 */
export function fromOwnPage(received: Received): boolean {
  const site = header(received, 'sec-fetch-site');
  const origin = header(received, 'origin');
  if (site !== undefined && site !== 'same-origin') return false;
  if (origin === undefined) return site === 'same-origin';
  const host = header(received, 'host') ?? '';
  // A TLS-terminating proxy that is not trusted serves the page over https and sends the request over http.
  return origin === `https://${host}` || (!received.secureTransport && origin === `http://${host}`);
}

/** The parameters of a form or a query; undefined where one is there twice, which two readers may read differently. */
export function readParameters(text: string): ReadonlyMap<string, string> | undefined {
  const read = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (read.has(name)) return undefined;
    read.set(name, value);
  }
  return read;
}

/** The body as text, if it is of this media type and not encoded further. */
export function bodyOf(received: Received, mediaType: string): string | undefined {
  const type = header(received, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== mediaType || header(received, 'content-encoding') !== undefined) return undefined;
  return Buffer.from(received.body).toString('utf8');
}
