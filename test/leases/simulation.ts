/**
 * Seeded simulation of the lease. It runs the real code of a server. The seed determines time, network and database.
 *
 * - Servers are disconnected, stopped, suspended, killed, restarted and removed.
 * - Clocks run at different rates, and monotonic clocks stop during a suspension.
 * - Responses are late or lost. Notifications are late, duplicated or lost.
 * - The database fails over (its epoch changes), and tombstones are trimmed.
 */

import { type Lease, newLease } from '#access/lease.ts';
import { newSnapshot, type Snapshot } from '#access/snapshot.ts';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { RegisteredServer, Servers } from '#store/engine/servers.ts';
import type { IdentityChange } from '#store/identity/identity.ts';

/** Faults that the simulation can build in, to show that it finds them. */
export type SimulatedFault =
  | 'none'
  | 'no wait'
  | 'fail open'
  | 'acknowledgements are ignored'
  | 'removed at once'
  | 'rows and version from two snapshots'
  | 'acknowledged before applied'
  | 'a suspension is not noticed'
  | 'an asynchronous replica answers';

/** Result of one simulation. */
export interface Run {
  /** Description of the first violation. Undefined if there is none. */
  readonly broken: string | undefined;
  /** Number of identity changes that returned. */
  readonly answered: number;
  /** Number of these changes that had to wait until all older leases had ended. */
  readonly byTime: number;
  /** Number of checks of a server with a lease. */
  readonly checks: number;
}

const LEASE = 1_000;
const ACCOUNT = '111122223333' as AccountId;
const SERVERS = 3;
/** Milliseconds with faults, and then without faults. All servers must recover in the second period. */
const STORM = 12_000;
const QUIET = 8_000;

interface Node {
  readonly name: string;
  lease: Lease;
  snapshot: Snapshot;
  /** Incremented by a kill. Events of an earlier life are dropped. */
  life: number;
  alive: boolean;
  /** Time until which the node runs nothing, as after SIGSTOP. */
  frozenUntil: number;
  cut: boolean;
  readonly rate: number;
  /** Milliseconds that the monotonic clock missed during suspensions. */
  forgotten: number;
}

