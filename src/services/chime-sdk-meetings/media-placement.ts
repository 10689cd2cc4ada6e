import type { MediaPlacement } from '#model/generated/chime-sdk-meetings.ts';

/** Addresses of the media plane. Base URLs have no final slash. */
export interface MediaEndpoints {
  /** `wss://meet.example.org` or, for a browser on the same machine, `ws://localhost:7080`. */
  readonly signalingUrl: string;
  /** `meet.example.org:3478`. Browsers only check that it is not empty. */
  readonly audioHost: string;
  /** `https://meet.example.org`. */
  readonly httpUrl: string;
}

/**
 * Returns the URLs of a meeting for clients. `amazon-chime-sdk-js` uses SignalingUrl and EventIngestionUrl, and
 * requires that AudioHostUrl is not empty. The other URLs are present because AWS's response has them.
 *
 * Source: realtime.md §2.1. The paths are those in a response of AWS that aws/amazon-chime-sdk-js issue 1767 quotes.
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
 * Media regions of meetings. One media plane serves all these regions. A meeting stores its media region, because
 * applications select meetings by media region.
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
