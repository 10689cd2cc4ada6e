/** Work that adds outgoing messages on the server that has the turn. */
import type { LeaseClock } from '#access/lease-parts.ts';
import { type Transact, TurnLost } from '../holder.ts';

/** Work that adds messages, such as the event router. */
export interface Source {
  readonly name: string;
  /** Runs one step of the work in transactions of the turn. Returns 'more' if another step is due at once. */
  readonly step: (transaction: Transact) => Promise<'more' | 'done'>;
}

/** Returns a source whose code is loaded with its first step. */
export function lazySource(name: string, load: () => Promise<Source>): Source {
  let loaded: Promise<Source> | undefined;
  return { name, step: async (transaction) => await (await (loaded ??= load())).step(transaction) };
}

/** Time for which a source that failed does not run. */
const PAUSE_MS = 5_000;

/**
 * Returns the function that runs a step of each source. A source that fails pauses, and the others continue.
 *
 * The function rejects with `TurnLost` if another server has the turn.
 */
export function sourceRunner(parts: {
  readonly sources: readonly Source[];
  readonly clock: Pick<LeaseClock, 'monotonic'>;
  readonly report: (line: string) => void;
}): (transaction: Transact) => Promise<'more' | 'done'> {
  const { sources, clock, report } = parts;
  const pausedUntil = new Map<Source, number>();
  return async (transaction) => {
    let result: 'more' | 'done' = 'done';
    for (const source of sources) {
      if ((pausedUntil.get(source) ?? 0) > clock.monotonic()) continue;
      try {
        if ((await source.step(transaction)) === 'more') result = 'more';
      } catch (error) {
        if (error instanceof TurnLost) throw error;
        report(`${source.name} failed: ${(error as Error).message}`);
        pausedUntil.set(source, clock.monotonic() + PAUSE_MS);
      }
    }
    return result;
  };
}
