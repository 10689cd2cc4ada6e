import { type Lease, newLease } from '#access/lease.ts';
import { newSnapshot, type Snapshot } from '#access/snapshot.ts';
import { instant } from '#core/instant.ts';
import type { Ask, SimulatedDatabase } from './simulated-database.ts';
import type { Timeline } from './timeline.ts';

/** A server: its lease and identity snapshot, its clocks, and its connection to the database. */
export interface Node {
  readonly name: string;
  lease: Lease;
  snapshot: Snapshot;
  /** Number of times that the node was killed. The node drops events that were scheduled before the last kill. */
  kills: number;
  alive: boolean;
  /** Time until which the node runs nothing, as after SIGSTOP. */
  frozenUntil: number;
  /** Whether the network drops all messages of the node. */
  cut: boolean;
  /** Speed of the node's clock. 1 is real time. */
  readonly rate: number;
  /** Milliseconds that the monotonic clock missed during suspensions. */
  forgotten: number;
}

/** Parts that all nodes of a simulation share. */
export interface Surroundings {
  readonly timeline: Timeline;
  readonly database: SimulatedDatabase;
  readonly leaseMilliseconds: number;
  /** Fault to simulate: the wall clock stops during a suspension, like the monotonic clock. */
  readonly suspensionsAreHidden: boolean;
  readonly newId: (name: string) => string;
  readonly bus: Bus;
}

/** Returns a node that has not started. */
export function newNode(name: string, { timeline }: Surroundings): Node {
  return {
    name,
    kills: 0,
    alive: false,
    frozenUntil: 0,
    cut: false,
    rate: timeline.between(0.98, 1.02),
    forgotten: 0,
    lease: undefined as unknown as Lease,
    snapshot: newSnapshot(),
  };
}

/** Starts a node as a new process with an empty snapshot. Repeats a failed start. */
export function begin(node: Node, around: Surroundings): void {
  const { timeline, database, leaseMilliseconds, suspensionsAreHidden, newId, bus } = around;
  const kills = ++node.kills;
  node.alive = true;
  node.snapshot = newSnapshot();
  const monotonic = (): number => (timeline.time() - node.forgotten) * node.rate;
  node.lease = newLease({
    servers: database.serversFor(networkOf(node, kills, around)),
    snapshot: node.snapshot,
    leaseMilliseconds,
    shared: true,
    name: node.name,
    newId: () => newId(node.name),
    report: () => {},
    clock: {
      monotonic,
      wall: () => instant(suspensionsAreHidden ? monotonic() : timeline.time()),
      after(milliseconds, fn) {
        let wanted = true;
        runOn(timeline, node, kills, timeline.time() + milliseconds / node.rate, () => {
          if (wanted) fn();
        });
        return () => {
          wanted = false;
        };
      },
    },
    hints: bus.hintsOf(node, kills),
  });
  const start = (): void => {
    node.lease.start().catch(() => runOn(timeline, node, kills, timeline.time() + 100, start));
  };
  start();
}

/** Schedules `fn` on a node. `fn` waits while the node is stopped, and never runs after a kill of the node. */
export function runOn(timeline: Timeline, node: Node, kills: number, when: number, fn: () => void): void {
  timeline.at(when, () => {
    if (node.kills !== kills) return;
    if (timeline.time() < node.frozenUntil) return runOn(timeline, node, kills, node.frozenUntil, fn);
    fn();
  });
}

/**
 * Returns the connection of a node to the database. A request or a response may be late or lost. A statement fails if
 * its response does not arrive within half the length of a lease.
 */
function networkOf(node: Node, kills: number, { timeline, leaseMilliseconds }: Surroundings): Ask {
  const { at, between, chance, time } = timeline;
  const delay = (): number => (chance(0.05) ? between(50, 900) : between(1, 10));
  return (execute) =>
    new Promise((resolve, reject) => {
      runOn(timeline, node, kills, time() + leaseMilliseconds / 2, () => reject(new Error('no response in time')));
      const there = time() + delay();
      if (chance(0.02)) return;
      at(there, () => {
        if (node.cut) return;
        const answer = execute();
        if (chance(0.02)) return;
        at(time() + delay(), () => {
          if (!node.cut) runOn(timeline, node, kills, time(), () => resolve(answer));
        });
      });
    });
}

/** Bus that notifies servers of changes. Notifications may be late, duplicated or lost. */
export interface Bus {
  hintsOf(node: Node, kills: number): Parameters<typeof newLease>[0]['hints'];
}

/** Creates a bus. */
export function newBus(timeline: Timeline): Bus {
  const { between, chance, time } = timeline;
  const listeners = new Map<string, Set<{ readonly node: Node; readonly kills: number; readonly notify: () => void }>>();
  return {
    hintsOf: (node, kills) => ({
      hint(topic) {
        for (const listener of listeners.get(topic) ?? []) {
          for (let copies = chance(0.1) ? 2 : 1; copies > 0; copies--) {
            if (chance(0.1) || node.cut || listener.node.cut) continue;
            runOn(timeline, listener.node, listener.kills, time() + between(1, 20), listener.notify);
          }
        }
      },
      on(topic, notify) {
        const listener = { node, kills, notify };
        const all = listeners.get(topic) ?? new Set();
        listeners.set(topic, all.add(listener));
        return () => void all.delete(listener);
      },
    }),
  };
}
