/** Turns of one work function. A turn is one call of the function. Turns never overlap. */
export interface Turns {
  /** Requests a turn that begins after this call. Further requests before that turn begins cause no further turn. */
  request(): void;
  isRunning(): boolean;
  /** Prevents further turns. Resolves when the running turn has ended. */
  stop(): Promise<void>;
}

/**
 * Creates the turns of the function `work`. `work` must not reject. It returns 'more' to request another turn. `idle`
 * runs after a turn if no further turn was requested.
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
      // Another turn was requested after the loop ended, but before this callback ran.
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
