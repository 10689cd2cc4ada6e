import { arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { tagValues } from '../chime-kit/tags.ts';
import type { Caller, DeclaredAccess } from '../kit/operation.ts';
import { findMeeting } from './visible-meetings.ts';

/**
 * Returns `arn:aws:chime:us-east-1:111122223333:meeting/<id>`. Pass the ID in lower case. Then a policy for a meeting
 * also applies to a request that contains the meeting's ID in upper case.
 */
export function meetingArn({ region, accountId }: Pick<Caller, 'region' | 'accountId'>, meetingId: string): string {
  return arn('chime', region, accountId, `meeting/${meetingId}`);
}

/** Returns an ID as it is stored: in lower case. The model's GuidString also allows upper case. */
export function guid(id: string): string {
  return id.toLowerCase();
}

/**
 * Requires the operation's action on the meeting of an input. Requirement CHM-3. In the older service `chime` (the
 * profile is 'classic'), requires the action on `*`, without tags (CHM-1, TAG-2).
 *
 * Assumed: StartMeetingTranscription and StopMeetingTranscription also require their action on the meeting, although
 * the service authorization reference lists no resource type for them. So a statement can deny them on one meeting.
 */
export function onMeeting(input: { readonly MeetingId: string }, caller: Caller): DeclaredAccess {
  if (caller.profile === 'classic') return { resources: ['*'] };
  const meetingId = guid(input.MeetingId);
  return { resources: [meetingArn(caller, meetingId)], resourceTags: async (tx) => [await tagsOf(tx, caller, meetingId)] };
}

/**
 * Returns the meeting ID in an ARN, if it is the ARN of a meeting in the caller's account and region; otherwise
 * undefined.
 */
export function meetingIdOf(caller: Pick<Caller, 'region' | 'accountId'>, resourceArn: string): string | undefined {
  const prefix = meetingArn(caller, '');
  return resourceArn.startsWith(prefix) ? resourceArn.slice(prefix.length) : undefined;
}

/** Time before the end of every meeting. A read with this time as `now` also finds meetings that have ended. */
const BEGINNING = instant(0);

/**
 * Returns the tags of a meeting. An ended meeting has tags while its row exists, so policies that test tags still apply
 * to it. A caller that such a policy allows gets NotFoundException from the operation.
 */
async function tagsOf(tx: Tx, caller: Caller, meetingId: string): Promise<Readonly<Record<string, string>> | undefined> {
  return tagValues((await findMeeting(tx, caller, meetingId, BEGINNING))?.tags);
}
