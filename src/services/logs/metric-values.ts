/** Samples that the metric filters of a log group create from log events. */
import { MINUTE_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import type { MetricDatum } from '#model/generated/cloudwatch.ts';
import type { InputLogEvent, MetricTransformation } from '#model/generated/logs.ts';
import type { Work } from '../kit/events.ts';
import type { MetricSamples } from '../kit/metric-samples.ts';
import type { InTurns } from '../kit/turns.ts';
import { costOf, costOfAll, costOfEvent } from './filter-pattern/cost.ts';
import { toNumber } from './filter-pattern/cursor.ts';
import { extractedValue, matches } from './filter-pattern/match.ts';
import { parsePattern } from './filter-pattern/parse.ts';
import type { FilterPattern } from './filter-pattern/pattern.ts';
import { type Subject, subjectOf } from './filter-pattern/subject.ts';
import type { LogGroupRecord } from './tables/groups.ts';
import { type MetricFilterRecord, metricFilters } from './tables/metric-filters.ts';

/** Limits of names and values of dimensions. Source: cloudwatch 2010-08-01, Dimension. */
const DIMENSION_MAX = 1_024;
/**
 * Samples that the events of one request can create: one for each metric, minute and set of dimensions. Further ones are dropped, because
 * each is a row of the transaction.
 *
 * Assumed: the number. AWS disables a filter that creates 1,000 sets of dimensions in an hour.
 */
const SAMPLES_MAX = 2_000;
/** Largest absolute value of a sample. Source: CloudWatch API reference, PutMetricData: −2^360 to 2^360. */
const VALUE_MAX = 2 ** 360;

/** Metric filter of a log group, with its parsed pattern. */
export interface ParsedFilter extends MetricFilterRecord {
  readonly parsed: FilterPattern;
}

/** Samples by their namespace. */
export type SamplesByNamespace = ReadonlyMap<string, readonly MetricDatum[]>;

/** Returns the metric filters of a group. */
export async function filtersOf({ tx }: Pick<Work, 'tx'>, { groupId }: LogGroupRecord): Promise<readonly ParsedFilter[]> {
  return (await tx.of(metricFilters).ofGroup(groupId)).flatMap((filter): ParsedFilter[] => {
    const parsed = parsePattern(filter.pattern);
    return 'pattern' in parsed ? [{ ...filter, parsed: parsed.pattern }] : [];
  });
}

/** Cost of the work of a turn, in nanoseconds: see `costOf`. */
export const TURN_COST = 20_000_000;

/** Reports whether the application of filters to events takes more than one turn. */
export function isLong(filters: readonly Pick<ParsedFilter, 'parsed'>[], events: readonly InputLogEvent[]): boolean {
  if (filters.length === 0) return false;
  const cost = costOfAll(filters.map(({ parsed }) => parsed));
  return events.reduce((sum, { message }) => sum + costOfEvent(cost, message), 0) > TURN_COST;
}

/**
 * Returns the samples that metric filters create from events: one value for each event that matches. The values of a minute become one
 * sample with their counts. If no event of a minute matches, the default value is one sample, if the filter has one.
 *
 * Source: CloudWatch Logs User Guide, "Configuring metric values for a metric filter" and "Publishing dimensions with metrics".
 * Assumed: an event without a number in the selected value, or without the value of a dimension, adds no sample. The default value is for
 * minutes in which the group receives events.
 */
export function* samplesOf(filters: readonly ParsedFilter[], events: readonly InputLogEvent[]): InTurns<SamplesByNamespace> {
  const collected = new Map<string, Collected>();
  const minutes = new Set<number>();
  const matched = new Set<string>();
  const costs = new Map(filters.map((filter) => [filter, costOf(filter.parsed)]));
  let cost = 0;

  function add(transformation: MetricTransformation, id: string, minute: number, { value, Dimensions }: Sample): void {
    const key = `${minute} ${id}${Dimensions === undefined ? '' : ` ${JSON.stringify(Dimensions)}`}`;
    let found = collected.get(key);
    if (found === undefined) {
      if (collected.size >= SAMPLES_MAX) return;
      const { metricNamespace: namespace, metricName: MetricName, unit: Unit = 'None' } = transformation;
      const datum = { MetricName, Unit, Timestamp: instant(minute), ...(Dimensions !== undefined && { Dimensions }) };
      collected.set(key, (found = { namespace, datum, counts: new Map() }));
    }
    found.counts.set(value, (found.counts.get(value) ?? 0) + 1);
  }

  for (const { timestamp, message } of events) {
    const minute = minuteOf(timestamp);
    minutes.add(minute);
    const subject = subjectOf(message);
    for (const [filter, ofFilter] of costs) {
      const { name, parsed, transformations } = filter;
      cost += costOfEvent(ofFilter, message);
      if (cost > TURN_COST) {
        yield;
        cost = 0;
      }
      if (!matches(parsed, subject)) continue;
      matched.add(`${minute} ${name}`);
      for (const transformation of transformations) {
        const sample = sampleOf(transformation, parsed, subject);
        if (sample !== undefined) add(transformation, name, minute, sample);
      }
    }
  }
  for (const minute of minutes) {
    for (const { name, transformations } of filters) {
      if (matched.has(`${minute} ${name}`)) continue;
      for (const transformation of transformations) {
        const { defaultValue } = transformation;
        if (defaultValue !== undefined) add(transformation, name, minute, { value: defaultValue });
      }
    }
  }
  return byNamespace(collected.values());
}

const minuteOf = (timestamp: number): number => timestamp - (timestamp % MINUTE_MS);

function byNamespace(collected: Iterable<Collected>): SamplesByNamespace {
  const samples = new Map<string, MetricDatum[]>();
  for (const { namespace, datum, counts } of collected) {
    const [[Value, count] = [0, 0]] = counts;
    const values = counts.size === 1 && count === 1 ? { Value } : { Values: [...counts.keys()], Counts: [...counts.values()] };
    const ofNamespace = samples.get(namespace);
    if (ofNamespace === undefined) samples.set(namespace, [{ ...datum, ...values }]);
    else ofNamespace.push({ ...datum, ...values });
  }
  return samples;
}

/** Emits `MetricSamples`, one for each namespace. */
export async function emitSamples(work: Work, { accountId, region }: LogGroupRecord, samples: SamplesByNamespace): Promise<void> {
  for (const [Namespace, of] of samples) {
    await work.emit<MetricSamples>({ type: 'MetricSamples', accountId, region, Namespace, samples: of });
  }
}

/** Values of one metric in one minute, with their counts. */
interface Collected {
  readonly namespace: string;
  readonly datum: MetricDatum;
  readonly counts: Map<number, number>;
}

interface Sample {
  readonly value: number;
  readonly Dimensions?: MetricDatum['Dimensions'];
}

function sampleOf({ metricValue, dimensions }: MetricTransformation, pattern: FilterPattern, subject: Subject): Sample | undefined {
  const isSelector = metricValue.startsWith('$');
  const value = toNumber((isSelector ? extractedValue(pattern, subject, metricValue) : metricValue) ?? '');
  if (value === undefined || Math.abs(value) > VALUE_MAX) return undefined;
  if (dimensions === undefined) return { value };
  const Dimensions = Object.entries(dimensions).map(([Name, selector]) => ({
    Name,
    Value: extractedValue(pattern, subject, selector) ?? '',
  }));
  const isComplete = Dimensions.every((each) => each.Value !== '' && each.Value.length <= DIMENSION_MAX);
  return isComplete ? { value, Dimensions } : undefined;
}
