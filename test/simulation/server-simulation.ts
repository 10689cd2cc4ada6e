/**
 * A seeded simulation of whole servers: two servers on one PostgreSQL database, or one server with the embedded engine.
 *
 * Callers send signed requests, sign in and open messaging sessions. Meanwhile the simulation causes faults:
 * - connections break, and commits and syncs to disk fail
 * - servers crash, freeze and restart, and the power fails
 * - the network between a server and the database fails until the server's lease expires
 *
 * A separate model (`model.ts`) decides which responses and frames are possible. At the end, an audit compares trail
 * and state with the model, and repeats all recorded decisions (`../kit/replay.ts`).
 */

import { randomOf } from '../kit/random.ts';
import { newCall, THEMES, type Theme } from './calls.ts';
import { type FaultRates, NO_FAULTS } from './database-backends.ts';
import { settle } from './facts.ts';
import { type Call, contradiction, type Model, newModel } from './model.ts';
import { type Outcome, outcomeOf, signed } from './requests.ts';
import { newNetwork, newServer, type SimulatedServer, send } from './server.ts';
import { type Answered, auditDecisions, auditRecords, auditState } from './server-audit.ts';
import { newStorage, type PreparedFixture, serverFixture } from './server-fixture.ts';
import { newSockets, type SimulatedSockets } from './sockets.ts';
import type { Engine, Storage } from './storage.ts';
import { runWorld, type World } from './world.ts';

export interface ServerRun {
  readonly violation: string | undefined;
  /** Number of calls by outcome. `frames` is the number of messages that sessions received. */
  readonly outcomes: Readonly<Record<Outcome['kind'] | 'frames', number>>;
  /** Calls with their responses, in the order of the responses. */
  readonly history: readonly string[];
}

/** Default number of calls in a run. */
export const SERVER_CALLS = 40;
const SERVERS = 2;
const BEGIN_MS = 5_000;
/** Longest time that a caller waits for a response, in milliseconds. */
const PATIENCE_MS = 20_000;
/**
 * Longest time, in milliseconds, from the last fault until every call has ended and every server has recovered.
 * A starting server first reads all identity records (users, roles, policies). It waits up to a minute for each read.
 */
const RECOVERY_MS = 90_000;
const END_MS = 600_000;
/** Longest time until messaging sessions have received all events, in milliseconds. */
const SESSIONS_MS = 2_500;

/** Runs the simulation of a seed, with only the first `count` calls. */
export async function simulateServers(seed: number, count = SERVER_CALLS): Promise<ServerRun> {
  const engine: Engine = randomOf(seed, 'engine').chance(0.25) ? 'sqlite' : 'postgres';
  const fixture = await serverFixture(engine);
  const model = newModel(fixture);
  const answers: Answered[] = [];
  const history: string[] = [];
  let database: Storage | undefined;
  let sockets: SimulatedSockets | undefined;
  try {
    const world = await runWorld(seed, END_MS, (world) => {
      database = newStorage(engine, world, fixture.template);
      sockets = newSockets(world, model);
      drive(world, {
        theme: randomOf(seed, 'theme').pick(THEMES),
        model,
        fixture,
        database,
        sockets,
        count,
        answers,
        history,
        underWay: 0,
      });
    });
    const found = world.violation() ?? (world.time() >= END_MS - 1 ? 'the audit did not end' : undefined);
    const violation = found ?? (database && (await auditDecisions(database)));
    const outcomes = { done: 0, refused: 0, unknown: 0, frames: sockets?.messages() ?? 0 };
    for (const { outcome } of answers) outcomes[outcome.kind]++;
    return { violation, outcomes, history };
  } finally {
    database?.close();
  }
}

interface Run {
  readonly theme: Theme;
  readonly model: Model;
  readonly fixture: PreparedFixture;
  readonly database: Storage;
  readonly sockets: SimulatedSockets;
  readonly count: number;
  readonly answers: Answered[];
  readonly history: string[];
  /** Number of calls that wait for a response. */
  underWay: number;
}

/** Starts the servers, the callers and the faults, and then the audit. */
function drive(world: World, run: Run): void {
  const { database, count } = run;
  let storm = false;
  const network = newNetwork(world, () => storm);
  const servers = Array.from({ length: database.engine === 'postgres' ? SERVERS : 1 }, (_, i) =>
    newServer(world, `server${i}`, database, network, run.sockets.follow),
  );
  for (const server of servers) server.start();

  const workload = randomOf(world.seed, 'workload');
  let at = BEGIN_MS;
  for (let index = 0; index < count; index++) {
    at += workload.chance(0.5) ? 0 : workload.between(0, 400);
    const server = workload.pick(servers);
    world.at(at, () => begin(world, server, index, run));
  }
  world.at(BEGIN_MS, () => {
    for (const server of servers) if (server.core() === undefined) world.violate(`${server.name} did not start: ${server.reports}`);
    storm = true;
    database.setFaults(faultsOf(world.seed));
  });
  const calm = at + 1_000;
  scheduleFaults(world, servers, calm, database, (server, until) => network.cut(server.name, until));
  world.at(calm, () => {
    storm = false;
    database.setFaults(NO_FAULTS);
  });
  world.at(calm, () => auditWhenQuiet(world, servers, run, calm + RECOVERY_MS));
}

