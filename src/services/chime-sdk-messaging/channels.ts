import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChannelEvent } from '../chime-kit/events.ts';
import { keyOfToken, pageOf, tokenOf } from '../chime-kit/page.ts';
import { cutPage } from '../kit/page.ts';
import { memberOrForbidden } from './admit.ts';
import { inChannel, inOwnAppInstance } from './bearer-operations.ts';
import { elasticUnrestricted } from './create-channel.ts';
import { channelArn, named, toChannel, toChannelSummary } from './stored-channels.ts';
import { channelSearch } from './tables/channel-search.ts';
import { type ChannelRecord, channels } from './tables/channels.ts';

/** Reading, changing and deleting a channel. Source: chime-sdk-messaging 2021-05-15. */
export const channelOperations = inChannel({
  DescribeChannel: {
    handle: async ({ tx }, _, { channel }) => ({ Channel: await toChannel(tx, channel) }),
  },

  /**
   * Changes the name, mode and metadata of a channel. Assumed: omitted properties do not change.
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
   * Deletes a channel with its memberships and messages. Clients can no longer read the memberships and messages. A
   * sweep deletes their rows later.
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

/** Operations that list or search the channels of an app instance. Source: chime-sdk-messaging 2021-05-15. */
export const channelListOperations = inOwnAppInstance({
  /**
   * Returns a page of the channels of an app instance, in the order of IDs. Only administrators of the app instance see
   * private channels.
   *
   * Source: API reference, ListChannels: "Only an AppInstanceAdmin can set privacy = PRIVATE".
   * Assumed: without Privacy, an administrator sees all channels, and other bearers see public channels.
   * @throws ForbiddenException  Privacy is PRIVATE, and the bearer is not an administrator
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
   * Returns a page of the channels that have certain members. A page can be empty although others follow. A bearer that is not an administrator finds only channels
   * that the bearer is a member of.
   *
   * Source: API reference, SearchChannels, SearchField: INCLUDES requires that all values are members. EQUALS also
   * requires that the channel has no other members.
   * Assumed: (1) A channel must match all fields. (2) If one field has EQUALS, the members of the channel must be
   * exactly the values of all fields. (3) The search omits elastic channels. (4) App instance admins find
   * channels by every hidden member. For other bearers, the search ignores all hidden memberships except their own.
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
      // A bearer that is not an administrator finds only channels that it is a member of. An EQUALS search that does
      // not list the bearer would find only channels that the bearer is not a member of.
      if (exactly && !admin && !members.has(key)) return { Channels: [] };
      if (!admin) members.add(key);
      const wanted = [...members].sort();
      const scope = JSON.stringify(['SearchChannels', bearer.arn, exactly, wanted]);
      const { MaxResults = 50, NextToken } = input;
      const after = NextToken === undefined ? undefined : keyOfToken(scope, NextToken);
      const search = { appInstanceId: bearer.appInstanceId, members: wanted, exactly, seenBy: admin ? undefined : key };
      const { found, readTo } = await call.tx.of(channelSearch).page(search, MaxResults + 1, after);
      const { items, last } = cutPage(found, MaxResults);
      const end = last?.channelKey ?? readTo;
      return omitUndefined({ Channels: items.map(toChannelSummary), NextToken: end === undefined ? undefined : tokenOf(scope, end) });
    },
  },
});
