import { generator } from '../kit/random.ts';
import { eventQueue } from '../simulation/event-queue.ts';

/** Simulated time: runs events in the order of time, and returns random numbers that depend only on the seed. */
export interface Timeline {
  /** Milliseconds since the start. */
  time(): number;
  /** Returns a number that is at least 0 and less than 1. */
  random(): number;
  /** Returns true with this probability, but only in the period with faults. */
  chance(probability: number): boolean;
  between(low: number, high: number): number;
  /** Returns an element of a list, or undefined if the list is empty. */
  one<T>(list: readonly T[]): T | undefined;
  /** Schedules an event. An event in the past runs next. */
  at(when: number, run: () => void): void;
  /** Runs the next event, and the callbacks of all promises that it resolves. Returns false if no event is left. */
  step(): Promise<boolean>;
}

/** Creates a timeline. The period with faults ends after `stormMilliseconds`. */
export function newTimeline(seed: number, stormMilliseconds: number): Timeline {
  const random = generator(seed);
  const queue = eventQueue<{ readonly run: () => void }>();
  let time = 0;
  return {
    time: () => time,
    random,
    chance: (probability) => random() < probability && time < stormMilliseconds,
    between: (low, high) => low + random() * (high - low),
    one: (list) => list[Math.floor(random() * list.length)],
    at: (when, run) => queue.add(Math.max(when, time), { run }),
    async step() {
      const event = queue.take();
      if (event === undefined) return false;
      time = event.at;
      event.run();
      // Completes all pending promises before the time advances.
      await new Promise((resolve) => setImmediate(resolve));
      return true;
    },
  };
}
