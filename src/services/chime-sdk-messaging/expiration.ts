/** Expiration of channels. */
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ExpirationSettings } from '#model/generated/chime-sdk-messaging.ts';
import type { ChannelEvent } from '../chime-kit/events.ts';
import { inChannel } from './bearer-operations.ts';
import { channelArn, named, toChannel, toExpirationSettings } from './stored-channels.ts';
import { type ChannelDocument, type ChannelRecord, channels } from './tables/channels.ts';

export const expirationOperations = inChannel({
  /**
   * Sets when the server deletes a channel. Without settings the channel does not expire.
   *
   * Emits: UPDATE_CHANNEL_EXPIRATION_SETTINGS.
   * Source: API reference, PutChannelExpirationSettings: an expired channel that still exists can get new settings.
   */
  PutChannelExpirationSettings: {
    async handle(call, { ExpirationSettings }, { channel }) {
      const { tx, now } = call;
      const document = omitUndefined({ ...channel.document, expiration: ExpirationSettings && toExpiration(ExpirationSettings) });
      const changed = withExpiry({ ...channel, updatedAt: now, document });
      await tx.of(channels).put(changed);
      const event = { ...named(changed), channel: await toChannel(tx, changed) };
      await call.emit<ChannelEvent>({ type: 'UPDATE_CHANNEL_EXPIRATION_SETTINGS', ...event });
      return omitUndefined({ ChannelArn: channelArn(channel), ExpirationSettings });
    },
  },
});

/** Returns the time from which the server deletes a channel; undefined without expiration settings. */
export function expiryOf({ createdAt, lastMessageAt, document }: ChannelRecord): Instant | undefined {
  if (document.expiration === undefined) return undefined;
  const { ExpirationDays, ExpirationCriterion } = toExpirationSettings(document.expiration);
  const from = ExpirationCriterion === 'LAST_MESSAGE_TIMESTAMP' ? (lastMessageAt ?? createdAt) : createdAt;
  return instant(from + ExpirationDays * DAY_MS);
}

/** Returns the channel record with `expiresAt` set from its expiration settings. */
export function withExpiry({ expiresAt: _, ...channel }: ChannelRecord): ChannelRecord {
  return omitUndefined({ ...channel, expiresAt: expiryOf(channel) });
}

/** Returns expiration settings as they are stored. */
export function toExpiration({ ExpirationDays, ExpirationCriterion }: ExpirationSettings): NonNullable<ChannelDocument['expiration']> {
  return { days: ExpirationDays, criterion: ExpirationCriterion };
}
