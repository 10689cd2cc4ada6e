/** A simulated server: the core of the product on a simulated database, clock and bus. */

import './scrypt.ts';
import crypto from 'node:crypto';
import { openVault } from '#access/vault.ts';
import type { Answer, Received } from '#core/exchange.ts';
import type { SocketOrder } from '#realtime/protocol.ts';
import type { Bus } from '#server/core/bus.ts';
import { systemClock } from '#server/core/clock.ts';
import { type Core, composeCore } from '#server/core/core.ts';
import type { NewAdministrator } from '#server/core/first-start.ts';
import type { WorkThreads } from '#server/core/work-threads.ts';
import { readSettings } from '#server/settings.ts';
import { appendJob } from '#trail/log/append-job.ts';
import type { Storage } from './storage.ts';
import type { Process, World } from './world.ts';

/** Delay before a stopped server is restarted, in milliseconds. */
const RESTART_MS = 500;
/** Length of a lease in milliseconds. Equals the default in the database schema. */
const LEASE_MS = 2_000;
const SETTINGS = readSettings([], {
  BELFRY_DATA: '/simulated',
  BELFRY_LOOKUPS_PER_SECOND: '0',
  // High limit, so that every refused request has its own record.
  BELFRY_UNPROVEN_RECORDS: '1000000',
});
const OPERATOR_KEYS = [new Uint8Array(32).fill(7)];

/** Function that receives the commands of a server for its WebSockets: open, send and close. */
export type FollowOrders = (process: Process, orders: readonly SocketOrder[]) => void;

/** Simulated network between the servers, and from the servers to the database. */
export interface Network {
  readonly hints: SimulatedHints;
  isCut(server: string): boolean;
  cut(server: string, until: number): void;
}

/**
 * Creates the network between the servers and to their database. While `lossy` returns true, hints (notifications of
 * new changes) may be late or lost.
 */
export function newNetwork(world: World, lossy: () => boolean): Network {
  const cutUntil = new Map<string, number>();
  const isCut = (server: string): boolean => (cutUntil.get(server) ?? 0) > world.time();
  return {
    isCut,
    cut: (server, until) => void cutUntil.set(server, Math.max(cutUntil.get(server) ?? 0, until)),
    hints: newHints(world, lossy, isCut),
  };
}

interface SimulatedHints {
  busOf(process: Process): Bus;
}

/** Creates the hints between servers: notifications of new changes, as PostgreSQL's LISTEN and NOTIFY deliver them. */
function newHints(world: World, lossy: () => boolean, isCut: (server: string) => boolean): SimulatedHints {
  const listeners = new Set<{ readonly process: Process; readonly topic: string; readonly listener: () => void }>();
  return {
    busOf: (process) => ({
      hint(topic) {
        for (const one of listeners) {
          if (one.topic !== topic || !one.process.isAlive()) continue;
          const own = one.process === process;
          if (!own && (isCut(process.name) || isCut(one.process.name) || (lossy() && world.random.chance(0.1)))) continue;
          world.after(own ? 0 : world.random.between(0.5, 10), one.listener, one.process);
        }
      },
      on(topic, listener) {
        const one = { process, topic, listener };
        listeners.add(one);
        return () => void listeners.delete(one);
      },
      close: async () => {},
    }),
  };
}

export interface SimulatedServer {
  readonly name: string;
  /** Returns undefined while the server is down or is starting. */
  core(): Core | undefined;
  process(): Process;
  /** Reports whether the server has a lease and reaches its database. */
  isReady(): boolean;
  /** Returns the administrator that the server created in an empty database. */
  administrator(): NewAdministrator | undefined;
  start(): void;
  crash(): void;
  /** Lines that the server reported. */
  readonly reports: string[];
}

/** Threads for work of operations and tasks. A simulated server has none. */
const noWorkThreads: WorkThreads = {
  computeFor: () => () => Promise.reject(new Error('there are no threads')),
  close: async () => {},
};

