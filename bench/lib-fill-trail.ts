import { randomUUID } from 'node:crypto';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { Store } from '#store/store.ts';

/** Number of records that one transaction writes. */
const BATCH = 500;
/** Interval of records with the event name `Rare`, in records. */
const RARE = 1_000;
/** Number of records of each session's access key. They are spread over the whole trail. */
const SESSION_RECORDS = 100;
/** Approximate number of characters of a record. */
const DOCUMENT = 1_000;
/** Interval of the records whose event IDs `fillTrail` returns. */
const SAMPLED = 500;

/** Writes `count` records of an account into the trail. Returns some of their event IDs. */
export async function fillTrail(store: Store, accountId: AccountId, count: number): Promise<readonly string[]> {
  const sessions = Math.ceil(count / SESSION_RECORDS);
  const eventIds: string[] = [];
  for (let from = 0; from < count; from += BATCH) {
    await store.transaction(async ({ trail }) => {
      for (let i = from; i < from + BATCH; i++) {
        const eventId = randomUUID();
        if (i % SAMPLED === 0) eventIds.push(eventId);
        await trail.append({
          eventId,
          accountId,
          region: 'us-east-1',
          at: instant(Date.now()),
          eventName: i % RARE === 0 ? 'Rare' : 'CreateMeeting',
          eventSource: 'chime.amazonaws.com',
          readOnly: false,
          userName: `user-${i % 100}`,
          accessKeyId: `ASIA${i % sessions}`,
          resources: [{ type: 'AWS::Chime::Meeting', name: eventId }],
          document: JSON.stringify({ eventID: eventId, padding: 'p'.repeat(DOCUMENT) }),
        });
      }
    });
  }
  return eventIds;
}
