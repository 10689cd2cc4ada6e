/** Digest authentication of SIP requests: MD5 with `qop=auth`. Source: RFC 2617, RFC 7616, RFC 3261 §22. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { parseSipUri } from './uri.ts';

/** Result of the check of credentials. `stale`: the nonce cannot be used, but the password is right, so the client tries again. */
export type DigestResult = { readonly result: 'ok'; readonly user: string } | { readonly result: 'missing' | 'stale' | 'wrong' };

/** Request whose credentials are checked. */
export interface DigestRequest {
  /** Value of `Proxy-Authorization`. */
  readonly authorization: string | undefined;
  readonly method: string;
  readonly requestUri: string;
  /** IP address of the sender, to which the nonce is bound. */
  readonly source: string;
  readonly realm: string;
  /** Returns the password of a user, or undefined. */
  readonly passwordOf: (user: string) => string | undefined;
}

/** Digest checks of one server. */
export interface Digests {
  /** Returns the header `Proxy-Authenticate` with a new nonce. */
  challenge(request: Pick<DigestRequest, 'realm' | 'source'>, isStale: boolean): string;
  /** Checks credentials, and uses up the pair of nonce and count if they are right. */
  check(request: DigestRequest): DigestResult;
}

/** Members of the header. */
export interface DigestFields {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly cnonce: string;
  /** Eight hexadecimal digits. */
  readonly nc: string;
}

/** Time for which a nonce is valid. Source: sip.md §5. */
const NONCE_MS = 60_000;
/** Highest count of one nonce. A client that needs more gets a new nonce. */
const COUNT_MAX = 256;
/** Nonces whose counts the server remembers. Only right credentials add one, so a stranger cannot fill the list. */
const NONCES_MAX = 50_000;
const HEADER_MAX = 2_048;
/** Time in milliseconds, 8 random bytes and 16 bytes of the HMAC, in hexadecimal. */
const NONCE = /^([0-9a-f]{12})([0-9a-f]{16})([0-9a-f]{32})$/;
const HEX32 = /^[0-9a-f]{32}$/;

/**
 * Creates the checks of one server. `key` must be random, so a nonce of another server, or of an earlier start, is stale. So a request that
 * was recorded cannot be replayed at another server.
 */
export function newDigests(key: Uint8Array, random: (bytes: number) => Uint8Array, now: () => number): Digests {
  /** Counts that were used, by nonce, in the order in which the nonces were first used. */
  const used = new Map<string, Set<number>>();

  function tag(stamp: string, { realm, source }: Pick<DigestRequest, 'realm' | 'source'>): string {
    return createHmac('sha256', key)
      .update(JSON.stringify([stamp, realm, source]))
      .digest('hex')
      .slice(0, 32);
  }

  function timeOf(nonce: string, request: DigestRequest): number | undefined {
    const [, time = '', salt = '', mac = ''] = NONCE.exec(nonce) ?? [];
    return mac !== '' && isEqual(mac, tag(time + salt, request)) ? Number.parseInt(time, 16) : undefined;
  }

  /** Removes nonces that have expired. All nonces are valid for the same time, so the first ones expire first. */
  function forget(): void {
    for (const nonce of used.keys()) {
      if (Number.parseInt(nonce.slice(0, 12), 16) + NONCE_MS > now()) return;
      used.delete(nonce);
    }
  }

  /** Uses up a count of a nonce. Returns false if it was used before, or cannot be remembered. */
  function take(nonce: string, count: number): boolean {
    forget();
    const counts = used.get(nonce) ?? new Set<number>();
    if (count < 1 || count > COUNT_MAX || counts.has(count)) return false;
    if (!used.has(nonce) && used.size >= NONCES_MAX) return false;
    counts.add(count);
    used.set(nonce, counts);
    return true;
  }

  return {
    challenge(request, isStale) {
      const stamp = now().toString(16).padStart(12, '0') + Buffer.from(random(8)).toString('hex');
      const nonce = stamp + tag(stamp, request);
      const stale = isStale ? ', stale=true' : '';
      return `Proxy-Authenticate: Digest realm="${request.realm}", nonce="${nonce}", algorithm=MD5, qop="auth"${stale}\r\n`;
    },

    check(request) {
      if (request.authorization === undefined || request.authorization === '') return { result: 'missing' };
      const fields = parseDigest(request.authorization);
      if (fields === undefined || fields.realm !== request.realm || !isSameUri(fields.uri, request.requestUri)) return { result: 'wrong' };
      // An unknown user takes as long as a wrong password.
      const password = request.passwordOf(fields.username);
      const isRight = isEqual(digestResponse(fields, request.method, password ?? ''), fields.response) && password !== undefined;
      if (!isRight) return { result: 'wrong' };
      const time = timeOf(fields.nonce, request);
      if (time === undefined || time + NONCE_MS <= now() || time > now()) return { result: 'stale' };
      return take(fields.nonce, Number.parseInt(fields.nc, 16)) ? { result: 'ok', user: fields.username } : { result: 'stale' };
    },
  };
}

/** Returns the value of `response` for MD5 and `qop=auth`. Source: RFC 2617 §3.2.2. */
export function digestResponse(fields: Omit<DigestFields, 'response'>, method: string, password: string): string {
  const { username, realm, nonce, nc, cnonce, uri } = fields;
  const own = md5(`${username}:${realm}:${password}`);
  return md5(`${own}:${nonce}:${nc}:${cnonce}:auth:${md5(`${method}:${uri}`)}`);
}

/**
 * Parses the header. Returns undefined if a member is missing or occurs twice, if the algorithm is not MD5, or if `qop` is not `auth`.
 * Without `qop` the client does not count its requests, so a request could be replayed.
 */
export function parseDigest(header: string): DigestFields | undefined {
  const [scheme] = /^digest[ \t]+/i.exec(header) ?? [];
  if (scheme === undefined || header.length > HEADER_MAX) return undefined;
  const members = new Map<string, string>();
  const member = /[ \t]*([A-Za-z0-9_-]{1,32})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))[ \t]*(,|$)/y;
  member.lastIndex = scheme.length;
  for (let isMore = true; isMore; ) {
    const [, name = '', quoted, plain, end] = member.exec(header) ?? [];
    if (name === '' || members.has(name.toLowerCase())) return undefined;
    members.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '');
    isMore = end === ',';
  }
  const [username, realm, nonce, uri, response, cnonce, nc, qop] = MEMBERS.map((name) => members.get(name));
  if ((members.get('algorithm') ?? 'MD5').toUpperCase() !== 'MD5' || qop !== 'auth') return undefined;
  if (username === undefined || realm === undefined || nonce === undefined || uri === undefined) return undefined;
  if (response === undefined || cnonce === undefined || nc === undefined || !/^[0-9a-f]{8}$/i.test(nc) || !HEX32.test(response))
    return undefined;
  return { username, realm, nonce, uri, response, cnonce, nc };
}

const MEMBERS = ['username', 'realm', 'nonce', 'uri', 'response', 'cnonce', 'nc', 'qop'];

/** Reports whether two URIs have the same user and host. Clients differ in ports and parameters. Assumed. */
function isSameUri(one: string, other: string): boolean {
  const [first, second] = [parseSipUri(one), parseSipUri(other)];
  return first !== undefined && second !== undefined && first.user === second.user && first.host === second.host;
}

function isEqual(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
