/** Addresses of routes. The SIP proxy resolves no names, so the rules for outgoing connections (INF-8) apply to what it connects to. */
import { isIPv4 } from 'node:net';
import type { SipPeers } from '../sip-peers.ts';
import type { SipConnector } from './decision.ts';
import type { PlannedRoute } from './routes.ts';

/** Returns the IPv4 addresses of a host name, or none if it has none or cannot be resolved in time. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

/**
 * Returns the targets of a call: `<Request-URI>|<next hop>|<Voice Connector ID>`. Omits routes that cannot be resolved, and routes whose host has
 * an internal address that the operator does not allow. IPv6 is not supported. `caller` is the Voice Connector of targets that are gateways.
 */
export async function targetsOf(
  number: string,
  routes: readonly PlannedRoute<Pick<SipConnector, 'id'>>[],
  caller: Pick<SipConnector, 'id'>,
  peers: SipPeers,
  resolve: ResolveHost,
): Promise<readonly string[]> {
  const hosts = [...new Set(routes.map(({ host }) => host))];
  const addresses = new Map(await Promise.all(hosts.map(async (host) => [host, await addressesOf(host, resolve)] as const)));
  return routes.flatMap(({ host, port, transport, owner = caller, isOperators }) => {
    const found = addresses.get(host) ?? [];
    const isAllowed = isOperators === true || (peers.allowsHost(host) && (peers.isListed(host) || found.every(peers.allowsHost)));
    const [address] = found;
    if (address === undefined || !isAllowed) return [];
    return [`sip:${number}@${host}:${port}|sip:${address}:${port};transport=${transport}|${owner.id}`];
  });
}

async function addressesOf(host: string, resolve: ResolveHost): Promise<readonly string[]> {
  if (isIPv4(host)) return [host];
  // The name is part of a URI, so it must not contain other characters.
  if (!/^[a-z0-9.-]{1,253}$/.test(host)) return [];
  return (await resolve(host)).filter((address) => isIPv4(address));
}
