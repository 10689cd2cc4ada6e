import type { Part } from '#core/part.ts';

/** Parts of the server, with their common lifecycle. */
export interface RunningParts {
  /**
   * Starts the parts in order, one after the other. If one fails, stops the started parts in reverse order.
   *
   * @throws Error  the error of the part that failed to start
   */
  start(): Promise<void>;
  /** Drains all started parts at the same time: each finishes its accepted work. */
  drain(): Promise<void>;
  /**
   * Stops the started parts in reverse order, and waits for each. A second call returns the promise of the first.
   *
   * @throws AggregateError  the errors of parts that failed to stop; all other parts have stopped
   */
  stop(): Promise<void>;
}

/** Combines the lifecycles of parts. In the list, a part comes after all parts that it needs. */
export function runParts(parts: readonly Part[]): RunningParts {
  const started: Part[] = [];
  let stopped: Promise<void> | undefined;

  async function stopAll(): Promise<void> {
    const errors: Error[] = [];
    for (let part = started.pop(); part !== undefined; part = started.pop()) {
      try {
        await part.stop?.();
      } catch (error) {
        errors.push(new Error(`could not stop ${part.name}: ${(error as Error).message}`, { cause: error }));
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, errors.map(({ message }) => message).join('; '));
  }

  const stop = (): Promise<void> => (stopped ??= stopAll());
  return {
    async start() {
      for (const part of parts) {
        try {
          await part.start?.();
        } catch (error) {
          // Throws the error of `start`, which names the cause. Ignores errors of `stop`, which are consequences of the
          // cause.
          await stop().catch(() => undefined);
          throw error;
        }
        if (stopped !== undefined) {
          // `stop` ran while this part started and was not yet in the list, so the part is stopped here.
          await part.stop?.();
          return;
        }
        started.push(part);
      }
    },
    async drain() {
      await Promise.all(started.map((part) => part.drain?.()));
    },
    stop,
  };
}
