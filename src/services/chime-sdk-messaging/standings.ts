import type { ChimeSdkMessagingApi, Identity } from '#model/generated/chime-sdk-messaging.ts';
import { type PageRequest, pageOf } from '../chime/page.ts';
import type { Call } from '../kit/operation.ts';
import type { Admitted } from './admit.ts';
import { AwsError } from './errors.ts';
import { channelArn, missing, toIdentities, toIdentity } from './found.ts';
import type { ChannelRecord } from './tables/channels.ts';
import { type Standing, type StandingRecord, standings } from './tables/standings.ts';

/** What is said of a moderator or of a ban: who, of which channel, since when, and by whom. */
export async function describeStanding({ tx }: Pick<Call, 'tx'>, channel: ChannelRecord, { member, createdBy, createdAt }: StandingRecord) {
  return {
    who: await toIdentity(tx, channel, member),
    since: {
      ChannelArn: channelArn(channel),
      CreatedTimestamp: createdAt,
      CreatedBy: await toIdentity(tx, channel, createdBy),
    },
  };
}

/**
 * Makes somebody a moderator, or bans him.
 *
 * Assumed: the texts.
 * @throws ResourceLimitExceededException there are `most` already · ConflictException it is so already
 */
export async function addStanding(
  { tx, now }: Call,
  channel: ChannelRecord,
  standing: Standing,
  member: string,
  createdBy: string,
  most: number,
) {
  const { channelKey, appInstanceId } = channel;
  if ((await tx.of(standings).count(channelKey, standing, most)) >= most) {
    throw new AwsError('ResourceLimitExceededException', `The channel has ${most} of this kind, and may not have more.`);
  }
  const record: StandingRecord = { channelKey, standing, member, appInstanceId, createdBy, createdAt: now };
  if ((await tx.of(standings).add(record)) === 'exists') {
    throw new AwsError('ConflictException', `${member} is ${standing === 'banned' ? 'banned' : 'a moderator'} already.`);
  }
  return record;
}

/** @throws what `missing` says: it is not so */
export async function standingOrMissing(
  { tx }: Call,
  operation: keyof ChimeSdkMessagingApi,
  { channelKey, appInstanceId, ...channel }: ChannelRecord,
  standing: Standing,
  memberArn: string,
): Promise<StandingRecord> {
  const prefix = channelArn({ channelKey, appInstanceId, ...channel }).replace(/channel\/[^/]*$/, '');
  const found = memberArn.startsWith(prefix) ? await tx.of(standings).get(channelKey, standing, memberArn.slice(prefix.length)) : undefined;
  if (found === undefined)
    throw missing(operation, `${memberArn} is not ${standing === 'banned' ? 'banned from' : 'a moderator of'} the channel.`);
  return found;
}

/** A page of moderators, or of who is banned, in the order of their ids. @throws BadRequestException a token of another question */
export async function pageOfStandings(
  { tx }: Call,
  { channel }: Admitted,
  standing: Standing,
  input: PageRequest,
): Promise<{ readonly identities: readonly Identity[]; readonly rest: { readonly NextToken?: string } }> {
  const { channelKey } = channel;
  const { things, rest } = await pageOf(
    JSON.stringify([standing, channelKey]),
    input,
    (limit, after) => tx.of(standings).list(channelKey, standing, limit, after),
    ({ member }) => member,
  );
  const members = things.map(({ member }) => member);
  return { identities: members.map(await toIdentities(tx, channel, members)), rest };
}
