/** The service-linked role of transcription: the meetings that use it, and the role session of a started transcription. */
import { arn } from '#core/arn.ts';
import type { MeetingEvent } from '../chime-kit/events.ts';
import { assumeLinkedRole } from '../iam/assume-linked-role.ts';
import { subscription } from '../kit/events.ts';
import type { LinkedRole } from '../kit/service.ts';
import { meetings } from './tables/meetings.ts';

const SERVICE = 'transcription.chime.amazonaws.com';

/** Service-linked role of transcription. A meeting uses the role while it is transcribed. */
export const TRANSCRIPTION_ROLE: LinkedRole = {
  principal: SERVICE,
  usedBy: async ({ tx, now }, accountId, limit) =>
    (await tx.of(meetings).transcribed(accountId, now, limit)).map(({ region, meetingId }) => ({
      region,
      arn: arn('chime', region, accountId, `meeting/${meetingId}`),
    })),
};

/** Assumes the role when a transcription starts. Requirements SLR-10, ROLE-16. */
export const assumeTranscriptionRole = subscription<MeetingEvent>()(['TranscriptionStarted'], (work, event) =>
  assumeLinkedRole(work, event, SERVICE, event.meetingId),
);
