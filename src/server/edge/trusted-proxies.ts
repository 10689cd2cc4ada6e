import { BlockList, isIP } from 'node:net';

/** Reports whether an address belongs to a trusted proxy. */
export type IsTrusted = (address: string) => boolean;

const NETWORKS_MAX = 64;

/**
 * Reads a list of networks in CIDR notation, such as `10.0.0.0/8,127.0.0.1,2001:db8::/32`.
 *
 * Returns undefined if the list is invalid or has more than 64 networks. Also returns undefined if a network has the
 * prefix length 0, because it would trust every client.
 */
export function readNetworks(text: string): readonly string[] | undefined {
  const networks = text
    .split(',')
    .map((network) => network.trim())
    .filter((network) => network !== '');
  if (networks.length > NETWORKS_MAX || !networks.every(isNetwork)) return undefined;
  return networks;
}

function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const bits = isIP(address) === 4 ? 32 : 128;
  if (isIP(address) === 0 || address.includes('%') || rest.length > 0) return false;
  return prefix === undefined || (/^[1-9][0-9]{0,2}$/.test(prefix) && Number(prefix) <= bits);
}

/**
 * Returns a function that checks addresses against networks that `readNetworks` returned. An IPv4-mapped address
 * matches IPv4 networks.
 */
export function trusting(networks: readonly string[]): IsTrusted {
  if (networks.length === 0) return () => false;
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return (address) => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
  };
}
