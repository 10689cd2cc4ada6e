/**
 * Events stored for the messaging sessions of all servers. A subscriber stores an event in the same transaction as the
 * change that the event reports.
 */
import type { Instant } from '#core/instant.ts';
import type { ChannelEvent, IdentityEvent } from '#services/chime-kit/events.ts';
import { type Subscription, subscription } from '#services/kit/events.ts';
import type { Tx } from '#store/store.ts';
import { recipientsOf } from './frames.ts';
import { type ChannelEventRecord, channelEvents } from './tables/channel-events.ts';

/** A new session. It replaces an earlier session of the same user with the same session ID. */
export interface SessionOpened {
  readonly appInstanceId: string;
  readonly userArn: string;
  readonly sessionId: string;
  /** Request ID of the Connect request, which distinguishes sessions with the same session ID. */
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
  'PENDING_CREATE_CHANNEL_MESSAGE',
  'PENDING_UPDATE_CHANNEL_MESSAGE',
  'FAILED_CREATE_CHANNEL_MESSAGE',
  'FAILED_UPDATE_CHANNEL_MESSAGE',
  'DENIED_CREATE_CHANNEL_MESSAGE',
  'DENIED_UPDATE_CHANNEL_MESSAGE',
  'UPDATE_CHANNEL',
  'DELETE_CHANNEL',
  'CREATE_CHANNEL_MEMBERSHIP',
  'UPDATE_CHANNEL_MEMBERSHIP',
  'DELETE_CHANNEL_MEMBERSHIP',
  'BATCH_CREATE_CHANNEL_MEMBERSHIP',
  'DELETE_SUB_CHANNEL',
] as const;

/**
 * Returns the subscriptions that store events for messaging sessions. `hint` is called after the commit. It notifies
 * the servers of new events.
 */
export function sessionSubscriptions(hint: () => void): readonly Subscription[] {
  return [
    subscription<ChannelEvent>()(CHANNEL_EVENTS, async ({ tx, now }, event) => {
      if (recipientsOf(event) === undefined && event.type !== 'DELETE_SUB_CHANNEL') return;
      await append(tx, event, event.channelId, now);
      tx.afterCommit(hint);
    }),
    // If an app instance or a user is deleted or expires, stores an event `UsersGone`. Each server that reads it
    // authorizes the sessions of the affected users again, which closes them.
    subscription<IdentityEvent>()(
      ['AppInstanceDeleted', 'AppInstanceUserDeleted', 'AppInstanceUserExpired'],
      async ({ tx, now }, { type, appInstanceId, arn }) => {
        await append(tx, { type: 'UsersGone', appInstanceId, ...(type !== 'AppInstanceDeleted' && { userArn: arn }) }, '', now);
        tx.afterCommit(hint);
      },
    ),
  ];
}