/** Waits until every call has ended and all servers are ready, and then runs the audit. */
function auditWhenQuiet(world: World, servers: readonly SimulatedServer[], run: Run, deadline: number): void {
  const { model, answers, database } = run;
  const late = servers.find((server) => !server.isReady());
  if (late === undefined && run.underWay === 0) {
    const wrong = auditRecords(database, answers);
    if (wrong !== undefined) {
      world.violate(wrong);
      return;
    }
    void auditState(world, servers, model, database).then((found) => {
      if (found !== undefined) world.violate(found);
      world.after(SESSIONS_MS, () => {
        const wrong = run.sockets.audit();
        if (wrong !== undefined) world.violate(wrong);
        world.end();
      });
    });
  } else if (world.time() > deadline) {
    world.violate(late === undefined ? 'calls did not end' : `${late.name} did not recover: ${late.reports.join('; ')}`);
  } else world.after(250, () => auditWhenQuiet(world, servers, run, deadline));
}

/** Returns the rates of database faults for a seed. Most seeds have few faults, and some have none. */
function faultsOf(seed: number): FaultRates {
  const random = randomOf(seed, 'rates');
  const rate = (): number =>
    random.weighted([
      [4, 0],
      [3, 0.002],
      [1, 0.015],
    ]);
  return { conflict: rate(), conflictAtCommit: rate() * 3, lost: rate(), terminated: rate(), late: rate() / 2, refused: rate() };
}

/** Combinations of server and network faults. Each run picks one. `FaultRates` has the faults of database statements. */
const KINDS: Readonly<Record<Engine, readonly (readonly ('crash' | 'cut' | 'freeze')[])[]>> = {
  postgres: [[], ['crash'], ['cut'], ['freeze'], ['crash', 'cut', 'freeze']],
  // The embedded database has no network that can be cut.
  sqlite: [[], ['crash'], ['crash'], ['crash', 'freeze']],
};

/** Schedules crashes, freezes and network cuts between `BEGIN_MS` and `calm`. */
function scheduleFaults(
  world: World,
  servers: readonly SimulatedServer[],
  calm: number,
  database: Storage,
  cut: (server: SimulatedServer, until: number) => void,
): void {
  const nemesis = randomOf(world.seed, 'nemesis');
  const kinds = nemesis.pick(KINDS[database.engine]);
  if (kinds.length === 0) return;
  for (let when = BEGIN_MS + nemesis.between(0, 3_000); when < calm; when += nemesis.between(300, 5_000)) {
    const [kind, server, lasts] = [nemesis.pick(kinds), nemesis.pick(servers), nemesis.between(200, 5_000)];
    const losesPower = nemesis.chance(0.5);
    world.at(when, () => {
      if (kind === 'cut') cut(server, world.time() + lasts);
      else if (kind === 'freeze') server.process().freeze(world.time() + lasts);
      else if (server.core() !== undefined) {
        server.crash();
        if (losesPower) database.cutPower();
        world.after(lasts, server.start);
      }
    });
  }
}

/** Sends a call, and reports a violation if the response is impossible. */
function begin(world: World, server: SimulatedServer, index: number, run: Run): void {
  const { model, answers, history } = run;
  const began = world.time();
  const call = newCall(model, run.theme, randomOf(world.seed, `call ${index}`), index, began);
  if (call === undefined) return;
  const received = signed(call.request, call.key?.credentials, userAgentOf(index));
  const socket = call.connects === undefined ? undefined : index;
  if (socket !== undefined) run.sockets.add(socket, call, server.process());
  run.underWay++;
  void send(world, server, received, PATIENCE_MS, socket).then((response) => {
    run.underWay--;
    const outcome = outcomeOf(response);
    const ended = world.time();
    const title = `call ${index} (${call.title}, on ${server.name}, at ${began.toFixed(1)})`;
    history.push(`${ended.toFixed(1)} ${title}: ${textOf(outcome)}`);
    if (call.unrecorded !== true) answers.push({ index, title, outcome });
    const wrong = contradiction(call, began, ended, outcome) ?? takeIn(call, outcome, ended);
    if (wrong !== undefined) world.violate(`${title} ${wrong}`);
  });
}

/** Updates the model with a response. Returns an error message if the response contradicts an earlier one. */
function takeIn({ change, onDone }: Call, outcome: Outcome, at: number): string | undefined {
  if (change !== undefined) settle(change, outcome.kind === 'done' ? 'done' : outcome.kind === 'refused' ? 'not done' : 'unknown', at);
  if (outcome.kind !== 'done') return undefined;
  try {
    onDone?.(outcome.output);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

export const userAgentOf = (index: number): string => `simulation-${index}`;

function textOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'done':
      return 'done';
    case 'refused':
      return outcome.code;
    case 'unknown':
      return `unknown (${outcome.status})`;
  }
}
