/**
 * Appends trail records to the transparency log, signs checkpoints and sends them to witnesses (Decision 0028). One server at a time is
 * the appender of a database.
 */
import { HOUR_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { type TrailLogRow, type TrailLogState, trailLog } from '#store/trail/log/trail-log.ts';
import type { TileReader } from '#tlog/merkle.ts';
import type { AppendJob, AppendOutcome } from '#trail/log/append-job.ts';
import { firstOrigin, newLog } from '#trail/log/log-key.ts';
import { type ComputedAppend, type NextAppend, type NoAppend, readAppend } from '#trail/log/next-append.ts';
import { type CheckpointParts, trailLogCheckpoints } from './trail-log-checkpoints.ts';
import { writerRounds } from './trail-log-writers.ts';

/** Time after its last renewal at which another server becomes the appender. Safety does not depend on it, but on the fencing number. */
const HOLD_MS = 30_000;
/** Longest time that counts. A later time was stored while a clock was wrong, and must not stop the log until then. */
const HELD_MAX_MS = HOUR_MS;
/** Pause between two steps. It is at least as long as the step before, so that requests run in between. */
const PAUSE_MIN_MS = 5;

export interface AppenderParts extends CheckpointParts {
  /** ID of this server as appender. */
  readonly id: string;
  /** Whether other servers can use the same database. */
  readonly shared: boolean;
  /** Host in the origin of the first log. */
  readonly host: string;
  readonly random: (bytes: number) => Uint8Array;
  /** Hashes an append off the core thread. */
  readonly hash: (job: AppendJob) => Promise<AppendOutcome>;
  /** Reads and hashes the next append off the core thread. Absent if only the core thread can read the database. */
  readonly compute?: ((next: NextAppend) => Promise<ComputedAppend | NoAppend>) | undefined;
}

type StepOutcome = 'more' | 'done' | 'lost' | 'changed';

export interface Appender {
  /** Appends all committed records in steps, then signs a checkpoint and sends it to the witnesses. Does nothing on another server than the appender. */
  run(): Promise<void>;
  /**
   * Appends some of the committed records. Resolves after the commit is durable. Returns 'lost' if another server is the
   * appender, 'changed' if the stored tree is not the one that this server stored, and 'more' if records remain.
   */
  step(log: TrailLogRow): Promise<StepOutcome>;
  /**
   * Makes this server the appender. Creates the log of a new database. Returns `undefined` if another server is the appender, or
   * if the stored tree was changed.
   */
  hold(): Promise<TrailLogRow | undefined>;
  /** Ends `run` after its current step, and lets another server become the appender. */
  stop(): Promise<void>;
}

/** Creates the appender of one server. Nothing runs before a call. */
export function appender(parts: AppenderParts): Appender {
  const { store, vault, clock, id, head, report } = parts;
  const { checkpoint } = trailLogCheckpoints(parts);
  const writers = writerRounds();
  let held: TrailLogRow | undefined;
  let isStopped = false;
  let endPause = (): void => {};

  async function hold(): Promise<TrailLogRow | undefined> {
    const found = await store.transaction(take);
    held = found === 'changed' ? undefined : found;
    if (held !== undefined) head.set(held, held);
    if (found === 'changed') await parts.onContradiction();
    return held;
  }

  /** Reports whether the stored tree differs from the head in memory. */
  async function isChanged(tx: Tx, log: TrailLogRow | undefined): Promise<boolean> {
    const read: TileReader = (level, index) => tx.of(trailLog).tile(log?.epoch ?? 0, level, index);
    return (await head.differenceOf(log, read)) !== undefined;
  }

  async function take(tx: Tx): Promise<TrailLogRow | 'changed' | undefined> {
    const logs = tx.of(trailLog);
    const now = clock.wall();
    let log = await logs.current();
    if (await isChanged(tx, log)) return 'changed';
    if (log === undefined) {
      const created = newLog(firstOrigin(parts.host, parts.random), vault, now);
      log = created.row;
      if ((await logs.create(log, created.tiles, created.signed)) === 'exists') return undefined;
    }
    const heldUntil = instant(now + HOLD_MS);
    if (log.holder === id && held?.epoch === log.epoch && held.fence === log.fence) {
      if (parts.shared && log.heldUntil - now < HOLD_MS / 2) await logs.renew(log, heldUntil);
      return log;
    }
    if (parts.shared && log.holder !== '' && log.heldUntil > now && log.heldUntil <= now + HELD_MAX_MS) return undefined;
    if ((await logs.take(log, id, heldUntil)) === 'lost') return undefined;
    return { ...log, fence: log.fence + 1, holder: id, heldUntil };
  }

  /** Reads the next append on this thread, and hashes it off the thread. */
  async function computeHere(next: NextAppend): Promise<ComputedAppend | NoAppend> {
    const found = await store.transaction((tx) =>
      readAppend({ logs: tx.of(trailLog), chainSince: (...place) => tx.trail.chainSince(...place) }, next),
    );
    if (typeof found === 'string') return found;
    const { job, round } = found;
    return job === undefined ? { round } : { round, append: { before: job.head, outcome: await parts.hash(job) } };
  }

  async function step(log: TrailLogRow): Promise<StepOutcome> {
    const { epoch, fence } = log;
    const computed = await (parts.compute ?? computeHere)({ epoch, fence, known: head.known(), turn: writers.turn() });
    if (typeof computed === 'string') return computed;
    if (computed.append === undefined) return writers.passed(computed.round);
    const { before, outcome } = computed.append;
    const { tiles, ranges, places, faults, ...after } = outcome;
    if (places.length > 0) {
      // If the transaction fails, it may still have been committed. Then both heads are valid.
      head.set(log, before, after);
      // Records are committed for good and have fixed numbers, so they can be read in an earlier transaction.
      const append = { epoch, fence, before, after, tiles, ranges, places };
      const stored = await store.transaction((tx) => tx.of(trailLog).append(append));
      head.set(log, stored === 'lost' ? before : after);
      if (stored === 'lost') return 'lost';
    }
    for (const { writer = '', reason, number } of faults) {
      writers.exclude(writer);
      const detail = `${reason} at number ${number}`;
      report(
        `the trail was changed: ${detail} of the writer '${writer}'. Run 'belfry trail verify', and keep the database as evidence`,
        'error',
      );
      await putState({ epoch, subject: `writer ${writer}`, state: 'fault', detail, at: clock.wall() });
    }
    return writers.passed(computed.round);
  }

  function putState(state: TrailLogState): Promise<void> {
    return store.transaction((tx) => tx.of(trailLog).putState(state));
  }

  function pause(elapsedMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(Math.max(PAUSE_MIN_MS, elapsedMs), resolve);
      endPause = () => {
        cancel();
        resolve();
      };
    });
  }

  return {
    hold,
    step,
    async run() {
      const log = await hold();
      if (log === undefined) return;
      for (let outcome = 'more'; outcome === 'more' && !isStopped; ) {
        const began = clock.monotonic();
        outcome = await step(log);
        if (outcome === 'changed') await parts.onContradiction();
        if (outcome === 'lost' || outcome === 'changed') return;
        if (outcome === 'more') await pause(clock.monotonic() - began);
      }
      if (!isStopped) await checkpoint(log);
    },
    async stop() {
      isStopped = true;
      endPause();
      const last = held;
      if (last !== undefined && parts.shared) await store.transaction((tx) => tx.of(trailLog).renew(last, 0 as Instant));
    },
  };
}
