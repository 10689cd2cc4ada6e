/** Background task that evaluates alarms whose evaluation is due. */
import { isDeepStrictEqual } from 'node:util';
import { AwsError } from '#core/aws-error.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Work } from '../../kit/events.ts';
import type { TaskSteps, Transact } from '../../kit/service.ts';
import { takeTurn } from '../../kit/task-turn.ts';
import { readingIn } from '../statistics.ts';
import { accountTurns } from './account-turns.ts';
import { typedAlarm } from './alarm-kinds.ts';
import { evaluateComposite } from './composite-evaluation.ts';
import { evaluateMetric, intervalOf } from './metric-evaluation.ts';
import { type AlarmRecord, alarms } from './tables/alarms.ts';
import { type NewState, setState } from './transition.ts';

/** Maximum number of alarms that one step evaluates, and of stored points after which it evaluates no further alarm. */
const ALARMS_AT_ONCE = 20;
const POINTS_AT_ONCE = 2_000;

/** Name of the turn in the table `meta`. */
const TURN = 'alarm-evaluation';

/** An alarm as it was when the step began, and the state that it should have. Composite alarms have no state before the last transaction. */
interface Evaluated {
  readonly alarm: AlarmRecord;
  readonly change?: NewState | undefined;
}

/**
 * Evaluates due alarms in steps, until none is due. A step has alarms of one account, and accounts take turns. Points are read, and expressions evaluated, between the transactions. One transaction
 * stores the states of a step with their history, their events and their messages.
 */
export const evaluateAlarms: TaskSteps = () => {
  let serverId: string | undefined;
  const turns = accountTurns(POINTS_AT_ONCE);
  return async (transact) => {
    const { accountId, due, now } = await transact(async (work) => {
      serverId ??= work.newId();
      const repository = work.tx.of(alarms);
      const isOurs = (await repository.isDue(work.now)) && (await takeTurn(work, TURN, serverId));
      const accountId = isOurs ? await turns.next(work.tx, work.now) : undefined;
      return { accountId, due: accountId === undefined ? [] : await repository.due(accountId, work.now, ALARMS_AT_ONCE), now: work.now };
    });
    if (accountId === undefined) return 'done';
    const evaluated: Evaluated[] = [];
    const budget = { points: POINTS_AT_ONCE };
    for (const alarm of due) {
      if (budget.points <= 0) break;
      evaluated.push({ alarm, change: await changeOf(transact, alarm, now, budget) });
    }
    turns.used(accountId, POINTS_AT_ONCE - budget.points);
    await transact(async (work) => {
      for (const each of evaluated) await store(work, each);
    });
    return 'more';
  };
};

/** Evaluates a metric alarm. Returns undefined if it keeps its state, and for a composite alarm. */
async function changeOf(transact: Transact, alarm: AlarmRecord, now: Instant, budget: { points: number }): Promise<NewState | undefined> {
  const typed = typedAlarm(alarm);
  if (typed.type === 'CompositeAlarm') return undefined;
  const readRange = readingIn({ transaction: (run) => transact(({ tx }) => run(tx)) });
  return await unlessInvalid(() => evaluateMetric({ readRange, now }, alarm, typed.configuration, budget));
}

/** Stores the state of an alarm and the time of its next evaluation. Skips an alarm that changed after it was read: it is still due. */
async function store(work: Work, { alarm, change }: Evaluated): Promise<void> {
  const present = await work.tx.of(alarms).get(alarm);
  if (!isDeepStrictEqual(present, alarm)) return;
  const typed = typedAlarm(alarm);
  const { dueAt = work.now, ...rest } = alarm;
  const isComposite = typed.type === 'CompositeAlarm';
  const scheduled: AlarmRecord = isComposite ? rest : { ...rest, dueAt: nextAfter(dueAt, intervalOf(typed.configuration), work.now) };
  const next = isComposite ? await evaluateComposite(work, alarm, typed.configuration) : change;
  if (next === undefined || next.state === alarm.state) await work.tx.of(alarms).schedule(scheduled);
  else await setState(work, scheduled, next);
}

/** Returns undefined if a configuration that was stored by another version of the server is invalid. Such an alarm keeps its state. */
async function unlessInvalid<T>(evaluate: () => Promise<T>): Promise<T | undefined> {
  try {
    return await evaluate();
  } catch (error) {
    if (error instanceof AwsError) return undefined;
    throw error;
  }
}

/** Returns the first time after `now` that is a multiple of the interval after `dueAt`. So the evaluations of alarms stay spread over time. */
function nextAfter(dueAt: number, intervalMs: number, now: number): ReturnType<typeof instant> {
  return instant(dueAt + intervalMs * (Math.floor(Math.max(0, now - dueAt) / intervalMs) + 1));
}
