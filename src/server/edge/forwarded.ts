import { isIPv6 } from 'node:net';
import { plainAddress } from '#core/source-address.ts';
import type { IsTrusted } from './trusted-proxies.ts';

/** The client that a trusted proxy names in the headers of a request. */
export interface ForwardedClient {
  /** Address of the client, in canonical form. */
  readonly address: string;
  /** Whether the client connected to the first trusted proxy over TLS. False if no proxy states it. */
  readonly secure: boolean;
}

const HEADER_MAX = 4_096;
const HOPS_MAX = 64;

/**
 * Reads the client of a request from `Forwarded`, `X-Forwarded-For` and `X-Forwarded-Proto`. Call it for a trusted peer
 * only.
 *
 * The client is the right-most address that is not a trusted proxy, or the left-most address if all addresses are
 * trusted proxies. Entries to the left of the client are the client's own claims and are ignored.
 *
 * Returns `absent` if the request has none of the headers. Returns `ambiguous` if the client cannot be determined:
 *
 * - an entry of a trusted hop is malformed, `unknown` or obfuscated
 * - `Forwarded` and `X-Forwarded-For` name different clients
 * - the protocol of the client's hop is contradictory
 * - a header is longer than 4,096 characters or has more than 64 entries
 *
 * If `Forwarded` and `X-Forwarded-…` headers are present, `secure` is true only if both of these state TLS.
 *
 * Source: RFC 7239, sections 4 to 7; HAProxy 2.6 and nginx 1.22 (Debian 12), `option forwarded`, `option forwardfor`,
 * `proxy_set_header`.
 */
export function forwardedClient(rawHeaders: readonly string[], isTrusted: IsTrusted): ForwardedClient | 'absent' | 'ambiguous' {
  const forwarded: string[] = [];
  const addresses: string[] = [];
  const protocols: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    const value = rawHeaders[i + 1] as string;
    if (name === 'forwarded') forwarded.push(value);
    else if (name === 'x-forwarded-for') addresses.push(value);
    else if (name === 'x-forwarded-proto') protocols.push(value);
  }
  if (forwarded.length + addresses.length + protocols.length === 0) return 'absent';
  if ([forwarded, addresses, protocols].some((lines) => lines.join(',').length > HEADER_MAX)) return 'ambiguous';

  const standard = forwarded.length === 0 ? undefined : standardClient(forwarded.join(','), isTrusted);
  const customary =
    addresses.length + protocols.length === 0 ? undefined : customaryClient(addresses.join(','), protocols.join(','), isTrusted);
  if (standard === 'ambiguous' || customary === 'ambiguous') return 'ambiguous';
  if (standard === undefined || customary === undefined) return (standard ?? customary) as ForwardedClient;
  // A proxy may write only one kind of header and pass on the other kind as the client sent it. So two different
  // clients are ambiguous.
  if (standard.address !== customary.address) return 'ambiguous';
  return { address: standard.address, secure: standard.secure && customary.secure };
}

/** Reads the client from `Forwarded: for=192.0.2.60;proto=https, for="[2001:db8::1]:4711"`. */
function standardClient(text: string, isTrusted: IsTrusted): ForwardedClient | 'ambiguous' {
  const hops = readForwarded(text);
  if (hops === undefined) return 'ambiguous';
  const client = clientIndex(
    hops.map((hop) => hop.get('for') ?? ''),
    isTrusted,
  );
  if (client === undefined) return 'ambiguous';
  const secure = isSecure(hops[client.index]?.get('proto') ?? 'http');
  return secure === undefined ? 'ambiguous' : { address: client.address, secure };
}

/**
 * Reads the client from `X-Forwarded-For: 192.0.2.60, 10.0.0.1` and `X-Forwarded-Proto: https`. The second header has
 * one protocol for all addresses, or one protocol for each address.
 */
function customaryClient(addresses: string, protocols: string, isTrusted: IsTrusted): ForwardedClient | 'ambiguous' {
  const hops = addresses.split(',');
  const client = clientIndex(hops, isTrusted);
  if (client === undefined) return 'ambiguous';
  if (protocols === '') return { address: client.address, secure: false };
  const each = protocols.split(',').map((protocol) => isSecure(protocol.trim()));
  const secure = each.every((one) => one === each[0]) ? each[0] : each.length === hops.length ? each[client.index] : undefined;
  return secure === undefined ? 'ambiguous' : { address: client.address, secure };
}

/**
 * Finds the right-most address that is not a trusted proxy, or the left-most address if all are trusted proxies. Each
 * proxy appends the address of its peer, so the hop to the right of an entry wrote that entry.
 */
function clientIndex(hops: readonly string[], isTrusted: IsTrusted): { index: number; address: string } | undefined {
  if (hops.length > HOPS_MAX) return undefined;
  for (let index = hops.length - 1; index >= 0; index--) {
    const address = readNode((hops[index] as string).trim());
    if (address === undefined) return undefined;
    if (index === 0 || !isTrusted(address)) return { index, address };
  }
  return undefined;
}

/**
 * Reads an address with an optional port: `192.0.2.60`, `192.0.2.60:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
 * Refuses `unknown`, obfuscated identifiers such as `_proxy`, and IPv6 zones.
 */
function readNode(text: string): string | undefined {
  const found = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?$/.exec(text);
  const [, bracketed, dotted] = found ?? [];
  if (bracketed !== undefined) return isIPv6(bracketed) ? plainAddress(bracketed) : undefined;
  return text.includes('%') ? undefined : plainAddress(dotted ?? text);
}

/** Reports whether a protocol uses TLS. Traefik and other proxies send `ws` and `wss` for WebSocket upgrades. */
function isSecure(protocol: string): boolean | undefined {
  const name = protocol.toLowerCase();
  if (name === 'https' || name === 'wss') return true;
  return name === 'http' || name === 'ws' ? false : undefined;
}

/**
 * One `name=value` pair of `Forwarded`, and the character that ends it. Matches in linear time, because no two alternatives begin with the
 * same character.
 */
const PAIR = /[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[^"\\]|\\.)*)")[ \t]*([;,]|$)/y;

/**
 * Parses `Forwarded` by its grammar. Returns undefined if the header does not match the grammar, or if a parameter of
 * an element is repeated.
 */
function readForwarded(text: string): readonly ReadonlyMap<string, string>[] | undefined {
  const hops: Map<string, string>[] = [new Map()];
  PAIR.lastIndex = 0;
  for (;;) {
    const pair = PAIR.exec(text);
    if (pair === null) return undefined;
    const [, name = '', token, quoted, end] = pair;
    const hop = hops.at(-1) as Map<string, string>;
    const key = name.toLowerCase();
    if (hop.has(key)) return undefined;
    hop.set(key, token ?? (quoted as string).replace(/\\(.)/g, '$1'));
    if (end === '') return hops;
    if (end === ',' && hops.push(new Map()) > HOPS_MAX) return undefined;
  }
}
