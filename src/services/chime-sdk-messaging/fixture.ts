/** Fixture of the tests in this folder: an app instance with users and a bot, and the operations on a real store in memory. */
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import type { ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';
import type { Store } from '#store/store.ts';
import {
  APP_INSTANCE,
  APP_INSTANCE_ADMIN,
  APP_INSTANCE_BOT,
  APP_INSTANCE_USER,
  type AppInstanceDocument,
} from '../chime-kit/app-instances.ts';
import type { ChannelEvent } from '../chime-kit/events.ts';
import { ACCOUNT, openOperations, type Run, START } from '../kit/fixture.ts';
import { DEFAULT_LIMITS, type MessagingLimits } from './deps.ts';
import { messagingOperations } from './operations.ts';

type Api = ChimeSdkMessagingApi;

export const APP_INSTANCE_ID = 'b7c2f0a1-0000-4000-8000-00000000000a';
export const CHAT = `arn:aws:chime:us-east-1:${ACCOUNT}:app-instance/${APP_INSTANCE_ID}`;
export const USERS = ['ada', 'bert', 'carl', 'dora', 'root'] as const;
/** Returns the ARN of a user. `root` administers the app instance, and `unknown` does not exist. */
export const userArn = (name: (typeof USERS)[number] | 'unknown') => `${CHAT}/user/${name}`;
export const BOT = `${CHAT}/bot/helper`;

export interface Fixture {
  readonly store: Store;
  readonly emitted: ChannelEvent[];
  readonly run: Run<Api>;
  /** Creates a channel with `ada` as its moderator and `members` as its members. Resolves to the ARN of the channel. */
  channel(members?: readonly string[], more?: Partial<Api['CreateChannel']['input']>): Promise<string>;
  /** Sends a message as `ada`. Resolves to its ID. */
  send(channelArn: string, content: string, more?: Partial<Api['SendChannelMessage']['input']>): Promise<string>;
}

export async function openFixture(limits: Partial<MessagingLimits> = {}, document: Partial<AppInstanceDocument> = {}): Promise<Fixture> {
  const emitted: ChannelEvent[] = [];
  const { store, run } = await openOperations<Api>(
    messagingOperations({
      limits: { ...DEFAULT_LIMITS, ...limits },
      sessionEndpoint: 'chat.example.org:7443',
    }),
    emitted,
  );
  const place = { accountId: ACCOUNT, region: 'us-east-1', createdAt: START, updatedAt: START, tags: [] };
  await store.transaction(async ({ resources }) => {
    await resources.add(APP_INSTANCE, { ...place, parent: '', id: APP_INSTANCE_ID, document: { Name: 'chat', ...document } });
    for (const id of USERS) await resources.add(APP_INSTANCE_USER, { ...place, parent: APP_INSTANCE_ID, id, document: { Name: id } });
    await resources.add(APP_INSTANCE_BOT, {
      ...place,
      parent: APP_INSTANCE_ID,
      id: 'helper',
      document: { Configuration: { Lex: { LexBotAliasArn: 'arn:aws:lex:::b', LocaleId: 'en_US' } } },
    });
    await resources.add(APP_INSTANCE_ADMIN, { ...place, parent: APP_INSTANCE_ID, id: 'user/root', document: {} });
  });
  let tokens = 0;
  return {
    store,
    emitted,
    run,
    async channel(members = [], more = {}) {
      const { ChannelArn } = await run('CreateChannel', {
        AppInstanceArn: CHAT,
        Name: 'team',
        ClientRequestToken: `token-${++tokens}`,
        ChimeBearer: userArn('ada'),
        ...(members.length > 0 && { MemberArns: members }),
        ...more,
      });
      return ChannelArn as string;
    },
    async send(ChannelArn, Content, more = {}) {
      const { MessageId } = await run('SendChannelMessage', {
        ChannelArn,
        Content,
        Type: 'STANDARD',
        Persistence: 'PERSISTENT',
        ClientRequestToken: `token-${++tokens}`,
        ChimeBearer: userArn('ada'),
        ...more,
      });
      return MessageId as string;
    },
  };
}

/** Returns the time some days after `START`. */
export function afterDays(days: number) {
  return instant(START + days * DAY_MS);
}
