/**
 * The canonical forms of Signature Version 4, which the signer and the verifier hash. This module defines the encodings, but does not
 * handle keys and times.
 *
 * Strings in this module have one character per byte (latin-1), like the targets and header values of Node's HTTP parser.
 */

/** Algorithm name at the start of an Authorization header and of a string to sign. */
export const ALGORITHM = 'AWS4-HMAC-SHA256';

/** Last part of a credential scope. */
export const TERMINATOR = 'aws4_request';

/** SHA-256 of an empty body, in hexadecimal. */
export const EMPTY_HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const HEX = '0123456789ABCDEF';

/** Encoded form of each byte: the character itself if RFC 3986 calls it unreserved, otherwise `%XX`. */
const ENCODED: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  return /[A-Za-z0-9\-._~]/.test(char) ? char : `%${HEX[byte >> 4]}${HEX[byte & 15]}`;
});

const PLAIN = /^[A-Za-z0-9\-._~]*$/;
const PLAIN_PATH = /^[A-Za-z0-9\-._~/]*$/;

/** Encodes every byte except unreserved characters as `%XX`. Converts a string with characters beyond latin-1 to UTF-8 first. */
export function uriEncode(text: string): string {
  if (PLAIN.test(text)) return text;
  let encoded = '';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) return uriEncode(Buffer.from(text, 'utf8').toString('latin1'));
    encoded += ENCODED[code];
  }
  return encoded;
}

/**
 * Decodes `%XX`. Returns `undefined` for an invalid escape. Keeps `+`, because a query is not form-encoded.
 *
 * Source: `policy-engine.md` 76; "Create a canonical request", step 3.
 */
export function uriDecode(text: string): string | undefined {
  let percent = text.indexOf('%');
  if (percent < 0) return text;
  let decoded = '';
  let from = 0;
  while (percent >= 0) {
    const high = hexDigit(text.charCodeAt(percent + 1));
    const low = hexDigit(text.charCodeAt(percent + 2));
    if (high < 0 || low < 0) return undefined;
    decoded += text.slice(from, percent) + String.fromCharCode(high * 16 + low);
    from = percent + 3;
    percent = text.indexOf('%', from);
  }
  return decoded + text.slice(from);
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 65 && code <= 70) return code - 55;
  if (code >= 97 && code <= 102) return code - 87;
  return -1;
}

/** Splits a request target at the first `?`. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf('?');
  return mark < 0 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/**
 * Returns the canonical path: without dot segments and double slashes, and encoded once more, such as `/a%252Fb` for `/a%2Fb`.
 *
 * Source: "Create a canonical request", step 2: every service except S3 normalizes and encodes twice.
 */
export function canonicalPath(path: string): string {
  const normal = path.includes('//') || path.includes('/.') ? normalizePath(path) : path;
  if (normal === '') return '/';
  if (PLAIN_PATH.test(normal)) return normal;
  return normal.split('/').map(uriEncode).join('/');
}

/**
 * Reports whether normalization leaves the path unchanged.
 *
 * A path has the same signature as its normalized form. A server that verified the normalized path but served the original path could run
 * another operation.
 */
export function isNormalPath(path: string): boolean {
  return !(path.includes('//') || path.includes('/.')) || normalizePath(path) === path;
}

function normalizePath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') segments.pop();
    else segments.push(segment);
  }
  return `/${segments.join('/')}${segments.length > 0 && path.endsWith('/') ? '/' : ''}`;
}

/** Query parameter, decoded. */
export type QueryPair = readonly [name: string, value: string];

/** Parses a query. Keeps the order and duplicates. Returns `undefined` for an invalid escape. */
export function readQuery(query: string): QueryPair[] | undefined {
  const pairs: QueryPair[] = [];
  if (query === '') return pairs;
  for (const piece of query.split('&')) {
    if (piece === '') continue;
    const equals = piece.indexOf('=');
    const name = uriDecode(equals < 0 ? piece : piece.slice(0, equals));
    const value = uriDecode(equals < 0 ? '' : piece.slice(equals + 1));
    if (name === undefined || value === undefined) return undefined;
    pairs.push([name, value]);
  }
  return pairs;
}

/** Encodes the parameters and sorts them by encoded name, then by encoded value. */
export function canonicalQuery(pairs: readonly QueryPair[]): string {
  const encoded = pairs.map(([name, value]): QueryPair => [uriEncode(name), uriEncode(value)]);
  encoded.sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
  return encoded.map(([name, value]) => `${name}=${value}`).join('&');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Reports whether a header's value contains spaces or tabs to trim. A regular expression would be slower on a long session token. */
function needsTrim(value: string): boolean {
  return (
    value.indexOf('  ') >= 0 || value.indexOf('\t') >= 0 || value.charCodeAt(0) === 0x20 || value.charCodeAt(value.length - 1) === 0x20
  );
}

/** Trims a header's value and replaces each run of spaces and tabs with one space. */
export function canonicalValue(value: string): string {
  if (!needsTrim(value)) return value;
  return value
    .split(/[ \t]/)
    .filter((word) => word !== '')
    .join(' ');
}

/** Returns the string to sign: `AWS4-HMAC-SHA256`, the date, the scope and the hash of the canonical request, each on one line. */
export function stringToSign(amzDate: string, scope: string, requestHash: string): string {
  return `${ALGORITHM}\n${amzDate}\n${scope}\n${requestHash}`;
}

/** Copies a string that is stored for long, because a substring of a header keeps the whole header in memory. */
export function ownText(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
