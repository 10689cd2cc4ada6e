/**
 * Stores and reads the time at which each server of a database last reported that it runs. The operator's list of
 * servers shows this time. The leases of the servers do not use it.
 */
import type { Lease } from '#access/lease.ts';
import type { LeaseClock } from '#access/lease-parts.ts';
import type { Instant } from '#core/instant.ts';
import type { Part } from '#core/part.ts';
import type { OpenServers } from '#store/engine/open-servers.ts';
import type { RegisteredServer } from '#store/engine/servers.ts';

/** Interval at which a server stores the current time as proof that it runs. */
export const SEEN_EVERY_MS = 2_000;
/**
 * If the last stored time of a server is older than this, the list shows the server as silent. The value allows for one
 * failed write to the database, and for differences between the clocks of servers.
 */
const SILENT_AFTER_MS = 3 * SEEN_EVERY_MS;

export interface PresenceParts {
  readonly registry: Pick<OpenServers, 'servers' | 'shared'>;
  readonly lease: Pick<Lease, 'serverId'>;
  readonly clock: LeaseClock;
  /** Addresses of the listeners, separated by spaces. */
  readonly address: () => string;
}

/**
 * Creates the part that stores the current time every two seconds, as proof that the server runs. A server with an
 * embedded database stores nothing, because no other server could read it.
 */
export function presencePart({ registry, lease, clock, address }: PresenceParts): Part {
  let cancel = (): void => {};
  let isStopped = false;

  function beat(): void {
    // Ignores errors, because the lease already reports an unreachable database.
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

/** A server in the operator's list of servers. */
export interface PresentServer extends Omit<RegisteredServer, 'state' | 'seenAt'> {
  readonly own: boolean;
  readonly state: RegisteredServer['state'] | 'silent';
  /**
   * Milliseconds since the last stored time of the server, or since its registration if it has not stored a time yet.
   */
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
    // A new server may not have stored a time yet. Then the time of its registration counts.
    const seenMsAgo = Math.max(0, now - Math.max(seenAt, server.startedAt));
    const isSilent = server.state === 'active' && seenMsAgo > SILENT_AFTER_MS;
    return { ...server, own: false, state: isSilent ? 'silent' : server.state, seenMsAgo };
  });
}
