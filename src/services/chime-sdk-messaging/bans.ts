import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChannelBan } from '#model/generated/chime-sdk-messaging.ts';
import { isAppInstanceAdmin } from '../chime-kit/app-instances.ts';
import type { ChannelEvent } from '../chime-kit/events.ts';
import type { Call } from '../kit/operation.ts';
import { memberOrForbidden } from './admit.ts';
import { inChannel } from './bearer-operations.ts';
import type { MessagingDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { removeMemberships } from './members.ts';
import { addStanding, describeStanding, pageOfStandings, standingOrMissing } from './standings.ts';
import { channelArn, named } from './stored-channels.ts';
import type { ChannelRecord } from './tables/channels.ts';
import { memberships } from './tables/memberships.ts';
import { type StandingRecord, standings } from './tables/standings.ts';

/** Bans of users and bots from channels. Source: chime-sdk-messaging 2021-05-15. */
export function banOperations({ limits }: MessagingDeps) {
  return inChannel({
    /**
     * Bans a user or bot: deletes its memberships and prevents new memberships.
     *
     * Source: Chime SDK Developer Guide, "Understanding authorization by role": administrators and moderators cannot be
     * banned.
     * @throws ForbiddenException             the user or bot is not in the app instance, or is an administrator or a
     *   moderator
     * @throws ConflictException              the user or bot is already banned
     * @throws ResourceLimitExceededException the channel has the maximum number of bans
     *
     * Emits: CREATE_CHANNEL_BAN, and DELETE_CHANNEL_MEMBERSHIP for each deleted membership.
     */
    CreateChannelBan: {
      async handle(call, { MemberArn }, { bearer, channel }) {
        const { tx } = call;
        const member = await memberOrForbidden(call, channel.appInstanceId, MemberArn);
        const moderator = await tx.of(standings).get(channel.channelKey, 'moderator', member.key);
        if (moderator !== undefined || (await isAppInstanceAdmin(tx, call, member))) {
          throw new AwsError('ForbiddenException', 'An administrator or a moderator cannot be banned.');
        }
        const record = await addStanding(call, channel, 'banned', { key: member.key, arn: MemberArn }, bearer.key, limits.bansOfChannel);
        const ban = await toBan(call, channel, record);
        await call.emit<ChannelEvent>({ type: 'CREATE_CHANNEL_BAN', ...named(channel), ban });
        await removeMemberships(call, channel, await tx.of(memberships).ofMember(channel, member.key));
        return omitUndefined({ ChannelArn: channelArn(channel), Member: ban.Member });
      },
    },

    /** @throws NotFoundException the channel or the ban does not exist */
    DescribeChannelBan: {
      async handle(call, { MemberArn }, admitted) {
        const record = await standingOrMissing(call, admitted, 'banned', MemberArn);
        return { ChannelBan: await toBan(call, admitted.channel, record) };
      },
    },

    ListChannelBans: {
      async handle(call, input, { channel }) {
        const { identities, rest } = await pageOfStandings(call, channel, 'banned', input);
        return { ChannelArn: channelArn(channel), ChannelBans: identities.map((Member) => ({ Member })), ...rest };
      },
    },

    /**
     * Deletes a ban. It does not restore the deleted memberships.
     *
     * @throws ForbiddenException the channel or the ban does not exist
     *
     * Emits: DELETE_CHANNEL_BAN.
     */
    DeleteChannelBan: {
      async handle(call, { MemberArn }, admitted) {
        const { channel } = admitted;
        const record = await standingOrMissing(call, admitted, 'banned', MemberArn);
        await call.tx.of(standings).remove(channel.channelKey, 'banned', record.member);
        await call.emit<ChannelEvent>({ type: 'DELETE_CHANNEL_BAN', ...named(channel), ban: await toBan(call, channel, record) });
        return {};
      },
    },
  });
}

async function toBan(call: Call, channel: ChannelRecord, record: StandingRecord): Promise<ChannelBan> {
  const { identity, since } = await describeStanding(call, channel, record);
  return { Member: identity, ...since };
}
