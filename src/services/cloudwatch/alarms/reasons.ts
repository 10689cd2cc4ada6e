/** Reasons of the states of metric alarms: the text, and the data in JSON. */
import { counted } from '#core/counted.ts';
import type { ComparisonOperator } from '#model/generated/cloudwatch.ts';
import type { AlarmPoint, Evaluation, EvaluationRules } from './evaluation.ts';
import { formatDouble, formatPointTime, formatTime } from './numbers.ts';

/** A comparison with a fixed threshold. */
export type FixedComparison = Extract<
  ComparisonOperator,
  'GreaterThanThreshold' | 'GreaterThanOrEqualToThreshold' | 'LessThanThreshold' | 'LessThanOrEqualToThreshold'
>;

/** Comparisons with a fixed threshold: what breaches, and the words in reasons. */
// biome-ignore format: a table
export const COMPARISONS = {
  GreaterThanThreshold:          { words: 'greater than',             breaches: (value, threshold) => value > threshold },
  GreaterThanOrEqualToThreshold: { words: 'greater than or equal to', breaches: (value, threshold) => value >= threshold },
  LessThanThreshold:             { words: 'less than',                breaches: (value, threshold) => value < threshold },
  LessThanOrEqualToThreshold:    { words: 'less than or equal to',    breaches: (value, threshold) => value <= threshold },
} as const satisfies Record<FixedComparison, { words: string; breaches: (value: number, threshold: number) => boolean }>;

/** Facts about an alarm that its reasons contain. */
export interface ReasonFacts extends EvaluationRules {
  readonly comparison: FixedComparison;
  readonly threshold: number;
  /** Whether the configuration sets DatapointsToAlarm. Its reasons then contain M and N. */
  readonly namesDatapoints: boolean;
  readonly unit?: string | undefined;
  readonly statistic?: string | undefined;
  readonly period: number;
}

/**
 * Number of points from which a reason names only the newest ones, and how many these are.
 *
 * Recorded: alarms with 3 points list all of them. Alarms with 5, 24 and 30 points list the newest 5. Assumed: 4 points are listed.
 */
const MANY = 5;

/** Maximum length of StateReasonData. Source: cloudwatch 2010-08-01. Assumed: longer lists of points lose the oldest ones. */
const DATA_MAX = 4_000;
/** Number of points of which more never fit into `DATA_MAX`. */
const DATA_POINTS_MAX = 100;

/**
 * Returns the reason of the state that an evaluation sets.
 *
 * Recorded (all but the last two): `1 datapoint […] was not less than the threshold (1.0) and 1 missing datapoint was treated as [Breaching].` ·
 * `no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching].` · `3 out of the last 3 datapoints […]
 * were greater than the threshold (0.0) (minimum 1 datapoint for OK -> ALARM transition).` · `5 datapoints were greater than the threshold
 * (10.0). The most recent datapoints which crossed the threshold: […].` · `5 missing datapoints were treated as [NonBreaching] (minimum 7
 * datapoints for ALARM -> OK transition).`
 * Assumed: (1) the form with M and N is that of an alarm that sets DatapointsToAlarm; (2) the reason if only filled points support the state.
 */
