/** Work of one transaction of the event router, and its limits. */
import type { Instant } from '#core/instant.ts';
import { eventSteps, STEPS_PER_EVENT, type Steps } from '#services/events/pattern/steps.ts';
import type { RuleKey } from '#services/events/routing.ts';
import { type NewMessage, outgoing } from '#services/kit/outgoing.ts';
import type { Tx } from '#store/store.ts';
import type { RuleMetric } from './rule-metrics.ts';

/** Limits of one transaction: events and schedules, and the messages and the steps of matching after which it ends. */
export const STEP = { events: 50, accounts: 8, schedules: 50, messages: 500, units: 2 ** 23, steps: STEPS_PER_EVENT } as const;
/**
 * Most messages, UTF-16 code units, and passes to other buses that one event can cause. Further targets do not receive it. Without the limit
 * of passes, a bus with 10,000 targets that pass events to a bus with 10,000 targets would cost 100 million messages.
 */
export const EVENT = { messages: 2_000, units: 2 ** 26, passes: 100 } as const;

/** Work of one transaction. */
export interface Run {
  readonly tx: Tx;
  readonly now: Instant;
  messages: number;
  units: number;
  steps: number;
  ofEvent: Progress;
  /** Description of the loss, for the log. */
  readonly lost: string[];
  /** Further lines for the log. */
  readonly notes: string[];
  /** Metrics that are counted after the commit. */
  readonly counts: (readonly [RuleMetric, RuleKey])[];
}

/** Work for the current event, on all buses. */
interface Progress {
  messages: number;
  units: number;
  passes: number;
  /** Whether the event has reached a limit, so that further targets do not receive it. */
  isFull: boolean;
  readonly steps: Steps;
}

export function newRun(tx: Tx, now: Instant): Run {
  return { tx, now, messages: 0, units: 0, steps: 0, ofEvent: newProgress(), lost: [], notes: [], counts: [] };
}

function newProgress(): Progress {
  return { messages: 0, units: 0, passes: 0, isFull: false, steps: eventSteps() };
}

/** Runs the work for one event. */
export async function forEvent(run: Run, work: () => Promise<void>): Promise<void> {
  run.ofEvent = newProgress();
  await work();
  run.steps += run.ofEvent.steps.taken();
}

/** Starts the limits of the transaction again. */
export function restart(run: Run): void {
  Object.assign(run, { messages: 0, units: 0, steps: 0 });
}

/** Reports whether the transaction has done as much work as it may. */
export function isOver({ messages, units, steps }: Run): boolean {
  return messages >= STEP.messages || units >= STEP.units || steps >= STEP.steps;
}

/** Adds a message of the current event. */
export async function add(run: Run, message: NewMessage): Promise<void> {
  if (run.ofEvent.messages >= EVENT.messages || run.ofEvent.units + message.body.length > EVENT.units) {
    endEvent(run, `an event of the lane '${message.lane}'`);
    return;
  }
  take(run, message.body.length);
  await run.tx.of(outgoing).add(message);
}

/** Counts a message of the current event. */
export function take(run: Run, units: number): void {
  run.units += units;
  run.messages += 1;
  run.ofEvent.units += units;
  run.ofEvent.messages += 1;
}

/** Ends the work for the current event, because it has reached a limit. */
export function endEvent(run: Run, what: string): void {
  run.ofEvent.isFull = true;
  run.lost.push(`${what} and its further targets, because the event has too many targets`);
}
