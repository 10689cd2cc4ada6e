import type { ChannelEvent, ChannelNames } from '#services/chime-kit/events.ts';
import { channels } from '#services/chime-sdk-messaging/tables/channels.ts';
import { type JoinedChannel, memberships } from '#services/chime-sdk-messaging/tables/memberships.ts';
import type { Tx } from '#store/store.ts';
import { type Recipients, recipientsOf } from './frames.ts';

/**
 * Channels of the connected users. They are in memory, so that the cost of an event depends only on the number of its
 * recipients. When a user connects, the caller reads the user's channels from the store. After that, each event
 * updates the channels, in the order in which the events are sent.
 */
export interface Audience {
  isConnected(userArn: string): boolean;
  connect(userArn: string, appInstanceId: string, joined: readonly JoinedChannel[]): void;
  disconnect(userArn: string): void;
  /**
   * Applies the changes of memberships in an event, and returns the connected users that receive the event. Added
   * members receive it. Removed members also receive it, as their last event of the channel. `current` has the
   * memberships that `readMemberships` read for the event.
   * While the members of a channel do not change, `apply` returns the same array for each event of the channel.
   */
  apply(event: ChannelEvent, current: Memberships): readonly string[];
}

/**
 * Sub-channels that a connected user is in, by channel and user (see `keyOf`). They are read in the same transaction as
 * the events. In a channel without sub-channels, the ID of the sub-channel is `''`.
 */
export type Memberships = ReadonlyMap<string, ReadonlySet<string>>;

/** Returns the users that an event may add to a channel or move to another sub-channel. */
function newcomers(event: ChannelEvent): readonly string[] {
  const members = 'memberships' in event ? (event.memberships.Members ?? []) : [];
  const changed = event.type === 'CREATE_CHANNEL_MEMBERSHIP' || event.type === 'UPDATE_CHANNEL_MEMBERSHIP';
  return [...members, ...(changed ? [event.membership.Member] : [])].flatMap((member) => member?.Arn ?? []);
}

/**
 * Reads the current memberships of the connected users that the events add to a channel or move to another sub-channel.
 * The event itself is not sufficient, because the membership may have changed after the event.
 */
export async function readMemberships(tx: Tx, events: readonly ChannelEvent[], audience: Audience): Promise<Memberships> {
  const current = new Map<string, ReadonlySet<string>>();
  for (const event of events) {
    for (const userArn of newcomers(event)) {
      if (!audience.isConnected(userArn) || current.has(keyOf(event, userArn))) continue;
      const channel = await tx.of(channels).get(event.accountId, event.region, event.appInstanceId, event.channelId);
      const found = channel === undefined ? [] : await tx.of(memberships).ofMember(channel, memberOf(userArn));
      current.set(keyOf(event, userArn), new Set(found.map(({ subChannelId }) => subChannelId)));
    }
  }
  return current;
}

/** Returns the member key of a user's ARN, for example `user/ada`. */
export function memberOf(userArn: string): string {
  return userArn.split('/').slice(2).join('/');
}

function nameOf({ appInstanceId, channelId }: Pick<ChannelNames, 'appInstanceId' | 'channelId'>): string {
  return `${appInstanceId}/${channelId}`;
}

function keyOf(event: ChannelNames, userArn: string): string {
  return `${nameOf(event)} ${userArn}`;
}

/** Channel with connected members. */
interface ConnectedChannel {
  readonly members: Set<string>;
  /** Cached lists of members of the channel (key `undefined`) and of its sub-channels, until the members change. */
  readonly lists: Map<string | undefined, readonly string[]>;
}

/** Creates an audience without users. */
export function newAudience(): Audience {
  /** Sub-channels by user and channel. */
  const users = new Map<string, Map<string, Set<string>>>();
  const channels = new Map<string, ConnectedChannel>();

  function put(userArn: string, channel: string, subChannelIds: ReadonlySet<string>): void {
    const joined = users.get(userArn);
    if (joined === undefined) return;
    let connected = channels.get(channel);
    connected?.lists.clear();
    if (subChannelIds.size > 0) {
      joined.set(channel, new Set(subChannelIds));
      if (connected === undefined) channels.set(channel, (connected = { members: new Set(), lists: new Map() }));
      connected.members.add(userArn);
      return;
    }
    joined.delete(channel);
    connected?.members.delete(userArn);
    if (connected?.members.size === 0) channels.delete(channel);
  }

  function leave(userArn: string, channel: string, subChannelId: string): void {
    const left = new Set(users.get(userArn)?.get(channel));
    left.delete(subChannelId);
    put(userArn, channel, left);
  }

  /** Returns the connected members of a channel, or of one of its sub-channels. */
  function membersOf(channel: string, subChannelId?: string): readonly string[] {
    const connected = channels.get(channel);
    if (connected === undefined) return [];
    let list = connected.lists.get(subChannelId);
    if (list === undefined) {
      list = [...connected.members].filter((arn) => subChannelId === undefined || users.get(arn)?.get(channel)?.has(subChannelId) === true);
      connected.lists.set(subChannelId, list);
    }
    return list;
  }

  function connected(recipients: Recipients | undefined, channel: string): readonly string[] {
    if (recipients === undefined) return [];
    switch (recipients.kind) {
      case 'members': {
        const { subChannelId, also } = recipients;
        const members = membersOf(channel, subChannelId);
        return also === undefined || members.includes(also) || !users.has(also) ? members : [...members, also];
      }
      case 'members named':
        return recipients.arns.filter((arn) => users.get(arn)?.has(channel));
      case 'users':
        return recipients.arns.filter((arn) => users.has(arn));
    }
  }

  return {
    isConnected: (userArn) => users.has(userArn),
    connect(userArn, appInstanceId, joined) {
      users.set(userArn, new Map());
      for (const [channelId, those] of Map.groupBy(joined, (one) => one.channelId)) {
        put(userArn, nameOf({ appInstanceId, channelId }), new Set(those.map(({ subChannelId }) => subChannelId)));
      }
    },
    disconnect(userArn) {
      for (const channel of users.get(userArn)?.keys() ?? []) put(userArn, channel, new Set());
      users.delete(userArn);
    },
    apply(event, current) {
      const channel = nameOf(event);
      for (const userArn of newcomers(event)) {
        const subChannelIds = current.get(keyOf(event, userArn));
        if (subChannelIds !== undefined) put(userArn, channel, subChannelIds);
      }
      const recipients = connected(recipientsOf(event), channel);
      if (event.type === 'DELETE_CHANNEL') for (const userArn of membersOf(channel)) put(userArn, channel, new Set());
      if (event.type === 'DELETE_SUB_CHANNEL') for (const userArn of membersOf(channel)) leave(userArn, channel, event.subChannelId);
      if (event.type === 'DELETE_CHANNEL_MEMBERSHIP')
        leave(event.membership.Member?.Arn ?? '', channel, event.membership.SubChannelId ?? '');
      return recipients;
    },
  };
}
