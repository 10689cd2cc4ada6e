import type { Closing, SocketOrder } from './protocol.ts';
import type { Session, Sessions } from './sessions.ts';

/** A frame and the sessions that receive it. */
export interface Delivery {
  readonly frame: string;
  readonly to: readonly Session[];
  /** Whether the main thread notifies the core when it has written the frame to the socket. */
  readonly confirm?: boolean;
}

/** Maximum total length of the frames that are withheld from one session, in characters. */
const WITHHELD_MAX = 1024 * 1024;

/**
 * Outgoing frames. Sends the frames of authorized sessions immediately. Withholds the frames of every other session
 * until that session has been authorized. The frames of one session stay in order.
 */
export interface Outbox {
  /**
   * Sends frames as one batch. Closed sessions receive nothing. Returns the sessions that have more than `WITHHELD_MAX`
   * characters of withheld frames. The caller must close these sessions.
   */
  send(deliveries: readonly Delivery[]): readonly Session[];
  /** Sends the withheld frames of sessions that have been authorized. */
  release(sessions: readonly Session[]): void;
  /**
   * Closes the sockets of sessions, and drops the withheld frames. The main thread writes frames that were sent earlier
   * before it closes the sockets.
   */
  close(sessions: readonly Session[], closing: Closing): void;
  /** Returns the open sessions with withheld frames. The session that has waited longest is first. */
  waiting(): Iterable<Session>;
  /** Drops the withheld frames of a closed session. */
  forget(session: Session): void;
}

export interface OutboxParts {
  readonly sessions: Pick<Sessions, 'has'>;
  /** Reports whether a session must be authorized again before it receives a frame. */
  readonly isMarked: (session: Session) => boolean;
  /** Passes a batch of orders to the main thread, which owns the sockets. */
  readonly follow: (orders: readonly SocketOrder[]) => void;
}

/** A withheld frame, shared by all sessions that wait for it. */
interface WithheldFrame {
  readonly frame: string;
  readonly confirm: boolean;
  /** Position of the frame among all frames, in the order of sending. */
  readonly position: number;
}

/** Creates an outbox without frames. Invariant: `isMarked` is true for every session with withheld frames. */
export function newOutbox({ sessions, isMarked, follow }: OutboxParts): Outbox {
  const withheld = new Map<Session, { readonly frames: WithheldFrame[]; characters: number }>();
  let position = 0;

  /** Withholds a frame. Returns false if more than `WITHHELD_MAX` characters are now withheld from the session. */
  function withhold(session: Session, frame: WithheldFrame): boolean {
    let waiting = withheld.get(session);
    if (waiting === undefined) withheld.set(session, (waiting = { frames: [], characters: 0 }));
    waiting.frames.push(frame);
    waiting.characters += frame.frame.length;
    return waiting.characters <= WITHHELD_MAX;
  }

  return {
    send(deliveries) {
      const orders: SocketOrder[] = [];
      const overfull = new Set<Session>();
      for (const { frames, to, confirm } of withSameRecipients(deliveries)) {
        const connected = to.filter(sessions.has);
        const marked = connected.filter(isMarked);
        for (const frame of frames) {
          const later = { frame, confirm, position: position++ };
          for (const session of marked) if (!withhold(session, later)) overfull.add(session);
        }
        const ready = marked.length === 0 ? connected : connected.filter((session) => !isMarked(session));
        if (ready.length > 0) orders.push(sendOrder(frames, ready, confirm));
      }
      if (orders.length > 0) follow(orders);
      return [...overfull];
    },
    release(released) {
      const recipients = new Map<WithheldFrame, Session[]>();
      for (const session of released) {
        for (const frame of withheld.get(session)?.frames ?? []) {
          const others = recipients.get(frame);
          if (others === undefined) recipients.set(frame, [session]);
          else others.push(session);
        }
        withheld.delete(session);
      }
      if (recipients.size === 0) return;
      const inOrder = [...recipients].sort(([a], [b]) => a.position - b.position);
      follow(inOrder.map(([{ frame, confirm }, to]) => sendOrder([frame], to, confirm)));
    },
    close(closed, closing) {
      for (const session of closed) withheld.delete(session);
      if (closed.length > 0) follow([{ close: closing, to: closed.map(({ socket }) => socket) }]);
    },
    waiting: () => withheld.keys(),
    forget: (session) => void withheld.delete(session),
  };
}

/** Frames that are sent to the same sessions with one order. */
interface Combined {
  readonly frames: string[];
  readonly to: readonly Session[];
  confirm: boolean;
}

/** Combines consecutive frames for the same array of sessions. */
function withSameRecipients(deliveries: readonly Delivery[]): readonly Combined[] {
  const combined: Combined[] = [];
  for (const { frame, to, confirm = false } of deliveries) {
    const last = combined.at(-1);
    if (last?.to === to) {
      last.frames.push(frame);
      last.confirm ||= confirm;
    } else combined.push({ frames: [frame], to, confirm });
  }
  return combined;
}

function sendOrder(send: readonly string[], to: readonly Session[], confirm: boolean): SocketOrder {
  const numbers = Uint32Array.from(to, ({ socket }) => socket);
  return confirm ? { send, to: numbers, confirm: true } : { send, to: numbers };
}
