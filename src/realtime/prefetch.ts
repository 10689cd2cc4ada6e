import type { Instant } from '#core/instant.ts';
import { channelDetails } from '#services/chime-sdk-messaging/channel-details.ts';
import { type MembershipRecord, memberships } from '#services/chime-sdk-messaging/tables/memberships.ts';
import type { Store, Tx } from '#store/store.ts';
import { memberOf } from './audience.ts';
import { serializeFrame } from './frames.ts';
import type { Delivery } from './outbox.ts';
import type { Session } from './sessions.ts';

/**
 * Maximum number of channels whose details a session receives.
 *
 * Source: Chime SDK Developer Guide, "Using prefetch to deliver channel details": up to 50 events.
 */
const CHANNELS_MAX = 50;

/**
 * Number of channels in a slice. `read` reads the details of one slice, which takes about 2 ms. Other requests wait
 * meanwhile.
 */
const SLICE_CHANNELS = 4;

/**
 * Channel details for sessions that requested them with `prefetch-on=connect`.
 *
 * The details are read in slices of four channels, between the readings of events. So the details of a channel contain
 * all changes whose events were sent before the details. Later changes follow as events. The next slice of a session is
 * read only when the last slice was written to the socket. So a slow client occupies little memory.
 */
export interface Prefetch {
  /** Adds a session that has received SESSION_ESTABLISHED, if it requested channel details. */
  add(session: Session): void;
  /** Reports whether `read` has details to read. */
  isDue(): boolean;
  /**
   * Reads the details of the next channels of one session. The caller must send the details before it reads more
   * events.
   *
   * @throws PrefetchError  the store failed; the session's remaining details are dropped
   */
  read(): Promise<readonly Delivery[]>;
  /** Receives the notification that the last slice was written to the socket. Then the session's next slice is due. */
  written(session: Session): void;
  /** Drops the details of a closed session. */
  forget(session: Session): void;
}

/** Progress of reading the channel details for one session. */
interface Progress {
  /** Memberships whose channel details remain to be read. Undefined before the first slice. */
  rest: readonly MembershipRecord[] | undefined;
  /** Whether the last slice is not yet written to the socket. */
  writing: boolean;
}

/** Error that the store reported while the channel details for a session were read. */
export class PrefetchError extends Error {
  readonly session: Session;

  constructor(session: Session, cause: Error) {
    super(cause.message, { cause });
    this.session = session;
  }
}

/** Creates the prefetch of a server. A session for which `isMarked` returns true waits until it is authorized again. */
export function newPrefetch(store: Store, isMarked: (session: Session) => boolean, now: () => Instant): Prefetch {
  const sessions = new Map<Session, Progress>();

  function next(): [Session, Progress] | undefined {
    for (const entry of sessions) if (!entry[1].writing && !isMarked(entry[0])) return entry;
    return undefined;
  }

  /** Returns the frames of the next slice, and the memberships whose details remain to be read. */
  async function readIn(tx: Tx, { request, appInstanceId }: Session, before: Progress['rest']) {
    const unreadFirst = request.PrefetchSortBy !== 'last-message-timestamp';
    const all = before ?? (await tx.of(memberships).latestOfMember(appInstanceId, memberOf(request.UserArn), unreadFirst, CHANNELS_MAX));
    const frames: string[] = [];
    for (const membership of all.slice(0, SLICE_CHANNELS)) {
      const details = await channelDetails(tx, membership, now());
      if (details !== undefined) frames.push(serializeFrame('CHANNEL_DETAILS', 'SYSTEM', details));
    }
    return { frames, rest: all.slice(SLICE_CHANNELS) };
  }

  return {
    add(session) {
      if (session.request.PrefetchOn === 'connect') sessions.set(session, { rest: undefined, writing: false });
    },
    isDue: () => next() !== undefined,
    async read() {
      const found = next();
      if (found === undefined) return [];
      const [session, progress] = found;
      try {
        const { frames, rest } = await store.transaction((tx) => readIn(tx, session, progress.rest));
        if (rest.length === 0) sessions.delete(session);
        else Object.assign(progress, { rest, writing: frames.length > 0 });
        const to = [session];
        return frames.map((frame) => ({ frame, to, confirm: rest.length > 0 }));
      } catch (error) {
        sessions.delete(session);
        throw new PrefetchError(session, error as Error);
      }
    },
    written(session) {
      const progress = sessions.get(session);
      if (progress !== undefined) progress.writing = false;
    },
    forget: (session) => void sessions.delete(session),
  };
}
