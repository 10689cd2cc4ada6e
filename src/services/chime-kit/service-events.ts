import { serviceEventRow } from '#trail/service-event.ts';
import type { Work } from '../kit/events.ts';
import type { Where } from './app-instances.ts';

/** Service principal of Amazon Chime. Source: Administration Guide, "Cross-service confused deputy prevention". */
export const CHIME_PRINCIPAL = 'chime.amazonaws.com';

/**
 * Records a CloudTrail event for an action that Chime itself performs in an account, such as the deletion of an expired
 * resource. Requirement LOG-5.
 *
 * Writes: the CloudTrail event, in the transaction of the action.
 */
export async function recordServiceEvent(
  { tx, now, newId }: Pick<Work, 'tx' | 'now' | 'newId'>,
  { accountId, region }: Where,
  eventName: string,
  details: Readonly<Record<string, unknown>>,
  resource?: string,
): Promise<void> {
  const facts = { accountId, region, now, eventId: newId(), eventName, eventSource: CHIME_PRINCIPAL, invokedBy: CHIME_PRINCIPAL };
  await tx.trail.append(serviceEventRow({ ...facts, details, ...(resource !== undefined && { resources: [resource] }) }));
}
