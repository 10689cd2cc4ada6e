/** Retention of points: for how long they are stored, and for periods of which length (Decision 0034). */
import { DAY_MS, HOUR_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Sweep } from '../kit/service.ts';
import { fromStored, merged, type Summary, toStored } from './summary.ts';
import { metrics, type PointKey, type PointRecord } from './tables/metrics.ts';

/**
 * Lengths of the stored periods in seconds, and how long each is stored. Then the points are merged into the next longer period.
 *
 * Source: CloudWatch User Guide, "Metrics concepts", metrics retention.
 */
export const RESOLUTIONS = [
  { period: 1, keptMs: 3 * HOUR_MS },
  { period: 60, keptMs: 15 * DAY_MS },
  { period: 300, keptMs: 63 * DAY_MS },
  { period: 3_600, keptMs: 455 * DAY_MS },
] as const;

/** Returns the length of the shortest period, in seconds, for which samples of a time are still available. */
export function resolutionAt(at: number, now: Instant): number {
  const age = now - at;
  return RESOLUTIONS.find(({ keptMs }) => age < keptMs)?.period ?? Number.POSITIVE_INFINITY;
}

/** Maximum number of points that one step of the sweep merges or deletes. */
const AT_ONCE = 200;

/** Creates the sweep that merges old points into longer periods, and deletes the oldest points and metrics. */
export const retentionSweep: Sweep =
  () =>
  async ({ tx, now }) => {
    const store = tx.of(metrics);
    let isMore = false;
    for (const [i, { period, keptMs }] of RESOLUTIONS.entries()) {
      const longer = RESOLUTIONS[i + 1]?.period;
      const expired = await store.expired(period, instant(beforeOf(now - keptMs, longer ?? period)), AT_ONCE);
      if (longer !== undefined) await mergeInto(store, longer, expired);
      for (const point of expired) await store.removePoint(point);
      isMore ||= expired.length === AT_ONCE;
    }
    const oldest = RESOLUTIONS[3].keptMs;
    const forgotten = await store.forget(instant(now - oldest), AT_ONCE);
    return isMore || forgotten === AT_ONCE ? 'more' : 'done';
  };

/** Returns the start of the longer period that contains a time. Only whole periods are merged. */
function beforeOf(at: number, seconds: number): number {
  return Math.floor(at / (seconds * 1_000)) * seconds * 1_000;
}

async function mergeInto(store: ReturnType<typeof metrics>, period: number, points: readonly PointRecord[]): Promise<void> {
  const groups = new Map<string, { readonly key: PointKey; readonly parts: Summary[] }>();
  const nameOf = ({ metricId, startAt, unit }: PointKey) => `${metricId} ${startAt} ${unit}`;
  for (const { metricId, startAt, unit, summary } of points) {
    const key = { metricId, startAt: instant(beforeOf(startAt, period)), period, unit };
    const group = groups.get(nameOf(key));
    if (group === undefined) groups.set(nameOf(key), { key, parts: [fromStored(summary)] });
    else group.parts.push(fromStored(summary));
  }
  const stored = await store.points([...groups.values()].map(({ key }) => key));
  for (const point of stored) groups.get(nameOf(point))?.parts.push(fromStored(point.summary));
  await store.putPoints([...groups.values()].map(({ key, parts }) => ({ ...key, summary: toStored(merged(parts)) })));
}
