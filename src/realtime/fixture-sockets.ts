/** Test kit: sockets that record the orders of messaging sessions. */
import type { Closing, SocketOrder } from './protocol.ts';

/** Frames that one socket was sent, and the reason for closing it. */
export interface TestSocket {
  readonly frames: { readonly type: string; readonly payload: Readonly<Record<string, unknown>> | undefined }[];
  closed?: Closing;
}

/** Time limit of each wait. Conditions are met long before. */
const WAIT_MAX_MS = 20_000;

/** Creates an owner of sockets. */
export function newTestSockets() {
  const sockets = new Map<number, TestSocket>();
  const waiting = new Set<() => void>();

  return {
    /** Adds a socket with the next number, which starts at 1. */
    add(): { readonly number: number; readonly socket: TestSocket } {
      const number = sockets.size + 1;
      const socket: TestSocket = { frames: [] };
      sockets.set(number, socket);
      return { number, socket };
    },
    follow(orders: readonly SocketOrder[]): void {
      for (const order of orders) {
        for (const number of order.to) {
          const socket = sockets.get(number) as TestSocket;
          if ('close' in order) socket.closed = order.close;
          else {
            const { Headers, Payload } = JSON.parse(order.send);
            socket.frames.push({ type: Headers['x-amz-chime-event-type'], payload: Payload && JSON.parse(Payload) });
          }
        }
      }
      for (const check of waiting) check();
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
