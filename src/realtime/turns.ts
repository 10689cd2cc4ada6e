/** Turns of one worker, one after the other. */
export interface Turns {
  /** Requests a turn that begins after the call. Several requests before its beginning are one turn. */
  request(): void;
  isRunning(): boolean;
  /** Prevents further turns. Resolves when the running one has ended. */
  stop(): Promise<void>;
}

/**
 * Creates the turns of a worker. `work` never rejects, and requests another turn with 'more'. `idle` runs after a turn if no other turn was
 * requested.
 */
export function newTurns(work: () => Promise<'more' | 'done'>, idle: () => void): Turns {
  let requested = false;
  let stopped = false;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (requested && !stopped) {
      requested = false;
      if ((await work()) === 'more') requested = true;
    }
  }

  function request(): void {
    requested = true;
    if (running !== undefined || stopped) return;
    running = run().finally(() => {
      running = undefined;
      if (!requested) idle();
      // A turn was requested after the last turn ended.
      else request();
    });
  }

  return {
    request,
    isRunning: () => running !== undefined,
    async stop() {
      stopped = true;
      await running;
    },
  };
}
