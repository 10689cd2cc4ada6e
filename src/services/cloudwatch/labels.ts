/** Labels of the results of GetMetricData, with their dynamic values. */
import type { MetricDataQuery } from '#model/generated/cloudwatch.ts';
import type { InTurns } from '../kit/turns.ts';
import { AwsError } from './errors.ts';
import { type Series, TURN_POINTS } from './math/series.ts';

/** Account, region and time of a request, for the values of labels. */
export interface LabelFacts {
  readonly accountId: string;
  readonly region: string;
  readonly now: number;
  /** Offset of `LabelOptions.Timezone`, such as `+0130`. Default: `+0000`. */
  readonly timezone: string;
}

/** Result of a query, which can have several series. */
interface Result {
  readonly query: MetricDataQuery;
  readonly series: readonly Series[];
}

/** A series with its label in the response, and the result that has it. */
export interface Labelled<R> extends Series {
  readonly result: R;
}

/**
 * Dynamic values that a label can have, apart from properties, and occurrences of `${LABEL}`.
 *
 * Source: CloudWatch User Guide, "Using dynamic labels": five (an older edition), and one `${LABEL}`.
 */
const VALUES_MAX = 5;
/** Maximum number of characters of all labels of a response. Assumed: the number. Each result of a search has a label. */
const CHARACTERS_MAX = 4_000_000;
/** Value of a variable of a series without points, and of a property that the metric does not have. Assumed. */
const NONE = '--';

