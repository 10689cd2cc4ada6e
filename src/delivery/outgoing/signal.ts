import type { LeaseClock } from '#access/lease-parts.ts';

/** Creates a signal that ends a wait. A signal without a wait ends the next one. */
export function signal(clock: Pick<LeaseClock, 'after' | 'monotonic'>) {
  let isSet = false;
  let end: (() => void) | undefined;

  async function wait(milliseconds: number): Promise<void> {
    if (!isSet && milliseconds > 0) {
      await new Promise<void>((resolve) => {
        const cancel = clock.after(milliseconds, resolve);
        end = () => {
          cancel();
          resolve();
        };
      });
      end = undefined;
    }
    isSet = false;
  }

  return {
    wake() {
      isSet = true;
      end?.();
    },
    wait,
    /** Waits for the whole time, unless `isOver` returns true. */
    async pause(milliseconds: number, isOver: () => boolean): Promise<void> {
      const until = clock.monotonic() + milliseconds;
      while (!isOver() && clock.monotonic() < until) await wait(until - clock.monotonic());
    },
  };
}
