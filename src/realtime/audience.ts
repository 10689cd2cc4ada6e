import type { ChannelEvent, ChannelNames } from '#services/chime/events.ts';
import { channels } from '#services/chime-sdk-messaging/tables/channels.ts';
import { type JoinedChannel, memberships } from '#services/chime-sdk-messaging/tables/memberships.ts';
import type { Tx } from '#store/store.ts';
import { type Addressees, addresseesOf } from './frames.ts';

/**
 * Who of the connected is in which channel, so that an event costs what its audience costs. Read when a user connects, and kept right by
 * the events themselves: those of one reading are applied one after the other, as they are told.
 */
export interface Audience {
  isConnected(userArn: string): boolean;
  connect(userArn: string, appInstanceId: string, joined: readonly JoinedChannel[]): void;
  disconnect(userArn: string): void;
  /**
   * Takes in what an event says of memberships, and answers who of the connected hears of it: who comes does, and who goes, for the last
   * time. `memberships` is what was read for it.
   */
  apply(event: ChannelEvent, memberships: Memberships): readonly string[];
}

/** The sub-channels that connected members are in, as the transaction sees it that read the events: `''` is the channel itself. */
export type Memberships = ReadonlyMap<string, ReadonlySet<string>>;

/** The users whom an event may make members, or members elsewhere. */
function comers(event: ChannelEvent): readonly (string | undefined)[] {
  if (event.type === 'CREATE_CHANNEL_MEMBERSHIP' || event.type === 'UPDATE_CHANNEL_MEMBERSHIP') return [event.membership.Member?.Arn];
  return event.type === 'BATCH_CREATE_CHANNEL_MEMBERSHIP' ? (event.memberships.Members ?? []).map(({ Arn }) => Arn) : [];
}

/** Reads the memberships of connected users that events speak of: what is true now, whatever the events say. */
export async function readMemberships(tx: Tx, events: readonly ChannelEvent[], audience: Audience): Promise<Memberships> {
  const found = new Map<string, ReadonlySet<string>>();
  for (const event of events) {
    for (const userArn of comers(event)) {
      if (userArn === undefined || !audience.isConnected(userArn) || found.has(keyOf(event, userArn))) continue;
      const channel = await tx.of(channels).get(event.accountId, event.region, event.appInstanceId, event.channelId);
      const there = channel === undefined ? [] : await tx.of(memberships).ofMember(channel, memberOf(userArn));
      found.set(keyOf(event, userArn), new Set(there.map(({ subChannelId }) => subChannelId)));
    }
  }
  return found;
}

/** `user/ada`: the member key of a user's ARN. */
export function memberOf(userArn: string): string {
  return userArn.split('/').slice(2).join('/');
}

function nameOf({ appInstanceId, channelId }: Pick<ChannelNames, 'appInstanceId' | 'channelId'>): string {
  return `${appInstanceId}/${channelId}`;
}

function keyOf(event: ChannelNames, userArn: string): string {
  return `${nameOf(event)} ${userArn}`;
}

export function newAudience(): Audience {
  /** User → channel → sub-channels. */
  const users = new Map<string, Map<string, Set<string>>>();
  /** Channel → users. */
  const channels = new Map<string, Set<string>>();

  function put(userArn: string, channel: string, subChannelIds: ReadonlySet<string>): void {
    const joined = users.get(userArn);
    if (joined === undefined) return;
    if (subChannelIds.size > 0) {
      joined.set(channel, new Set(subChannelIds));
      let members = channels.get(channel);
      if (members === undefined) channels.set(channel, (members = new Set()));
      members.add(userArn);
      return;
    }
    joined.delete(channel);
    const members = channels.get(channel);
    members?.delete(userArn);
    if (members?.size === 0) channels.delete(channel);
  }

  function leave(userArn: string, channel: string, subChannelId: string): void {
    const left = new Set(users.get(userArn)?.get(channel));
    left.delete(subChannelId);
    put(userArn, channel, left);
  }

  function membersOf(channel: string): readonly string[] {
    return [...(channels.get(channel) ?? [])];
  }

  function meant(to: Addressees | undefined, channel: string): readonly string[] {
    switch (to?.kind) {
      case undefined:
        return [];
      case 'members': {
        const { subChannelId, besides } = to;
        const members = membersOf(channel).filter(
          (arn) => subChannelId === undefined || users.get(arn)?.get(channel)?.has(subChannelId) === true,
        );
        return besides === undefined || members.includes(besides) || !users.has(besides) ? members : [...members, besides];
      }
      case 'members named':
        return to.arns.filter((arn) => users.get(arn)?.has(channel));
      case 'themselves':
        return to.arns.filter((arn) => users.has(arn));
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
    apply(event, memberships) {
      const channel = nameOf(event);
      for (const userArn of comers(event)) {
        const subChannelIds = userArn === undefined ? undefined : memberships.get(keyOf(event, userArn));
        if (userArn !== undefined && subChannelIds !== undefined) put(userArn, channel, subChannelIds);
      }
      const heard = meant(addresseesOf(event), channel);
      if (event.type === 'DELETE_CHANNEL') for (const userArn of membersOf(channel)) put(userArn, channel, new Set());
      if (event.type === 'DELETE_SUB_CHANNEL') for (const userArn of membersOf(channel)) leave(userArn, channel, event.subChannelId);
      if (event.type === 'DELETE_CHANNEL_MEMBERSHIP')
        leave(event.membership.Member?.Arn ?? '', channel, event.membership.SubChannelId ?? '');
      return heard;
    },
  };
}