export function reasonOf(evaluation: Evaluation, facts: ReasonFacts): string {
  const { state, evaluated, crossed, filled } = evaluation;
  const { evaluationPeriods, missingData } = facts;
  if (state === 'INSUFFICIENT_DATA') return `Insufficient Data: ${wasNumber(evaluationPeriods, 'datapoint')} unknown.`;
  const minimum = transitionOf(evaluation, facts);
  const filling = filled === 0 ? '' : `${missingOf(filled)} treated as [${missingData === 'breaching' ? 'Breaching' : 'NonBreaching'}]`;
  if (crossed.length === 0) {
    const none = evaluated.length === 0 ? `no datapoints were received for ${counted(evaluationPeriods, 'period')} and ` : '';
    return `Threshold Crossed: ${none}${filling}${minimum}.`;
  }
  const more = filling === '' ? '' : ` and ${filling}`;
  const { comparison, threshold } = facts;
  const compared = `${state === 'OK' ? 'not ' : ''}${COMPARISONS[comparison].words} the threshold (${formatDouble(threshold)})`;
  const verb = crossed.length === 1 ? 'was' : 'were';
  const points = facts.namesDatapoints
    ? `${crossed.length} out of the last ${evaluationPeriods} datapoints`
    : counted(crossed.length, 'datapoint');
  if (crossed.length < MANY) return `Threshold Crossed: ${points} [${listOf(crossed)}] ${verb} ${compared}${more}${minimum}.`;
  const newest = `The most recent datapoints which crossed the threshold: [${listOf(crossed.slice(0, MANY))}]`;
  return `Threshold Crossed: ${points} ${verb} ${compared}${more}. ${newest}${minimum}.`;
}

/** Returns ` (minimum 1 datapoint for OK -> ALARM transition)`, or an empty string for an alarm without DatapointsToAlarm. */
function transitionOf({ state }: Evaluation, { namesDatapoints, evaluationPeriods, datapointsToAlarm }: ReasonFacts): string {
  if (!namesDatapoints) return '';
  if (state === 'ALARM') return ` (minimum ${counted(datapointsToAlarm, 'datapoint')} for OK -> ALARM transition)`;
  return ` (minimum ${counted(evaluationPeriods - datapointsToAlarm + 1, 'datapoint')} for ALARM -> OK transition)`;
}

const wasNumber = (count: number, noun: string): string => `${counted(count, noun)} ${count === 1 ? 'was' : 'were'}`;
const missingOf = (count: number): string => wasNumber(count, 'missing datapoint');
const listOf = (points: readonly AlarmPoint[]): string =>
  points.map(({ at, value }) => `${formatDouble(value)} (${formatPointTime(at)})`).join(', ');

/**
 * Returns StateReasonData, in JSON. `periods` are the starts of the last N periods, the newest first. They are the evaluated points if the
 * alarm received no points.
 *
 * Recorded: members and their order, and the number format. Recorded: points are the oldest first in `recentDatapoints`, and the newest
 * first in `evaluatedDatapoints`.
 */
export function reasonDataOf({ evaluated }: Evaluation, facts: ReasonFacts, queriedAt: number, periods: readonly number[]): string {
  const { unit, statistic, period, threshold } = facts;
  for (let count = DATA_POINTS_MAX; ; count -= 1) {
    const newest = evaluated.slice(0, count);
    const startAt = newest.at(-1)?.at;
    const members = [
      '"version":"1.0"',
      `"queryDate":"${formatTime(queriedAt)}"`,
      ...(startAt === undefined ? [] : [`"startDate":"${formatTime(startAt)}"`]),
      ...(unit === undefined ? [] : [`"unit":${JSON.stringify(unit)}`]),
      ...(statistic === undefined ? [] : [`"statistic":${JSON.stringify(statistic)}`]),
      `"period":${period}`,
      `"recentDatapoints":[${newest
        .map(({ value }) => formatDouble(value))
        .reverse()
        .join(',')}]`,
      `"threshold":${formatDouble(threshold)}`,
      `"evaluatedDatapoints":[${evaluated.length === 0 ? periods.slice(0, count).map(periodJson) : newest.map(pointJson)}]`,
    ];
    const data = `{${members.join(',')}}`;
    if (data.length <= DATA_MAX) return data;
  }
}

const periodJson = (at: number): string => `{"timestamp":"${formatTime(at)}"}`;

function pointJson({ at, value, sampleCount }: AlarmPoint): string {
  const samples = sampleCount === undefined ? '' : `"sampleCount":${formatDouble(sampleCount)},`;
  return `{"timestamp":"${formatTime(at)}",${samples}"value":${formatDouble(value)}}`;
}
