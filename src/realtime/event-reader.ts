import type { ChannelEvent } from '#services/chime-kit/events.ts';
import { type JoinedChannel, memberships } from '#services/chime-sdk-messaging/tables/memberships.ts';
import type { Store, Tx } from '#store/store.ts';
import { type Memberships, memberOf, newAudience, readMemberships } from './audience.ts';
import { newFeed, type Reading } from './feed.ts';
import { eventFrame, SESSION_ESTABLISHED } from './frames.ts';
import type { Delivery } from './outbox.ts';
import { CLOSINGS, type Closing } from './protocol.ts';
import { type SessionEvent, sessionEventOf } from './session-events.ts';
import type { Session, Sessions } from './sessions.ts';

/**
 * Reader of the events of all servers, for the sessions of this server.
 *
 * One transaction reads the memberships of a new session. The session receives the events that are committed after
 * this transaction. It receives them in the order of commits, and each event at most once.
 */
export interface EventReader {
  /** Reads the next events and connects the opening sessions. If it rejects, the next call reads the same events. */
  read(): Promise<ReadEvents>;
  /** Disconnects a user whose last session has closed. */
  disconnect(userArn: string): void;
  /** Forgets all users and events. Events that are committed before the next reading are skipped. */
  restart(): void;
}

/** Result of one reading of events. */
export interface ReadEvents {
  /** Frames with their recipients, in the order in which they are sent. */
  readonly deliveries: readonly Delivery[];
  /** Sessions to which `deliveries` sends SESSION_ESTABLISHED. */
  readonly established: readonly Session[];
  /** Whether more events are stored already, or sessions remain to be connected. */
  readonly more: boolean;
}

export interface EventReaderParts {
  readonly store: Store;
  readonly sessions: Sessions;
  /** Returns milliseconds on a monotonic clock. */
  readonly monotonic: () => number;
  readonly close: (sessions: readonly Session[], closing: Closing) => void;
  /** Marks sessions, so that each is authorized again before it receives an event. */
  readonly reauthorize: (some: readonly Session[]) => void;
}

/** Rows that one transaction reads: events, and the memberships that determine the recipients of the events. */
interface Rows {
  readonly reading: Reading;
  readonly events: readonly SessionEvent[];
  /** Memberships of connected users in the channels of the events. */
  readonly current: Memberships;
  /** Channels of the users that the reading connects, by user. */
  readonly joined: ReadonlyMap<string, readonly JoinedChannel[]>;
}

/** Creates a reader. It begins with events that are committed after its first reading. */
export function newEventReader(parts: EventReaderParts): EventReader {
  const { store, sessions, monotonic } = parts;
  let audience = newAudience();
  let feed = newFeed(monotonic);

  async function readIn(tx: Tx, opening: readonly Session[]): Promise<Rows> {
    const reading = await feed.read(tx);
    const events = reading.events.map(sessionEventOf);
    const current = await readMemberships(tx, events.filter(isChannelEvent), audience);
    const joined = new Map<string, readonly JoinedChannel[]>();
    // Connects users only after all stored events are read. Otherwise a user would receive events that are older than
    // the user's session.
    if (reading.caughtUp) {
      for (const { appInstanceId, request } of opening) {
        if (!audience.isConnected(request.UserArn) && !joined.has(request.UserArn))
          joined.set(request.UserArn, await tx.of(memberships).joinedBy(appInstanceId, memberOf(request.UserArn)));
      }
    }
    return { reading, events, current, joined };
  }

  /** Connects a session. Returns false if the memberships of its user were not read. */
  function connect(session: Session, joined: Rows['joined']): boolean {
    const { UserArn } = session.request;
    if (!audience.isConnected(UserArn)) {
      const channels = joined.get(UserArn);
      // The transaction did not read the user's memberships, because another session of the user was connected then.
      // That session has closed since.
      if (channels === undefined) return false;
      audience.connect(UserArn, session.appInstanceId, channels);
    }
    session.state = 'open';
    return true;
  }

  function deliveriesOf(event: SessionEvent, current: Memberships, sessionsOf: SessionsOf): readonly Delivery[] {
    if (isChannelEvent(event)) {
      const to = sessionsOf(audience.apply(event, current));
      return to.length === 0 ? [] : [{ frame: eventFrame(event), to }];
    }
    if (event.type === 'SessionOpened') {
      const sameId = sessions.ofUser(event.userArn).filter(({ request }) => request.SessionId === event.sessionId);
      parts.close(
        sameId.filter(({ received }) => received.requestId !== event.key),
        CLOSINGS.replaced,
      );
      return [];
    }
    const ofUser = event.userArn === undefined ? sessions.all() : sessions.ofUser(event.userArn);
    parts.reauthorize(ofUser.filter(({ appInstanceId }) => appInstanceId === event.appInstanceId));
    return [];
  }

  return {
    async read() {
      const opening = sessions.all().filter(({ state }) => state === 'opening');
      const { reading, events, current, joined } = await store.transaction((tx) => readIn(tx, opening));
      reading.taken();
      const sessionsOf = openSessionsOf(sessions);
      const deliveries = events.flatMap((event) => deliveriesOf(event, current, sessionsOf));
      if (!reading.caughtUp) return { deliveries, established: [], more: true };
      const connected = opening.filter(sessions.has);
      const established = connected.filter((session) => connect(session, joined));
      if (established.length > 0) deliveries.push({ frame: SESSION_ESTABLISHED, to: established });
      return { deliveries, established, more: established.length < connected.length };
    },
    disconnect: (userArn) => audience.disconnect(userArn),
    restart() {
      audience = newAudience();
      feed = newFeed(monotonic);
    },
  };
}

type SessionsOf = (userArns: readonly string[]) => readonly Session[];

/**
 * Returns a function that finds the open sessions of users. Calls of the function with the same array of users return
 * the same array of sessions. The results are valid until a session opens.
 */
function openSessionsOf(sessions: Sessions): SessionsOf {
  const found = new Map<readonly string[], readonly Session[]>();
  return (userArns) => {
    let open = found.get(userArns);
    if (open === undefined) {
      open = userArns.flatMap((userArn) => sessions.ofUser(userArn).filter(({ state }) => state === 'open'));
      found.set(userArns, open);
    }
    return open;
  };
}

function isChannelEvent(event: SessionEvent): event is ChannelEvent {
  return event.type !== 'SessionOpened' && event.type !== 'UsersGone';
}
