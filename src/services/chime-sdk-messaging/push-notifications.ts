/** Push notifications of messages: which members and devices get one. The push endpoint of the operator sends them to the devices. */
import { HOUR_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChannelMembershipPreferences } from '#model/generated/chime-sdk-messaging.ts';
import { appInstanceArn, inAppInstance } from '../chime-kit/app-instances.ts';
import type { ChannelEvent } from '../chime-kit/events.ts';
import { endpointsOf, receives } from '../chime-kit/user-endpoints.ts';
import { subscription, type Work } from '../kit/events.ts';
import { laneOf, outgoing } from '../kit/outgoing.ts';
import { matchesFilterRule } from './filter-rules.ts';
import { channelArn, memberKeyIn } from './stored-channels.ts';
import { channels } from './tables/channels.ts';
import { type MembershipRecord, memberships } from './tables/memberships.ts';
import { type PushFanOut, pushFanOuts } from './tables/push-fan-outs.ts';

/** Service principal that sends notifications. */
const SERVICE = 'messaging.chime.amazonaws.com';
/**
 * Attempts to send a notification, and the time in which the server sends it.
 *
 * Assumed: both. A notification of an old message has no use.
 */
const ATTEMPTS = 5;
const WITHIN_MS = HOUR_MS;
/** Members that one step handles, and the devices of each that get a notification: as many as a user may register. */
const MEMBERS_AT_ONCE = 50;
const DEVICES_MAX = 10;
/** Prefix of the member keys of users. Bots, which come first in the order of keys, have no devices. */
const USERS = 'user/';

/** Returns the lane of the notifications of an account in a region. */
export const pushLane = (region: string): string => laneOf('push', region);

/**
 * Stores that the members of a channel get push notifications of a message. The members are read later, because they can be many.
 *
 * Source: SendChannelMessage, PushNotification; ChannelFlowCallback, which can replace it.
 * Writes: a row for the message.
 */
export const queuePush = subscription<ChannelEvent>()(['CREATE_CHANNEL_MESSAGE'], async (work, event) => {
  if (!('message' in event) || event.pushNotification === undefined) return;
  const { message, pushNotification, accountId, region, appInstanceId, channelId } = event;
  const channel = await work.tx.of(channels).get(accountId, region, appInstanceId, channelId);
  if (channel === undefined) return;
  const target = message.Target?.[0]?.MemberArn;
  await work.tx.of(pushFanOuts).add(
    omitUndefined({
      ...{ id: work.newId(), accountId, region, appInstanceId, channelId, channelKey: channel.channelKey },
      subChannelId: message.SubChannelId ?? '',
      onlyFor: target === undefined ? undefined : memberKeyIn(channel, target),
      afterMember: USERS,
      notification: { ...pushNotification, channelArn: channelArn(channel), messageId: message.MessageId ?? '' },
      attributes: valuesOf(message.MessageAttributes),
      createdAt: work.now,
      dueAt: work.now,
    }),
  );
});

function valuesOf(attributes: NonNullable<Extract<ChannelEvent, { message: unknown }>['message']['MessageAttributes']> = {}) {
  return Object.fromEntries(Object.entries(attributes).map(([name, { StringValues = [] }]) => [name, StringValues]));
}

/** Time until which the notifications of a message are added. */
export const fanOutEnd = ({ createdAt }: PushFanOut): Instant => instant(createdAt + WITHIN_MS);

/**
 * Adds the notifications of the next members: one for each active device of each member whose preferences allow it.
 *
 * Source: Chime SDK Developer Guide, "Using mobile push notifications": all members get notifications, also the sender. "Receiving push
 * notifications", disabling and filtering. Hidden members see messages, so they get notifications too.
 * Assumed: (1) Only its target gets the notification of a targeted message. (2) In an elastic channel, the members of the message's
 * sub-channel get it. (3) FILTERED without a rule allows all messages.
 * Writes: outgoing messages, and the progress. Removes the row after the last member, or if the channel does not exist.
 */
export async function fanOutPush(work: Pick<Work, 'tx' | 'now' | 'newId'>, row: PushFanOut): Promise<void> {
  const { tx, now } = work;
  const { id, channelKey, subChannelId, onlyFor, accountId, region, appInstanceId, channelId } = row;
  const channel = await tx.of(channels).get(accountId, region, appInstanceId, channelId);
  let members: readonly MembershipRecord[] = [];
  if (channel?.channelKey !== channelKey) members = [];
  else if (onlyFor === undefined) members = await tx.of(memberships).page(channelKey, subChannelId, MEMBERS_AT_ONCE, row.afterMember);
  else members = [await tx.of(memberships).get(channelKey, subChannelId, onlyFor)].flatMap((found) => found ?? []);
  for (const membership of members) {
    if (membership.member.startsWith(USERS) && allows(membership, row.attributes)) await addForDevices(work, row, membership);
  }
  const last = members.at(-1);
  if (onlyFor !== undefined || last === undefined || members.length < MEMBERS_AT_ONCE) await tx.of(pushFanOuts).remove(id);
  else await tx.of(pushFanOuts).advance({ id, afterMember: last.member, dueAt: now });
}

function allows({ preferences }: MembershipRecord, attributes: PushFanOut['attributes']): boolean {
  const { PushNotifications } = preferences === undefined ? {} : (JSON.parse(preferences) as ChannelMembershipPreferences);
  switch (PushNotifications?.AllowNotifications) {
    case 'NONE':
      return false;
    case 'FILTERED':
      return PushNotifications.FilterRule === undefined || matchesFilterRule(PushNotifications.FilterRule, attributes);
    default:
      return true;
  }
}

async function addForDevices(
  work: Pick<Work, 'tx' | 'now' | 'newId'>,
  row: PushFanOut,
  { member }: Pick<MembershipRecord, 'member'>,
): Promise<void> {
  const { tx, now } = work;
  const { accountId, region, appInstanceId, notification } = row;
  const userId = member.slice(USERS.length);
  const devices = await endpointsOf(tx, { ...inAppInstance(row, appInstanceId), id: userId }, DEVICES_MAX);
  for (const device of devices.filter(receives)) {
    await tx.of(outgoing).add({
      id: work.newId(),
      accountId,
      region,
      lane: pushLane(region),
      ordered: false,
      target: { kind: 'push', appInstanceId, userId, endpointId: device.id.slice(userId.length + 1) },
      sender: { service: SERVICE, sourceArn: appInstanceArn(row, appInstanceId), sourceAccount: accountId },
      body: JSON.stringify(notification),
      createdAt: now,
      maximumAttempts: ATTEMPTS,
      expiresAt: fanOutEnd(row),
    });
  }
}
