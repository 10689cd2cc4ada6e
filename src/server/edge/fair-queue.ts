/** Limits of a queue in front of the core. */
export interface FairQueueLimits {
  /** Maximum number of tasks that run at once. */
  readonly runningMax: number;
  /**
   * Time after which a task no longer counts as running. A task that runs for so long probably waits for something
   * other than the core's thread.
   */
  readonly agedMs: number;
}

/** Queue that runs a bounded number of tasks at once. */
export interface FairQueue {
  /** Runs a task of a source (a client, named by its address) when it is the turn of this source. */
  run<T>(source: string, task: () => Promise<T>): Promise<T>;
  /** Tasks that wait for their turn. */
  waiting(): number;
}

/**
 * Creates a queue that is fair between sources: tasks of one source run in order, and sources take turns.
 *
 * So a source that sends many requests delays another source by `runningMax` tasks at most. The queue does not limit
 * the number of waiting tasks. Its callers do.
 */
export function fairQueue({ runningMax, agedMs }: FairQueueLimits): FairQueue {
  /** Waiting tasks by source. The source whose turn is next comes first. */
  const queues = new Map<string, (() => void)[]>();
  /** Start times of the running tasks, the oldest first. */
  const running = new Map<number, number>();
  let waiting = 0;
  let lastId = 0;
  let aging: NodeJS.Timeout | undefined;

  function next(): void {
    while (waiting > 0 && running.size < runningMax) {
      const [source, tasks] = queues.entries().next().value as [string, (() => void)[]];
      const task = tasks.shift() as () => void;
      queues.delete(source);
      if (tasks.length > 0) queues.set(source, tasks);
      waiting -= 1;
      task();
    }
    if (waiting === 0) {
      clearTimeout(aging);
      aging = undefined;
    } else if (aging === undefined) aging = setTimeout(age, agedMs);
  }

  function age(): void {
    aging = undefined;
    const now = performance.now();
    for (const [id, began] of running) {
      if (now - began < agedMs) break;
      running.delete(id);
    }
    next();
  }

  function begin<T>(task: () => Promise<T>): Promise<T> {
    const id = ++lastId;
    running.set(id, performance.now());
    const end = () => {
      running.delete(id);
      if (waiting > 0) next();
    };
    const result = task();
    result.then(end, end);
    return result;
  }

  return {
    run(source, task) {
      if (waiting === 0 && running.size < runningMax) return begin(task);
      return new Promise((resolve, reject) => {
        const tasks = queues.get(source);
        const start = () => void begin(task).then(resolve, reject);
        if (tasks === undefined) queues.set(source, [start]);
        else tasks.push(start);
        waiting += 1;
        next();
      });
    },
    waiting: () => waiting,
  };
}
