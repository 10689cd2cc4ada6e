import { arn, parseArn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import { instant } from '#core/instant.ts';
import type { Tag } from '#model/generated/chime-sdk-meetings.ts';
import type { TagRecord } from '#store/identity.ts';
import type { Tx } from '#store/store.ts';
import type { Access, Caller } from '../operation.ts';

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

/**
 * Asks for the making of a meeting, and where it is made with tags, for tagging it.
 *
 * Source: denials of CreateMeeting name `meeting/*` (security.md CHM-3).
 * Assumed: tags at creation need chime:TagResource on the same pattern (TAG-5).
 */
export function onNewMeeting(caller: Caller, action: Access['action'], tags: readonly Tag[] | undefined): readonly Access[] {
  if (caller.profile === 'classic') return [{ action, resources: ['*'] }];
  const resources = [meetingArn(caller, '*')];
  if (tags === undefined || tags.length === 0) return [{ action, resources }];
  const context = requestTags(tags);
  return [
    { action, resources, context },
    { action: 'chime:TagResource', resources, context },
  ];
}

/**
 * Asks for an action on the resource of an ARN as the caller gave it: the decision is on exactly what will be looked for.
 *
 * @throws BadRequestException it is no ARN
 */
export function onArn(caller: Caller, action: Access['action'], resourceArn: string, context?: ConditionContext): Access {
  if (parseArn(resourceArn) === undefined) throw new AwsError('BadRequestException', `Invalid resource ARN: ${resourceArn}`);
  if (caller.profile === 'classic') return { action, resources: ['*'] };
  const meetingId = meetingIdOf(caller, resourceArn);
  return {
    action,
    resources: [resourceArn],
    ...(context && { context }),
    ...(meetingId !== undefined && { resourceTags: async (tx: Tx) => [await tagsOf(tx, caller, meetingId)] }),
  };
}

/** The id in the ARN of a meeting that could be in the caller's account and region; undefined for every other ARN. */
export function meetingIdOf(caller: Pick<Caller, 'region' | 'accountId'>, resourceArn: string): string | undefined {
  const prefix = meetingArn(caller, '');
  return resourceArn.startsWith(prefix) ? resourceArn.slice(prefix.length) : undefined;
}

/** `aws:RequestTag/…` and `aws:TagKeys` of tags that are given. */
export function requestTags(tags: readonly Tag[]): ConditionContext {
  return new Map<string, string | readonly string[]>([
    ['aws:tagkeys', tags.map(({ Key }) => Key)],
    ...tags.map(({ Key, Value }) => [`aws:requesttag/${Key.toLowerCase()}`, Value] as const),
  ]);
}

/** `aws:TagKeys` of tags that are taken away. */
export function requestTagKeys(keys: readonly string[]): ConditionContext {
  return new Map([['aws:tagkeys', keys]]);
}

/** Every meeting ends after it. */
const BEGINNING = instant(0);

/** Tags decide about a meeting until it is removed: one that has ended answers NotFoundException to whom they allow. */
async function tagsOf(tx: Tx, { accountId, region }: Caller, meetingId: string): Promise<Readonly<Record<string, string>> | undefined> {
  const meeting = await tx.meetings.get(accountId, region, meetingId, BEGINNING);
  return meeting && Object.fromEntries(meeting.tags.map(({ key, value }: TagRecord) => [key, value]));
}
