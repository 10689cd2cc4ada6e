import assert from 'node:assert/strict';
import type { AccountId } from '#core/arn.ts';
import { NOON } from '#store/conformance-fixtures.ts';
import type { Tx } from '#store/store.ts';
import { ALL_MEMBERS, type ChannelMessageRecord } from './channel-messages.ts';
import { type ChannelRecord, channels } from './channels.ts';
import type { MembershipRecord } from './memberships.ts';
import type { Standing, StandingRecord } from './standings.ts';

let made = 0;
export const channel = (accountId: AccountId, channelId: string, more: Partial<ChannelRecord> = {}): ChannelRecord => ({
  accountId,
  region: 'us-east-1',
  appInstanceId: `app of ${accountId}`,
  channelId,
  channelKey: `key-${String(++made).padStart(6, '0')}`,
  privacy: 'PRIVATE',
  createdAt: NOON,
  updatedAt: NOON,
  tags: [],
  document: { name: channelId, mode: 'RESTRICTED', createdBy: 'user/ada' },
  ...more,
});
export const membership = (here: ChannelRecord, member: string, more: Partial<MembershipRecord> = {}): MembershipRecord => ({
  channelKey: here.channelKey,
  subChannelId: '',
  member,
  appInstanceId: here.appInstanceId,
  type: 'DEFAULT',
  invitedBy: 'user/ada',
  createdAt: NOON,
  updatedAt: NOON,
  ...more,
});
export const standing = (here: ChannelRecord, what: Standing, member: string): StandingRecord => ({
  channelKey: here.channelKey,
  standing: what,
  member,
  appInstanceId: here.appInstanceId,
  createdBy: 'user/ada',
  createdAt: NOON,
});
export const message = (here: ChannelRecord, messageId: string, more: Partial<ChannelMessageRecord> = {}): ChannelMessageRecord => ({
  channelKey: here.channelKey,
  subChannelId: '',
  audience: ALL_MEMBERS,
  messageId,
  createdAt: NOON,
  sender: 'user/ada',
  document: `"${messageId}"`,
  ...more,
});
export const ids = (found: readonly ChannelRecord[]) => found.map(({ channelId }) => channelId);
export const members = (found: readonly { readonly member: string }[]) => found.map(({ member }) => member);
export const added = async (tx: Tx, ...records: readonly ChannelRecord[]) => {
  for (const record of records) assert.equal(await tx.of(channels).add(record), 'added');
};