/** Runs one schedule. The same seed and fault give the same result. */
export async function simulate(seed: number, fault: SimulatedFault = 'none'): Promise<Run> {
  const random = generator(seed);
  let time = 0;
  /** Returns true with probability `p`, but only in the period with faults. */
  const chance = (p: number): boolean => random() < p && time < STORM;
  const between = (low: number, high: number): number => low + random() * (high - low);

  const queue: { readonly at: number; readonly order: number; readonly run: () => void }[] = [];
  let order = 0;
  const at = (when: number, run: () => void): void => {
    const event = { at: Math.max(when, time), order: order++, run };
    let low = 0;
    for (let high = queue.length; low < high; ) {
      const middle = (low + high) >> 1;
      const one = queue[middle] as typeof event;
      if (one.at > event.at || (one.at === event.at && one.order > event.order)) low = middle + 1;
      else high = middle;
    }
    // The queue is in descending order, so the next event is the last element.
    queue.splice(low, 0, event);
  };

  // The database. Each change applies all of its parts at once, like the commit of a transaction.
  const documents = new Map<string, { version: number; deleted: boolean }>();
  const registry = new Map<string, RegisteredServer>();
  let version = 1;
  let trimmedTo = 0;
  let epoch = 1;
  documents.set('first', { version: 1, deleted: false });
  const lagging = { version: 1, documents: new Map(documents) };

  /** State of each key as its caller knows it: granted, withdrawal started, withdrawal returned. */
  const known = new Map<string, 'granted' | 'withdrawing' | 'withdrawn'>();
  let broken: string | undefined;
  let answered = 0;
  let byTime = 0;
  let checks = 0;
  let newIds = 0;

  const nodes: Node[] = [];

  /** Schedules `fn` on a node. It waits while the node is stopped, and never runs in a later life of the node. */
  function on(node: Node, life: number, when: number, fn: () => void): void {
    at(when, () => {
      if (node.life !== life) return;
      if (time < node.frozenUntil) return on(node, life, node.frozenUntil, fn);
      fn();
    });
  }

  /** Executes a statement over the network. Request or response may be late or lost. Rejects after the time limit of half a lease. */
  function ask<T>(node: Node, life: number, execute: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      on(node, life, time + LEASE / 2, () => reject(new Error('no response in time')));
      const there = time + (chance(0.05) ? between(50, 900) : between(1, 10));
      if (chance(0.02)) return;
      at(there, () => {
        if (node.cut) return;
        const answer = execute();
        if (chance(0.02)) return;
        const back = time + (chance(0.05) ? between(50, 900) : between(1, 10));
        at(back, () => {
          if (!node.cut) on(node, life, time, () => resolve(answer));
        });
      });
    });
  }

  function serversOf(node: Node, life: number): Servers {
    const source = () => (fault === 'an asynchronous replica answers' ? lagging : { version, documents });
    const after = (since: number): IdentityChange[] =>
      [...source().documents]
        .filter(([, one]) => one.version > since)
        .map(([key, one]) => ({
          accountId: ACCOUNT,
          kind: 'membership',
          key,
          version: one.version,
          ...(one.deleted ? {} : { record: { accountId: ACCOUNT } }),
        }));
    return {
      leaseMilliseconds: async () => LEASE,
      register: (server, known) =>
        ask(node, life, () => {
          if (!registry.has(server.id))
            registry.set(server.id, {
              ...server,
              startedAt: instant(server.startedAt),
              appliedVersion: known,
              state: 'active',
              address: '',
              seenAt: instant(0),
            });
        }),
      async renew(id, since) {
        const early = fault === 'rows and version from two snapshots' ? await ask(node, life, () => after(since)) : undefined;
        return await ask(node, life, () => {
          const row = registry.get(id);
          if (fault === 'acknowledged before applied' && row !== undefined) registry.set(id, { ...row, appliedVersion: version });
          return {
            version: source().version,
            trimmedTo,
            epoch: String(epoch),
            registration: row?.state ?? 'absent',
            acknowledged: row?.appliedVersion ?? 0,
            changes: early ?? after(since),
          };
        });
      },
      acknowledge: (id, known) =>
        ask(node, life, () => {
          const row = registry.get(id);
          if (row === undefined) return 'absent';
          if (row.appliedVersion < known) registry.set(id, { ...row, appliedVersion: known });
          return 'acknowledged';
        }),
      expire: (id, needed) =>
        ask(node, life, () => ((registry.get(id)?.appliedVersion ?? needed) < needed && registry.delete(id) ? 'expired' : 'kept')),
      seen: () => ask(node, life, () => undefined),
      registered: () => ask(node, life, () => (fault === 'acknowledgements are ignored' ? [] : [...registry.values()])),
      drain: (id) =>
        ask(node, life, () => {
          const row = registry.get(id);
          if (row === undefined) return 'absent';
          if (fault === 'removed at once') registry.delete(id);
          else registry.set(id, { ...row, state: 'draining' });
          return 'draining';
        }),
      remove: (id) => ask(node, life, () => (registry.get(id)?.state === 'draining' && registry.delete(id) ? 'removed' : 'absent')),
      leave: (id) => ask(node, life, () => void registry.delete(id)),
      leaveAll: async () => registry.clear(),
      trim: () =>
        ask(node, life, () => {
          const slowest = Math.min(...[...registry.values()].map((row) => row.appliedVersion));
          if (!Number.isFinite(slowest)) return 0;
          trimmedTo = Math.max(trimmedTo, slowest);
          let count = 0;
          for (const [key, one] of documents) if (one.deleted && one.version <= trimmedTo && documents.delete(key)) count++;
          return count;
        }),
    };
  }

  const listeners = new Map<string, Set<{ readonly node: Node; readonly life: number; readonly notify: () => void }>>();
  function begin(node: Node): void {
    const life = ++node.life;
    node.alive = true;
    node.snapshot = newSnapshot();
    const monotonic = (): number => (time - node.forgotten) * node.rate;
    node.lease = newLease({
      servers: serversOf(node, life),
      snapshot: node.snapshot,
      leaseMilliseconds: LEASE,
      shared: true,
      name: node.name,
      newId: () => `${node.name}-${++newIds}`,
      report: () => {},
      clock: {
        monotonic,
        wall: () => instant(fault === 'a suspension is not noticed' ? monotonic() : time),
        after(milliseconds, fn) {
          let wanted = true;
          on(node, life, time + milliseconds / node.rate, () => {
            if (wanted) fn();
          });
          return () => {
            wanted = false;
          };
        },
      },
      hints: {
        hint(topic) {
          for (const listener of listeners.get(topic) ?? []) {
            for (let copies = chance(0.1) ? 2 : 1; copies > 0; copies--) {
              if (chance(0.1) || node.cut || listener.node.cut) continue;
              on(listener.node, listener.life, time + between(1, 20), listener.notify);
            }
          }
        },
        on(topic, notify) {
          const listener = { node, life, notify };
          const all = listeners.get(topic) ?? new Set();
          listeners.set(topic, all.add(listener));
          return () => void all.delete(listener);
        },
      },
    });
    const start = (): void => {
      node.lease.start().catch(() => on(node, life, time + 100, start));
    };
    start();
  }

  /** Writes a key. The commit is immediate. Then the node waits for the withdrawal, as a transaction of a server does. */
  function write(node: Node, key: string, deleted: boolean): void {
    version++;
    documents.set(key, { version, deleted });
    const committed = version;
    const { life, lease } = node;
    // The response to the commit also takes time on the network.
    on(node, life, time + between(1, 10), () => {
      const began = time;
      const done = fault === 'no wait' ? Promise.resolve() : lease.withdrawn(committed);
      void done.then(() => {
        answered++;
        if (time - began >= LEASE) byTime++;
        known.set(key, deleted ? 'withdrawn' : 'granted');
      });
    });
  }

  /** Checks that each node with a lease has applied all changes that returned. Runs after every event. */
  function check(): void {
    for (const node of nodes) {
      if (!node.alive || time < node.frozenUntil) continue;
      const opened = fault === 'fail open' && node.snapshot.version() > 0;
      if (!opened && !node.lease.holds()) continue;
      checks++;
      for (const [key, state] of known) {
        const there = node.snapshot.record(ACCOUNT, 'membership', key) !== undefined;
        if (state === 'withdrawn' && there) broken ??= `at ${Math.round(time)} ms ${node.name} honors ${key} after its withdrawal`;
        if (state === 'granted' && !there) broken ??= `at ${Math.round(time)} ms ${node.name} does not know ${key} after it was granted`;
      }
    }
  }

  const running = (): Node[] => nodes.filter((node) => node.alive);
  const one = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)];
  let keys = 0;

  // biome-ignore format: a table
  const ACTS: readonly (readonly [weight: number, act: () => void])[] = [
    [8, () => { const node = one(running()); if (node) write(node, `key${++keys}`, false); }],
    [8, () => {
      const node = one(running());
      const key = one([...known].filter(([, state]) => state === 'granted').map(([name]) => name));
      if (node === undefined || key === undefined) return;
      known.set(key, 'withdrawing');
      write(node, key, true);
    }],
    [3, () => { const node = one(nodes); if (node) { node.cut = true; at(time + between(100, 3_000), () => { node.cut = false; }); } }],
    [3, () => { const node = one(nodes); if (node) node.frozenUntil = Math.max(node.frozenUntil, time + between(50, 2_500)); }],
    [2, () => {
      // A suspended machine stops its processes and their monotonic clock.
      const node = one(nodes);
      if (node === undefined || time < node.frozenUntil) return;
      const duration = between(50, 2_500);
      node.frozenUntil = time + duration;
      node.forgotten += duration;
    }],
    [1, () => { const node = one(running()); if (node) { node.alive = false; node.life++; at(time + between(50, 2_000), () => begin(node)); } }],
    [1, () => {
      const node = one(running());
      if (node === undefined) return;
      node.alive = false;
      const { life } = node;
      void node.lease.stop().finally(() => { if (node.life === life) node.life++; });
      at(time + between(1_500, 3_000), () => begin(node));
    }],
    [1, () => { const id = one([...registry.keys()]); const node = one(running()); if (id && node) node.lease.remove(id).catch(() => {}); }],
    [1, () => { one(running())?.lease.trim().catch(() => {}); }],
    [1, () => { epoch++; }],
    [4, () => { lagging.version = version; lagging.documents = new Map(documents); }],
  ];
  const weights = ACTS.reduce((sum, [weight]) => sum + weight, 0);

  for (let i = 0; i < SERVERS; i++) {
    const node: Node = {
      name: `server${i}`,
      life: 0,
      alive: false,
      frozenUntil: 0,
      cut: false,
      rate: between(0.98, 1.02),
      forgotten: 0,
      lease: undefined as unknown as Lease,
      snapshot: newSnapshot(),
    };
    nodes.push(node);
    begin(node);
  }
  for (let when = 300; when < STORM; when += between(5, 120)) {
    at(when, () => {
      let left = random() * weights;
      ACTS.find(([weight]) => (left -= weight) < 0)?.[1]();
    });
  }
  at(STORM, () => {
    for (const node of nodes) node.cut = false;
  });
  while (broken === undefined && queue.length > 0 && time < STORM + QUIET) {
    const event = queue.pop() as (typeof queue)[number];
    time = event.at;
    event.run();
    // Completes all pending promises before the time advances.
    await new Promise((resolve) => setImmediate(resolve));
    check();
  }
  if (broken === undefined && fault === 'none') {
    for (const node of nodes) if (!node.lease.holds()) broken = `${node.name} got no lease in the period without faults`;
    for (const [key, state] of known)
      if (state === 'withdrawing' && documents.get(key)?.deleted === false) broken = `${key} was not withdrawn`;
  }
  return { broken, answered, byTime, checks };
}

/** Returns a seeded generator of numbers from 0 to below 1. Source: mulberry32, in the public domain. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
