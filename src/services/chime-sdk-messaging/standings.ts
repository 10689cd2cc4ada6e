import type { Identity } from '#model/generated/chime-sdk-messaging.ts';
import { type PageRequest, pageOf } from '../chime-kit/page.ts';
import type { Call } from '../kit/operation.ts';
import type { Admitted } from './admit.ts';
import { AwsError } from './errors.ts';
import { channelArn, memberKeyIn, missing, toIdentities, toIdentity } from './stored-channels.ts';
import type { ChannelRecord } from './tables/channels.ts';
import { type Standing, type StandingRecord, standings } from './tables/standings.ts';

/**
 * Returns the response fields for the record of a moderator or of a ban. `identity` is the moderator, or the banned
 * user or bot. `since` contains the channel's ARN, and the creation time and creator of the record.
 */
export async function describeStanding({ tx }: Pick<Call, 'tx'>, channel: ChannelRecord, record: StandingRecord) {
  return {
    identity: await toIdentity(tx, channel, record.member),
    since: {
      ChannelArn: channelArn(channel),
      CreatedTimestamp: record.createdAt,
      CreatedBy: await toIdentity(tx, channel, record.createdBy),
    },
  };
}

/**
 * Adds a moderator or a ban.
 *
 * Assumed: the wording of the error messages.
 * @throws ResourceLimitExceededException the channel has `most` moderators or bans
 * @throws ConflictException              the user or bot already is a moderator, or already is banned
 */
export async function addStanding(
  { tx, now }: Call,
  channel: ChannelRecord,
  standing: Standing,
  { key: member, arn }: { readonly key: string; readonly arn: string },
  createdBy: string,
  most: number,
) {
  const { channelKey, appInstanceId } = channel;
  if ((await tx.of(standings).count(channelKey, standing, most)) >= most) {
    const title = standing === 'banned' ? 'bans' : 'moderators';
    throw new AwsError('ResourceLimitExceededException', `The channel has the maximum of ${most} ${title}.`);
  }
  const record: StandingRecord = { channelKey, standing, member, appInstanceId, createdBy, createdAt: now };
  if ((await tx.of(standings).add(record)) === 'exists') {
    throw new AwsError('ConflictException', `'${arn}' is already ${standing === 'banned' ? 'banned from' : 'a moderator of'} the channel.`);
  }
  return record;
}

/**
 * Returns the record of a moderator or of a ban.
 *
 * @throws AwsError the error that `missing` returns: the user or bot is not a moderator, or is not banned
 */
export async function standingOrMissing(
  { tx }: Call,
  { operation, channel }: Admitted,
  standing: Standing,
  memberArn: string,
): Promise<StandingRecord> {
  const key = memberKeyIn(channel, memberArn);
  const found = key === undefined ? undefined : await tx.of(standings).get(channel.channelKey, standing, key);
  if (found !== undefined) return found;
  throw missing(operation, `'${memberArn}' is not ${standing === 'banned' ? 'banned from' : 'a moderator of'} the channel.`);
}

/**
 * Returns a page of moderators, or of banned users and bots, in the order of member keys (`user/ada`).
 *
 * @throws BadRequestException the token belongs to another list
 */
export async function pageOfStandings(
  { tx }: Call,
  channel: ChannelRecord,
  standing: Standing,
  input: PageRequest,
): Promise<{ readonly identities: readonly Identity[]; readonly rest: { readonly NextToken?: string } }> {
  const { channelKey } = channel;
  const { items, rest } = await pageOf(
    JSON.stringify([standing, channelKey]),
    input,
    (limit, after) => tx.of(standings).list(channelKey, standing, limit, after),
    ({ member }) => member,
  );
  const members = items.map(({ member }) => member);
  return { identities: members.map(await toIdentities(tx, channel, members)), rest };
}
