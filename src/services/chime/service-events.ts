import { serviceEventRow } from '#trail/service-event.ts';
import type { Work } from '../kit/events.ts';
import type { Where } from './app-instances.ts';

const CHIME = 'chime.amazonaws.com';

/**
 * Records an action of Chime itself in an account, such as the deletion of an expired resource. Requirement LOG-5.
 *
 * Writes: the trail event, in the transaction of the action.
 */
export async function recordServiceEvent(
  { tx, now, newId }: Work,
  { accountId, region }: Where,
  eventName: string,
  details: Readonly<Record<string, unknown>>,
  resource: string,
): Promise<void> {
  const facts = { accountId, region, now, eventId: newId(), eventName, eventSource: CHIME, invokedBy: CHIME };
  await tx.trail.append(serviceEventRow({ ...facts, details, resources: [resource] }));
}
