/** Fixture of the tests in this folder: the operations and the evaluation of alarms on a real store. */
import { randomUUID } from 'node:crypto';
import { type Instant, instant } from '#core/instant.ts';
import type { CloudwatchApi, PutMetricAlarmInput } from '#model/generated/cloudwatch.ts';
import type { Store } from '#store/store.ts';
import type { BusEvent } from '../../kit/bus-event.ts';
import type { DomainEvent } from '../../kit/events.ts';
import { type As, openOperations, START, workFor } from '../../kit/fixture.ts';
import { OUTGOING, type OutgoingMessage } from '../../kit/outgoing.ts';
import type { Transact } from '../../kit/service.ts';
import { cloudwatchOperations } from '../operations.ts';
import { evaluateAlarms } from './evaluator.ts';

export const TOPIC = 'arn:aws:sns:us-east-1:111122223333:ops';
export const FUNCTION = 'arn:aws:lambda:us-east-1:111122223333:function:ops';

/** A valid alarm: the average of the last minute is greater than 10. */
export const ALARM: PutMetricAlarmInput = {
  AlarmName: 'high',
  Namespace: 'Test',
  MetricName: 'Load',
  Statistic: 'Average',
  Period: 60,
  EvaluationPeriods: 1,
  Threshold: 10,
  ComparisonOperator: 'GreaterThanThreshold',
};

/** Opens the operations with a clock that the test sets. */
export async function openAlarms(opened?: Store) {
  const emitted: DomainEvent[] = [];
  const { store, run, requiredAccess } = await openOperations<CloudwatchApi>(cloudwatchOperations(), emitted, opened);
  let now: Instant = START;
  const step = evaluateAlarms();
  return {
    store,
    requiredAccess,
    /** Events for the event bus, in the order in which they were emitted. */
    events: emitted as BusEvent[],
    now: () => now,
    /** Moves the clock to a number of seconds after `START`. */
    setSeconds(seconds: number) {
      now = instant(START + seconds * 1_000);
    },
    run: <Name extends keyof CloudwatchApi>(name: Name, input: CloudwatchApi[Name]['input'], as: As = {}) =>
      run(name, input, { now, ...as }),
    /** Stores one sample of the metric of `ALARM`. */
    put: (Value: number, MetricName = 'Load') => run('PutMetricData', { Namespace: 'Test', MetricData: [{ MetricName, Value }] }, { now }),
    /** Evaluates due alarms. Returns the number of steps. */
    async evaluate(server = step): Promise<number> {
      let steps = 1;
      const transact: Transact = (run) => store.transaction((tx) => run({ ...workFor(tx, now, emitted), newId: randomUUID }));
      while ((await server(transact)) === 'more') steps += 1;
      return steps;
    },
    /** Returns the waiting messages, oldest first. */
    messages: (): Promise<readonly OutgoingMessage[]> =>
      store.transaction((tx) => OUTGOING.rows(tx.sql, `SELECT ${OUTGOING.names} FROM outgoing ORDER BY created_at_ms, id`)),
    /** Returns an alarm. */
    async alarm(name = ALARM.AlarmName) {
      const { MetricAlarms = [], CompositeAlarms = [] } = await run(
        'DescribeAlarms',
        { AlarmNames: [name], AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] },
        { now },
      );
      return MetricAlarms[0] ?? CompositeAlarms[0];
    },
  };
}
