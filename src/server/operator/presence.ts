/** Presence of the servers on one database, for the operator. The lease does not depend on it. */
import type { Lease } from '#access/lease.ts';
import type { LeaseClock } from '#access/lease-parts.ts';
import type { Instant } from '#core/instant.ts';
import type { Part } from '#core/part.ts';
import type { OpenServers } from '#store/engine/open-servers.ts';
import type { RegisteredServer } from '#store/engine/servers.ts';

/** Interval at which a server stores that it runs. */
export const SEEN_EVERY_MS = 2_000;
/** Time after which a server is silent. It allows for one lost statement and for clocks that differ. */
const SILENT_AFTER_MS = 3 * SEEN_EVERY_MS;

export interface PresenceParts {
  readonly registry: Pick<OpenServers, 'servers' | 'shared'>;
  readonly lease: Pick<Lease, 'serverId'>;
  readonly clock: LeaseClock;
  /** Addresses of the listeners, separated by spaces. */
  readonly address: () => string;
}

/**
 * Creates the part that stores every two seconds that the server runs. A server of an embedded database stores nothing, because no
 * other server reads it.
 */
export function presencePart({ registry, lease, clock, address }: PresenceParts): Part {
  let cancel = (): void => {};
  let isStopped = false;

  function beat(): void {
    // The lease reports an unreachable database.
    void registry.servers.seen(lease.serverId(), address(), clock.wall()).catch(() => {});
    if (!isStopped) cancel = clock.after(SEEN_EVERY_MS, beat);
  }
  return {
    name: 'presence',
    start() {
      if (registry.shared) beat();
    },
    stop() {
      isStopped = true;
      cancel();
    },
  };
}

/** A server as the operator sees it. */
export interface PresentServer extends Omit<RegisteredServer, 'state' | 'seenAt'> {
  readonly own: boolean;
  readonly state: RegisteredServer['state'] | 'silent';
  /** Time since the server stored that it runs, or since it registered. */
  readonly seenMsAgo: number;
}

/** Returns the servers on a database with their presence. `own` is the server that runs the command. */
export function presentServers(
  servers: readonly RegisteredServer[],
  own: { readonly id: string; readonly address: string },
  now: Instant,
): readonly PresentServer[] {
  return servers.map(({ seenAt, ...server }) => {
    if (server.id === own.id) return { ...server, address: own.address, own: true, seenMsAgo: 0 };
    // A new server has not stored that it runs. Its registration counts instead.
    const seenMsAgo = Math.max(0, now - Math.max(seenAt, server.startedAt));
    const isSilent = server.state === 'active' && seenMsAgo > SILENT_AFTER_MS;
    return { ...server, own: false, state: isSilent ? 'silent' : server.state, seenMsAgo };
  });
}
