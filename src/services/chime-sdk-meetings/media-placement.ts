import type { MediaPlacement } from '#model/generated/chime-sdk-meetings.ts';

/** Where the media plane stands. Base URLs have no slash at their end. */
export interface MediaEndpoints {
  /** `wss://meet.example.org` or, for a browser on the same machine, `ws://localhost:7080`. */
  readonly signalingUrl: string;
  /** `meet.example.org:3478`. Any text will do for browsers, which only ask whether there is one. */
  readonly audioHost: string;
  /** `https://meet.example.org`. */
  readonly httpUrl: string;
}

/**
 * The URLs a client is sent to. Of these, `amazon-chime-sdk-js` uses SignalingUrl and EventIngestionUrl, and wants AudioHostUrl not empty;
 * the others are there because the answer has them.
 *
 * Source: realtime.md §2.1; the paths as in answers of the real service, quoted in aws/amazon-chime-sdk-js issue 1767.
 */
export function mediaPlacement({ signalingUrl, audioHost, httpUrl }: MediaEndpoints, meetingId: string): MediaPlacement {
  return {
    AudioHostUrl: audioHost,
    AudioFallbackUrl: `${signalingUrl}/calls/${meetingId}`,
    SignalingUrl: `${signalingUrl}/control/${meetingId}`,
    TurnControlUrl: `${httpUrl}/v2/turn_sessions`,
    ScreenDataUrl: `${signalingUrl}/v2/screen/${meetingId}`,
    ScreenViewingUrl: `${signalingUrl}/ws/connect?passcode=null&viewer_uuid=null&X-BitHub-Call-Id=${meetingId}`,
    ScreenSharingUrl: `${signalingUrl}/v2/screen/${meetingId}`,
    EventIngestionUrl: `${httpUrl}/v1/client-events`,
  };
}

/**
 * Regions a meeting's media may be in. All of them are served by the same media plane: the name is kept because applications choose by it.
 *
 * Source: Chime SDK API reference, CreateMeeting, MediaRegion.
 */
export const MEDIA_REGIONS: ReadonlySet<string> = new Set([
  'af-south-1',
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-south-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'ca-central-1',
  'eu-central-1',
  'eu-north-1',
  'eu-south-1',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'sa-east-1',
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
  'us-gov-east-1',
  'us-gov-west-1',
]);
