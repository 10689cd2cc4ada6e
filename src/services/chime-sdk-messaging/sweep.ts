/** Deletion of expired channels and messages, and of the data of deleted users and app instances. */
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { APP_INSTANCE, appInstanceArn, inAppInstance } from '../chime-kit/app-instances.ts';
import { emitChimeEvent } from '../chime-kit/bus-events.ts';
import type { ChannelEvent, IdentityEvent } from '../chime-kit/events.ts';
import { recordServiceEvent } from '../chime-kit/service-events.ts';
import { subscription, type Work } from '../kit/events.ts';
import { chimeRetentionOf, isConversation } from './chime-retention.ts';
import { CHANNEL_FLOW, STREAMING } from './kinds.ts';
import { channelArn, named, toChannel } from './stored-channels.ts';
import { channelMessages } from './tables/channel-messages.ts';
import { type ChannelRecord, channels } from './tables/channels.ts';
import { memberships } from './tables/memberships.ts';
import { removedChannels } from './tables/removed-channels.ts';
import { standings } from './tables/standings.ts';
import { subChannels } from './tables/sub-channels.ts';

/** Maximum channels that one transaction of a sweep handles. Other requests wait for this transaction. */
const SWEPT_AT_ONCE = 100;
/** Maximum conversations of Amazon Chime that one transaction handles. It reads up to 1,000 members of each. */
const CONVERSATIONS_AT_ONCE = 20;
const ROWS_AT_ONCE = 1_000;
/**
 * Grace period after a change of the retention period. During this time, the sweep deletes no messages. Source: Chime
 * SDK Developer Guide, "Managing message retention": messages can be restored for 30 days after the period was set.
 */
const GRACE_MS = 30 * DAY_MS;

/**
 * Deletes expired channels. An expired channel exists until this sweep deletes it.
 *
 * Source: Chime SDK Developer Guide, "Using ExpirationSettings". Requirement LOG-5.
 * Emits: ExpireChannel, DELETE_CHANNEL.
 */
export async function sweepExpiredChannels(work: Work): Promise<'more' | 'done'> {
  const { tx, now } = work;
  const expired = await tx.of(channels).listExpired(now, SWEPT_AT_ONCE);
  for (const channel of expired) {
    await work.emit<ChannelEvent>({ type: 'ExpireChannel', ...named(channel) });
    await work.emit<ChannelEvent>({ type: 'DELETE_CHANNEL', ...named(channel), channel: await toChannel(tx, channel) });
    await tx.of(channels).remove(channel);
  }
  return expired.length === SWEPT_AT_ONCE ? 'more' : 'done';
}

/** Deletes the rows of deleted channels. */
export async function sweepRemovedChannels({ tx }: Work): Promise<'more' | 'done'> {
  return (await tx.of(removedChannels).purge(ROWS_AT_ONCE)) === 'more' ? 'more' : 'done';
}

/**
 * Creates the sweep that deletes messages older than the retention period of their app instance, and of their room or conversation of Amazon Chime. Each
 * run handles up to 100 channels, up to 20 of which are such conversations, and emits no event. The next run continues with the channels that follow. After the last channel, the
 * sweep begins again with the first channel.
 */
export function retentionSweep(): (work: Work) => Promise<'done'> {
  let after: Pick<ChannelRecord, 'appInstanceId' | 'channelId'> = { appInstanceId: '', channelId: '' };
  return async (work) => {
    const { tx, now } = work;
    const page = await tx.of(channels).listAll(SWEPT_AT_ONCE, after);
    let handled = after;
    let conversations = 0;
    for (const channel of page) {
      if (isConversation(channel) && ++conversations > CONVERSATIONS_AT_ONCE) break;
      handled = channel;
      const ofChime = (await chimeRetentionOf(tx, channel, now))?.deletedBefore;
      const before = latest(ofChime, await ofAppInstance(tx, channel, now));
      if (before === undefined) continue;
      const { channelKey } = channel;
      const parts = channel.document.elastic === undefined ? [] : await tx.of(subChannels).list(channelKey, ROWS_AT_ONCE);
      for (const subChannelId of ['', ...parts.map((each) => each.subChannelId)]) {
        const removed = await tx.of(channelMessages).removeBefore(channelKey, subChannelId, before, ROWS_AT_ONCE);
        if (removed > 0 && before === ofChime) await recordExpiredMessages(work, channel, removed, before);
      }
    }
    after = page.length < SWEPT_AT_ONCE && conversations <= CONVERSATIONS_AT_ONCE ? { appInstanceId: '', channelId: '' } : handled;
    return 'done';
  };
}

