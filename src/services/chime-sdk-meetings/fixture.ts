/** Fixture of the tests in this folder: the operations on a real store in memory. */
import type { ChimeSdkMeetingsApi } from '#model/generated/chime-sdk-meetings.ts';
import type { Store } from '#store/store.ts';
import type { MeetingEvent } from '../chime-kit/events.ts';
import { openOperations, type Run } from '../kit/fixture.ts';
import { DEFAULT_LIMITS, type MeetingsDeps } from './deps.ts';
import { joinTokens } from './join-token.ts';
import { meetingsOperations } from './operations.ts';

export { ACCOUNT, CALLER, OTHER_ACCOUNT, START } from '../kit/fixture.ts';
export const TOKENS = joinTokens(new Uint8Array(32).fill(7));

type Api = ChimeSdkMeetingsApi;

export interface Fixture {
  readonly store: Store;
  readonly emitted: MeetingEvent[];
  readonly run: Run<Api>;
  /** Creates a meeting. Resolves to its ID. */
  meeting(more?: Partial<Api['CreateMeeting']['input']>): Promise<string>;
  /** Creates an attendee. Resolves to its ID. */
  attendee(meetingId: string, externalUserId: string): Promise<string>;
}

/** Opens the operations, by default on an empty store in memory. */
export async function openFixture(limits: Partial<MeetingsDeps['limits']> = {}, opened?: Store): Promise<Fixture> {
  const emitted: MeetingEvent[] = [];
  const { store, run } = await openOperations<Api>(
    meetingsOperations({
      mediaEndpoints: { signalingUrl: 'wss://meet.example.org', audioHost: 'meet.example.org:3478', httpUrl: 'https://meet.example.org' },
      localMediaEndpoints: { signalingUrl: 'ws://127.0.0.1:7080', audioHost: '127.0.0.1:7080', httpUrl: 'http://127.0.0.1:7080' },
      joinTokens: TOKENS,
      limits: { ...DEFAULT_LIMITS, ...limits },
    }),
    emitted,
    opened,
  );
  let tokens = 0;
  return {
    store,
    emitted,
    run,
    async meeting(more = {}) {
      const { Meeting } = await run('CreateMeeting', {
        ClientRequestToken: `token-${++tokens}`,
        MediaRegion: 'us-east-1',
        ExternalMeetingId: 'standup',
        ...more,
      });
      return Meeting?.MeetingId as string;
    },
    async attendee(meetingId, externalUserId) {
      const { Attendee } = await run('CreateAttendee', { MeetingId: meetingId, ExternalUserId: externalUserId });
      return Attendee?.AttendeeId as string;
    },
  };
}
