/** Deletion of trail records that are older than the retention of their account, in the background (Decision 0024). */
import type { LeaseClock } from '#access/lease-parts.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import type { Part } from '#core/part.ts';
import { positionAt, timeOf } from '#store/engine/position.ts';
import type { Tx } from '#store/store.ts';
import { type PackPlace, trailRetention } from '#store/trail/trail-retention.ts';
import { LATEST_MS } from '#store/trail/trail-search.ts';
import { advance, type DonePlaces, type RetentionParts, type RetentionRun } from './retention-phases.ts';
import { repeated } from './sweeps.ts';

/** Interval between two checks whether a run is due, and time from the start of the server to the first check. */
const CHECK_EVERY_MS = 60_000;
const FIRST_CHECK_MS = 1_000;
/** Interval between the starts of two runs. Look-ups never return records past their retention, so a late run costs only space. */
const RUN_EVERY_MS = DAY_MS;
/** Time after the last step of a server at which another server continues its run. */
const HOLDER_MS = 60_000;
/** Maximum number of different retentions on one database. A run reads each pack once for each retention. */
export const DIFFERENT_DAYS_MAX = 8;

/** Shortest and longest pause between two steps. In between, a pause is four times as long as the step. */
const PAUSE = { minMs: 20, maxMs: 1_000, factor: 4 } as const;

export interface Retention {
  /** Runs one step in one transaction. Returns 'done' if the run has ended, no run is due, or another server has the run. */
  step(): Promise<'more' | 'done'>;
  /** Runs all steps, with a pause after each, until the run ends or `stop` is called. */
  run(): Promise<void>;
  /** Ends `run` after its current step. */
  stop(): void;
}

const VERIFY = "Run 'belfry trail verify'";

/** Name of the state in the table `meta`. */
const STATE = 'trail-retention';

/** State of the deletion, shared by all servers on the database. */
interface RetentionState {
  /** Server that has the run, and the time until which no other server continues the run. */
  readonly holder?: { readonly id: string; readonly until: number };
  /** Earliest start of the next run. */
  readonly nextAt: number;
  /** True if a retention has changed since the run started. The next run then starts immediately. */
  readonly again?: true;
  readonly run?: RetentionRun;
  readonly done: DonePlaces;
}

async function readState(tx: Tx): Promise<RetentionState> {
  const text = await tx.meta.get(STATE);
  return text === undefined ? { nextAt: 0, done: {} } : (JSON.parse(text) as RetentionState);
}

function writeState(tx: Tx, state: RetentionState): Promise<void> {
  return tx.meta.put(STATE, JSON.stringify(state));
}

/**
 * Starts a run soon, which reads the packs from the oldest one on for a retention. Call it in the transaction that gives
 * an account this retention, or the retention of the settings (`default`).
 */
export async function scanAgain(tx: Tx, days: number | 'default'): Promise<void> {
  const state = await readState(tx);
  const { [String(days)]: _, ...done } = state.done;
  await writeState(tx, { ...state, done, nextAt: 0, again: true });
}

