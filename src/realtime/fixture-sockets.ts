/**
 * Test kit: sockets that execute the orders of messaging sessions (`SocketOrder`). The sockets record the sent frames
 * and the reason for closing.
 */
import type { Closing, SocketNews, SocketOrder } from './protocol.ts';

/** Frames that were sent to one socket, and the reason for closing it. */
export interface TestSocket {
  readonly frames: { readonly type: string; readonly payload: Readonly<Record<string, unknown>> | undefined }[];
  closed?: Closing;
}

function parse(frame: string): TestSocket['frames'][number] {
  const { Headers, Payload } = JSON.parse(frame);
  return { type: Headers['x-amz-chime-event-type'], payload: Payload && JSON.parse(Payload) };
}

/** Time limit of each wait for a condition. In a passing test, the condition holds much earlier. */
const WAIT_MAX_MS = 60_000;

/** Creates sockets that replace those of the main thread. `notify` receives confirmations of written messages. */
export function newTestSockets(notify: (news: SocketNews) => void) {
  const written: number[] = [];
  let confirms = true;

  /** Confirms the written messages asynchronously, because the confirmations of the main thread also arrive later. */
  function confirm(): void {
    if (!confirms) return;
    setImmediate(() => {
      for (const number of written.splice(0)) notify({ written: number });
    });
  }

  const sockets = new Map<number, TestSocket>();
  const batches: (readonly SocketOrder[])[] = [];
  const waiting = new Set<() => void>();

  return {
    /** All batches of orders, oldest first. */
    batches,
    /** Adds a socket. The first socket has the number 1, and each further socket has the next number. */
    add(): { readonly number: number; readonly socket: TestSocket } {
      const number = sockets.size + 1;
      const socket: TestSocket = { frames: [] };
      sockets.set(number, socket);
      return { number, socket };
    },
    follow(orders: readonly SocketOrder[]): void {
      batches.push(orders);
      for (const order of orders) {
        for (const number of order.to) {
          const socket = sockets.get(number) as TestSocket;
          if ('close' in order) socket.closed = order.close;
          else socket.frames.push(...order.send.map(parse));
        }
      }
      for (const order of orders) if ('send' in order && order.confirm) written.push(...order.to);
      confirm();
      for (const check of waiting) check();
    },
    /**
     * Sets whether written messages are confirmed. Default: true. A call with `true` also confirms earlier messages.
     */
    confirmWrites(to: boolean): void {
      confirms = to;
      confirm();
    },
    /** Resolves when a condition holds. Checks it after each batch of orders. */
    until(condition: () => boolean): Promise<void> {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('timeout: the condition was not met')), WAIT_MAX_MS);
        const check = () => {
          if (!condition()) return;
          waiting.delete(check);
          clearTimeout(timer);
          resolve();
        };
        waiting.add(check);
        check();
      });
    },
  };
}
