import type { BearerOperation } from './roles.ts';
import type { ChannelRecord } from './tables/channels.ts';

/**
 * Operations that change a channel, its members or its moderators. For a room, only the operations of Amazon Chime do so, which change the
 * room too.
 */
const CHANGES_CHANNEL: ReadonlySet<BearerOperation> = new Set([
  'UpdateChannel',
  'DeleteChannel',
  'PutChannelExpirationSettings',
  'CreateChannelMembership',
  'BatchCreateChannelMembership',
  'DeleteChannelMembership',
  'CreateChannelModerator',
  'DeleteChannelModerator',
  'CreateChannelBan',
  'DeleteChannelBan',
]);

/** Reports whether Amazon Chime alone can do what an operation does in a channel. */
export function isReservedForChime({ document }: ChannelRecord, operation: BearerOperation): boolean {
  return document.room !== undefined && CHANGES_CHANNEL.has(operation);
}
