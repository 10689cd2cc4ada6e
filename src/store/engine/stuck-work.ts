/** Detects work that awaits something other than its transaction. Other transactions would wait for it forever. */
export interface StuckWork {
  /** Runs work that `watch` can abort. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Watches the running group until the returned function is called.
   *
   * Statements resolve at once, so a group ends before the event loop turns. If the loop turns, the running work awaits something else.
   */
  watch(): () => void;
}

export function stuckWork(): StuckWork {
  let abort = (_: Error): void => {};
  return {
    run: (work) =>
      new Promise((resolve, reject) => {
        abort = reject;
        work().then(resolve, reject);
      }),
    watch() {
      let watch = setImmediate(function turned() {
        abort(new Error('the work of a transaction awaited something other than its transaction'));
        watch = setImmediate(turned);
      });
      return () => clearImmediate(watch);
    },
  };
}