function latest(one: Instant | undefined, other: Instant | undefined): Instant | undefined {
  return one === undefined || (other !== undefined && other > one) ? other : one;
}

/** Returns the time before which the retention of an app instance deletes messages. It does not apply to rooms of Amazon Chime. */
async function ofAppInstance(tx: Tx, channel: ChannelRecord, now: Instant): Promise<Instant | undefined> {
  if (channel.document.room !== undefined) return undefined;
  const appInstance = await tx.resources.get(APP_INSTANCE, { ...inAppInstance(channel, ''), id: channel.appInstanceId });
  const { AppInstanceRetentionSettings, retentionSetAt } = appInstance?.document ?? {};
  const days = AppInstanceRetentionSettings?.ChannelRetentionSettings?.RetentionDays;
  if (days === undefined || retentionSetAt === undefined || now < retentionSetAt + GRACE_MS) return undefined;
  return instant(now - days * DAY_MS);
}

/**
 * Records the deletion of messages of a room or a conversation in the trail. No API call records it, because the sweep deletes them.
 *
 * Specific to Belfry: AWS documents no record of this deletion.
 */
function recordExpiredMessages(work: Work, channel: ChannelRecord, count: number, before: Instant): Promise<void> {
  const resource = channelArn(channel);
  return recordServiceEvent(
    work,
    channel,
    channel.document.room === undefined ? 'ExpireConversationMessages' : 'ExpireRoomMessages',
    { channelArn: resource, count, before: new Date(before).toISOString() },
    resource,
  );
}

/** Deletes the memberships, bans and moderator statuses of a deleted user or bot. Its messages remain. */
export const forgetDeletedMember = subscription<IdentityEvent>()(
  ['AppInstanceUserDeleted', 'AppInstanceUserExpired', 'AppInstanceBotDeleted'],
  async ({ tx }, { type, appInstanceId, id }) => {
    const member = `${type === 'AppInstanceBotDeleted' ? 'bot' : 'user'}/${id}`;
    await tx.of(memberships).removeMember(appInstanceId, member);
    await tx.of(standings).removeMember(appInstanceId, member);
  },
);

/** Deletes the channels, flows and streaming configurations of a deleted app instance. */
export const deleteContents = subscription<IdentityEvent>()(['AppInstanceDeleted'], async ({ tx }, event) => {
  const { appInstanceId } = event;
  for (let page = await tx.of(channels).list(appInstanceId, undefined, SWEPT_AT_ONCE); page.length > 0; ) {
    for (const channel of page) await tx.of(channels).remove(channel);
    page = await tx.of(channels).list(appInstanceId, undefined, SWEPT_AT_ONCE);
  }
  await tx.resources.removeAll(CHANNEL_FLOW, inAppInstance(event, appInstanceId));
  await tx.resources.remove(STREAMING, { ...inAppInstance(event, ''), id: appInstanceId });
});

/**
 * Records the expiration of a channel in the trail. The record of an API call does not contain it. Requirement LOG-5.
 *
 * Writes: the trail event ExpireChannel.
 * Source: Chime SDK Developer Guide, "AWS CloudTrail events for expired resource deletion".
 * Assumed: the names of the members of `serviceEventDetails`.
 */
export const recordExpiredChannel = subscription<ChannelEvent>()(['ExpireChannel'], (work, event) => {
  const channelArn = `${appInstanceArn(event, event.appInstanceId)}/channel/${event.channelId}`;
  return recordServiceEvent(work, event, event.type, { channelArn }, channelArn);
});

/**
 * Tells the event bus of the account that a channel processor could not be invoked. Requirements LOG-24, RBP-4.
 *
 * Emits: BusEvent.
 */
export const tellOfFailedProcessor = subscription<ChannelEvent>()(['ProcessorInvocationFailure'], (work, event) => {
  const { type: eventType, messageId, processorResourceArn, failureReason } = event;
  const inInstance = appInstanceArn(event, event.appInstanceId);
  const channelArn = `${inInstance}/channel/${event.channelId}`;
  return emitChimeEvent(work, event, 'channelFlow', {
    eventType,
    appInstanceArn: inInstance,
    channelArn,
    messageId,
    processorResourceArn,
    failureReason,
  });
});
