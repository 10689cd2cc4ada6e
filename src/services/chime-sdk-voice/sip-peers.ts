/**
 * SIP systems of customers: the address ranges that may make outbound calls (termination) and the hosts that receive
 * calls (origination).
 */
import { isIP } from 'node:net';
import { isInternal } from '#access/guarded-fetch.ts';
import { type AddressRange, inRange, toRange } from '#policy/values.ts';

/**
 * Minimum prefix length of an address range, by IP version (4 or 6), so that a range has at most 32 addresses. Source:
 * AWS provider of Terraform, voice_connector_termination.go: /27 to /32.
 */
const SHORTEST_PREFIX: Readonly<Record<number, number>> = { 4: 27, 6: 123 };

/** Part of a host name between dots, of at most 63 characters. Source: RFC 1123 §2.1. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const HOST_NAME_MAX = 253;

/** Domains that never have public addresses. Source: RFC 6761, RFC 6762, RFC 8375; ICANN resolution 2024.07.29.06 for `internal`. */
const PRIVATE_DOMAIN = /\.(?:localhost|local|internal|home\.arpa)$/;

/** Decides which SIP systems a Voice Connector may use. */
export interface SipPeers {
  /** Reports whether an address range such as `8.8.8.0/27` may make outbound calls. */
  readonly allowsRange: (range: string) => boolean;
  /** Reports whether a host name or an address may receive calls. Does not resolve the name. */
  readonly allowsHost: (host: string) => boolean;
  /** Reports whether the operator lists a host name. Its addresses may be internal. */
  readonly isListed: (host: string) => boolean;
}

/**
 * Creates the functions that check SIP systems. `privatePeers` are the private networks and host names that the
 * operator allows: `['10.0.0.0/24', '192.168.1.10', 'pbx.corp.internal']`. By default only public peers are allowed.
 *
 * Source: Chime SDK API reference, Termination: a range is in CIDR format; OriginationRoute: a host is an FQDN or an IP
 * address. AWS's service is on the Internet, so its peers are public.
 * Assumed: (1) An IPv6 range also has at most 32 addresses. (2) The host bits of a range must be zero.
 */
export function sipPeers(privatePeers: readonly string[]): SipPeers {
  const networks = privatePeers.map(toRange).filter((network) => network !== undefined);
  const names = new Set(privatePeers.filter((peer) => toRange(peer) === undefined));
  const isOfOperator = (range: AddressRange) => networks.some((network) => contains(network, range));
  return {
    allowsRange(text) {
      const range = text.includes('/') ? toRange(text) : undefined;
      if (range === undefined || range.bits < (SHORTEST_PREFIX[range.family] as number)) return false;
      // A valid range has at most 32 addresses. Every network that `isInternal` treats as internal is larger. So such a
      // network contains either all addresses of a valid range or none. Checking the first address is enough.
      const first = text.slice(0, text.indexOf('/'));
      return hasNoHostBits(first, range) && (!isInternal(first) || isOfOperator(range));
    },
    allowsHost(text) {
      const host = text.toLowerCase();
      const address = isIP(host) === 0 ? undefined : toRange(host);
      if (address !== undefined) return !isInternal(host) || isOfOperator(address);
      return names.has(host) || isPublicName(host);
    },
    isListed: (text) => names.has(text.toLowerCase()),
  };
}

function isPublicName(host: string): boolean {
  if (host.length > HOST_NAME_MAX || PRIVATE_DOMAIN.test(host)) return false;
  const labels = host.split('.');
  return labels.length > 1 && labels.every((label) => LABEL.test(label)) && !/^[0-9]+$/.test(labels.at(-1) as string);
}

function contains(outer: AddressRange, inner: AddressRange): boolean {
  return outer.bits <= inner.bits && inRange(toAddress(inner), outer);
}

/** Reports whether an address is the first in a range. */
function hasNoHostBits(address: string, range: AddressRange): boolean {
  return toRange(address)?.words.every((word, i) => word === range.words[i]) ?? false;
}

function toAddress({ family, words }: AddressRange): Uint32Array {
  return Uint32Array.of(family, ...words);
}
