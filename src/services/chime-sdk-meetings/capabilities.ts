import type { AttendeeCapabilities, MediaCapabilities, MeetingFeaturesConfiguration } from '#model/generated/chime-sdk-meetings.ts';
import { AwsError } from './errors.ts';
import type { CapabilitiesRecord } from './tables/attendees.ts';

/**
 * Returns the capabilities of a new attendee if the request has none.
 *
 * Source: Chime SDK API reference, AttendeeCapabilities: in a meeting with content and without video, video is Receive, because content
 * requires it.
 * Assumed: without limits all capabilities; without content, content is None; without both, both are None.
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
 * Assumed: the messages.
 * @throws ValidationError the capabilities include video or content, which the meeting excludes
 * @throws BadRequestException content is received without video
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

/** Returns capabilities as they are stored. */
export function toCapabilitiesRecord({ Audio, Video, Content }: AttendeeCapabilities): CapabilitiesRecord {
  return { audio: Audio, video: Video, content: Content };
}

/** Returns stored capabilities in the shape of the model. */
export function toCapabilities({ audio, video, content }: CapabilitiesRecord): AttendeeCapabilities {
  return { Audio: audio as MediaCapabilities, Video: video as MediaCapabilities, Content: content as MediaCapabilities };
}
