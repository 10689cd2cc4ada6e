/** Evaluation of a metric alarm: which state follows from the points in its evaluation range. */
import type { StateValue } from '#model/generated/cloudwatch.ts';

/** Point of the metric of an alarm. */
export interface AlarmPoint {
  /** Start of the period, in milliseconds. */
  readonly at: number;
  readonly value: number;
  /** Absent for the result of an expression. */
  readonly sampleCount?: number;
}

/** Treatment of periods without a point. Source: cloudwatch 2010-08-01, TreatMissingData. */
export type MissingData = 'missing' | 'ignore' | 'breaching' | 'notBreaching';

/** Rules of a metric alarm. */
export interface EvaluationRules {
  readonly breaches: (value: number) => boolean;
  /** N: number of periods that decide. */
  readonly evaluationPeriods: number;
  /** M: number of breaching points among them that raises the alarm. */
  readonly datapointsToAlarm: number;
  readonly missingData: MissingData;
}

/** Outcome of an evaluation. */
export interface Evaluation {
  /** The new state. Undefined: the alarm keeps its state. */
  readonly state: StateValue | undefined;
  /** Points that decide, newest first. */
  readonly evaluated: readonly AlarmPoint[];
  /** Points that support the state, newest first: the breaching ones for ALARM, the others for OK. */
  readonly crossed: readonly AlarmPoint[];
  /** Number of missing points that were treated as breaching or as not breaching. */
  readonly filled: number;
}

/**
 * Number of periods in the evaluation range beyond N. With older points, late or missing ones matter less.
 *
 * Source: CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data": the range is longer than N, and has 5
 * periods if N is 3. Assumed: N + 2 for every N.
 */
export const RANGE_EXTRA = 2;

/**
 * Evaluates the points in the evaluation range. `range` has N + 2 periods, the oldest first. A period without a point is undefined.
 *
 * - With at least N points in the range, the newest N decide, and the treatment of missing data has no effect.
 * - Otherwise all points decide. The treatment fills the missing ones, as few as possible.
 *
 * Source: CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data", both tables, and "Avoiding premature
 * transitions to alarm state".
 * Assumed: with `missing`, points that are all breaching and too few or too new for ALARM keep the state.
 */
export function evaluate(range: readonly (AlarmPoint | undefined)[], rules: EvaluationRules): Evaluation {
  const { evaluationPeriods, datapointsToAlarm, missingData, breaches } = rules;
  const newestFirst = range.toReversed();
  const evaluated = newestFirst.filter((point) => point !== undefined).slice(0, evaluationPeriods);
  const breaching = evaluated.filter(({ value }) => breaches(value));
  const others = evaluated.filter(({ value }) => !breaches(value));
  const missing = evaluationPeriods - evaluated.length;
  const outcome = (state: StateValue | undefined, filled = 0): Evaluation => ({
    state,
    evaluated,
    crossed: state === 'ALARM' ? breaching : state === 'OK' ? others : [],
    filled,
  });

  if (missing === 0) return outcome(breaching.length >= datapointsToAlarm ? 'ALARM' : 'OK');
  switch (missingData) {
    case 'breaching':
      return outcome(breaching.length + missing >= datapointsToAlarm ? 'ALARM' : 'OK', missing);
    case 'notBreaching':
      return outcome(breaching.length >= datapointsToAlarm ? 'ALARM' : 'OK', missing);
    case 'ignore':
      if (breaching.length >= datapointsToAlarm) return outcome('ALARM');
      return outcome(others.length > 0 ? 'OK' : undefined);
    case 'missing': {
      if (evaluated.length === 0) return outcome('INSUFFICIENT_DATA');
      if (breaching.length >= datapointsToAlarm) return outcome('ALARM');
      if (others.length > 0) return outcome('OK');
      const oldest = newestFirst.findLastIndex((point) => point !== undefined) + 1;
      return outcome(oldest >= datapointsToAlarm ? 'ALARM' : undefined);
    }
  }
}
