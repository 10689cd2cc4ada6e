/** The transparency log of one server: its gate, its appender and their parts (Decision 0028). */
import type { LeaseClock } from '#access/lease-parts.ts';
import type { Part } from '#core/part.ts';
import type { Vault } from '#core/vault.ts';
import type { Store } from '#store/store.ts';
import { trailLog } from '#store/trail/log/trail-log.ts';
import { parseVkey } from '#tlog/note-key.ts';
import { createWitnessClient } from '#tlog/witness/witness-client.ts';
import type { AppendJob, AppendOutcome } from '#trail/log/append-job.ts';
import type { ComputedAppend, NextAppend, NoAppend } from '#trail/log/next-append.ts';
import type { Log } from '../log.ts';
import type { WitnessSetting } from '../witness-setting.ts';
import { type JobLimits, newJobThreads } from './job-threads.ts';
import { repeated } from './sweeps.ts';
import { type Appender, type AppenderParts, appender } from './trail-log-appender.ts';
import { type TrailLogGate, trailLogGate } from './trail-log-gate.ts';
import { type TrailHeadNote, trailLogHead } from './trail-log-head.ts';

/** Thread that hashes records for the log, so that the core thread does not. */
export interface TrailLogThread extends Pick<AppenderParts, 'hash' | 'compute'> {
  close(): Promise<void>;
}

/** Message that names the next append. The thread reads it from the SQLite file. */
export interface ReadingJob {
  readonly file: string;
  readonly next: NextAppend;
}
export type TrailLogJob = AppendJob | ReadingJob;
export type TrailLogOutcome = AppendOutcome | ComputedAppend | NoAppend;

/** Limits of the thread. One append is in progress at a time. A step of the appender needs a few milliseconds. */
const TRAIL_LOG_LIMITS: JobLimits = { threads: 1, waitingOfKey: 2, waiting: 2, milliseconds: 60_000, heapMegabytes: 256 };

/** Creates the thread for the log. It starts at the first append. `file` is the SQLite file of the server, if it has one. */
export function newTrailLogThread(report: (line: string) => void, file?: string): TrailLogThread {
  const program = new URL('./trail-log-thread.ts', import.meta.url);
  const exceeded = () => new Error('hashing records for the trail log took too long');
  const threads = newJobThreads<TrailLogJob, TrailLogOutcome>(
    { name: 'the trail log', program, limits: TRAIL_LOG_LIMITS, exceeded },
    report,
  );
  return {
    hash: (job) => threads.run(KEY, job) as Promise<AppendOutcome>,
    compute: file === undefined ? undefined : (next) => threads.run(KEY, { file, next }) as Promise<ComputedAppend | NoAppend>,
    close: threads.close,
  };
}

/** Key of all jobs. They run one after the other. */
const KEY = 'trail log';

/** Time from the start of the server to the first append. */
const FIRST_MS = 1_000;

export interface TrailLogParts {
  readonly store: Store;
  readonly vault: Vault;
  readonly clock: LeaseClock;
  readonly region: string;
  readonly newId: () => string;
  readonly random: (bytes: number) => Uint8Array;
  readonly shared: boolean;
  /** URL of the server for clients, whose host is in the origin of a new log. */
  readonly publicUrl: string | undefined;
  readonly witnesses: readonly WitnessSetting[];
  /** Interval between two checkpoints. */
  readonly everySeconds: number;
  readonly thread: TrailLogThread;
  /** Note of the last signed head. Absent if the server has no place for it. */
  readonly note?: TrailHeadNote | undefined;
  readonly report: Log;
}

export interface ServerTrailLog {
  readonly gate: TrailLogGate;
  readonly appender: Appender;
  /** Part that compares the log with its witnesses. It comes before every part that writes records. */
  readonly gatePart: Part;
  readonly appenderPart: Part;
}

/** Host in the origin of a log if the server has no public URL. */
const NO_HOST = 'belfry.internal';

/** Creates the transparency log of a server. Nothing runs before the parts start. */
export function serverTrailLog(parts: TrailLogParts): ServerTrailLog {
  const { store, vault, clock, region, newId, report } = parts;
  const addresses = parts.witnesses.map(({ vkey, url }) => ({ url, key: parseVkey(vkey) }));
  const client = createWitnessClient({ witnesses: addresses });
  const witnesses = addresses.map(({ key }) => key.name);
  const head = trailLogHead();
  const gate = trailLogGate({ store, vault, region, now: clock.wall, newId, witnesses, client, head, report });
  const host = parts.publicUrl === undefined ? NO_HOST : new URL(parts.publicUrl).host;
  const own = appender({
    ...{ store, vault, clock, host, witnesses, client, head, report },
    id: newId(),
    shared: parts.shared,
    random: parts.random,
    note: parts.note,
    hash: parts.thread.hash,
    compute: parts.thread.compute,
    onContradiction: gate.check,
  });

  /** Loads the head that the server noted before it stopped. */
  async function loadHead(): Promise<void> {
    const stored = await store.transaction((tx) => tx.of(trailLog).current());
    const noted = parts.note?.read();
    if (noted !== undefined) head.load(noted, stored);
    else if (parts.note !== undefined && witnesses.length === 0 && stored !== undefined && stored.size > 0)
      report(
        `the trail log '${stored.origin}' continues at ${stored.size} records without a witness and without the file 'trail-head'. ` +
          'This start cannot tell whether the database was restored from a backup',
        'warning',
      );
  }

  async function work(): Promise<void> {
    try {
      // After a loss, another server may have started the next log.
      if (!gate.isOpen()) await gate.check();
      if (gate.isOpen()) await own.run();
    } catch (error) {
      report(`could not append to the trail log: ${(error as Error).message}`, 'error');
    }
  }
  const part = repeated('trail log', parts.everySeconds * 1_000, clock, work, FIRST_MS);
  return {
    gate,
    appender: own,
    gatePart: {
      name: 'witnesses of the trail log',
      async start() {
        await loadHead();
        await gate.check();
      },
    },
    appenderPart: {
      ...part,
      async stop() {
        await own.stop();
        await part.stop?.();
      },
    },
  };
}
