/**
 * One run of the delivery: reads each record that exists at its start once, and writes the records of each period of a trail to the target of
 * this period. A period of a trail has one configuration.
 *
 * Invariant (delivered before progress): the position of a period moves only after its target has acknowledged all files up to this
 * position. So a crash loses no record. After a crash, some records are delivered again, with the same `eventID`.
 */
import type { LeaseClock } from '#access/lease-parts.ts';
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { type TrailRecord, trails } from '#services/cloudtrail/tables/trails.ts';
import type { Store, Tx } from '#store/store.ts';
import { type DeliveringPeriod, deliveringPeriod, type OrganizationPlace, periodId } from './delivering-trail.ts';
import { type Transact, type Turns, transactionsOfTurn } from './holder.ts';
import { addPlaces, lengthOf, type RecordStep, readStep, recordsFor, type TrailRecords } from './received-records.ts';
import { deliveredFiles } from './tables/delivered-files.ts';
import { type LogTarget, TargetError } from './targets/log-target.ts';
import { putFiles, storeDelivered, storeFailure } from './trail-files.ts';

export interface DeliveryParts {
  readonly store: Store;
  readonly clock: LeaseClock;
  readonly newId: () => string;
  /** Returns unpredictable bytes. */
  readonly random: (bytes: number) => Uint8Array;
  readonly target: LogTarget;
  /** Time from the start of one run to the start of the next. */
  readonly intervalMs: number;
  readonly report: (line: string) => void;
}

/** Trails that one transaction reads or writes. */
const TRAILS = 50;

/** Total length of the records that wait for targets at which the run reads no further records, in UTF-16 code units. */
const WAITING_UNITS_MAX = 2 ** 25;
/** Time for which a step waits for targets before the trails of other targets proceed. */
const PATIENCE_MS = 1_000;

/** Circumstances of a run. */
export interface RunParts {
  readonly turn: Turns;
  readonly startedAt: Instant;
  /** Resolves when the server stops. */
  readonly stopped: Promise<void>;
  readonly isStopped: () => boolean;
}

/** Progress of a period of a trail in this run. */
interface Progress {
  readonly own: DeliveringPeriod;
  /** Position that is stored for the period. */
  stored: number;
  /** Position of the last record that was read for the period. No file is missing up to it. */
  delivered: number;
  /** Position from which the next step reads. It can be after `delivered`, but no record is between the two. */
  at: number;
  state: 'ready' | 'writing' | 'ended' | 'failed';
}

/**
 * Delivers the records of all trails. A failing or slow target delays only its trails.
 *
 * @throws Error  the store failed, or the server has lost its turn
 */