/** Creates a server that is down. */
export function newServer(world: World, name: string, storage: Storage, network: Network, follow: FollowOrders): SimulatedServer {
  const reports: string[] = [];
  let process = world.newProcess(name);
  let core: Core | undefined;
  let administrator: NewAdministrator | undefined;
  let readyUntil = 0;

  const report = (line: string): void => void reports.push(`${world.time().toFixed(1)} ${line}`);
  /** Ends the simulated process. The embedded engine calls this function if the outcome of a commit is unknown. */
  function fatal(error: unknown): void {
    if (storage.engine === 'postgres') world.violate(`${name} stopped: ${error}`);
    report(`stopped: ${error}`);
    crash();
    world.after(RESTART_MS, start);
  }

  async function open(): Promise<Core> {
    const own = process;
    const { store, registry } = await storage.open(process, { isCut: () => network.isCut(name), fatal });
    const ring = { keys: () => OPERATOR_KEYS, addNewest() {}, forgetOlder() {} };
    return composeCore({
      openTarget: () => ({ put: () => Promise.reject(new Error('there is no other network')) }),
      settings: SETTINGS,
      recording: true,
      store,
      registry,
      leaseMilliseconds: LEASE_MS,
      bus: network.hints.busOf(process),
      ring,
      vault: openVault(ring.keys),
      clock: systemClock,
      newId: () => crypto.randomUUID(),
      random: (bytes) => crypto.randomBytes(bytes),
      serverName: name,
      fetchJson: () => Promise.reject(new Error('there is no other network')),
      lookUpTxt: async () => 'failed',
      analysisThreads: { run: () => Promise.reject(new Error('there are no threads')), ...noWorkThreads },
      samlThreads: { run: () => Promise.reject(new Error('there are no threads')), close: async () => {} },
      generationThreads: noWorkThreads,
      trailLogThread: { hash: appendJob, close: async () => {} },
      firstStartFiles: {
        mayCreateAccount: () => true,
        writeProfile: (created) => void (administrator = created),
        end() {},
      },
      listenForControl: async () => ({ close() {} }),
      follow: (orders) => follow(own, orders),
      readyForMs: (milliseconds) => void (readyUntil = world.time() + milliseconds),
      report,
    });
  }

  function start(): void {
    const own = process;
    const again = (error: unknown): void => {
      report(`did not start: ${(error as Error).message}`);
      world.after(100, start, own);
    };
    own.run(() => {
      open()
        .then((opened) => {
          opened.listening({ https: 'https://localhost:7443' });
          return opened.start().then(() => void (core = opened));
        })
        .catch(again);
    });
  }

  function crash(): void {
    core = undefined;
    readyUntil = 0;
    process.kill();
    process = world.newProcess(name);
  }

  return {
    name,
    reports,
    core: () => core,
    process: () => process,
    isReady: () => core !== undefined && readyUntil > world.time(),
    administrator: () => administrator,
    start,
    crash,
  };
}

/** Response to a request, or `none` if there was no response. */
export type Response = Answer | 'none';

/**
 * Sends a request to a server. Resolves to `none` if the server is down, crashes or does not respond in time.
 *
 * `socket` is set for an upgrade request. It is the number of the WebSocket that opens if the request succeeds.
 */
export function send(world: World, server: SimulatedServer, received: Received, timeoutMs: number, socket?: number): Promise<Response> {
  const core = server.core();
  const process = server.process();
  return new Promise((resolve) => {
    if (core === undefined) return resolve('none');
    process.onKill(() => resolve('none'));
    world.after(timeoutMs, () => resolve('none'));
    process.run(() => {
      core.answer({ received, ...(socket !== undefined && { socket }) }).then(
        (answer) => {
          resolve(answer);
          if (answer.status === 101 && socket !== undefined)
            world.after(world.random.between(0.5, 20), () => core.receiveNews({ opened: socket }), process);
        },
        (error: unknown) => world.violate(`${server.name} rejected a request: ${error}`),
      );
    });
  });
}
