/**
 * The clock, the order of events and the randomness of one simulated run.
 *
 * While `runWorld` runs, it replaces the timers, the clocks and the random functions of Node for code that runs inside
 * the world. The server's code therefore runs unchanged. Code outside the world, such as the test runner, keeps the
 * functions of Node.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { type Random, randomOf } from '../kit/random.ts';
import { eventQueue } from './event-queue.ts';

/** Process of a simulated server. A restart creates another process. */
export interface Process {
  readonly name: string;
  isAlive(): boolean;
  /** Runs `work` as this process. Timers that `work` sets end with the process. */
  run<T>(work: () => T): T;
  /** Ends the process between two events, as SIGKILL does. */
  kill(): void;
  onKill(fn: () => void): void;
  /** Delays all events of the process until a point in time, as SIGSTOP and SIGCONT do. */
  freeze(until: number): void;
}

export interface World {
  readonly seed: number;
  /** Random generator for the order of events and for faults. Other purposes use separate generators. */
  readonly random: Random;
  /** Milliseconds since the run began. */
  time(): number;
  /**
   * Runs `event` at a point in time. If that time has passed, `event` runs without a delay. Drops the event if
   * `process` is dead by then.
   */
  at(when: number, event: () => void, process?: Process): void;
  after(milliseconds: number, event: () => void, process?: Process): void;
  newProcess(name: string): Process;
  /** Reports a violated guarantee. The run ends after this event. Later violations are ignored. */
  violate(what: string): void;
  violation(): string | undefined;
  /** Ends the run after this event. */
  end(): void;
}

interface Event {
  readonly run: () => void;
  readonly process: Killable | undefined;
}

interface Killable extends Process {
  frozenUntil(): number;
}

/** Wall clock at the start of a run. */
const EPOCH = Date.UTC(2026, 10, 22, 12);

const turn = setImmediate;
const current = new AsyncLocalStorage<{ readonly world: World; readonly process: Killable | undefined }>();

/**
 * Runs an event of the current process after a random simulated time. Outside of a simulation, returns false and runs nothing.
 */
export function afterInWorld(low: number, high: number, event: () => void): boolean {
  const inside = current.getStore();
  inside?.world.after(inside.world.random.between(low, high), event, inside.process);
  return inside !== undefined;
}

/**
 * Runs `main` and all events until none is left, `end` has passed, or a guarantee is violated.
 *
 * All promises that an event resolves run their callbacks before the next event. Work in other threads is not simulated.
 */
export async function runWorld(seed: number, end: number, main: (world: World) => void): Promise<World> {
  const queue = eventQueue<Event>();
  const random = randomOf(seed, 'schedule');
  let ended = false;
  let time = 0;
  let violation: string | undefined;

  const world: World = {
    seed,
    random,
    time: () => time,
    at(when, run, process) {
      queue.add(Math.max(when, time), { run, process: process as Killable | undefined });
    },
    after: (milliseconds, run, process) => world.at(time + Math.max(milliseconds, 0), run, process),
    newProcess: (name) => newProcess(world, name),
    violate: (what) => void (violation ??= `at ${time.toFixed(1)} ms: ${what}`),
    violation: () => violation,
    end: () => void (ended = true),
  };

  const restore = replaceGlobals(seed);
  try {
    current.run({ world, process: undefined }, main, world);
    for (;;) {
      await new Promise((resolve) => turn(resolve));
      const event = queue.take();
      if (event === undefined || event.at > end || ended || violation !== undefined) return world;
      time = event.at;
      const { process, run } = event;
      if (process !== undefined && !process.isAlive()) continue;
      if (process !== undefined && process.frozenUntil() > time) world.at(process.frozenUntil(), run, process);
      else current.run({ world, process }, run);
    }
  } finally {
    restore();
  }
}

function newProcess(world: World, name: string): Killable {
  const killed: (() => void)[] = [];
  let alive = true;
  let frozenUntil = 0;
  const process: Killable = {
    name,
    isAlive: () => alive,
    frozenUntil: () => frozenUntil,
    run: (work) => current.run({ world, process }, work),
    kill() {
      if (!alive) return;
      alive = false;
      for (const fn of killed) fn();
    },
    onKill: (fn) => void killed.push(fn),
    freeze: (until) => void (frozenUntil = Math.max(frozenUntil, until)),
  };
  return process;
}

/** Simulated timer. It has the methods of Node's `Timeout` that the product uses. */
class Timer {
  isActive = true;
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

/** Replaces the functions that read time, set timers or return random numbers. Returns a function that restores them. */
function replaceGlobals(seed: number): () => void {
  const ids = randomOf(seed, 'ids');
  const bytes = (size: number): Buffer => Buffer.from(ids.bytes(size));
  const inside = <F extends (...args: never[]) => unknown>(original: F, simulated: (...args: Parameters<F>) => unknown): F =>
    ((...args: Parameters<F>) => (current.getStore() === undefined ? original(...args) : simulated(...args))) as F;
  const world = (): World => (current.getStore() as { readonly world: World }).world;

  function start(fn: (...args: unknown[]) => void, milliseconds: number, args: readonly unknown[], repeat: boolean): Timer {
    const timer = new Timer();
    const { world, process } = current.getStore() as { readonly world: World; readonly process: Killable | undefined };
    const schedule = (): void =>
      world.after(
        milliseconds,
        () => {
          if (!timer.isActive) return;
          timer.isActive = repeat;
          if (repeat) schedule();
          fn(...args);
        },
        process,
      );
    schedule();
    return timer;
  }
  const stopping =
    (original: (timer: never) => void) =>
    (timer: unknown): void => {
      if (timer instanceof Timer) timer.isActive = false;
      else original(timer as never);
    };

  type Callback = (...args: unknown[]) => void;
  const { now } = Date;
  const { random } = Math;
  const { now: performanceNow } = performance;
  const { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate } = globalThis;
  const { randomBytes, randomUUID, randomInt } = crypto;
  Object.assign(globalThis, {
    setTimeout: inside(setTimeout, ((fn: Callback, ms = 1, ...args: unknown[]) => start(fn, Math.max(ms, 1), args, false)) as never),
    setInterval: inside(setInterval, ((fn: Callback, ms = 1, ...args: unknown[]) => start(fn, Math.max(ms, 1), args, true)) as never),
    setImmediate: inside(setImmediate, ((fn: Callback, ...args: unknown[]) => start(fn, 0, args, false)) as never),
    clearTimeout: stopping(clearTimeout),
    clearInterval: stopping(clearInterval),
    clearImmediate: stopping(clearImmediate),
  });
  Date.now = inside(now, () => Math.trunc(EPOCH + world().time()));
  Math.random = inside(random, () => ids.next());
  performance.now = inside(
    () => performanceNow.call(performance),
    () => world().time(),
  );
  Object.assign(crypto, {
    randomBytes: inside(randomBytes as (size: number) => Buffer, bytes),
    randomUUID: inside(randomUUID, () => uuidOf(bytes(16)) as never),
    randomInt: inside(randomInt as (min: number, max: number) => number, (min, max) => min + ids.integer(max - min)),
  });
  syncBuiltinESMExports();

  return () => {
    Object.assign(globalThis, { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate });
    Date.now = now;
    Math.random = random;
    performance.now = performanceNow;
    Object.assign(crypto, { randomBytes, randomUUID, randomInt });
    syncBuiltinESMExports();
  };
}

/** Formats 16 bytes as a UUID of version 4. */
function uuidOf(bytes: Buffer): string {
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
