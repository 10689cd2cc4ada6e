import type { Delivery, EventReader } from './event-reader.ts';
import { CLOSINGS, type Closing, type SocketOrder } from './protocol.ts';
import type { Reauthorization } from './reauthorization.ts';
import type { Sessions } from './sessions.ts';

/** Time for which sessions stay open while events cannot be read. */
const FAILING_MAX_MS = 5_000;

export interface SessionTurnParts {
  readonly sessions: Sessions;
  readonly reauthorization: Reauthorization;
  readonly reader: EventReader;
  /** Reports whether the lease on the identity snapshot holds. */
  readonly holds: () => boolean;
  /** Returns milliseconds on a monotonic clock. */
  readonly monotonic: () => number;
  readonly closeAll: (closing: Closing) => void;
  readonly follow: (orders: readonly SocketOrder[]) => void;
  readonly report: (line: string) => void;
}

/** Work of the turns of messaging sessions. */
export interface SessionTurn {
  /** Reads events, authorizes their recipients again and sends. Then authorizes a slice of the sessions that are due. */
  run(): Promise<'more' | 'done'>;
  /** Returns the monotonic time of the last reading. */
  readAt(): number;
}

/** Creates the work of the turns. */
export function newSessionTurn(parts: SessionTurnParts): SessionTurn {
  const { sessions, reauthorization, reader, monotonic } = parts;
  let readAt = 0;
  let failingSince: number | undefined;

  /** Reads the next events. After an error, the next poll reads them. Closes all sessions if errors last for too long. */
  async function read(): ReturnType<EventReader['read']> {
    readAt = monotonic();
    try {
      const events = await reader.read();
      failingSince = undefined;
      return events;
    } catch (error) {
      if (failingSince === undefined) parts.report(`channel events could not be read: ${(error as Error).message}`);
      failingSince ??= monotonic();
      if (monotonic() - failingSince > FAILING_MAX_MS) parts.closeAll(CLOSINGS.failed);
      return { deliveries: [], more: false };
    }
  }

  function send(deliveries: readonly Delivery[]): void {
    // Without a lease, the permissions of the recipients are unknown.
    if (!parts.holds()) {
      parts.closeAll(CLOSINGS.tryAgain);
      return;
    }
    const orders = deliveries.flatMap(({ frame, to }) => {
      const connected = to.filter(sessions.has).map(({ socket }) => socket);
      return connected.length === 0 ? [] : [{ send: frame, to: connected }];
    });
    if (orders.length > 0) parts.follow(orders);
  }

  return {
    async run() {
      if (sessions.count() === 0) return 'done';
      const { deliveries, more } = await read();
      await reauthorization.authorize(new Set(deliveries.flatMap(({ to }) => to)));
      send(deliveries);
      const marked = reauthorization.isDue() && (await reauthorization.authorizeSlice());
      return more || marked ? 'more' : 'done';
    },
    readAt: () => readAt,
  };
}
