/** Times of the phases of a request, for traces. */
import type { LeaseClock } from '#access/lease-parts.ts';
import type { Instant } from '#core/instant.ts';

/** `authorize` contains the wait for the transaction. `commit` contains the trail record. */
export const PHASES = ['authorize', 'handle', 'commit'] as const;
export type PhaseName = (typeof PHASES)[number];

/** Facts of a request for its trace, without names of resources. Plain data that can be sent between threads. */
export interface RequestTrace {
  readonly service: string;
  readonly operation: string;
  readonly accountId?: string;
  readonly region?: string;
  readonly errorCode?: string;
  readonly receivedAt: Instant;
  /** Time at which the core began, and milliseconds from then to the end of each phase that ended. */
  readonly beganAt: Instant;
  readonly ends: Readonly<Partial<Record<PhaseName, number>>>;
  readonly elapsedMs: number;
}

/** Times of one request. */
export interface Phases {
  readonly beganAt: Instant;
  /** Records the end of a phase. If the transaction runs again, the last end counts. */
  end(phase: PhaseName): void;
  ends(): RequestTrace['ends'];
  elapsedMs(): number;
}

/** Starts to measure a request. */
export function newPhases({ wall, monotonic }: LeaseClock): Phases {
  const began = monotonic();
  const ends: Partial<Record<PhaseName, number>> = {};
  return {
    beganAt: wall(),
    end(phase) {
      ends[phase] = monotonic() - began;
    },
    ends: () => ends,
    elapsedMs: () => monotonic() - began,
  };
}
