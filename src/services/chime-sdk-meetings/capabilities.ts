import type { AttendeeCapabilities, MediaCapabilities, MeetingFeaturesConfiguration } from '#model/generated/chime-sdk-meetings.ts';
import { AwsError } from './errors.ts';
import type { CapabilitiesRecord } from './tables/attendees.ts';

/**
 * What a new attendee may do where the request says nothing.
 *
 * Source: Chime SDK API reference, AttendeeCapabilities: a meeting without video but with content gives video Receive, because content needs it.
 * Assumed: without a limit everything; without content, content None; without both, both None.
 */
export function defaultCapabilities(features: MeetingFeaturesConfiguration | undefined): AttendeeCapabilities {
  const contentOff = features?.Content?.MaxResolution === 'None';
  const videoOff = features?.Video?.MaxResolution === 'None';
  return {
    Audio: 'SendReceive',
    Video: videoOff ? (contentOff ? 'None' : 'Receive') : 'SendReceive',
    Content: contentOff ? 'None' : 'SendReceive',
  };
}

/**
 * Refuses what a meeting's features or the rules among capabilities rule out.
 *
 * Source: Chime SDK API reference, AttendeeCapabilities, the corner cases.
 * Assumed: the texts.
 * @throws ValidationError      video or content where the meeting has none of it
 * @throws BadRequestException  content is to be received without video
 */
export function requireCapabilities(capabilities: AttendeeCapabilities, features: MeetingFeaturesConfiguration | undefined): void {
  for (const kind of ['Video', 'Content'] as const) {
    if (features?.[kind]?.MaxResolution === 'None' && capabilities[kind] !== 'None') {
      throw new AwsError(
        'ValidationError',
        `${kind} capability ${capabilities[kind]} is not possible: the meeting's ${kind} MaxResolution is None.`,
      );
    }
  }
  if (receives(capabilities.Content) && !receives(capabilities.Video)) {
    throw new AwsError(
      'BadRequestException',
      `Content capability ${capabilities.Content} needs a Video capability of SendReceive or Receive, not ${capabilities.Video}.`,
    );
  }
}

function receives(capability: MediaCapabilities): boolean {
  return capability === 'SendReceive' || capability === 'Receive';
}

export function toCapabilitiesRecord({ Audio, Video, Content }: AttendeeCapabilities): CapabilitiesRecord {
  return { audio: Audio, video: Video, content: Content };
}

export function toCapabilities({ audio, video, content }: CapabilitiesRecord): AttendeeCapabilities {
  return { Audio: audio as MediaCapabilities, Video: video as MediaCapabilities, Content: content as MediaCapabilities };
}
