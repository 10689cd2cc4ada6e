import type { Instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import type { Tell } from './deps.ts';
import { found, named } from './found.ts';
import { meetings } from './tables/meetings.ts';

/** Removed in one transaction: it holds up others for as long as it takes. */
const SWEPT_AT_ONCE = 100;

/**
 * Removes meetings that have ended by themselves, and tells that they have. No read finds them before either: this gives back their space.
 * Resolves to how many there were; call again while it is `SWEPT_AT_ONCE`, then in a minute or so.
 */
export async function sweepEndedMeetings(tx: Tx, now: Instant, tell?: Tell): Promise<number> {
  const ended = await tx.of(meetings).removeEnded(now, SWEPT_AT_ONCE);
  for (const record of ended) await tell?.(tx, { type: 'MeetingEnded', ...named(found(record)) });
  return ended.length;
}
