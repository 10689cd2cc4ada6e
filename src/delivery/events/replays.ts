/** Source of the events of replays. It runs on the server that routes events, so that it knows how many wait. */
import type { Instant } from '#core/instant.ts';
import { replaySteps } from '#services/events/replay-steps.ts';
import type { Source } from '../outgoing/sources.ts';

/** Interval between two looks for replays. */
const EVERY_MS = 1_000;

/** Creates the source. `monotonic` returns milliseconds on a monotonic clock. */
export function replays(parts: { readonly now: () => Instant; readonly monotonic: () => number }): Source {
  const { now, monotonic } = parts;
  const advance = replaySteps();
  let nextAt = 0;
  return {
    name: 'replays',
    async step(transaction) {
      if (monotonic() < nextAt) return 'done';
      const result = await transaction((tx) => advance({ tx, now: now() }));
      if (result === 'done') nextAt = monotonic() + EVERY_MS;
      return result;
    },
  };
}
