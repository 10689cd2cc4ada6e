/** Deletion of expired channels and messages, and of the data of deleted users and app instances. */
import { type Instant, instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { APP_INSTANCE, appInstanceArn, inAppInstance } from '../chime/app-instances.ts';
import type { ChannelEvent, IdentityEvent } from '../chime/events.ts';
import { recordServiceEvent } from '../chime/service-events.ts';
import { subscription, type Work } from '../kit/events.ts';
import { CHANNEL_FLOW, STREAMING } from './kinds.ts';
import { named, toChannel } from './stored-channels.ts';
import { channelMessages } from './tables/channel-messages.ts';
import { type ChannelRecord, channels } from './tables/channels.ts';
import { memberships } from './tables/memberships.ts';
import { removedChannels } from './tables/removed-channels.ts';
import { standings } from './tables/standings.ts';
import { subChannels } from './tables/sub-channels.ts';

/** Channels that one transaction handles. Other requests wait for it. */
const SWEPT_AT_ONCE = 100;
const ROWS_AT_ONCE = 1_000;
const DAY_MS = 24 * 60 * 60_000;
/** Source: Chime SDK Developer Guide, "Managing message retention": messages can be restored for 30 days after the period was set. */
const GRACE_MS = 30 * DAY_MS;

/**
 * Deletes expired channels. Until then they exist.
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
 * Creates the sweep that deletes messages older than the retention period of their app instance. One call handles some channels and
 * emits nothing. After the last channel it continues with the first.
 */
export function retentionSweep(): (work: Work) => Promise<'done'> {
  let after: Pick<ChannelRecord, 'appInstanceId' | 'channelId'> = { appInstanceId: '', channelId: '' };
  return async ({ tx, now }) => {
    const page = await tx.of(channels).listAll(SWEPT_AT_ONCE, after);
    for (const channel of page) {
      const before = await keptSince(tx, channel, now);
      if (before === undefined) continue;
      const { channelKey } = channel;
      const parts = channel.document.elastic === undefined ? [] : await tx.of(subChannels).list(channelKey, ROWS_AT_ONCE);
      for (const subChannelId of ['', ...parts.map((each) => each.subChannelId)]) {
        await tx.of(channelMessages).removeBefore(channelKey, subChannelId, before, ROWS_AT_ONCE);
      }
    }
    after = page.length < SWEPT_AT_ONCE ? { appInstanceId: '', channelId: '' } : (page.at(-1) as ChannelRecord);
    return 'done';
  };
}

async function keptSince(tx: Tx, channel: ChannelRecord, now: Instant): Promise<Instant | undefined> {
  const appInstance = await tx.resources.get(APP_INSTANCE, { ...inAppInstance(channel, ''), id: channel.appInstanceId });
  const { AppInstanceRetentionSettings, retentionSetAt } = appInstance?.document ?? {};
  const days = AppInstanceRetentionSettings?.ChannelRetentionSettings?.RetentionDays;
  if (days === undefined || retentionSetAt === undefined || now < retentionSetAt + GRACE_MS) return undefined;
  return instant(now - days * DAY_MS);
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
 * Records the expiration of a channel and a failed invocation of a channel processor, because no call records them.
 * Requirements LOG-5, RBP-4.
 *
 * Writes: the trail event ExpireChannel or ProcessorInvocationFailure.
 * Source: Chime SDK Developer Guide, "AWS CloudTrail events for expired resource deletion"; LOG-24 for a failed invocation.
 * Assumed: a failed invocation is a service event of the trail, because there is no event bus; the names in `serviceEventDetails`.
 */
export const recordChannelEvent = subscription<ChannelEvent>()(['ExpireChannel', 'ProcessorInvocationFailure'], (work, event) => {
  const inInstance = appInstanceArn(event, event.appInstanceId);
  const channelArn = `${inInstance}/channel/${event.channelId}`;
  const details =
    event.type === 'ExpireChannel'
      ? { channelArn }
      : {
          appInstanceArn: inInstance,
          channelArn,
          messageId: event.messageId,
          processorResourceArn: event.processorResourceArn,
          failureReason: event.failureReason,
        };
  return recordServiceEvent(work, event, event.type, details, channelArn);
});
