/** What goes by itself, and what is left of what is gone. */
import { type Instant, instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { APP_INSTANCE, inAppInstance } from '../chime/app-instances.ts';
import type { IdentityEvent } from '../chime-sdk-identity/deps.ts';
import type { Tell } from './deps.ts';
import { CHANNEL_FLOW } from './flow-documents.ts';
import { named, toChannel } from './found.ts';
import { STREAMING } from './streaming.ts';
import { channelMessages } from './tables/channel-messages.ts';
import { type ChannelRecord, channels } from './tables/channels.ts';
import { memberships } from './tables/memberships.ts';
import { removedChannels } from './tables/removed-channels.ts';
import { standings } from './tables/standings.ts';
import { subChannels } from './tables/sub-channels.ts';

/** Handled in one transaction: it holds up others for as long as it takes. */
const SWEPT_AT_ONCE = 100;
const ROWS_AT_ONCE = 1_000;
const DAY_MS = 24 * 60 * 60_000;
/** Source: Chime SDK Developer Guide, "Managing message retention": for 30 days after the period was set, messages can be restored. */
const GRACE_MS = 30 * DAY_MS;

/**
 * Removes channels whose time is over, and tells that they have expired. They are there until then. Resolves to whether there may be more.
 *
 * Source: Chime SDK Developer Guide, "Using ExpirationSettings". Requirement LOG-5.
 * Emits: ExpireChannel, DELETE_CHANNEL.
 */
export async function sweepExpiredChannels(tx: Tx, now: Instant, tell?: Tell): Promise<boolean> {
  const expired = await tx.of(channels).listExpired(now, SWEPT_AT_ONCE);
  for (const channel of expired) {
    await tell?.(tx, { type: 'ExpireChannel', ...named(channel) });
    await tell?.(tx, { type: 'DELETE_CHANNEL', ...named(channel), channel: await toChannel(tx, channel) });
    await tx.of(channels).remove(channel);
  }
  return expired.length === SWEPT_AT_ONCE;
}

/** Gives back what removed channels have left. Resolves to whether there is more. */
export async function sweepRemovedChannels(tx: Tx): Promise<boolean> {
  return (await tx.of(removedChannels).purge(ROWS_AT_ONCE)) === 'more';
}

/**
 * Removes messages that are older than their app instance keeps them, some channels each time it is called, and after the last one from the
 * first again. Nobody is told: it is no doing of a member's.
 */
export function retentionSweep(): (tx: Tx, now: Instant) => Promise<void> {
  let after: Pick<ChannelRecord, 'appInstanceId' | 'channelId'> = { appInstanceId: '', channelId: '' };
  return async (tx, now) => {
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
  };
}

async function keptSince(tx: Tx, channel: ChannelRecord, now: Instant): Promise<Instant | undefined> {
  const appInstance = await tx.resources.get(APP_INSTANCE, { ...inAppInstance(channel, ''), id: channel.appInstanceId });
  const { AppInstanceRetentionSettings, retentionSetAt } = appInstance?.document ?? {};
  const days = AppInstanceRetentionSettings?.ChannelRetentionSettings?.RetentionDays;
  if (days === undefined || retentionSetAt === undefined || now < retentionSetAt + GRACE_MS) return undefined;
  return instant(now - days * DAY_MS);
}

/** Hears who is gone from an app instance, and forgets him; what he wrote stays. Of an app instance everything goes. */
export async function forgetGone(tx: Tx, event: IdentityEvent): Promise<void> {
  const { appInstanceId } = event;
  if (event.type !== 'AppInstanceDeleted') {
    const member = `${event.type === 'AppInstanceBotDeleted' ? 'bot' : 'user'}/${event.id}`;
    await tx.of(memberships).removeMember(appInstanceId, member);
    await tx.of(standings).removeMember(appInstanceId, member);
    return;
  }
  for (let page = await tx.of(channels).list(appInstanceId, undefined, SWEPT_AT_ONCE); page.length > 0; ) {
    for (const channel of page) await tx.of(channels).remove(channel);
    page = await tx.of(channels).list(appInstanceId, undefined, SWEPT_AT_ONCE);
  }
  await tx.resources.removeAll(CHANNEL_FLOW, inAppInstance(event, appInstanceId));
  await tx.resources.remove(STREAMING, { ...inAppInstance(event, ''), id: appInstanceId });
}