/** Creates the deletion of old records of one server. Nothing runs before `step` or `run`. */
export function retention(parts: RetentionParts): Retention {
  const { store, clock } = parts;
  const id = parts.newId();
  let stopped = false;
  let endPause = (): void => {};

  function pause(elapsedMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(Math.min(PAUSE.maxMs, Math.max(PAUSE.minMs, PAUSE.factor * elapsedMs)), resolve);
      endPause = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Whether this run has reported altered packs, and the number of those that it found since. */
  const reported = { isFirst: true, later: 0 };

  /** Reports the first altered packs of a run at once, and the others at its end. */
  function reportAltered(altered: readonly PackPlace[], isEnd: boolean): void {
    const [first] = altered;
    if (first !== undefined && reported.isFirst) {
      const what = `expired records of ${isoSeconds(timeOf(first.position))} or later were altered`;
      parts.report(
        `the trail was changed: ${what}, so they are not deleted and remain as evidence (rows: ${altered.length}). ${VERIFY}`,
        'error',
      );
      reported.isFirst = false;
    } else reported.later += altered.length;
    if (!isEnd) return;
    if (reported.later > 0)
      parts.report(
        `the trail was changed: more expired records were altered and remain as evidence (rows: ${reported.later}). ${VERIFY}`,
        'error',
      );
    Object.assign(reported, { isFirst: true, later: 0 });
  }

  async function step(): Promise<'more' | 'done'> {
    const { outcome, altered = [] } = await store.transaction((tx) => oneStep(tx, id, parts));
    reportAltered(altered, outcome === 'done');
    return outcome;
  }

  return {
    step,
    async run() {
      while (!stopped) {
        const began = clock.monotonic();
        if ((await step()) === 'done') return;
        if (!stopped) await pause(clock.monotonic() - began);
      }
    },
    stop() {
      stopped = true;
      endPause();
    },
  };
}

/** Creates the part that checks every minute whether a run is due, and runs it. */
export function retentionPart(own: Retention, clock: LeaseClock, report: (line: string) => void): Part {
  const work = (): Promise<void> =>
    own.run().catch((error: unknown) => report(`deletion of old trail records failed: ${(error as Error).message}`));
  const part = repeated('trail retention', CHECK_EVERY_MS, clock, work, FIRST_CHECK_MS);
  return {
    ...part,
    async stop() {
      own.stop();
      await part.stop?.();
    },
  };
}

/** Reports whether a stored time has not come. A time further ahead than `max` was stored while a clock was wrong, so it does not count. */
function isAhead(at: number, now: Instant, max: number): boolean {
  return at > now && at <= now + max;
}

/** Runs one step, and stores the state after it in the same transaction. */
async function oneStep(
  tx: Tx,
  id: string,
  parts: RetentionParts,
): Promise<{ readonly outcome: 'more' | 'done'; readonly altered?: readonly PackPlace[] | undefined }> {
  const state = await readState(tx);
  const now = parts.clock.wall();
  if (state.holder !== undefined && state.holder.id !== id && isAhead(state.holder.until, now, 2 * HOLDER_MS)) return { outcome: 'done' };
  const begun = state.run === undefined ? await beginRun(tx, state, parts.defaultDays, now) : state;
  if (begun?.run === undefined) return { outcome: 'done' };
  const { run, done, altered } = await advance(tx, begun.run, begun.done, parts);
  const { again, ...kept } = begun;
  if (run === undefined) {
    await writeState(tx, { nextAt: again ? 0 : begun.run.startedAt + RUN_EVERY_MS, done });
    return { outcome: again ? 'more' : 'done', altered };
  }
  await writeState(tx, { ...kept, ...(again && { again }), run, done, holder: { id, until: now + HOLDER_MS } });
  return { outcome: 'more', altered };
}

/** Returns the state with a new run, or `undefined` if no run is due or there is nothing to delete. */
async function beginRun(tx: Tx, { nextAt, done }: RetentionState, defaultDays: number, now: Instant): Promise<RetentionState | undefined> {
  if (isAhead(nextAt, now, RUN_EVERY_MS)) return undefined;
  const repository = tx.of(trailRetention);
  const own = await repository.differentDays(DIFFERENT_DAYS_MAX);
  const scans = [['default', defaultDays] as const, ...own.map((days) => [String(days), days] as const)].map(([name, days]) => ({
    name,
    days,
    before: positionAt(now - days * DAY_MS - LATEST_MS),
  }));
  const before = Math.max(...scans.map((scan) => scan.before));
  const oldest = await repository.oldestPosition();
  if ((oldest === undefined || oldest >= before) && !(await repository.hasDeletions())) return undefined;
  // A scan continues where the last one of the same retention ended. If the setting has changed, it begins again.
  const kept = scans.flatMap(({ name, days }) => (done[name]?.days === days ? [[name, done[name]] as const] : []));
  return {
    nextAt,
    done: Object.fromEntries(kept),
    run: {
      startedAt: now,
      phase: 'holds',
      holdsAfter: '',
      scans: scans.map(({ name, before: end }) => ({ name, before: end })),
      before,
      indexAfter: -1,
    },
  };
}
