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

/** Number of channels that one slice reads, which takes about 2 ms. All other callers wait for a slice. */
const SLICE_CHANNELS = 4;

/**
 * Channel details for sessions that requested them with `prefetch-on=connect`.
 *
 * They are read in slices between the readings of events. So the details of a channel contain all changes whose events were sent before,
 * and later changes follow as events. The next slice of a session is read when its client has received the last one, so a slow client
 * occupies little memory.
 */
export interface Prefetch {
  /** Adds a session that was established, if it requested channel details. */
  add(session: Session): void;
  /** Reports whether `read` has details to read. */
  isDue(): boolean;
  /** Reads one slice. The caller sends it before it reads events. @throws PrefetchError  the store failed; the other details are dropped */
  read(): Promise<readonly Delivery[]>;
  /** Continues with a session after its last slice was written to the socket. */
  written(session: Session): void;
  /** Drops the details of a closed session. */
  forget(session: Session): void;
}

/** Progress of a session. */
interface Progress {
  /** Memberships whose channel details remain to be read. Undefined before the first slice. */
  rest: readonly MembershipRecord[] | undefined;
  /** Whether the last slice is not yet written to the socket. */
  writing: boolean;
}

/** Error while the details for a session were read. */
export class PrefetchError extends Error {
  readonly session: Session;

  constructor(session: Session, cause: Error) {
    super(cause.message, { cause });
    this.session = session;
  }
}

/** Creates the prefetch of a server. A session for which `isMarked` holds waits until it is authorized. */
export function newPrefetch(store: Store, isMarked: (session: Session) => boolean): Prefetch {
  const sessions = new Map<Session, Progress>();

  function next(): [Session, Progress] | undefined {
    for (const entry of sessions) if (!entry[1].writing && !isMarked(entry[0])) return entry;
    return undefined;
  }

  /** Returns the frames of the first channels, and the memberships that remain. */
  async function readIn(tx: Tx, { request, appInstanceId }: Session, before: Progress['rest']) {
    const unreadFirst = request.PrefetchSortBy !== 'last-message-timestamp';
    const all = before ?? (await tx.of(memberships).latestOfMember(appInstanceId, memberOf(request.UserArn), unreadFirst, CHANNELS_MAX));
    const frames: string[] = [];
    for (const membership of all.slice(0, SLICE_CHANNELS)) {
      const details = await channelDetails(tx, membership);
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
