import type { AttendeeCapabilities, MediaCapabilities, MeetingFeaturesConfiguration } from '#model/generated/chime-sdk-meetings.ts';
import { AwsError } from './errors.ts';
import type { CapabilitiesRecord } from './tables/attendees.ts';

/**
 * Returns the capabilities of a new attendee if the request has none.
 *
 * Source: Chime SDK API reference, AttendeeCapabilities: in a meeting with content and without video, the video
 * capability is `Receive`, because content requires it.
 * Assumed: (1) In a meeting with video and content, an attendee has all capabilities. (2) In a meeting without content,
 * the content capability is `None`. (3) In a meeting without video and content, the video capability is `None`.
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
 * Checks capabilities against the features of a meeting and against each other.
 *
 * Source: Chime SDK API reference, AttendeeCapabilities, the corner cases.
 * Assumed: the wording of the error messages.
 * @throws ValidationError the capabilities include video or content, which the meeting excludes
 * @throws BadRequestException the attendee would receive content without video
 */
export function requireCapabilities(capabilities: AttendeeCapabilities, features: MeetingFeaturesConfiguration | undefined): void {
  for (const kind of ['Video', 'Content'] as const) {
    if (features?.[kind]?.MaxResolution === 'None' && capabilities[kind] !== 'None') {
      throw new AwsError(
        'ValidationError',
        `Invalid ${kind} capability '${capabilities[kind]}'. It must be None, because the meeting's ${kind} MaxResolution is None.`,
      );
    }
  }
  if (receives(capabilities.Content) && !receives(capabilities.Video)) {
    throw new AwsError(
      'BadRequestException',
      `Invalid Video capability '${capabilities.Video}'. It must be SendReceive or Receive with the Content capability '${capabilities.Content}'.`,
    );
  }
}

function receives(capability: MediaCapabilities): boolean {
  return capability === 'SendReceive' || capability === 'Receive';
}

/** Returns capabilities as they are stored. */
export function toCapabilitiesRecord({ Audio, Video, Content }: AttendeeCapabilities): CapabilitiesRecord {
  return { audio: Audio, video: Video, content: Content };
}

/** Returns stored capabilities in the shape of the model. */
export function toCapabilities({ audio, video, content }: CapabilitiesRecord): AttendeeCapabilities {
  return { Audio: audio as MediaCapabilities, Video: video as MediaCapabilities, Content: content as MediaCapabilities };
}
