/** Events stored for the messaging sessions of all servers. A subscriber appends them in the transaction of the change. */
import type { Instant } from '#core/instant.ts';
import type { ChannelEvent, IdentityEvent } from '#services/chime/events.ts';
import { type Subscription, subscription } from '#services/kit/events.ts';
import type { Tx } from '#store/store.ts';
import { recipientsOf } from './frames.ts';
import { type ChannelEventRecord, channelEvents } from './tables/channel-events.ts';

/** A new session. It replaces an earlier session of the same user and ID. */
export interface SessionOpened {
  readonly appInstanceId: string;
  readonly userArn: string;
  readonly sessionId: string;
  /** Key that distinguishes sessions with the same ID. */
  readonly key: string;
}

/** Content of the documents in the table `channel_event`. */
export type SessionEvent =
  | ChannelEvent
  | (SessionOpened & { readonly type: 'SessionOpened' })
  /** The user `userArn` may have been deleted. Without `userArn`: all users of the app instance. */
  | { readonly type: 'UsersGone'; readonly appInstanceId: string; readonly userArn?: string };

/** Reads the event of a stored document. */
export function sessionEventOf({ document }: ChannelEventRecord): SessionEvent {
  return JSON.parse(document) as SessionEvent;
}

async function append(tx: Tx, event: SessionEvent, channelId: string, now: Instant): Promise<void> {
  await tx.of(channelEvents).append({ appInstanceId: event.appInstanceId, channelId, document: JSON.stringify(event) }, now);
}

/** Stores the event of a new session. */
export function appendOpened(tx: Tx, opened: SessionOpened, now: Instant): Promise<void> {
  return append(tx, { type: 'SessionOpened', ...opened }, '', now);
}

/** Channel events that messaging sessions receive, or that change the recipients of other events. */
const CHANNEL_EVENTS = [
  'CREATE_CHANNEL_MESSAGE',
  'UPDATE_CHANNEL_MESSAGE',
  'REDACT_CHANNEL_MESSAGE',
  'DELETE_CHANNEL_MESSAGE',
  'FAILED_CREATE_CHANNEL_MESSAGE',
  'FAILED_UPDATE_CHANNEL_MESSAGE',
  'UPDATE_CHANNEL',
  'DELETE_CHANNEL',
  'CREATE_CHANNEL_MEMBERSHIP',
  'UPDATE_CHANNEL_MEMBERSHIP',
  'DELETE_CHANNEL_MEMBERSHIP',
  'BATCH_CREATE_CHANNEL_MEMBERSHIP',
  'DELETE_SUB_CHANNEL',
] as const;

/** Returns the subscribers of messaging sessions. `hint` notifies the servers after the commit. */
export function sessionSubscriptions(hint: () => void): readonly Subscription[] {
  return [
    subscription<ChannelEvent>()(CHANNEL_EVENTS, async ({ tx, now }, event) => {
      if (recipientsOf(event) === undefined && event.type !== 'DELETE_SUB_CHANNEL') return;
      await append(tx, event, event.channelId, now);
      tx.afterCommit(hint);
    }),
    // The sessions of deleted users are closed.
    subscription<IdentityEvent>()(
      ['AppInstanceDeleted', 'AppInstanceUserDeleted', 'AppInstanceUserExpired'],
      async ({ tx, now }, { type, appInstanceId, arn }) => {
        await append(tx, { type: 'UsersGone', appInstanceId, ...(type !== 'AppInstanceDeleted' && { userArn: arn }) }, '', now);
        tx.afterCommit(hint);
      },
    ),
  ];
}
