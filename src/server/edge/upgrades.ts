import type { Duplex } from 'node:stream';

/** Connection that is, or will become, the WebSocket of a messaging session. */
export interface Upgrade {
  readonly number: number;
  readonly connection: Duplex;
  /** Whether the core has admitted a session. If true, the core is notified when the connection closes. */
  admitted: boolean;
  /** Timer that destroys the connection if the core does not answer in time. */
  timer: NodeJS.Timeout | undefined;
}

/**
 * Connections of upgrade requests, from the request until they close. Limits the number of these connections, in total
 * and for each source (client address).
 */
export interface Upgrades {
  /** Adds a connection. Returns undefined if there are too many connections. */
  enter(connection: Duplex, source: string): Upgrade | undefined;
  /** Ends the time limit of a connection, because the core has answered its request. */
  answered(upgrade: Upgrade): void;
}

/** Limits on the connections of upgrade requests. */
export interface UpgradeLimits {
  readonly socketsMax: number;
  /** Percentage of `socketsMax` that one source (client address) may hold. */
  readonly sourceSharePercent: number;
  readonly upgradeTimeoutMs: number;
}

/** Creates an empty set of connections. `closed` runs when a connection closes. */
export function newUpgrades(limits: UpgradeLimits, closed: (upgrade: Upgrade) => void): Upgrades {
  const ofSourceMax = Math.max(1, Math.floor((limits.socketsMax * limits.sourceSharePercent) / 100));
  const counts = new Map<string, number>();
  let count = 0;
  let last = 0;

  function leave(source: string): void {
    count -= 1;
    const left = (counts.get(source) ?? 1) - 1;
    if (left === 0) counts.delete(source);
    else counts.set(source, left);
  }

  return {
    // The closures of this function exist as long as the connection, so they must not refer to the request.
    enter(connection, source) {
      const ofSource = counts.get(source) ?? 0;
      if (count >= limits.socketsMax || ofSource >= ofSourceMax) return undefined;
      count += 1;
      counts.set(source, ofSource + 1);
      const timer = setTimeout(() => connection.destroy(), limits.upgradeTimeoutMs);
      const upgrade: Upgrade = { number: ++last, connection, admitted: false, timer };
      connection.once('close', () => {
        clearTimeout(upgrade.timer);
        leave(source);
        closed(upgrade);
      });
      return upgrade;
    },
    answered(upgrade) {
      clearTimeout(upgrade.timer);
      upgrade.timer = undefined;
    },
  };
}
