import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChannelEvent } from '../chime/events.ts';
import { pageOf } from '../chime/page.ts';
import { memberOrForbidden } from './admit.ts';
import { inChannel, inOwnAppInstance } from './bearer-operations.ts';
import { elasticUnrestricted } from './create-channel.ts';
import { channelArn, named, toChannel, toChannelSummary } from './stored-channels.ts';
import { type ChannelRecord, channels } from './tables/channels.ts';

/** Reading, changing and deleting a channel. Source: chime-sdk-messaging 2021-05-15. */
export const channelOperations = inChannel({
  DescribeChannel: {
    handle: async ({ tx }, _, { channel }) => ({ Channel: await toChannel(tx, channel) }),
  },

  /**
   * Assumed: omitted members do not change.
   * @throws BadRequestException an elastic channel cannot become UNRESTRICTED
   *
   * Emits: UPDATE_CHANNEL.
   */
  UpdateChannel: {
    async handle(call, { Name, Mode, Metadata }, { channel }) {
      const { document } = channel;
      if (document.elastic !== undefined && Mode === 'UNRESTRICTED') throw elasticUnrestricted();
      const changes = omitUndefined({ name: Name, mode: Mode, metadata: Metadata });
      const changed: ChannelRecord = { ...channel, updatedAt: call.now, document: { ...document, ...changes } };
      await call.tx.of(channels).put(changed);
      await call.emit<ChannelEvent>({ type: 'UPDATE_CHANNEL', ...named(changed), channel: await toChannel(call.tx, changed) });
      return { ChannelArn: channelArn(changed) };
    },
  },

  /**
   * Deletes a channel with its memberships and messages. They disappear at once, and a sweep deletes their rows later.
   *
   * Emits: DELETE_CHANNEL.
   */
  DeleteChannel: {
    async handle(call, _, { channel }) {
      await call.emit<ChannelEvent>({ type: 'DELETE_CHANNEL', ...named(channel), channel: await toChannel(call.tx, channel) });
      await call.tx.of(channels).remove(channel);
      return {};
    },
  },
});

/** Finding channels. Source: chime-sdk-messaging 2021-05-15. */
export const channelListOperations = inOwnAppInstance({
  /**
   * Returns a page of the channels of an app instance, in the order of IDs. Only its administrators see private channels.
   *
   * Source: API reference, ListChannels: "Only an AppInstanceAdmin can set privacy = PRIVATE".
   * Assumed: without Privacy an administrator sees all channels, and other bearers see public channels.
   * @throws ForbiddenException  private channels, and the bearer is not an administrator
   * @throws BadRequestException the token belongs to another list
   */
  ListChannels: {
    about: ({ Privacy }) => ({ public: Privacy !== 'PRIVATE' }),
    async handle({ tx }, input, { bearer }) {
      const privacy = input.Privacy ?? (bearer.admin ? undefined : 'PUBLIC');
      const { items, rest } = await pageOf(
        `${input.AppInstanceArn} ${privacy ?? 'ALL'}`,
        input,
        (limit, after) => tx.of(channels).list(bearer.appInstanceId, privacy, limit, after),
        ({ channelId }) => channelId,
      );
      return { Channels: items.map(toChannelSummary), ...rest };
    },
  },

  /**
   * Returns a page of the channels that have certain members. Bearers other than administrators search their own channels.
   *
   * Source: API reference, SearchChannels, SearchField: INCLUDES requires that all values are members. EQUALS excludes other members.
   * Assumed: a channel must match all fields, and one field with EQUALS excludes other members for all. The search omits elastic channels.
   * Hidden members other than the bearer count for app instance admins only.
   * @throws ForbiddenException  a value is not a user or bot of the bearer's app instance
   * @throws BadRequestException the token belongs to another search
   */
  SearchChannels: {
    async handle(call, input, { bearer }) {
      const members = new Set<string>();
      for (const value of input.Fields.flatMap(({ Values }) => Values)) {
        members.add((await memberOrForbidden(call, bearer.appInstanceId, value)).key);
      }
      const exactly = input.Fields.some(({ Operator }) => Operator === 'EQUALS');
      const { key, admin } = bearer;
      // A bearer must not learn about channels of other users, not even that they have no other member.
      if (exactly && !admin && !members.has(key)) return { Channels: [] };
      if (!admin) members.add(key);
      const wanted = [...members].sort();
      const { items, rest } = await pageOf(
        JSON.stringify(['SearchChannels', bearer.arn, exactly, wanted]),
        input,
        (limit, after) => call.tx.of(channels).search(bearer.appInstanceId, wanted, exactly, limit, after, admin ? undefined : key),
        ({ channelKey }) => channelKey,
      );
      return { Channels: items.map(toChannelSummary), ...rest };
    },
  },
});
