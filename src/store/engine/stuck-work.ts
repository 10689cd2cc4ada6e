/** Detects work that awaits something other than its transaction. Other transactions would wait for it forever. */
export interface StuckWork {
  /** Runs work that `watch` can abort. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Watches the running group of transactions, which share a commit, until the returned function is called.
   *
   * Statements resolve at once, so a group ends before the next turn of the event loop. If that turn begins first, the
   * running work awaits something else.
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
        abort(new Error('a transaction failed, because its function awaited a promise other than a statement of the transaction'));
        watch = setImmediate(turned);
      });
      return () => clearImmediate(watch);
    },
  };
}
