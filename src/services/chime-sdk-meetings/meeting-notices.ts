import { arn } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { NotificationsConfiguration } from '#model/generated/chime-sdk-meetings.ts';
import { chimeEvent, chimeEventText } from '../chime-kit/bus-events.ts';
import type { MeetingEvent } from '../chime-kit/events.ts';
import type { BusEvent } from '../kit/bus-event.ts';
import { subscription, type Work } from '../kit/events.ts';
import { laneOf, type OutgoingTarget, outgoing } from '../kit/outgoing.ts';

/** Service principal that sends notifications of meetings. Requirement CD-2. */
const SERVICE = 'meetings.chime.amazonaws.com';
/**
 * Attempts and time in which the server tries to send a notification.
 *
 * Assumed: the defaults of EventBridge.
 */
const ATTEMPTS = 185;
const WITHIN_MS = DAY_MS;

/**
 * Tells the event bus of the account, and the targets of the meeting, what happened in a meeting.
 *
 * Emits: BusEvent.
 * Writes: one outgoing message for each target of the meeting. A target receives the same text as the targets of rules.
 * Source: Chime SDK Developer Guide, "Understanding Amazon Chime SDK events", "Meeting event notifications": SQS, SNS and Lambda receive the
 * event of EventBridge. Requirements LOG-20 to LOG-23, CD-2.
 */
export const tellOfMeeting = subscription<MeetingEvent>()(
  [
    'MeetingStarted',
    'MeetingEnded',
    'AttendeeAdded',
    'AttendeeDeleted',
    'AttendeeCapabilitiesUpdated',
    'TranscriptionStarted',
    'TranscriptionStopped',
  ],
  async (work, event) => {
    const facts = chimeEvent(event, 'meeting', detailOf(work, event));
    await work.emit<BusEvent>({ type: 'BusEvent', ...facts });
    if (event.notifications === undefined) return;
    const body = chimeEventText(work, facts);
    for (const target of targetsOf(event.notifications)) await send(work, event, target, body);
  },
);

function detailOf({ now }: Work, event: MeetingEvent): Readonly<Record<string, unknown>> {
  const { meetingId, externalMeetingId, mediaRegion } = event;
  const { attendeeId, externalUserId } = 'attendeeId' in event ? event : {};
  const detail = {
    eventType: `chime:${event.type}`,
    timestamp: now,
    meetingId,
    attendeeId,
    externalUserId,
    externalMeetingId,
    mediaRegion,
  };
  if (event.type !== 'AttendeeCapabilitiesUpdated') return omitUndefined(detail);
  const { Audio, Video, Content } = event.capabilities;
  return { ...detail, success: '1', attendeeCapabilities: { audio: Audio, video: Video, content: Content } };
}

type NoticeTarget = Extract<OutgoingTarget, { readonly kind: 'sqs' | 'sns' | 'lambda' }>;

function targetsOf({ SqsQueueArn, SnsTopicArn, LambdaFunctionArn }: NotificationsConfiguration): readonly NoticeTarget[] {
  return [
    ...(SqsQueueArn === undefined ? [] : [{ kind: 'sqs' as const, arn: SqsQueueArn }]),
    ...(SnsTopicArn === undefined ? [] : [{ kind: 'sns' as const, arn: SnsTopicArn }]),
    ...(LambdaFunctionArn === undefined ? [] : [{ kind: 'lambda' as const, arn: LambdaFunctionArn }]),
  ];
}

async function send(work: Work, { accountId, region }: MeetingEvent, target: NoticeTarget, body: string) {
  const { tx, now } = work;
  await tx.of(outgoing).add({
    id: work.newId(),
    accountId,
    region,
    lane: laneOf(target.arn),
    ordered: false,
    target,
    sender: { service: SERVICE, sourceArn: arn('chime', '', accountId, '*'), sourceAccount: accountId },
    body,
    createdAt: now,
    maximumAttempts: ATTEMPTS,
    expiresAt: instant(now + WITHIN_MS),
  });
}
