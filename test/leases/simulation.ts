/**
 * Seeded simulation of the lease. It runs the real code of a server. The seed determines time, network and database.
 *
 * - Servers are disconnected, stopped, suspended, killed, restarted and removed.
 * - Clocks run at different rates, and monotonic clocks stop during a suspension.
 * - Responses are late or lost. Notifications are late, duplicated or lost.
 * - The database fails over, which changes its epoch (the identifier of its history).
 * - Tombstones, which are records of deleted keys, are trimmed.
 */
import { ACCOUNT, type DatabaseFault, newDatabase, type SimulatedDatabase } from './simulated-database.ts';
import { begin, type Node, newBus, newNode, runOn, type Surroundings } from './simulated-node.ts';
import { newTimeline, type Timeline } from './timeline.ts';

/** Faults that the simulation can build in. A test shows that the simulation finds each fault. */
export type SimulatedFault = 'none' | 'no wait' | 'fail open' | 'a suspension is not noticed' | DatabaseFault;

/** Result of one simulation. */
export interface Run {
  /** Description of the first violation. Undefined if there is none. */
  readonly broken: string | undefined;
  /** Number of identity changes that returned. */
  readonly answered: number;
  /** Number of identity changes that had to wait until all older leases had ended. */
  readonly byTime: number;
  /** Number of times that the simulation has checked the decisions of a server with a lease. */
  readonly checks: number;
}

const LEASE = 1_000;
const SERVERS = 3;
/** Length of the period with faults, in milliseconds. */
const STORM = 12_000;
/**
 * Length of the period without faults, in milliseconds. This period follows the period with faults. All servers must
 * recover before the end of the simulation.
 */
const QUIET = 8_000;

/** Simulates one schedule: the calls and faults that the seed determines. The same seed and fault give the same result. */
export async function simulate(seed: number, fault: SimulatedFault = 'none'): Promise<Run> {
  const timeline = newTimeline(seed, STORM);
  // Half of the schedules load the identity records in small pages, so that changes and faults occur between two pages.
  const database = newDatabase(LEASE, fault as DatabaseFault, seed % 2 === 0 ? 3 : 1_000);
  let ids = 0;
  const around: Surroundings = {
    timeline,
    database,
    leaseMilliseconds: LEASE,
    suspensionsAreHidden: fault === 'a suspension is not noticed',
    newId: (name) => `${name}-${++ids}`,
    bus: newBus(timeline),
  };
  const callers = newCallers(timeline, database, fault);
  const nodes: Node[] = [];
  for (let i = 0; i < SERVERS; i++) {
    const node = newNode(`server${i}`, around);
    nodes.push(node);
    begin(node, around);
  }
  schedule({ ...around, nodes, callers });

  let broken: string | undefined;
  let checks = 0;
  while (broken === undefined && timeline.time() < STORM + QUIET && (await timeline.step())) {
    for (const node of nodes) {
      if (!node.alive || timeline.time() < node.frozenUntil) continue;
      if (!node.lease.holds() && !(fault === 'fail open' && node.snapshot.version() > 0)) continue;
      checks++;
      broken ??= callers.contradictionOf(node);
    }
  }
  if (fault === 'none') broken ??= stuckNode(nodes) ?? callers.unfinished();
  return { broken, ...callers.counts, checks };
}

/**
 * Describes a node that has no lease at the end of the simulation. The period without faults is long enough for all
 * nodes to get a lease.
 */
function stuckNode(nodes: readonly Node[]): string | undefined {
  const stuck = nodes.find(({ lease }) => !lease.holds());
  return stuck && `${stuck.name} got no lease in the period without faults`;
}

/** Callers that grant and withdraw permissions. A permission is a key in the database. */
interface Callers {
  readonly counts: { answered: number; byTime: number };
  /** Creates a key through a node. */
  grant(node: Node): void;
  /** Deletes one of the granted keys through a node. Does nothing if `node` is undefined. */
  withdraw(node: Node | undefined): void;
  /** Describes a wrong decision of a node with a lease. Returns undefined if all decisions are correct. */
  contradictionOf(node: Node): string | undefined;
  /** Describes a withdrawal that was started and never returned. Returns undefined if there is none. */
  unfinished(): string | undefined;
}

