/** SIP systems of customers: the ranges that may call out (termination) and the hosts that receive calls (origination). */
import { isIP } from 'node:net';
import { isInternal } from '#access/guarded-fetch.ts';
import { type AddressRange, inRange, toRange } from '#policy/values.ts';

/**
 * Shortest prefix of a range for IPv4 and IPv6, so that a range has at most 32 addresses. Source: AWS provider of Terraform,
 * voice_connector_termination.go: /27 to /32.
 */
const SHORTEST_PREFIX: Readonly<Record<number, number>> = { 4: 27, 6: 123 };

/** Part of a host name between dots, of at most 63 characters. Source: RFC 1123 §2.1. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const HOST_NAME_MAX = 253;

/** Domains that never have public addresses. Source: RFC 6761, RFC 6762, RFC 8375; ICANN resolution 2024.07.29.06 for `internal`. */
const PRIVATE_DOMAIN = /\.(?:localhost|local|internal|home\.arpa)$/;

/** Decides which SIP systems a Voice Connector may have. */
export interface SipPeers {
  /** Reports whether a range such as `8.8.8.0/27` may call out. */
  readonly allowsRange: (range: string) => boolean;
  /** Reports whether a host name or an address may receive calls. Does not resolve the name. */
  readonly allowsHost: (host: string) => boolean;
}

/**
 * Creates the check. `privatePeers` are the private networks and host names that the operator allows:
 * `['10.0.0.0/24', '192.168.1.10', 'pbx.corp.internal']`. By default only public peers are allowed.
 *
 * Source: Chime SDK API reference, Termination, OriginationRoute: CIDR format; FQDN or IP address. The service is on the Internet.
 * Assumed: an IPv6 range has at most 32 addresses too; host bits of a range must be zero.
 */
export function sipPeers(privatePeers: readonly string[]): SipPeers {
  const networks = privatePeers.map(toRange).filter((network) => network !== undefined);
  const names = new Set(privatePeers.filter((peer) => toRange(peer) === undefined));
  const isOfOperator = (range: AddressRange) => networks.some((network) => contains(network, range));
  return {
    allowsRange(text) {
      const range = text.includes('/') ? toRange(text) : undefined;
      if (range === undefined || range.bits < (SHORTEST_PREFIX[range.family] as number)) return false;
      // Every internal network is larger than a valid range, so the first address decides.
      const first = text.slice(0, text.indexOf('/'));
      return hasNoHostBits(first, range) && (!isInternal(first) || isOfOperator(range));
    },
    allowsHost(text) {
      const host = text.toLowerCase();
      const address = isIP(host) === 0 ? undefined : toRange(host);
      if (address !== undefined) return !isInternal(host) || isOfOperator(address);
      return names.has(host) || isPublicName(host);
    },
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
