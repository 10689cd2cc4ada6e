/** What the tests of this folder share: the operations on a real store in memory, with a clock and ids of their own. */
import type { AccountId, Arn } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { ChimeSdkMeetingsApi } from '#model/generated/chime-sdk-meetings.ts';
import { openSqlite } from '#store/sqlite.ts';
import type { Store } from '#store/store.ts';
import type { Call, Caller, ServiceOperations } from '../operation.ts';
import { DEFAULT_LIMITS, type MeetingEvent, type MeetingsDeps } from './deps.ts';
import { joinTokens } from './join-token.ts';
import { meetingsOperations } from './operations.ts';

export const ACCOUNT = '111122223333' as AccountId;
export const OTHER_ACCOUNT = '444455556666' as AccountId;
export const START = instant(Date.UTC(2026, 10, 22));
export const HOUR = 60 * 60_000;
export const TOKENS = joinTokens(new Uint8Array(32).fill(7));

export const CALLER: Caller = {
  principal: { type: 'Root', accountId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root` as Arn, principalId: ACCOUNT },
  accountId: ACCOUNT,
  region: 'us-east-1',
  profile: 'sdk',
};

type Api = ChimeSdkMeetingsApi;

export interface Fixture {
  readonly store: Store;
  readonly told: MeetingEvent[];
  /** Runs an operation in a transaction of its own, as an allowed call of `ACCOUNT` in us-east-1 at `START`. */
  run<Name extends keyof Api>(name: Name, input: Api[Name]['input'], as?: Partial<Caller & { now: Instant }>): Promise<Api[Name]['output']>;
  /** Makes a meeting; resolves to its id. */
  meeting(more?: Partial<Api['CreateMeeting']['input']>): Promise<string>;
  /** Makes an attendee; resolves to its id. */
  attendee(meetingId: string, externalUserId: string): Promise<string>;
}

export async function openFixture(limits: Partial<MeetingsDeps['limits']> = {}): Promise<Fixture> {
  const store = await openSqlite(':memory:');
  const told: MeetingEvent[] = [];
  const operations: ServiceOperations<Api> = meetingsOperations({
    mediaEndpoints: { signalingUrl: 'wss://meet.example.org', audioHost: 'meet.example.org:3478', httpUrl: 'https://meet.example.org' },
    joinTokens: TOKENS,
    limits: { ...DEFAULT_LIMITS, ...limits },
    tell: async (_, event) => {
      told.push(event);
    },
  });
  let ids = 0;
  let tokens = 0;
  const newId = () => `a6b1e9b0-0000-4000-8000-${String(++ids).padStart(12, '0')}`;

  const fixture: Fixture = {
    store,
    told,
    run(name, input, as = {}) {
      // One operation of one name: TypeScript cannot see that its input and output belong together.
      const operation = operations[name] as unknown as { handle(call: Call, input: unknown): Promise<never> };
      return store.transaction((tx) =>
        operation.handle({ ...CALLER, now: START, newId, random: (bytes) => new Uint8Array(bytes), tx, requestId: 'r', ...as }, input),
      );
    },
    async meeting(more = {}) {
      const { Meeting } = await fixture.run('CreateMeeting', {
        ClientRequestToken: `token-${++tokens}`,
        MediaRegion: 'us-east-1',
        ExternalMeetingId: 'standup',
        ...more,
      });
      return Meeting?.MeetingId as string;
    },
    async attendee(meetingId, externalUserId) {
      const { Attendee } = await fixture.run('CreateAttendee', { MeetingId: meetingId, ExternalUserId: externalUserId });
      return Attendee?.AttendeeId as string;
    },
  };
  return fixture;
}