function newCallers(timeline: Timeline, database: SimulatedDatabase, fault: SimulatedFault): Callers {
  const { between, one, time } = timeline;
  const counts = { answered: 0, byTime: 0 };
  /** State of each key, as the callers know it: granted, withdrawal started, or withdrawal returned. */
  const known = new Map<string, 'granted' | 'withdrawing' | 'withdrawn'>();
  let keys = 0;

  /**
   * Writes a key and commits at once. Then the node waits until the change is in force on all servers. A transaction of
   * a real server also waits.
   */
  function write(node: Node, key: string, deleted: boolean): void {
    const committed = database.write(key, deleted);
    const { kills, lease } = node;
    // The response to the commit also takes time on the network.
    runOn(timeline, node, kills, time() + between(1, 10), () => {
      const began = time();
      const done = fault === 'no wait' ? Promise.resolve() : lease.withdrawn(committed);
      void done.then(() => {
        counts.answered++;
        if (time() - began >= LEASE) counts.byTime++;
        known.set(key, deleted ? 'withdrawn' : 'granted');
      });
    });
  }

  return {
    counts,
    grant: (node) => write(node, `key${++keys}`, false),
    withdraw(node) {
      const key = one([...known].filter(([, state]) => state === 'granted').map(([name]) => name));
      if (key === undefined || node === undefined) return;
      known.set(key, 'withdrawing');
      write(node, key, true);
    },
    contradictionOf({ name, snapshot }) {
      for (const [key, state] of known) {
        const there = snapshot.record(ACCOUNT, 'group', key) !== undefined;
        if (state === 'withdrawn' && there) return `at ${Math.round(time())} ms ${name} honors ${key} after its withdrawal`;
        if (state === 'granted' && !there) return `at ${Math.round(time())} ms ${name} does not know ${key} after it was granted`;
      }
      return undefined;
    },
    unfinished() {
      const lost = [...known].find(([key, state]) => state === 'withdrawing' && database.isDeleted(key) === false);
      return lost && `${lost[0]} was not withdrawn`;
    },
  };
}

interface Simulation extends Surroundings {
  readonly nodes: readonly Node[];
  readonly callers: Callers;
}

/**
 * Schedules calls and faults for the period with faults.
 * At the end of this period, reconnects all servers to the network.
 */
function schedule(simulation: Simulation): void {
  const { timeline, nodes } = simulation;
  const acts = actsOf(simulation);
  const weights = acts.reduce((sum, [weight]) => sum + weight, 0);
  for (let when = 300; when < STORM; when += timeline.between(5, 120)) {
    timeline.at(when, () => {
      let left = timeline.random() * weights;
      acts.find(([weight]) => (left -= weight) < 0)?.[1]();
    });
  }
  timeline.at(STORM, () => {
    for (const node of nodes) node.cut = false;
  });
}

/** Returns the calls and faults with their weights. */
function actsOf({ nodes, callers, database, timeline, ...around }: Simulation): readonly (readonly [weight: number, act: () => void])[] {
  const { at, between, one, time } = timeline;
  const restart = (node: Node): void => begin(node, { ...around, database, timeline });
  const running = (): Node | undefined => one(nodes.filter(({ alive }) => alive));
  const withRunning = (act: (node: Node) => void) => () => {
    const node = running();
    if (node !== undefined) act(node);
  };
  const withAny = (act: (node: Node) => void) => () => act(one(nodes) as Node);
  const stop = (node: Node): void => {
    node.alive = false;
    const { kills } = node;
    void node.lease.stop().finally(() => {
      if (node.kills === kills) node.kills++;
    });
    at(time() + between(1_500, 3_000), () => restart(node));
  };
  const kill = (node: Node): void => {
    node.alive = false;
    node.kills++;
    at(time() + between(50, 2_000), () => restart(node));
  };
  const cut = (node: Node): void => {
    node.cut = true;
    at(time() + between(100, 3_000), () => {
      node.cut = false;
    });
  };
  const freeze = (node: Node): void => {
    node.frozenUntil = Math.max(node.frozenUntil, time() + between(50, 2_500));
  };
  /** Suspends the machine of a node, which stops its processes and their monotonic clock. */
  const suspend = (node: Node): void => {
    if (time() < node.frozenUntil) return;
    const duration = between(50, 2_500);
    node.frozenUntil = time() + duration;
    node.forgotten += duration;
  };
  const remove = (): void => {
    const id = one(database.registeredIds());
    const node = running();
    if (id !== undefined && node !== undefined) node.lease.remove(id).catch(() => {});
  };
  return [
    [8, withRunning(callers.grant)],
    [8, () => callers.withdraw(running())],
    [3, withAny(cut)],
    [3, withAny(freeze)],
    [2, withAny(suspend)],
    [1, withRunning(kill)],
    [1, withRunning(stop)],
    [1, remove],
    [1, withRunning((node) => void node.lease.trim().catch(() => {}))],
    [1, database.failOver],
    [4, database.replicate],
  ];
}
