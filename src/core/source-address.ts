import { isIP, isIPv6, SocketAddress } from 'node:net';

/**
 * Returns the unit by which the server limits unauthenticated load: an IPv4 address, or the /64 network of an IPv6
 * address.
 *
 *     sourceOf('192.0.2.7')            → '192.0.2.7'
 *     sourceOf('2001:db8:0:1:2::3')    → '2001:db8:0:1::/64'
 *     sourceOf('fe80::1%eth0')         → 'fe80:0:0:0::/64'
 *     sourceOf('::ffff:192.0.2.7')     → '192.0.2.7'
 *
 * A network of one site is usually at least a /64, so one client can use every address in it.
 * Other strings, which are not IP addresses, are returned unchanged.
 * Source: RFC 6177, "IPv6 Address Assignment to End Sites".
 */
export function sourceOf(address: string): string {
  if (!address.includes(':')) return address;
  const plain = plainAddress(address) ?? address;
  if (!isIPv6(plain)) return plain;
  const [bare = ''] = plain.split('%');
  const [head = '', tail] = bare.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length - (bare.includes('.') ? 1 : 0);
  const groups = [...first, ...Array<string>(Math.max(zeros, 0)).fill('0'), ...last];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** Reports whether an address in canonical form is a loopback address: 127.0.0.0/8 or ::1. Source: RFC 1122, RFC 4291. */
export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

/**
 * Returns an IP address in canonical form, with IPv4-mapped IPv6 addresses as IPv4. Returns undefined for other strings.
 *
 *     plainAddress('::ffff:192.0.2.7')   → '192.0.2.7'
 *     plainAddress('2001:0DB8:0::1')     → '2001:db8::1'
 *
 * Source: RFC 4291, section 2.5.5.2 (IPv4-mapped addresses); RFC 5952 (canonical form).
 */
export function plainAddress(text: string): string | undefined {
  const family = isIP(text);
  if (family === 4) return text;
  if (family === 0) return undefined;
  if (text.includes('%')) return text;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
