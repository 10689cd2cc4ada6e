/** The services of the server on a store with a set clock: their operations, subscribers and sweeps, without HTTP and without authorization. */
import { randomUUID } from 'node:crypto';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { ChimeApi } from '#model/generated/chime.ts';
import type { ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';
import { DECLARED, serviceSweeps } from '#server/core/services.ts';
import { OPERATIONS } from '#services/chime/fixture.ts';
import { registerUser } from '#services/chime/registration.ts';
import { accounts } from '#services/chime/tables/accounts.ts';
import { chimeUserArn } from '#services/chime-kit/chime-app-instance.ts';
import { DEFAULT_LIMITS } from '#services/chime-sdk-messaging/deps.ts';
import { messagingOperations } from '#services/chime-sdk-messaging/operations.ts';
import { emitterOf } from '#services/kit/events.ts';
import { ACCOUNT, callOf, type Operations, START } from '#services/kit/fixture.ts';
import type { Call, Operation } from '#services/kit/operation.ts';
import type { Store, Tx } from '#store/store.ts';

const addEmit = emitterOf(DECLARED.flatMap(({ subscriptions = [] }) => subscriptions));

type Types<Api> = Record<keyof Api, { readonly input: unknown; readonly output: unknown }>;

/** Opens the services on a store. The clock starts at `START` and moves only with `setDay`. */
export function openAging(store: Store) {
  let now: Instant = START;
  const workIn = (tx: Tx) => addEmit({ tx, now, newId: randomUUID });
  const callIn = (tx: Tx): Call => ({ ...callOf(tx, { now }), ...workIn(tx) });
  const runOf =
    <Api extends Types<Api>>(operations: Operations<Api>) =>
    <Name extends keyof Api>(name: Name, input: Api[Name]['input']): Promise<Api[Name]['output']> => {
      const operation = operations[name] as Operation<unknown, never>;
      return store.transaction((tx) => operation.handle(callIn(tx), input));
    };
  const chime = runOf<ChimeApi>(OPERATIONS);
  const messaging = runOf<ChimeSdkMessagingApi>(messagingOperations({ limits: DEFAULT_LIMITS, sessionEndpoint: 'chat.example.org' }));
  const sweep = serviceSweeps(store, workIn);
  let tokens = 0;
  return {
    store,
    chime,
    messaging,
    callIn,
    sweep,
    setDay(day: number) {
      now = instant(START + day * DAY_MS);
    },
    /** Creates an account: an Enterprise account if it has a domain. Resolves to its ID. */
    async account(domain?: string): Promise<string> {
      const AccountId = (await chime('CreateAccount', { Name: domain ?? 'Team' })).Account?.AccountId as string;
      if (domain === undefined) return AccountId;
      await store.transaction(async (tx) => {
        const account = await tx.of(accounts).get(ACCOUNT, AccountId);
        if (account === undefined) throw new Error('unknown account');
        await tx.of(accounts).put({ ...account, accountType: 'EnterpriseLWA', document: { ...account.document, Domains: [domain] } });
      });
      return AccountId;
    },
    /** Registers a person. Resolves to their user ID. Invites them first if the account is a Team account. */
    async person(chimeAccountId: string, emailAddress: string, isInvited = false): Promise<string> {
      if (isInvited) await chime('InviteUsers', { AccountId: chimeAccountId, UserEmailList: [emailAddress] });
      const user = await store.transaction((tx) => registerUser(callIn(tx), { accountId: ACCOUNT, chimeAccountId, emailAddress }));
      return user.userId;
    },
    /** Creates a conversation as the first of these people. Resolves to its ARN. */
    async conversation(...userIds: readonly string[]): Promise<string> {
      const [creator = '', ...others] = userIds.map((userId) => chimeUserArn(ACCOUNT, userId));
      const { ChannelArn } = await messaging('CreateChannel', {
        AppInstanceArn: creator.slice(0, creator.indexOf('/user/')),
        Name: 'conversation',
        ClientRequestToken: `channel-${++tokens}`,
        ChimeBearer: creator,
        MemberArns: others,
      });
      return ChannelArn as string;
    },
    /**
     * Creates a conversation with two sub-channels as the first of at least four people. Resolves to its ARN, and to the sub-channel of each person
     * except the first, who is in none.
     */
    async elasticConversation(...userIds: readonly string[]) {
      const [creator = '', ...others] = userIds.map((userId) => chimeUserArn(ACCOUNT, userId));
      const { ChannelArn } = await messaging('CreateChannel', {
        AppInstanceArn: creator.slice(0, creator.indexOf('/user/')),
        Name: 'elastic conversation',
        ClientRequestToken: `channel-${++tokens}`,
        ChimeBearer: creator,
        ElasticChannelConfiguration: { MaximumSubChannels: 2, TargetMembershipsPerSubChannel: 2, MinimumMembershipPercentage: 1 },
      });
      const places = new Map<string, string>();
      for (const MemberArn of others)
        await messaging('CreateChannelMembership', { ChannelArn: ChannelArn as string, ChimeBearer: creator, MemberArn, Type: 'DEFAULT' });
      const { SubChannels = [] } = await messaging('ListSubChannels', { ChannelArn: ChannelArn as string, ChimeBearer: creator });
      for (const { SubChannelId = '' } of SubChannels) {
        const list = { ChannelArn: ChannelArn as string, ChimeBearer: creator, SubChannelId };
        for (const { Member } of (await messaging('ListChannelMemberships', list)).ChannelMemberships ?? [])
          places.set(Member?.Arn?.split('/').at(-1) as string, SubChannelId);
      }
      return { ChannelArn: ChannelArn as string, places };
    },
    /** Sends a message. Resolves to its ID. */
    async send(ChannelArn: string, userId: string, Content: string, SubChannelId?: string): Promise<string> {
      const { MessageId } = await messaging('SendChannelMessage', {
        ...{ ChannelArn, Content, Type: 'STANDARD', Persistence: 'PERSISTENT' },
        ...{ ClientRequestToken: `message-${++tokens}`, ChimeBearer: chimeUserArn(ACCOUNT, userId) },
        ...(SubChannelId !== undefined && { SubChannelId }),
      });
      return MessageId as string;
    },
    /** Returns the contents of the messages that a person sees, the oldest first. */
    async seen(ChannelArn: string, userId: string): Promise<readonly (string | undefined)[]> {
      const list = { ChannelArn, ChimeBearer: chimeUserArn(ACCOUNT, userId), SortOrder: 'ASCENDING' } as const;
      return (await messaging('ListChannelMessages', list)).ChannelMessages?.map(({ Content }) => Content) ?? [];
    },
    /** Returns the number of stored messages of all channels, also of hidden ones. */
    async stored(): Promise<number> {
      const [row] = await store.transaction(({ sql }) => sql.rows<{ count: number }>('SELECT COUNT(*) AS count FROM channel_message', []));
      return Number(row?.count);
    },
  };
}
export type Aging = ReturnType<typeof openAging>;
