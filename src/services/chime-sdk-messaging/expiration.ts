/** Expiration of channels. */
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ExpirationSettings } from '#model/generated/chime-sdk-messaging.ts';
import { inChannel } from './bearer-operations.ts';
import { channelArn, toExpirationSettings } from './stored-channels.ts';
import { type ChannelDocument, type ChannelRecord, channels } from './tables/channels.ts';

const DAY_MS = 24 * 60 * 60_000;

export const expirationOperations = inChannel({
  /**
   * Sets when the server deletes a channel. Without settings the channel does not expire.
   *
   * Source: API reference, PutChannelExpirationSettings: an expired channel that still exists can get new settings.
   */
  PutChannelExpirationSettings: {
    async handle({ tx, now }, { ExpirationSettings }, { channel }) {
      const document = omitUndefined({ ...channel.document, expiration: ExpirationSettings && toExpiration(ExpirationSettings) });
      await tx.of(channels).put(withExpiry({ ...channel, updatedAt: now, document }));
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

/** Returns a channel that expires according to its settings. */
export function withExpiry({ expiresAt: _, ...channel }: ChannelRecord): ChannelRecord {
  return omitUndefined({ ...channel, expiresAt: expiryOf(channel) });
}

/** Returns expiration settings as they are stored. */
export function toExpiration({ ExpirationDays, ExpirationCriterion }: ExpirationSettings): NonNullable<ChannelDocument['expiration']> {
  return { days: ExpirationDays, criterion: ExpirationCriterion };
}
