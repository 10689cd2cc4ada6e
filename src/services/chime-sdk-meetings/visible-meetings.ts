/** Separation of the meetings of the older service `chime` from those of Chime SDK meetings. */
import type { Instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import type { Caller } from '../kit/operation.ts';
import { type MeetingRecord, meetings } from './tables/meetings.ts';

/** Member of a stored request that marks a meeting of the older service `chime`. */
export interface LegacyMark {
  readonly Legacy?: true;
}

/**
 * Returns a meeting of the caller's account and region that has not ended at `now`. Pass the ID in lower case.
 *
 * A meeting of the older service `chime` is visible only to the operations of this service, and other meetings are not visible to them.
 *
 * Source: security.md §16: a meeting made on one host is not visible on the other.
 */
export async function findMeeting(
  tx: Tx,
  { accountId, region, legacy }: Pick<Caller, 'accountId' | 'region' | 'legacy'>,
  meetingId: string,
  now: Instant,
): Promise<MeetingRecord | undefined> {
  const record = await tx.of(meetings).get(accountId, region, meetingId, now);
  return record !== undefined && isLegacy(record) === (legacy === true) ? record : undefined;
}

/** Reports whether a meeting belongs to the older service `chime`. */
export function isLegacy({ document }: Pick<MeetingRecord, 'document'>): boolean {
  return document.includes('"Legacy":true') && (JSON.parse(document) as LegacyMark).Legacy === true;
}
