/** Order of the routes of a call. */
import type { Origination, OriginationRoute } from '#model/generated/chime-sdk-voice.ts';

/** Returns a number from 0 to 1, without 1. */
export type Random = () => number;

/** Voice Connector of a group, with its priority. */
export interface GroupMember<Connector> {
  readonly connector: Connector;
  readonly priority: number;
}

/** Host to which a call is relayed. */
export interface PlannedRoute<Connector> {
  /** Host name or IPv4 address. */
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** Voice Connector whose origination has the route. */
  readonly owner?: Connector;
  /** Whether the operator configured the host, so that it may be internal. */
  readonly isOperators?: true;
}

interface Routed {
  readonly origination?: Origination;
  readonly requireEncryption: boolean;
}

/**
 * Returns the routes of a call in the order of the attempts. Connectors are in the order of their priorities, and each has its own routes.
 * Connectors without an enabled origination have none. One call tries at most `most` connectors, which is the limit of connectors in a group.
 *
 * Source: sip.md §5, "Routes". Assumed: (1) `LoadBalancedDistribution` ignores priorities and shuffles. (2) Connectors with equal
 * priorities are in the order of the group.
 */
export function routesOf<Connector extends Routed>(
  { members, isLoadBalanced }: { readonly members: readonly GroupMember<Connector>[]; readonly isLoadBalanced: boolean },
  random: Random,
  most: number,
): readonly PlannedRoute<Connector>[] {
  const inOrder = isLoadBalanced ? drawAll(members, () => 1, random) : members.toSorted((one, other) => one.priority - other.priority);
  return inOrder.slice(0, most).flatMap(({ connector }) => {
    const { origination, requireEncryption } = connector;
    if (origination === undefined || origination.Disabled !== false) return [];
    return orderRoutes(origination.Routes ?? [], random).map((route) => toPlanned(route, requireEncryption, connector));
  });
}

/**
 * Orders routes by priority, 1 first. Routes of one priority are drawn by weight without replacement, so each is tried once.
 *
 *     [{ Host: 'a', Priority: 2 }, { Host: 'b', Priority: 1, Weight: 1 }, { Host: 'c', Priority: 1, Weight: 3 }] → c, b, a in 3 of 4 calls
 */
export function orderRoutes(routes: readonly OriginationRoute[], random: Random): readonly OriginationRoute[] {
  const byPriority = Map.groupBy(routes, ({ Priority = 1 }) => Priority);
  const priorities = [...byPriority.keys()].sort((one, other) => one - other);
  return priorities.flatMap((priority) => drawAll(byPriority.get(priority) ?? [], ({ Weight = 1 }) => Weight, random));
}

function drawAll<Item>(items: readonly Item[], weightOf: (item: Item) => number, random: Random): readonly Item[] {
  const left = [...items];
  const drawn: Item[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, item) => sum + weightOf(item), 0);
    let rest = random() * total;
    let index = left.findIndex((item) => {
      rest -= weightOf(item);
      return rest < 0;
    });
    // A rounding error can leave a rest after the last item.
    if (index < 0) index = left.length - 1;
    drawn.push(...left.splice(index, 1));
  }
  return drawn;
}

/** Source: Chime SDK Administrator Guide: a Voice Connector with encryption uses TLS for all calls, also if `Protocol` is UDP. */
function toPlanned<Connector>(
  { Host = '', Port = 5060, Protocol }: OriginationRoute,
  requireEncryption: boolean,
  owner: Connector,
): PlannedRoute<Connector> {
  const plain = Protocol === 'TCP' ? 'tcp' : 'udp';
  return { host: Host.toLowerCase(), port: Port, transport: requireEncryption ? 'tls' : plain, owner };
}
