import { isIPv6 } from 'node:net';

/**
 * Returns the unit by which the server limits unauthenticated load: an IPv4 address, or the /64 network of an IPv6 address.
 *
 *     sourceOf('192.0.2.7')            → '192.0.2.7'
 *     sourceOf('2001:db8:0:1:2::3')    → '2001:db8:0:1::/64'
 *     sourceOf('fe80::1%eth0')         → 'fe80:0:0:0::/64'
 *
 * A network of one site is usually at least a /64, so one client can use every address in it.
 * Returns a string that is not an IP address unchanged.
 * Source: RFC 6177, "IPv6 Address Assignment to End Sites".
 */
export function sourceOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [bare = ''] = address.split('%');
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
