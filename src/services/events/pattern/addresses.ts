/**
 * IP addresses in patterns and events, and CIDR ranges.
 *
 * An address is returned as hexadecimal digits: 8 for IPv4, 32 for IPv6. Strings of one family compare as addresses do.
 *
 * Source: aws/event-ruler `337e8d9`, CIDR. It parses addresses as Java does: parts of IPv4 are decimal even with leading
 * zeros, and IPv6 addresses that embed an IPv4 address in hexadecimal are IPv4.
 */

const IPV4_FORM = /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/;
const IPV6_FORM = /^[0-9a-fA-F:]*:[0-9a-fA-F:]*$/;
/** Maximum length of an IPv4 address. */
const IPV4_MAX = 15;
/** Longest IPv6 address that is parsed. Assumed: groups with many leading zeros do not occur. */
const IPV6_MAX = 64;
const MAPPED = '00000000000000000000ffff';

/** Problem of a CIDR range. `message` is the reason, which AWS prints without a location. */
export class AddressProblem extends Error {}

/** Range of addresses, both ends included. */
export interface AddressRange {
  readonly first: string;
  readonly last: string;
}

/** Returns the digits of an address, or `undefined` if the string is not an address. */
export function parseAddress(text: string): string | undefined {
  if (text.length > IPV6_MAX) return undefined;
  if (text.includes(':')) return IPV6_FORM.test(text) ? parseIpv6(text) : undefined;
  return IPV4_FORM.test(text) ? parseIpv4(text) : undefined;
}

function parseIpv4(text: string): string | undefined {
  if (text.length > IPV4_MAX) return undefined;
  const parts = text.split('.').map(Number);
  if (parts.some((part) => part > 255)) return undefined;
  return parts.map((part) => part.toString(16).padStart(2, '0')).join('');
}

function parseIpv6(text: string): string | undefined {
  const gap = text.indexOf('::');
  const head = groups(gap < 0 ? text : text.slice(0, gap));
  const tail = gap < 0 ? [] : groups(text.slice(gap + 2));
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (gap < 0 ? missing !== 0 : missing < 1) return undefined;
  const digits = [...head, ...Array.from({ length: missing }, () => '0000'), ...tail].join('');
  return digits.startsWith(MAPPED) ? digits.slice(MAPPED.length) : digits;
}

function groups(text: string): readonly string[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  if (parts.some((part) => part === '' || Number.parseInt(part, 16) > 0xffff)) return undefined;
  return parts.map((part) => part.replace(/^0+/, '').toLowerCase().padStart(4, '0'));
}

/**
 * Returns the range of a CIDR string such as `192.0.2.0/25`. Host bits are ignored.
 *
 * @throws AddressProblem  one `/` is missing · the bits are not an integer or negative · not an address · too many bits
 */
export function parseCidr(text: string): AddressRange {
  // Java's split drops empty parts at the end.
  const parts = text.replace(/\/+$/, '').split('/');
  if (parts.length !== 2) throw new AddressProblem("Malformed CIDR, one '/' required");
  const [host, mask] = parts as [string, string];
  const bits = /^[+-]?[0-9]{1,10}$/.test(mask) ? Number(mask) : Number.NaN;
  if (!(bits >= -(2 ** 31) && bits < 2 ** 31)) throw new AddressProblem('Malformed CIDR, mask bits must be an integer');
  if (bits < 0) throw new AddressProblem('Malformed CIDR, mask bits must not be negative');
  const address = parseAddress(host);
  if (address === undefined) {
    const form = IPV4_FORM.test(host) || IPV6_FORM.test(host) ? 'Invalid' : 'Nonstandard';
    throw new AddressProblem(`${form} IP address: ${host}`);
  }
  const family = address.length === 8 ? { title: 'IPv4', bits: 32 } : { title: 'IPv6', bits: 128 };
  if (bits >= family.bits) throw new AddressProblem(`${family.title} mask bits must be < ${family.bits}`);
  return { first: fillHost(address, bits, 0), last: fillHost(address, bits, 0xf) };
}

/** Replaces the bits after the first `bits` by those of `filler`. */
function fillHost(address: string, bits: number, filler: number): string {
  return Array.from(address, (digit, i) => {
    const kept = Math.min(Math.max(bits - i * 4, 0), 4);
    const host = 0xf >> kept;
    return ((Number.parseInt(digit, 16) & ~host) | (filler & host)).toString(16);
  }).join('');
}