export async function deliverRecords(parts: DeliveryParts, run: RunParts): Promise<void> {
  const { store, clock } = parts;
  const { turn, startedAt, stopped, isStopped } = run;
  const transaction = transactionsOfTurn(store, turn, clock.wall);

  const places = new Map<AccountId, OrganizationPlace | undefined>();
  const unreachable = new Set<string>();
  const writing = new Map<Progress, Promise<void>>();
  let waitingUnits = 0;
  const all = await duePeriods(transaction, startedAt);

  for (;;) {
    if (isStopped()) return;
    const ready = all.filter(({ state }) => state === 'ready');
    if (ready.length === 0 && writing.size === 0) break;
    if (ready.length === 0 || waitingUnits > WAITING_UNITS_MAX) {
      await Promise.race([stopped, ...writing.values()]);
      continue;
    }
    const step = await readStep(transaction, ready, startedAt);
    const cohort = ready.filter(({ at }) => at === step.from);
    if (cohort.some(({ own }) => own.configuration.IsOrganizationTrail)) await addPlaces(transaction, places, step, cohort);
    for (const progress of cohort) deliverStep(progress, step);
    await soon(Promise.all(cohort.map((progress) => writing.get(progress))));
  }
  await storeEnds();

  /** Waits for writes, but not long. */
  async function soon(writes: Promise<unknown>): Promise<void> {
    const { promise: isLate, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(PATIENCE_MS, resolve);
    await Promise.race([stopped, writes, isLate]);
    cancel();
  }

  /** Starts to write the records of a step that a trail receives in a period. */
  function deliverStep(progress: Progress, step: RecordStep): void {
    const records = recordsFor(progress.own, step, places);
    progress.state = 'writing';
    progress.at = step.next;
    if (records.rows.length === 0) {
      progress.delivered = step.position;
      progress.state = step.ended ? 'ended' : 'ready';
      return;
    }
    const units = lengthOf(records.rows);
    waitingUnits += units;
    const work = writeStep(progress, step, records).finally(() => {
      waitingUnits -= units;
      writing.delete(progress);
    });
    writing.set(progress, work);
  }

  async function writeStep(progress: Progress, step: RecordStep, records: TrailRecords): Promise<void> {
    const { own } = progress;
    const bucket = own.configuration.S3BucketName;
    try {
      if (unreachable.has(bucket)) throw new TargetError(undefined, 'the target did not respond before');
      const files = await putFiles(own, records, parts);
      if (isStopped()) return;
      const place = { from: progress.stored, position: step.position };
      if ((await transaction((tx) => storeDelivered(tx, own, place, files, parts.newId))) === 'lost') {
        progress.state = 'failed';
        return;
      }
      progress.stored = progress.delivered = step.position;
      progress.state = step.ended ? 'ended' : 'ready';
    } catch (error) {
      progress.state = 'failed';
      if (isStopped()) return;
      await failed(own, records, error).catch((problem: unknown) => report(own, problem));
    }
  }

  async function failed(own: DeliveringPeriod, { rows }: TrailRecords, error: unknown): Promise<void> {
    report(own, error);
    if (!(error instanceof TargetError)) return;
    if (error.code === undefined) unreachable.add(own.configuration.S3BucketName);
    const regions = [...new Set(rows.map(({ region }) => region))];
    const [byte = 0] = parts.random(1);
    const failure = { code: error.code, regions, now: clock.wall(), fraction: byte / 256, eventId: parts.newId() };
    if ((await transaction((tx) => storeFailure(tx, own, failure))) !== 'abandoned') return;
    const { arn, configuration } = own;
    parts.report(`abandoned the remaining log files of trail '${arn}' for '${configuration.S3BucketName}': its target failed for too long`);
  }

  function report({ arn, configuration }: DeliveringPeriod, error: unknown): void {
    parts.report(`could not deliver log files of trail '${arn}' to '${configuration.S3BucketName}': ${(error as Error).message}`);
  }

  /** Stores how far periods are delivered for which nothing was written last, and which of them are complete. */
  async function storeEnds(): Promise<void> {
    const ended = all.filter(({ state }) => state === 'ended');
    for (let i = 0; i < ended.length; i += TRAILS) {
      await transaction(async (tx) => {
        for (const { own, stored, delivered } of ended.slice(i, i + TRAILS))
          await storeDelivered(tx, own, { from: stored, position: delivered, readAt: startedAt }, [], parts.newId);
      });
    }
  }
}

/** Reads the periods of pending trails that do not wait after a failure. */
async function duePeriods(transaction: Transact, startedAt: Instant): Promise<readonly Progress[]> {
  const due: Progress[] = [];
  for (let after = ''; ; ) {
    const last = after;
    const page = await transaction(async (tx) => {
      const found: { readonly trailId: string; readonly due: readonly Progress[] | 'later' }[] = [];
      for (const trail of await tx.of(trails).pending(last, TRAILS)) {
        // The selectors of several periods can be large, so a transaction of their own reads them.
        const isLarge = trail.periods.some(({ former }) => former !== undefined);
        found.push({ trailId: trail.trailId, due: isLarge ? 'later' : await dueOfTrail(tx, trail, startedAt) });
      }
      return found;
    });
    for (const { trailId, due: found } of page) {
      due.push(...(found === 'later' ? await transaction((tx) => dueOfStored(tx, trailId, startedAt)) : found));
    }
    if (page.length < TRAILS) return due;
    after = page.at(-1)?.trailId as string;
  }
}

/** Reads a trail again, because a request can have changed its settings in the meantime. */
async function dueOfStored(tx: Tx, trailId: string, startedAt: Instant): Promise<readonly Progress[]> {
  const trail = await tx.of(trails).byId(trailId);
  return trail === undefined ? [] : await dueOfTrail(tx, trail, startedAt);
}

async function dueOfTrail(tx: Tx, trail: TrailRecord, startedAt: Instant): Promise<readonly Progress[]> {
  const { trailId } = trail;
  const due: Progress[] = [];
  for (const period of trail.periods) {
    const retry = await tx.of(deliveredFiles).retry(trailId, periodId(period));
    if (retry !== undefined && retry.retryAt > startedAt) continue;
    const own = deliveringPeriod(trail, period, await tx.of(trails).selectorsOf(trailId, period));
    const { deliveredPosition: at } = period;
    due.push({ own, stored: at, delivered: at, at, state: 'ready' });
  }
  return due;
}
