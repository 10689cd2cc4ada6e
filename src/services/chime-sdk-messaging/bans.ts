import type { ChannelBan, ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';
import { isAppInstanceAdmin } from '../chime/app-instances.ts';
import type { ChannelEvent } from '../chime/events.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { onChannel } from './access.ts';
import { admit, memberOrForbidden } from './admit.ts';
import type { MessagingDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { channelArn, named } from './found.ts';
import { removeMemberships } from './memberships.ts';
import { addStanding, describeStanding, pageOfStandings, standingOrMissing } from './standings.ts';
import type { ChannelRecord } from './tables/channels.ts';
import { memberships } from './tables/memberships.ts';
import { type StandingRecord, standings } from './tables/standings.ts';

type Operations = ServiceOperations<ChimeSdkMessagingApi>;
type BanOperations = Pick<Operations, 'CreateChannelBan' | 'DescribeChannelBan' | 'ListChannelBans' | 'DeleteChannelBan'>;

/** Who may not be in a channel. Source: chime-sdk-messaging 2021-05-15. */
export function banOperations(deps: MessagingDeps): BanOperations {
  return {
    /**
     * Bans somebody, who is no member from now on and cannot become one.
     *
     * Source: Chime SDK Developer Guide, "Understanding authorization by role": administrators and moderators cannot be banned.
     * @throws ForbiddenException             his role does not permit it; who is to be banned is such, or not of the app instance
     * @throws ConflictException              banned already
     * @throws ResourceLimitExceededException the channel has as many bans as it may
     *
     * Emits: CREATE_CHANNEL_BAN; DELETE_CHANNEL_MEMBERSHIP where he was a member.
     */
    CreateChannelBan: {
      access: onChannel('CreateChannelBan'),
      async handle(call, input) {
        const { bearer, channel } = await admit(call, 'CreateChannelBan', input);
        const { tx } = call;
        const member = await memberOrForbidden(call, channel.appInstanceId, input.MemberArn);
        const moderator = await tx.of(standings).get(channel.channelKey, 'moderator', member.key);
        if (moderator !== undefined || (await isAppInstanceAdmin(tx, call, member))) {
          throw new AwsError('ForbiddenException', 'An administrator or a moderator cannot be banned.');
        }
        const made = await addStanding(call, channel, 'banned', member.key, bearer.key, deps.limits.bansOfChannel);
        const ban = await toBan(call, channel, made);
        await call.emit<ChannelEvent>({ type: 'CREATE_CHANNEL_BAN', ...named(channel), ban });
        await removeMemberships(call, channel, await tx.of(memberships).ofMember(channel, member.key));
        return { ChannelArn: channelArn(channel), ...(ban.Member && { Member: ban.Member }) };
      },
    },

    /** @throws NotFoundException no such channel, no such ban · ForbiddenException his role does not permit it */
    DescribeChannelBan: {
      access: onChannel('DescribeChannelBan'),
      async handle(call, input) {
        const { channel } = await admit(call, 'DescribeChannelBan', input);
        const found = await standingOrMissing(call, 'DescribeChannelBan', channel, 'banned', input.MemberArn);
        return { ChannelBan: await toBan(call, channel, found) };
      },
    },

    ListChannelBans: {
      access: onChannel('ListChannelBans'),
      async handle(call, input) {
        const admitted = await admit(call, 'ListChannelBans', input);
        const { identities, rest } = await pageOfStandings(call, admitted, 'banned', input);
        return { ChannelArn: channelArn(admitted.channel), ChannelBans: identities.map((Member) => ({ Member })), ...rest };
      },
    },

    /**
     * Takes a ban away; who was banned is not a member again by that.
     *
     * @throws ForbiddenException his role does not permit it; no such channel, no such ban
     *
     * Emits: DELETE_CHANNEL_BAN.
     */
    DeleteChannelBan: {
      access: onChannel('DeleteChannelBan'),
      async handle(call, input) {
        const { channel } = await admit(call, 'DeleteChannelBan', input);
        const found = await standingOrMissing(call, 'DeleteChannelBan', channel, 'banned', input.MemberArn);
        await call.tx.of(standings).remove(channel.channelKey, 'banned', found.member);
        await call.emit<ChannelEvent>({ type: 'DELETE_CHANNEL_BAN', ...named(channel), ban: await toBan(call, channel, found) });
        return {};
      },
    },
  };
}

async function toBan(call: Call, channel: ChannelRecord, record: StandingRecord): Promise<ChannelBan> {
  const { who, since } = await describeStanding(call, channel, record);
  return { Member: who, ...since };
}
