/** What others hear of in the transaction in which it happens, and every server tells its messaging sessions once that is durable. */
import type { Instant } from '#core/instant.ts';
import type { IdentityEvent } from '#services/chime-sdk-identity/deps.ts';
import type { ChannelEvent } from '#services/chime-sdk-messaging/deps.ts';
import type { Tx } from '#store/store.ts';
import { addresseesOf } from './frames.ts';
import { type ChannelEventRecord, channelEvents } from './tables/channel-events.ts';

/** A session was opened: an earlier one of the same user and id gives way to it. */
export interface SessionOpened {
  readonly appInstanceId: string;
  readonly userArn: string;
  readonly sessionId: string;
  /** Tells the sessions of one id apart. */
  readonly key: string;
}

/** What stands in the documents of `channelEvents`. */
export type Told =
  | ChannelEvent
  | (SessionOpened & { readonly type: 'SessionOpened' })
  /** Users who may be gone: all of the app instance, or one. */
  | { readonly type: 'UsersGone'; readonly appInstanceId: string; readonly userArn?: string };

export function toldOf({ document }: ChannelEventRecord): Told {
  return JSON.parse(document) as Told;
}

async function append(tx: Tx, told: Told, channelId: string, now: Instant): Promise<void> {
  await tx.of(channelEvents).append({ appInstanceId: told.appInstanceId, channelId, document: JSON.stringify(told) }, now);
}

export function tellOpened(tx: Tx, opened: SessionOpened, now: Instant): Promise<void> {
  return append(tx, { type: 'SessionOpened', ...opened }, '', now);
}

/** Tells messaging sessions what happens in channels, and nothing of what they do not hear of. */
export function tellingOfChannels(now: () => Instant, hint: () => void): (tx: Tx, event: ChannelEvent) => Promise<void> {
  return async (tx, event) => {
    if (addresseesOf(event) === undefined && event.type !== 'DELETE_SUB_CHANNEL') return;
    await append(tx, event, event.channelId, now());
    tx.afterCommit(hint);
  };
}

/** Tells of users who are deleted, whose sessions are then closed. */
export function tellingOfUsers(now: () => Instant, hint: () => void): (tx: Tx, event: IdentityEvent) => Promise<void> {
  return async (tx, { type, appInstanceId, arn }) => {
    if (type === 'AppInstanceBotDeleted') return;
    await append(tx, { type: 'UsersGone', appInstanceId, ...(type !== 'AppInstanceDeleted' && { userArn: arn }) }, '', now());
    tx.afterCommit(hint);
  };
}
