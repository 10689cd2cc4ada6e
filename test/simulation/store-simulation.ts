/**
 * A seeded simulation of the PostgreSQL engine: servers on one simulated database, concurrent callers that write the same rows, and faults.
 *
 * Faults are conflicts, failed commits, lost connections, late statements, and servers that crash and start again.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openOnPool } from '#store/engine/postgres.ts';
import type { Store } from '#store/store.ts';
import { randomOf } from '../kit/random.ts';
import { newDatabase, type SimulatedDatabase } from './database.ts';
import { type FaultRates, NO_FAULTS } from './database-backends.ts';
import { type Answered, auditStore, type StoreOutcome } from './store-audit.ts';
import { generateStoreCalls, prepareRegisters, Refused, recordRefusal, runStoreCall, type StoreCall } from './store-calls.ts';
import { type Process, runWorld, type World } from './world.ts';

export interface StoreRun {
  /** The first violated guarantee. */
  readonly violation: string | undefined;
  readonly outcomes: Readonly<Record<StoreOutcome, number>>;
  /** Responses, in order of arrival. The same seed gives the same list. */
  readonly history: readonly string[];
}

/** Default number of calls in a run. */
export const STORE_CALLS = 60;
const SERVERS = 2;
const CONNECTIONS = 3;
const TIMEOUT_MS = 1_000;
/** Time at which callers begin, in milliseconds since the start of the run. An empty database takes all migrations before. */
const BEGIN_MS = 4_000;
/** Time at which all calls must have ended, in milliseconds since the start of the run. */
const END_MS = 60_000;

interface Server {
  readonly name: string;
  process: Process;
  store: Store | undefined;
}

/** Runs the simulation of a seed, with only the first `count` calls. */
export async function simulateStore(seed: number, count = STORE_CALLS): Promise<StoreRun> {
  const calls = generateStoreCalls(seed, count, SERVERS);
  const answers: Answered[] = [];
  const history: string[] = [];
  let database: SimulatedDatabase | undefined;
  const prepared = await template();
  try {
    const world = await runWorld(seed, END_MS, (world) => {
      const empty = randomOf(seed, 'start').chance(0.1);
      database = newDatabase(world, empty ? undefined : prepared);
      drive(world, database, calls, (answered) => {
        answers.push(answered);
        history.push(`${world.time().toFixed(3)} ${answered.call.index} ${answered.outcome} ${answered.value ?? ''}`);
      });
    });
    if (database !== undefined && world.violation() === undefined) database.checkReturned();
    const violation = world.violation() ?? (database && auditStore(database, answers));
    const outcomes = { acknowledged: 0, refused: 0, failed: 0, unknown: 0 };
    for (const { outcome } of answers) outcomes[outcome]++;
    return { violation, outcomes, history };
  } finally {
    database?.close();
  }
}

/** Starts the servers, the callers and the faults. */
function drive(world: World, database: SimulatedDatabase, calls: readonly StoreCall[], answer: (answered: Answered) => void): void {
  const servers = Array.from({ length: SERVERS }, (_, i): Server => {
    const name = `server${i}`;
    return { name, process: world.newProcess(name), store: undefined };
  });
  for (const server of servers) start(world, database, server);

  const last = BEGIN_MS + (calls.at(-1)?.at ?? 0);
  world.at(BEGIN_MS, () => {
    for (const server of servers) if (server.store === undefined) world.violate(`${server.name} did not start`);
    database.setFaults(faultsOf(world.seed));
  });
  world.at(last + TIMEOUT_MS, () => database.setFaults(NO_FAULTS));
  for (const call of calls) world.at(BEGIN_MS + call.at, () => send(world, servers[call.server] as Server, call, answer));

  const nemesis = randomOf(world.seed, 'crashes');
  if (nemesis.chance(0.5)) return;
  for (let when = nemesis.between(0, 600); when < 1_200; when += nemesis.between(50, 1_200)) {
    const server = nemesis.pick(servers);
    const back = nemesis.between(1, 300);
    world.at(BEGIN_MS + when, () => {
      if (server.store === undefined) return;
      server.process.kill();
      server.store = undefined;
      server.process = world.newProcess(server.name);
      world.after(back, () => start(world, database, server));
    });
  }
}

/** Returns the rates of faults for a seed. A few seeds have many faults, and some have none. */
function faultsOf(seed: number): FaultRates {
  const random = randomOf(seed, 'rates');
  const rate = (): number =>
    random.weighted([
      [2, 0],
      [3, 0.01],
      [1, 0.06],
    ]);
  return { conflict: rate(), conflictAtCommit: rate() * 2, lost: rate(), terminated: rate(), late: rate() / 2, refused: rate() };
}

function start(world: World, database: SimulatedDatabase, server: Server): void {
  const { process } = server;
  process.run(() => {
    const pool = database.openPool(process, { connections: CONNECTIONS, timeoutMilliseconds: TIMEOUT_MS });
    const fatal = (error: unknown): void => world.violate(`${server.name} stopped: ${error}`);
    openOnPool(pool, { fatal }).then(
      async (store) => {
        if (world.time() < BEGIN_MS) await prepareRegisters(store);
        server.store = store;
      },
      // A fault prevented the start, so the server tries again.
      () => world.after(50, () => start(world, database, server), process),
    );
  });
}

/** Sends a call. Its outcome is unknown if the server crashes. */
function send(world: World, { process, store }: Server, call: StoreCall, answer: (answered: Answered) => void): void {
  if (store === undefined) return;
  let open = true;
  const settle = (answered: Omit<Answered, 'call'>): void => {
    if (open) answer({ call, ...answered });
    open = false;
  };
  process.onKill(() => settle({ outcome: 'unknown' }));
  process.run(() => {
    runStoreCall(store, call).then(
      (value) => settle({ outcome: 'acknowledged', value }),
      (error: unknown) => {
        if ((error as { readonly code?: unknown }).code === '40001') world.violate(`a conflict reached the caller of call ${call.index}`);
        if (!(error instanceof Refused)) return settle({ outcome: isUnknown(error, call) ? 'unknown' : 'failed' });
        // If the refusal cannot be recorded, the caller receives a failure.
        recordRefusal(store, call).then(
          () => settle({ outcome: 'refused' }),
          () => settle({ outcome: 'failed' }),
        );
      },
    );
  });
}

/**
 * Reports whether a call that returned an error may be committed. Calls of the kinds `sum`, `look` and `record` write
 * only a trail record, with a single statement. This statement may be committed even if the client receives an error.
 */
function isUnknown(error: unknown, { kind }: StoreCall): boolean {
  return /may be committed/.test(String(error)) || kind === 'sum' || kind === 'look' || kind === 'record';
}

let file: Promise<string> | undefined;

/** Creates a database with the schema, once per process. The runs of most seeds start with a copy of this database. */
function template(): Promise<string> {
  file ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), 'belfry-simulation-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'template');
    await runWorld(0, BEGIN_MS, (world) => {
      const database = newDatabase(world);
      const owner = world.newProcess('template');
      owner.run(() => {
        const pool = database.openPool(owner, { connections: 1, timeoutMilliseconds: TIMEOUT_MS });
        void openOnPool(pool, {}).then(() => {
          database.copyTo(path);
          database.close();
        });
      });
    });
    return path;
  })();
  return file;
}
