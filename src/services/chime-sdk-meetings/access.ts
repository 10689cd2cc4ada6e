import { arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { tagValues } from '../chime/tags.ts';
import type { Caller, DeclaredAccess } from '../kit/operation.ts';
import { meetings } from './tables/meetings.ts';

/** Returns `arn:aws:chime:us-east-1:111122223333:meeting/<id>`. IDs are in lower case, so a policy for a meeting applies to every spelling of its ID. */
export function meetingArn({ region, accountId }: Pick<Caller, 'region' | 'accountId'>, meetingId: string): string {
  return arn('chime', region, accountId, `meeting/${meetingId}`);
}

/** Returns an ID as it is stored: in lower case. The model's GuidString also allows upper case. */
export function guid(id: string): string {
  return id.toLowerCase();
}

/**
 * Requires the operation's action on the meeting of an input. Requirement CHM-3. The classic profile requires it on `*`, without
 * tags (CHM-1, TAG-2).
 *
 * Assumed: this includes StartMeetingTranscription and StopMeetingTranscription, for which the service authorization reference lists no
 * resource type. So a statement can deny them on one meeting.
 */
export function onMeeting(input: { readonly MeetingId: string }, caller: Caller): DeclaredAccess {
  if (caller.profile === 'classic') return { resources: ['*'] };
  const meetingId = guid(input.MeetingId);
  return { resources: [meetingArn(caller, meetingId)], resourceTags: async (tx) => [await tagsOf(tx, caller, meetingId)] };
}

/** Returns the ID in the ARN of a meeting of the caller's account and region; undefined for every other ARN. */
export function meetingIdOf(caller: Pick<Caller, 'region' | 'accountId'>, resourceArn: string): string | undefined {
  const prefix = meetingArn(caller, '');
  return resourceArn.startsWith(prefix) ? resourceArn.slice(prefix.length) : undefined;
}

/** Time before the end of every meeting. */
const BEGINNING = instant(0);

/** Returns the tags of a meeting, even if it has ended and its row still exists. An allowed caller then gets NotFoundException. */
async function tagsOf(tx: Tx, { accountId, region }: Caller, meetingId: string): Promise<Readonly<Record<string, string>> | undefined> {
  return tagValues((await tx.of(meetings).get(accountId, region, meetingId, BEGINNING))?.tags);
}
