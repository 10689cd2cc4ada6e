import { arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { tagValues } from '../chime/tags.ts';
import type { Access, Caller } from '../kit/operation.ts';
import { meetings } from './tables/meetings.ts';

/** `arn:aws:chime:us-east-1:111122223333:meeting/<id>`. Ids are in lower case, so that a policy on one meeting means it however it is spelt. */
export function meetingArn({ region, accountId }: Pick<Caller, 'region' | 'accountId'>, meetingId: string): string {
  return arn('chime', region, accountId, `meeting/${meetingId}`);
}

/** An id as it is kept: the model's GuidString lets capitals through. */
export function guid(given: string): string {
  return given.toLowerCase();
}

/**
 * Asks for an action on one meeting. Requirement CHM-3; in the classic profile on `*`, without tags (CHM-1, TAG-2).
 *
 * Assumed: Start- and StopMeetingTranscription too, to which the service authorization reference gives no resource type:
 * so a statement that denies them on one meeting is heard.
 */
export function onMeeting(caller: Caller, action: Access['action'], givenMeetingId: string): Access {
  if (caller.profile === 'classic') return { action, resources: ['*'] };
  const meetingId = guid(givenMeetingId);
  return { action, resources: [meetingArn(caller, meetingId)], resourceTags: async (tx) => [await tagsOf(tx, caller, meetingId)] };
}

/** The id in the ARN of a meeting that could be in the caller's account and region; undefined for every other ARN. */
export function meetingIdOf(caller: Pick<Caller, 'region' | 'accountId'>, resourceArn: string): string | undefined {
  const prefix = meetingArn(caller, '');
  return resourceArn.startsWith(prefix) ? resourceArn.slice(prefix.length) : undefined;
}

/** Every meeting ends after it. */
const BEGINNING = instant(0);

/** Tags decide about a meeting until it is removed: one that has ended answers NotFoundException to whom they allow. */
async function tagsOf(tx: Tx, { accountId, region }: Caller, meetingId: string): Promise<Readonly<Record<string, string>> | undefined> {
  return tagValues((await tx.of(meetings).get(accountId, region, meetingId, BEGINNING))?.tags);
}
