/**
 * Figures of the core for metrics. The core counts all the time, which costs little, and reads the database only if the main thread requests
 * figures. Owns no names of metrics: see `server/metrics`.
 */
import type { Lease } from '#access/lease.ts';
import type { LeaseClock } from '#access/lease-parts.ts';
import { oldestUndelivered } from '#delivery/delivery-lag.ts';
import type { Deliveries } from '#delivery/outgoing/delivery-counters.ts';
import type { Decision, OverLimit } from '#policy/decision.ts';
import type { Losses } from '#services/kit/losses.ts';
import { outgoingDepth } from '#services/kit/outgoing-depth.ts';
import type { Store, Tx } from '#store/store.ts';
import { alteredPacks } from '#store/trail/trail-altered.ts';
import { type TrailSize, trailSize } from '#store/trail/trail-size.ts';
import { type ThreadFigures, threadFigures } from '../thread-figures.ts';
import type { DurationFigures, Durations } from './durations.ts';
import type { RequestCounts, RequestFigures } from './request-counts.ts';

/** Results of authorizations, in the words of IAM's policy simulator. `limit`: the evaluation exceeded its steps. */
export const DECISIONS = ['allowed', 'explicitDeny', 'implicitDeny', 'limit'] as const;
export type DecisionName = (typeof DECISIONS)[number];

/** Plain data that can be sent between threads. */
export interface CoreFigures {
  readonly requests: readonly RequestFigures[];
  /** Number of authorizations by result, in the order of `DECISIONS`. */
  readonly decisions: readonly number[];
  /** Whether the server may authorize with its copy of identity. `ageMs` is absent if it may not. */
  readonly lease: { readonly held: boolean; readonly ageMs?: number };
  readonly trailWritable: boolean;
  readonly deliveries: Deliveries;
  /** Number of items that were lost, in the order of `LOSSY_DELIVERIES`. */
  readonly losses: readonly number[];
  /** Absent on PostgreSQL, which syncs its own log. */
  readonly syncs?: DurationFigures;
  /** Absent if the database did not answer in time. */
  readonly stored?: StoredFigures;
  readonly thread: ThreadFigures;
}

/** Figures that are read from the database. */
export interface StoredFigures {
  readonly trail: TrailSize;
  /** Number of rows of expired records that someone altered. */
  readonly alteredRows: number;
  readonly deliveryLagMs: number;
  readonly outgoing: { readonly messages: number; readonly oldestAgeMs: number };
}

export interface FigureParts {
  readonly store: Pick<Store, 'transaction'>;
  readonly clock: LeaseClock;
  readonly lease: Pick<Lease, 'holdsForMs'>;
  readonly leaseMilliseconds: number;
  readonly isTrailWritable: () => boolean;
  readonly deliveries: Deliveries;
  readonly losses: Losses;
  readonly requests: RequestCounts;
  readonly decisions: DecisionCounts;
  readonly syncs: Durations | undefined;
}

/** Time for which the core waits for the database. */
const DATABASE_WITHIN_MS = 2_000;

/** Counts of authorizations by result. */
export interface DecisionCounts {
  count(decision: Decision | OverLimit): void;
  figures(): readonly number[];
}

/** Creates the counts of authorizations. */
export function newDecisionCounts(): DecisionCounts {
  const counts = new Float64Array(DECISIONS.length);
  return {
    count(decision) {
      const place = decision.effect === 'Allow' ? 0 : decision.kind === 'explicit' ? 1 : decision.kind === 'implicit' ? 2 : 3;
      counts[place]! += 1;
    },
    figures: () => [...counts],
  };
}

/** Creates the function that returns the figures of the core. It never rejects. */
export function coreFigures(parts: FigureParts): () => Promise<CoreFigures> {
  const { store, clock, lease, leaseMilliseconds } = parts;
  const thread = threadFigures();

  async function storedFigures(): Promise<StoredFigures | undefined> {
    const isLate = Promise.withResolvers<undefined>();
    const cancel = clock.after(DATABASE_WITHIN_MS, () => isLate.resolve(undefined));
    const read = store.transaction((tx) => readStored(tx, clock.wall()), { name: 'figures', readOnly: true });
    return await Promise.race([read.catch(() => undefined), isLate.promise]).finally(cancel);
  }

  return async () => {
    const stored = await storedFigures();
    const holdsForMs = lease.holdsForMs();
    const held = holdsForMs > 0;
    // Without other servers, the lease has no end.
    const ageMs = Number.isFinite(holdsForMs) ? Math.max(0, leaseMilliseconds - holdsForMs) : 0;
    return {
      requests: parts.requests.figures(),
      decisions: parts.decisions.figures(),
      lease: held ? { held, ageMs } : { held },
      trailWritable: parts.isTrailWritable(),
      deliveries: { ...parts.deliveries },
      losses: parts.losses.figures(),
      ...(parts.syncs !== undefined && { syncs: parts.syncs.figures() }),
      ...(stored !== undefined && { stored }),
      thread: thread(),
    };
  };
}

async function readStored({ sql }: Pick<Tx, 'sql'>, now: number): Promise<StoredFigures> {
  const outgoing = await outgoingDepth(sql);
  const undelivered = await oldestUndelivered(sql);
  const ageOf = (time: number | undefined): number => (time === undefined ? 0 : Math.max(0, now - time));
  return {
    trail: await trailSize(sql),
    alteredRows: await alteredPacks(sql),
    deliveryLagMs: ageOf(undelivered),
    outgoing: { messages: outgoing.messages, oldestAgeMs: ageOf(outgoing.oldestAt) },
  };
}