const VARIABLE = /\$\{(?:([A-Z_]+)|PROP\('([^']*)'\))\}/g;
/** Start of a search. `${LABEL}` is then the label of the metric, also if it finds only one. Source: as above, its example. */
const SEARCH = /^\s{0,99}SEARCH\s{0,99}\(/;
const TIMEZONE = /^[+-](?:[01][0-9]|2[0-3])[0-5][0-9]$/;

/** Reports whether a label has variables. */
export function isDynamic(label: string): boolean {
  return label.search(VARIABLE) >= 0;
}

/** @throws ValidationException  a label has too many dynamic values, or the time zone is invalid. Assumed: the messages */
export function requireLabels(labels: readonly (string | undefined)[], timezone: string | undefined): void {
  if (timezone !== undefined && !TIMEZONE.test(timezone))
    throw invalid(`The value ${timezone.slice(0, 50)} for parameter LabelOptions.Timezone is invalid.`);
  for (const [i, label = ''] of labels.entries()) {
    const names = [...label.matchAll(VARIABLE)].map(([, name]) => name);
    const count = names.filter((name) => name !== undefined && name !== 'LABEL' && name in VALUES).length;
    if (count > VALUES_MAX || names.filter((name) => name === 'LABEL').length > 1)
      throw invalid(
        `The parameter MetricDataQueries.member.${i + 1}.Label can have at most ${VALUES_MAX} dynamic values, and \${LABEL} only once.`,
      );
  }
}

/**
 * Returns the series of all results with their labels, in turns. A query without a series has one without points.
 *
 * Source: CloudWatch User Guide, "Using dynamic labels": the variables, and that a label applies to every metric of a search.
 * Assumed: an unknown variable stays as it is. Numbers are not rounded. A label without variables precedes that of the series, if an
 * expression has several.
 */
export function* labelled<R extends Result>(results: readonly R[], facts: LabelFacts): InTurns<readonly Labelled<R>[]> {
  const all: Labelled<R>[] = [];
  let points = 0;
  let characters = 0;
  for (const result of results) {
    const { series } = result;
    const several: readonly Series[] = series.length === 0 ? [{ label: '', period: 0, times: [], values: [] }] : series;
    for (const each of several) {
      const label = labelOf(result, each, several.length, facts);
      characters += label.length;
      if (characters > CHARACTERS_MAX) throw invalid('The labels of the results are too long.');
      all.push({ ...each, label, result });
      points += each.times.length;
      if (points < TURN_POINTS) continue;
      yield;
      points = 0;
    }
  }
  return all;
}

function labelOf({ query: { Id, Label, Expression } }: Result, series: Series, count: number, facts: LabelFacts): string {
  const own = series.label === '' || (Expression !== undefined && count === 1) ? Id : series.label;
  if (Label === undefined) return own;
  if (isDynamic(Label)) {
    const text = (value: Value | undefined) => formatted(value, facts);
    return Label.replace(VARIABLE, (whole, name: string | undefined, property: string | undefined) => {
      if (property !== undefined) return propertyOf(property, series, facts) ?? NONE;
      if (name === 'LABEL') return SEARCH.test(Expression ?? '') && series.label !== '' ? series.label : own;
      const value = VALUES[name as keyof typeof VALUES];
      return value === undefined ? whole : text(series.times.length === 0 ? undefined : value(series, facts.now));
    });
  }
  return count === 1 ? Label : Label === '' ? own : `${Label} ${own}`;
}

/** Value of a variable: a number, a time or a duration in milliseconds. */
type Value = number | { readonly at: number } | { readonly lasts: number };

/** Functions of the variables. The series have points. */
const VALUES: Readonly<Record<string, (series: Series, now: number) => Value>> = {
  __proto__: null as never,
  AVG: ({ values }) => sumOf(values) / values.length,
  DATAPOINT_COUNT: ({ values }) => values.length,
  FIRST: ({ values }) => values[0] as number,
  FIRST_LAST_RANGE: ({ values }) => (values.at(-1) as number) - (values[0] as number),
  FIRST_LAST_TIME_RANGE: ({ times }) => ({ lasts: (times.at(-1) as number) - (times[0] as number) }),
  FIRST_TIME: ({ times }) => ({ at: times[0] as number }),
  FIRST_TIME_RELATIVE: ({ times }, now) => ({ lasts: Math.abs(now - (times[0] as number)) }),
  LAST: ({ values }) => values.at(-1) as number,
  LAST_TIME: ({ times }) => ({ at: times.at(-1) as number }),
  LAST_TIME_RELATIVE: ({ times }, now) => ({ lasts: Math.abs(now - (times.at(-1) as number)) }),
  MAX: ({ values }) => values[maximumIn(values)] as number,
  MAX_TIME: ({ values, times }) => ({ at: times[maximumIn(values)] as number }),
  MAX_TIME_RELATIVE: ({ values, times }, now) => ({ lasts: Math.abs(now - (times[maximumIn(values)] as number)) }),
  MIN: ({ values }) => values[minimumIn(values)] as number,
  MIN_MAX_RANGE: ({ values }) => (values[maximumIn(values)] as number) - (values[minimumIn(values)] as number),
  MIN_MAX_TIME_RANGE: ({ values, times }) => ({
    lasts: Math.abs((times[maximumIn(values)] as number) - (times[minimumIn(values)] as number)),
  }),
  MIN_TIME: ({ values, times }) => ({ at: times[minimumIn(values)] as number }),
  MIN_TIME_RELATIVE: ({ values, times }, now) => ({ lasts: Math.abs(now - (times[minimumIn(values)] as number)) }),
  SUM: ({ values }) => sumOf(values),
};

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
/** Return the index of the first extreme value. */
const maximumIn = (values: readonly number[]): number => values.reduce((at, value, i) => (value > (values[at] as number) ? i : at), 0);
const minimumIn = (values: readonly number[]): number => values.reduce((at, value, i) => (value < (values[at] as number) ? i : at), 0);

/** Returns a property of the metric of a series, or undefined if it is unknown or the series is not that of one metric. */
function propertyOf(name: string, { metric, period }: Series, { accountId, region }: LabelFacts): string | undefined {
  if (metric === undefined) return undefined;
  const { Metric, Stat } = metric;
  if (name.startsWith('Dim.')) return Metric.Dimensions?.find(({ Name }) => Name === name.slice(4))?.Value;
  switch (name) {
    case 'AccountId':
      return accountId;
    case 'MetricName':
      return Metric.MetricName;
    case 'Namespace':
      return Metric.Namespace;
    case 'Period':
      return `${period}`;
    case 'Region':
      return region;
    case 'Stat':
      return Stat;
    default:
      return undefined;
  }
}

/** Formats a value. Assumed: times as `2026-11-28T10:00:00+0130`, and durations as `1d 2h 5m 30s` without parts that are 0. */
function formatted(value: Value | undefined, { timezone }: LabelFacts): string {
  if (value === undefined) return NONE;
  if (typeof value === 'number') return `${value}`;
  if ('at' in value) return `${new Date(value.at + offsetOf(timezone)).toISOString().slice(0, 19)}${timezone}`;
  const seconds = Math.floor(value.lasts / 1_000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const shown = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count}${unit}`);
  return shown.length === 0 ? '0s' : shown.join(' ');
}

/** Returns the offset of a time zone in milliseconds. */
function offsetOf(timezone: string): number {
  const minutes = Number(timezone.slice(1, 3)) * 60 + Number(timezone.slice(3));
  return (timezone.startsWith('-') ? -1 : 1) * minutes * 60_000;
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
