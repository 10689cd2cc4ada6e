import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { Store } from '#store/store.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';

/** Number of records that one transaction writes. */
export const BATCH = 500;
/** One of this many records has the event name `Rare`. */
const RARE = 1_000;
/** Number of records that each session's access key has. The records of a key are spread over the whole trail. */
const SESSION_RECORDS = 100;
/** Approximate number of characters of a record. */
const DOCUMENT = 1_000;
const PADDING = 'p'.repeat(DOCUMENT);
/** `fillTrail` returns the event ID of one in this many records. */
const SAMPLED = 500;

/** Records to write. */
export interface Filling {
  readonly accounts: AccountId | readonly AccountId[];
  readonly count: number;
  /** Returns the event ID of a record. Default: a random one. */
  readonly eventIdOf?: (index: number) => string;
  /** Clock. Default: the system's. */
  readonly now?: () => number;
}

/** Returns the records in batches of one transaction each, and collects some of their event IDs. */
export function* batches({ accounts, count, eventIdOf = () => randomUUID(), now = Date.now }: Filling, eventIds: string[]) {
  const sessions = Math.ceil(count / SESSION_RECORDS);
  const turns = typeof accounts === 'string' ? [accounts] : accounts;
  for (let from = 0; from < count; from += BATCH) {
    const batch: TrailRow[] = [];
    for (let i = from; i < from + BATCH; i++) {
      const eventId = eventIdOf(i);
      if (i % SAMPLED === 0) eventIds.push(eventId);
      batch.push({
        eventId,
        accountId: turns[i % turns.length] as AccountId,
        region: 'us-east-1',
        at: instant(now()),
        eventName: i % RARE === 0 ? 'Rare' : 'CreateMeeting',
        eventSource: 'chime.amazonaws.com',
        readOnly: false,
        userName: `user-${i % 100}`,
        accessKeyId: `ASIA${i % sessions}`,
        resources: [{ type: 'AWS::Chime::Meeting', name: eventId }],
        document: `{"eventID":"${eventId}","padding":"${PADDING}"}`,
      });
    }
    yield batch;
  }
}

/** Writes records through a store into the trail, as a server does. Returns some of their event IDs. */
export async function fillTrail(
  store: Store,
  accounts: AccountId | readonly AccountId[],
  count: number,
  more: Partial<Filling> = {},
): Promise<readonly string[]> {
  const eventIds: string[] = [];
  for (const batch of batches({ accounts, count, ...more }, eventIds)) {
    await store.transaction(async ({ trail }) => {
      for (const row of batch) await trail.append(row);
    });
  }
  return eventIds;
}

/** Records of a trail without a full run: the tail, which look-ups search without an index. */
const COUNT_TAIL = `
  SELECT COUNT(*) AS count FROM trail_pack WHERE position > (SELECT COALESCE(MAX(last_position), 0) FROM trail_run)`;
/** Longest wait for the index. */
const INDEXED_WITHIN_MS = 10 * 60_000;
/** Interval without progress after which the index is complete. */
const COMPLETE_AFTER_MS = 5_000;

/** Waits until all records have an index, except the few that fill no run. */
export async function untilIndexed(store: Store): Promise<void> {
  const ends = Date.now() + INDEXED_WITHIN_MS;
  let state = '';
  for (let since = Date.now(); Date.now() < ends && Date.now() - since < COMPLETE_AFTER_MS; await delay(200)) {
    const now = JSON.stringify([await tail(store), await levels(store)]);
    if (now !== state) since = Date.now();
    state = now;
  }
}

/** Returns the number of packs without an index. */
export async function tail(store: Store): Promise<number> {
  const [row] = await store.transaction(({ sql }) => sql.rows<{ readonly count: number }>(COUNT_TAIL));
  return row?.count ?? 0;
}

/** Returns the number of runs of each level. */
export async function levels(store: Store): Promise<readonly { readonly level: number; readonly count: number }[]> {
  return store.transaction(({ sql }) => sql.rows('SELECT level, COUNT(*) AS count FROM trail_run GROUP BY level ORDER BY level'));
}
