/** Acceptance of events by buses: storing them for the router, and in archives. */
import type { Instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { type BusEvent, textOfFacts } from '../kit/bus-event.ts';
import { subscription } from '../kit/events.ts';
import { DEFAULT_BUS } from './bus-names.ts';
import { busEvents } from './tables/bus-events.ts';
import { type BusKey, type BusUses, eventBuses } from './tables/event-buses.ts';

/**
 * Stores an event for the router if the bus has rules, and in the archives of the bus that select it. `event` is the complete JSON of the
 * event. While too many events wait for the buses of the account, its rules do not receive the event.
 *
 * Events of a replay are stored by `replay-steps.ts`, because archives do not receive them again.
 */
export async function storeEvent(tx: Tx, key: BusKey, uses: BusUses, event: string, now: Instant): Promise<void> {
  const { accountId, region, busName } = key;
  if (uses.rules > 0 && !uses.isFull) await tx.of(busEvents).append({ accountId, region, busName, event, at: now });
  // Loaded on first use, because the subscriber below is part of every start.
  if (uses.archives > 0) await (await import('./archive-event.ts')).archiveEvent(tx, key, event, now);
}

/**
 * Subscriber of the domain events that become events on the default bus of an account. An account without rules and archives pays one
 * read of a small row.
 */
export const busEventSubscription = subscription<BusEvent>()(['BusEvent'], async ({ tx, now, newId }, event) => {
  const { accountId, region } = event;
  const key = { accountId, region, busName: DEFAULT_BUS };
  const uses = await tx.of(eventBuses).uses(key);
  if (uses === undefined) return;
  await storeEvent(tx, key, uses, textOfFacts(newId(), now, event), now);
});
